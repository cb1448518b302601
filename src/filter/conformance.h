/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * conformance - what every evaluator of filters must answer: a few events, and for each filter
 * which of them match. Data only; include it from one test of each evaluator:
 *
 *   load conformance_events[] in order, with sample_event() of filter/random.h (event_read() would
 *   refuse the server's own fields);
 *   for each row: parse `filter` with now_us = SAMPLE_NOW_US, evaluate it over all events, and
 *   compare the set of those that match (bit n: conformance_events[n]) with `expected`.
 *
 * The values of the events are normalised; every event has event_id, event_timestamp, recorded_at,
 * org, event_type and event_action.
 */

#include <stdint.h>

#define CONFORMANCE_EVENTS 16

static const char *const conformance_events[CONFORMANCE_EVENTS] = {
    /* 0 */
    "{\"event_id\":\"0190a1b2-c3d4-7e5f-8a9b-000000000000\",\"event_timestamp\":\"2026-01-3"
    "1T10:00:00.000000Z\",\"recorded_at\":\"2026-02-01T00:00:00.000001Z\",\"org\":\"acme\","
    "\"event_type\":\"auth.login.success\",\"event_action\":\"success\",\"event_outcome\":"
    "\"success\",\"severity\":\"info\",\"service\":\"auth\",\"actor_id\":\"alice\",\"actor_"
    "email\":\"alice@example.com\",\"actor_ip\":\"10.0.0.5\",\"correlation_id\":\"c-1\",\"d"
    "uration_ms\":12,\"event_data\":{\"amount\":1000,\"currency\":\"EUR\",\"tags\":[\"a\","
    "\"b\"],\"user\":{\"name\":\"alice\",\"roles\":[\"admin\",\"dev\"]}}}",
    /* 1 */
    "{\"event_id\":\"0190a1b2-c3d4-7e5f-8a9b-000000000001\",\"event_timestamp\":\"2026-01-3"
    "1T10:01:00.000000Z\",\"recorded_at\":\"2026-02-01T00:00:00.000001Z\",\"org\":\"acme\","
    "\"event_type\":\"auth.login.failure\",\"event_action\":\"failure\",\"event_outcome\":"
    "\"failure\",\"severity\":\"warning\",\"service\":\"auth\",\"actor_id\":\"bob\",\"actor"
    "_ip\":\"192.168.1.20\",\"correlation_id\":\"c-1\",\"duration_ms\":0,\"error_code\":\"E"
    "_PASSWORD\",\"error_message\":\"Invalid password for user bob\",\"event_data\":{\"amou"
    "nt\":\"1000\",\"attempt\":3,\"note\":\"He said \\\"hi\\\" \\\\ bye\\nline two\"}}",
    /* 2 */
    "{\"event_id\":\"0190a1b2-c3d4-7e5f-8a9b-000000000002\",\"event_timestamp\":\"2026-01-3"
    "1T10:02:00.000000Z\",\"recorded_at\":\"2026-02-01T00:00:00.000001Z\",\"org\":\"acme\","
    "\"event_type\":\"payment.transfer.created\",\"event_action\":\"created\",\"event_outco"
    "me\":\"success\",\"severity\":\"low\",\"actor_id\":\"carol\",\"actor_ip\":\"2001:db8::"
    "1\",\"duration_ms\":250,\"event_data\":{\"amount\":1e3,\"items\":[{\"sku\":\"X1\",\"pr"
    "ice\":9.99},{\"sku\":\"Y2\",\"price\":10}],\"matrix\":[[1,2],[3,[4]]]}}",
    /* 3 */
    "{\"event_id\":\"0190a1b2-c3d4-7e5f-8a9b-000000000003\",\"event_timestamp\":\"2026-01-3"
    "1T10:03:00.000000Z\",\"recorded_at\":\"2026-02-01T00:00:00.000001Z\",\"org\":\"acme\","
    "\"event_type\":\"k8s.pod.deleted\",\"event_action\":\"deleted\",\"event_outcome\":\"su"
    "ccess\",\"severity\":\"notice\",\"actor_id\":\"system:serviceaccount:kube-system:defau"
    "lt\",\"user_agent\":\"kubectl/v1.29 (linux/amd64)\",\"namespace\":\"kube-system\",\"ev"
    "ent_data\":{\"a.b\":{\"c\":true},\"\":\"nameless\",\"x y\":1,\"ok\":true,\"none\":null"
    ",\"off\":false,\"a\":{\"b\":{\"c\":\"dotted\"}}}}",
    /* 4 */
    "{\"event_id\":\"0190a1b2-c3d4-7e5f-8a9b-000000000004\",\"event_timestamp\":\"2026-01-3"
    "1T10:04:00.000000Z\",\"recorded_at\":\"2026-02-01T00:00:00.000001Z\",\"org\":\"acme\","
    "\"event_type\":\"payment.transfer.denied\",\"event_action\":\"denied\",\"event_outcome"
    "\":\"denied\",\"severity\":\"medium\",\"actor_ip\":\"10.1.0.5\",\"namespace\":\"defaul"
    "t\",\"event_data\":[{\"amount\":5},{\"amount\":1001},[{\"amount\":7}]]}",
    /* 5 */
    "{\"event_id\":\"0190a1b2-c3d4-7e5f-8a9b-000000000005\",\"event_timestamp\":\"2026-01-3"
    "1T10:05:00.000000Z\",\"recorded_at\":\"2026-02-01T00:00:00.000001Z\",\"org\":\"acme\","
    "\"event_type\":\"note.text\",\"event_action\":\"text\",\"severity\":\"error\",\"event_"
    "data\":\"plain words here\"}",
    /* 6 */
    "{\"event_id\":\"0190a1b2-c3d4-7e5f-8a9b-000000000006\",\"event_timestamp\":\"2026-01-3"
    "1T10:06:00.000000Z\",\"recorded_at\":\"2026-02-01T00:00:00.000001Z\",\"org\":\"acme\","
    "\"event_type\":\"note.number\",\"event_action\":\"number\",\"severity\":\"high\",\"eve"
    "nt_data\":42}",
    /* 7 */
    "{\"event_id\":\"0190a1b2-c3d4-7e5f-8a9b-000000000007\",\"event_timestamp\":\"2026-01-3"
    "1T10:07:00.000000Z\",\"recorded_at\":\"2026-02-01T00:00:00.000001Z\",\"org\":\"acme\","
    "\"event_type\":\"note.meta\",\"event_action\":\"meta\",\"severity\":\"critical\",\"eve"
    "nt_data\":{},\"event_metadata\":{\"source\":\"bulk import\",\"batch\":7,\"amount\":100"
    "0}}",
    /* 8 */
    "{\"event_id\":\"0190a1b2-c3d4-7e5f-8a9b-000000000008\",\"event_timestamp\":\"2026-01-3"
    "1T10:08:00.000000Z\",\"recorded_at\":\"2026-02-01T00:00:00.000001Z\",\"org\":\"acme\","
    "\"event_type\":\"note.unicode\",\"event_action\":\"unicode\",\"severity\":\"alert\",\""
    "actor_id\":\"Ünïcode\",\"error_message\":\"Zugriff für Jürgen verweigert\",\"event_dat"
    "a\":{\"name\":\"J\\u00fcrgen\",\"face\":\"\\ud83d\\ude00\",\"path\":\"C:\\\\Temp\\\\x"
    "\",\"na\\u00efve\":1}}",
    /* 9 */
    "{\"event_id\":\"0190a1b2-c3d4-7e5f-8a9b-000000000009\",\"event_timestamp\":\"2025-12-3"
    "1T23:59:59.999999Z\",\"recorded_at\":\"2026-02-01T00:00:00.000001Z\",\"org\":\"acme\","
    "\"event_type\":\"note.decimals\",\"event_action\":\"decimals\",\"severity\":\"emergenc"
    "y\",\"duration_ms\":2147483647,\"event_data\":{\"n\":0.1,\"big\":18446744073709551617,"
    "\"tiny\":1e-400,\"neg\":-2.50,\"zero\":-0.0,\"text\":\"0.1\"}}",
    /* 10 */
    "{\"event_id\":\"0190a1b2-c3d4-7e5f-8a9b-00000000000a\",\"event_timestamp\":\"2026-01-3"
    "1T10:10:00.000000Z\",\"recorded_at\":\"2026-02-01T00:00:00.000001Z\",\"org\":\"acme\","
    "\"event_type\":\"note.times\",\"event_action\":\"times\",\"severity\":\"debug\",\"even"
    "t_data\":{\"expires\":\"2026-02-01T00:00:00Z\",\"day\":\"2026-01-15\",\"zoned\":\"2026"
    "-01-31T12:00:00+02:00\",\"soon\":\"tomorrow\"}}",
    /* 11 */
    "{\"event_id\":\"0190a1b2-c3d4-7e5f-8a9b-00000000000b\",\"event_timestamp\":\"2026-01-2"
    "0T00:00:00.000000Z\",\"recorded_at\":\"2026-02-01T00:00:00.000001Z\",\"org\":\"other\""
    ",\"event_type\":\"bare\",\"event_action\":\"bare\"}",
    /* 12 */
    "{\"event_id\":\"0190a1b2-c3d4-7e5f-8a9b-00000000000c\",\"event_timestamp\":\"2026-02-0"
    "1T00:00:00.000000Z\",\"recorded_at\":\"2026-02-01T00:00:00.000001Z\",\"org\":\"acme\","
    "\"event_type\":\"job.started\",\"event_action\":\"started\",\"event_outcome\":\"pendin"
    "g\",\"correlation_id\":\"c-2\",\"parent_event_id\":\"0190a1b2-c3d4-7e5f-8a9b-000000000"
    "000\",\"retention_days\":30,\"is_sensitive\":true,\"event_data\":{\"items\":[],\"empty"
    "\":{}}}",
    /* 13 */
    "{\"event_id\":\"0190a1b2-c3d4-7e5f-8a9b-00000000000d\",\"event_timestamp\":\"2026-01-3"
    "1T10:13:00.000000Z\",\"recorded_at\":\"2026-02-01T00:00:00.000001Z\",\"org\":\"acme\","
    "\"event_type\":\"job.failed\",\"event_action\":\"failed\",\"event_outcome\":\"unknown"
    "\",\"parent_event_id\":\"0190a1b2-c3d4-7e5f-8a9b-00000000000c\",\"error_message\":\"di"
    "sk full on node-7: write failed\",\"is_sensitive\":false}",
    /* 14 */
    "{\"event_id\":\"0190a1b2-c3d4-7e5f-8a9b-00000000000e\",\"event_timestamp\":\"2026-01-3"
    "1T10:14:00.000000Z\",\"recorded_at\":\"2026-02-01T00:00:00.000001Z\",\"org\":\"acme\","
    "\"event_type\":\"policy.changed\",\"event_action\":\"changed\",\"resource_id\":\"a\\\""
    "b(c) !x\",\"resource_name\":\"s3:*\",\"event_data\":{\"action\":\"s3:*\",\"empty\":\""
    "\",\"wild\":\"a*b\",\"not\":\"!x\",\"kw\":\"OR\"}}",
    /* 15 */
    "{\"event_id\":\"0190a1b2-c3d4-7e5f-8a9b-00000000000f\",\"event_timestamp\":\"2026-01-3"
    "1T10:15:00.000000Z\",\"recorded_at\":\"2026-02-01T00:00:00.000001Z\",\"org\":\"acme\","
    "\"event_type\":\"job.words\",\"event_action\":\"words\",\"event_data\":{\"first\":\"di"
    "sk\",\"second\":\"full\",\"list\":[\"Write\",\"FAILED\"],\"deep\":{\"deep\":{\"deep\":"
    "{\"deep\":[[[\"bottom\"]]]}}}}}",
};

struct conformance_row {
    const char *name;
    const char *filter;
    uint32_t expected; /* bit n: event n matches */
};

#define E(n)            (UINT32_C(1) << (n))
#define CONFORMANCE_ALL (E(CONFORMANCE_EVENTS) - 1)

static const struct conformance_row conformance_rows[] = {
    {"everything", "", CONFORMANCE_ALL},
    {"a star", "*", CONFORMANCE_ALL},
    {"nothing", "NOT *", 0},
    {"text equal", "actor_id:alice", E(0)},
    {"text equal sign", "actor_id=bob", E(1)},
    {"text case counts", "actor_id:Alice", 0},
    {"two equal signs", "actor_id==bob", E(1)},
    {"blanks around the operator", "actor_id = bob", E(1)},
    {"other name", "user:carol", E(2)},
    {"text prefix", "event_type:auth.*", E(0) | E(1)},
    {"text prefix is not a word", "event_type:aut*", E(0) | E(1)},
    {"prefix longer than the value", "actor_id:alice2*", 0},
    {"text not equal matches what lacks it", "actor_id!=alice", CONFORMANCE_ALL & ~(E(0))},
    {"not equal prefix", "event_type!=note.*",
     CONFORMANCE_ALL & ~(E(5) | E(6) | E(7) | E(8) | E(9) | E(10))},
    {"negated value", "event_type:!note.*",
     CONFORMANCE_ALL & ~(E(5) | E(6) | E(7) | E(8) | E(9) | E(10))},
    {"text regex", "event_type~^auth", E(0) | E(1)},
    {"regex unanchored", "event_type~transfer", E(2) | E(4)},
    {"regex with a group", "event_type~\\.(created|deleted)$", E(2) | E(3)},
    {"regex quoted", "event_type~\"\\.(created|deleted)$\"", E(2) | E(3)},
    {"regex in any case", "actor_id~(?i)ALICE", E(0)},
    {"regex dot is one character", "actor_id~^.nïcode$", E(8)},
    {"regex negated", "actor_id!~^a NOT NOT actor_id:*", E(1) | E(2) | E(3) | E(8)},
    {"regex other spelling", "actor_id=~^bob$", E(1)},
    {"regex in parentheses", "(event_type~^(auth|job)$ OR event_type~^(auth|job)[.])",
     E(0) | E(1) | E(12) | E(13) | E(15)},
    {"regex with a quote", "resource_id~\"a\\\"b\"", E(14)},
    {"regex bare with a quote", "resource_id~a\"b", E(14)},
    {"regex dollar is the end", "event_type~bare$", E(11)},
    {"regex that is hostile", "error_message~^(((\\w+\\s?)+)+)+$ error_message:Zugriff*", 0},
    {"regex that gives up before it matches", "error_message~\"^((.+)+)+!|t$\"", 0},
    {"regex that gives up, negated", "error_message!~\"^((.+)+)+!|t$\" error_message:Zugriff*",
     E(8)},
    {"present", "actor_id:*", E(0) | E(1) | E(2) | E(3) | E(8)},
    {"absent", "NOT actor_id:*", CONFORMANCE_ALL & ~(E(0) | E(1) | E(2) | E(3) | E(8))},
    {"present with an equal sign", "namespace=*", E(3) | E(4)},
    {"quoted value", "error_message:\"disk full on node-7: write failed\"", E(13)},
    {"quoted prefix", "error_message:\"disk full*\"", E(13)},
    {"unicode value", "actor_id:Ünïcode", E(8)},
    {"unicode prefix", "actor_id:Ü*", E(8)},
    {"colons in a value", "actor_id:system:serviceaccount:kube-system:default", E(3)},
    {"escaped star", "resource_name:s3:\\*", E(14)},
    {"star as a wildcard", "resource_name:s3:*", E(14)},
    {"escaped star is no wildcard", "event_type:auth.\\*", 0},
    {"escaped quote and parentheses", "resource_id:a\\\"b\\(c\\)\\ !x", E(14)},
    {"quoted with an escaped quote", "resource_id:\"a\\\"b(c) !x\"", E(14)},
    {"org", "org:other", E(11)},
    {"error code", "error_code:E_PASSWORD", E(1)},
    {"and by juxtaposition", "service:auth actor_id:bob", E(1)},
    {"and in words", "service:auth AND actor_id:bob", E(1)},
    {"or", "actor_id:alice OR actor_id:bob", E(0) | E(1)},
    {"and binds tighter", "actor_id:alice OR service:auth actor_id:bob", E(0) | E(1)},
    {"parentheses", "(actor_id:alice OR actor_id:carol) service:auth", E(0)},
    {"not", "NOT service:auth", CONFORMANCE_ALL & ~(E(0) | E(1))},
    {"bang", "service:auth !actor_id:bob", E(0)},
    {"bang before parentheses", "service:auth !(actor_id:bob)", E(0)},
    {"not not", "NOT NOT service:auth", E(0) | E(1)},
    {"group", "actor_id:(alice OR bob)", E(0) | E(1)},
    {"group with prefixes", "event_type:(auth.* OR k8s*)", E(0) | E(1) | E(3)},
    {"group with not", "event_type:(auth.* NOT *)", 0},
    {"group and", "event_type:(auth.* AND !auth.login.failure)", E(0)},
    {"group with quotes", "actor_id:(\"alice\" OR \"bob\")", E(0) | E(1)},
    {"negated group", "NOT namespace:(kube-system OR default)", CONFORMANCE_ALL & ~(E(3) | E(4))},
    {"not equal group", "namespace!=(kube-system OR default) namespace:*", 0},
    {"nested group", "actor_id:((alice OR bob) OR carol)", E(0) | E(1) | E(2)},
    {"deep parentheses", "((((((actor_id:alice))))))", E(0)},
    {"lower case and is a word", "disk and full", 0},
    {"choice equal is as written", "severity:info", E(0)},
    {"choice synonym", "severity:low", E(2)},
    {"choice in any case", "severity:INFO", E(0)},
    {"choice at least", "severity>=warning", E(1) | E(4) | E(5) | E(6) | E(7) | E(8) | E(9)},
    {"choice at least, other name", "severity>=medium",
     E(1) | E(4) | E(5) | E(6) | E(7) | E(8) | E(9)},
    {"choice more", "severity>error", E(7) | E(8) | E(9)},
    {"choice less", "severity<low", E(10)},
    {"choice at most", "severity<=info", E(0) | E(2) | E(10)},
    {"choice prefix", "severity:e*", E(5) | E(9)},
    {"choice regex", "severity~^(high|low)$", E(2) | E(6)},
    {"choice not equal", "severity!=info severity:*",
     CONFORMANCE_ALL & ~(E(0) | E(11) | E(12) | E(13) | E(14) | E(15))},
    {"outcome", "event_outcome:failure", E(1)},
    {"outcome other name", "status:denied", E(4)},
    {"outcome rank", "outcome>=denied", E(4) | E(13)},
    {"choice group", "severity:(error OR critical)", E(5) | E(7)},
    {"choice absent is not less", "severity<=emergency",
     CONFORMANCE_ALL & ~(E(11) | E(12) | E(13) | E(14) | E(15))},
    {"colon before the comparison", "severity:>=critical", E(7) | E(8) | E(9)},
    {"address", "actor_ip:10.0.0.5", E(0)},
    {"address other spelling", "actor_ip:2001:0DB8:0:0:0:0:0:1", E(2)},
    {"address quoted", "actor_ip:\"2001:db8::1\"", E(2)},
    {"address prefix", "actor_ip:10.*", E(0) | E(4)},
    {"address prefix v6", "actor_ip:2001:DB8:*", E(2)},
    {"network", "actor_ip:10.0.0.0/8", E(0) | E(4)},
    {"network 16", "actor_ip:10.0.0.0/16", E(0)},
    {"network with host bits", "actor_ip:10.0.77.1/16", E(0)},
    {"network of one", "actor_ip:192.168.1.20/32", E(1)},
    {"network odd bits", "actor_ip:192.168.1.16/29", E(1)},
    {"network odd bits, outside", "actor_ip:192.168.1.24/29", 0},
    {"network v6", "actor_ip:2001:db8::/32", E(2)},
    {"network v6 outside", "actor_ip:2001:db9::/32", 0},
    {"all of v4", "ip:0.0.0.0/0", E(0) | E(1) | E(4)},
    {"all of v6", "ip:::/0", E(2)},
    {"network not", "ip:* ip!=10.0.0.0/8", E(1) | E(2)},
    {"address regex", "actor_ip~\\.5$", E(0) | E(4)},
    {"integer", "duration_ms:12", E(0)},
    {"integer zero", "duration_ms:0", E(1)},
    {"integer leading zeros", "duration_ms:012", E(0)},
    {"integer less", "duration_ms<12", E(1)},
    {"integer at most", "duration<=12", E(0) | E(1)},
    {"integer more", "duration_ms>12", E(2) | E(9)},
    {"integer at least", "duration_ms>=250", E(2) | E(9)},
    {"integer largest", "duration_ms:2147483647", E(9)},
    {"integer negative", "duration_ms>-1", E(0) | E(1) | E(2) | E(9)},
    {"integer not", "duration_ms!=12 duration_ms:*", E(1) | E(2) | E(9)},
    {"integer absent", "retention_days<9999", E(12)},
    {"integer between", "duration_ms>0 duration_ms<250", E(0)},
    {"boolean true", "is_sensitive:true", E(12)},
    {"boolean false", "is_sensitive=false", E(13)},
    {"boolean not true", "sensitive!=true", CONFORMANCE_ALL & ~(E(12))},
    {"boolean present", "is_sensitive:*", E(12) | E(13)},
    {"uuid", "event_id:0190a1b2-c3d4-7e5f-8a9b-00000000000a", E(10)},
    {"uuid upper case", "id:0190A1B2-C3D4-7E5F-8A9B-00000000000A", E(10)},
    {"uuid prefix", "parent_event_id:0190A1B2*", E(12) | E(13)},
    {"uuid regex", "parent_id~0c$", E(13)},
    {"uuid not", "parent_event_id!=0190a1b2-c3d4-7e5f-8a9b-000000000000 parent_id:*", E(13)},
    {"since relative", "since:12h", E(12)},
    {"since includes", "since:2026-02-01", E(12)},
    {"until excludes", "until:2026-01-20", E(9)},
    {"until and since", "since:2026-01-20 until:2026-01-21", E(11)},
    {"time equal is the instant", "event_timestamp:2026-01-20", E(11)},
    {"time equal misses the day", "event_timestamp:2026-01-31", 0},
    {"time with an offset", "timestamp<=2026-01-31T12:01:00+02:00", E(0) | E(1) | E(9) | E(11)},
    {"time more", "time>2026-01-31T10:13:00Z", E(12) | E(14) | E(15)},
    {"time at least", "time>=2026-01-31T10:14:00Z", E(12) | E(14) | E(15)},
    {"time less", "time<2026-01-01", E(9)},
    {"epoch seconds", "time>=1769904000", E(12)},
    {"weeks", "since:1w NOT since:1d", 0},
    {"days, the edge included", "since:12d NOT since:10d", E(11)},
    {"days at the edge", "since:13d until:11d", E(11)},
    {"today", "since:today", E(12)},
    {"yesterday", "since:yesterday until:today", CONFORMANCE_ALL & ~(E(9) | E(11) | E(12))},
    {"now", "until:now", CONFORMANCE_ALL & ~(E(12))},
    {"time present", "event_timestamp:*", CONFORMANCE_ALL},
    {"recorded_at", "recorded_at<2026-02-01", 0},
    {"microseconds", "time:2025-12-31T23:59:59.999999Z", E(9)},
    {"minutes and seconds", "since:840m until:3600s", CONFORMANCE_ALL & ~(E(9) | E(11) | E(12))},
    {"data number and string", "data.amount:1000", E(0) | E(1) | E(2)},
    {"data number in other words", "data.amount:1e3", E(0) | E(2)},
    {"data number with a fraction", "data.amount:1000.00", E(0) | E(2)},
    {"data string", "data.currency:EUR", E(0)},
    {"data string case counts", "data.currency:eur", 0},
    {"event_data is data", "event_data.currency:EUR", E(0)},
    {"data array", "data.tags:b", E(0)},
    {"data arrays, both", "data.tags:(a AND b)", E(0)},
    {"data array, none", "data.tags:c", 0},
    {"data nested", "data.user.name:alice", E(0)},
    {"data nested array", "data.user.roles:dev", E(0)},
    {"data through an array", "data.items.sku:Y2", E(2)},
    {"data arrays in arrays", "data.matrix:4", E(2)},
    {"data arrays in arrays, none", "data.matrix:5", 0},
    {"data root array", "data.amount:1001", E(4)},
    {"data root array in an array", "data.amount:7", E(4)},
    {"data object matches nothing", "data.user:alice", 0},
    {"data beyond a scalar", "data.currency.x:*", 0},
    {"data of a bare string", "data.x:*", 0},
    {"data true", "data.ok:true", E(3)},
    {"data false", "data.off:false", E(3)},
    {"data null", "data.none:null", E(3)},
    {"data null is not false", "data.none:false", 0},
    {"data quoted key", "data.\"a.b\".c:true", E(3)},
    {"data dots are levels", "data.a.b.c:dotted", E(3)},
    {"data empty key", "data.\"\":nameless", E(3)},
    {"data key with a space", "data.\"x y\":1", E(3)},
    {"data key with an escape", "data.naïve:1", E(8)},
    {"data escaped string", "data.note:\"He said \\\"hi\\\" \\\\ bye\nline two\"", E(1)},
    {"data unicode escape", "data.name:Jürgen", E(8)},
    {"data surrogates", "data.face:😀", E(8)},
    {"data backslashes", "data.path:C:\\\\Temp\\\\x", E(8)},
    {"data empty string", "data.empty:\"\"", E(14)},
    {"data star", "data.action:s3:\\*", E(14)},
    {"data inner star", "data.wild:a\\*b", E(14)},
    {"data bang", "data.not:\\!x", E(14)},
    {"data quoted bang", "data.not:\"!x\"", E(14)},
    {"data keyword as a value", "data.kw:OR", E(14)},
    {"data quoted keyword in a group", "data.kw:(\"OR\" OR AND1)", E(14)},
    {"data deep", "data.deep.deep.deep.deep:bottom", E(15)},
    {"data not equal", "data.amount!=1000 data.amount:*", E(4)},
    {"data absent", "NOT data.amount:*", CONFORMANCE_ALL & ~(E(0) | E(1) | E(2) | E(4))},
    {"data prefix", "data.user.name:al*", E(0)},
    {"data prefix of a number", "data.amount:10*", E(0) | E(1) | E(4)},
    {"data prefix of true", "data.ok:tr*", E(3)},
    {"data null has no prefix", "data.none:nu*", 0},
    {"data prefix with an escape", "data.name:Jü*", E(8)},
    {"data regex", "data.items.sku~^Y", E(2)},
    {"data regex on a number", "data.amount~^1e", E(2)},
    {"data regex on an escape", "data.note~bye\\nline", E(1)},
    {"data regex no null", "data.none~.", 0},
    {"data present", "data.tags:*", E(0)},
    {"data null is present", "data.none:*", E(3)},
    {"data object is present", "data.user:*", E(0)},
    {"data empty array and object are present", "data.items:* data.empty:*", E(12)},
    {"data empty array has no elements", "data.items.sku:*", E(2)},
    {"event_data present", "event_data:*", CONFORMANCE_ALL & ~(E(11) | E(13))},
    {"data is event_data", "data:*", CONFORMANCE_ALL & ~(E(11) | E(13))},
    {"data more", "data.amount>1000", E(4)},
    {"data at least, strings are no numbers", "data.amount>=1000", E(0) | E(2) | E(4)},
    {"data less", "data.amount<1000", E(4)},
    {"data at most", "data.items.price<=9.99", E(2)},
    {"data any element", "data.items.price>9.99", E(2)},
    {"data no element", "data.items.price>10", 0},
    {"decimal exact", "data.n:0.1", E(9)},
    {"decimal beyond a double", "data.n<0.10000000000000001", E(9)},
    {"decimal beyond 64 bits", "data.big>18446744073709551616", E(9)},
    {"decimal equal beyond 64 bits", "data.big:18446744073709551617", E(9)},
    {"decimal off by one", "data.big:18446744073709551616", 0},
    {"decimal tiny", "data.tiny>0", E(9)},
    {"decimal negative", "data.neg:-2.5", E(9)},
    {"decimal negative less", "data.neg<-2.4", E(9)},
    {"decimal minus zero", "data.zero:0", E(9)},
    {"decimal as a string", "data.text:0.1", E(9)},
    {"decimal string is no number", "data.text:0.10", 0},
    {"decimal zero is at least zero", "data.zero>=0", E(9)},
    {"data time", "data.expires>=2026-02-01", E(10)},
    {"data time less", "data.expires<2026-02-01T01:00:00Z", E(10)},
    {"data date", "data.day<=2026-01-15T00:00:00Z", E(10)},
    {"data date more", "data.day>2026-01-15", 0},
    {"data time with an offset", "data.zoned<=2026-01-31T10:00:00Z", E(10)},
    {"data time relative", "data.zoned<24h", 0},
    {"data time relative, before", "data.zoned<12h", E(10)},
    {"data text is no time", "data.soon>1970-01-01", 0},
    {"data time against a number", "data.expires>5", 0},
    {"metadata", "metadata.batch:7", E(7)},
    {"event_metadata", "event_metadata.source:bulk*", E(7)},
    {"metadata is not data", "metadata.amount:1000", E(7)},
    {"metadata present", "event_metadata:*", E(7)},
    {"metadata more", "metadata.batch>6", E(7)},
    {"word", "password", E(1)},
    {"word in any case", "PASSWORD", E(1)},
    {"word in data", "words", E(5) | E(15)},
    {"word is whole", "pass", 0},
    {"two words are two terms", "disk full", E(13) | E(15)},
    {"phrase", "\"disk full\"", E(13)},
    {"phrase in any case", "\"Disk FULL\"", E(13)},
    {"phrase over punctuation", "\"node 7 write\"", E(13)},
    {"phrase in order", "\"full disk\"", 0},
    {"bare word with a hyphen is a phrase", "node-7", E(13)},
    {"phrase within one string", "\"write failed\"", E(13)},
    {"words over strings", "write failed", E(13) | E(15)},
    {"word in a key is not found", "currency", 0},
    {"word in an address", "192.168.1.20", E(1)},
    {"word in a choice", "critical", E(7)},
    {"word in metadata", "import", E(7)},
    {"word in an escape", "Jürgen", E(8)},
    {"word non-ASCII case counts", "JÜRGEN", 0},
    {"word ASCII case beside others", "jürgen", E(8)},
    {"word of a uuid", "00000000000c", E(12) | E(13)},
    {"a whole uuid", "0190A1B2-C3D4-7E5F-8A9B-00000000000c", E(12) | E(13)},
    {"word behind a line feed", "\"bye line two\"", E(1)},
    {"number is no string", "42", 0},
    {"word not", "auth NOT bob", E(0)},
    {"word at the bottom", "bottom", E(15)},
    {"word with an underscore", "e_password", E(1)},
    {"word part at an underscore", "e", 0},
    {"word and field", "severity>=error words", E(5)},
    {"email", "alice@example.com", E(0)},
    {"phrase with a free star", "\"disk * full\"", E(13)},
    {"word of the organisation", "other", E(11)},
};
