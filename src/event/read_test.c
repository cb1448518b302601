/* SPDX-License-Identifier: Apache-2.0 */
#include "base/test.h"
#include "event/read.h"

#define NOW_US INT64_C(1768435200000000) /* 2026-01-15T00:00:00Z */
#define ID     "019bbef3-b471-7a11-9ceb-a70e2e1664d2"
/* What every line below begins with, and a body that gives it. */
#define HEAD                                                                                       \
    "{\"event_id\":\"" ID "\",\"event_timestamp\":\"2026-01-15T00:00:00.000000Z\","                \
    "\"recorded_at\":\"2026-01-15T00:00:00.000000Z\",\"org\":\"o\","
#define BODY  "{\"event_id\":\"" ID "\",\"event_type\":\"a.b.c\","
#define TYPED "\"event_type\":\"a.b.c\",\"event_category\":\"a\",\"event_action\":\"c\""

struct read_case {
    const char *name;
    const char *json;
    const char *line; /* NULL: refused */
    const char *where, *text;
    const char *type, *outcome; /* headers */
};

/* clang-format off */
static struct read_case cases[] = {
    {"least", BODY "\"x\":null}",
     HEAD TYPED ",\"event_metadata\":{\"x\":null}}", NULL, NULL, NULL, NULL},
    {"every kind of value", BODY "\"severity\":\"WARNING\",\"actor_ip\":\"2001:DB8:0::1\",\"du"
     "ration_ms\":0,\"is_sensitive\":false,\"parent_event_id\":\"019BBEF3-B471-7A11-9CEB-A70E2"
     "E1664D3\"}",
     HEAD TYPED ",\"severity\":\"warning\",\"actor_ip\":\"2001:db8::1\",\"parent_event_id\":\""
      "019bbef3-b471-7a11-9ceb-a70e2e1664d3\",\"duration_ms\":0,\"is_sensitive\":false}", NULL,
      NULL, NULL, NULL},
    {"minimal escapes", BODY "\"actor_id\":\"\\u0061\\/\\\"\\u001F\\u00e9\\n\"}",
     HEAD TYPED ",\"actor_id\":\"a/\\\"\\u001fé\\n\"}", NULL, NULL, NULL, NULL},
    {"white space goes", " " BODY
     " \"event_data\" : { \"k k\" : [ 1 , 2.50 ] , \"e\":\"\\u0041 \" } } ",
     HEAD TYPED ",\"event_data\":{\"k k\":[1,2.50],\"e\":\"\\u0041 \"}}", NULL, NULL, NULL, NULL},
    {"event_data is any value", BODY "\"event_data\":[]}",
     HEAD TYPED ",\"event_data\":[]}", NULL, NULL, NULL, NULL},
    {"event_data keeps \\u0000", BODY "\"event_data\":\"\\u0000\"}",
     HEAD TYPED ",\"event_data\":\"\\u0000\"}", NULL, NULL, NULL, NULL},
    {"null is absent", BODY "\"severity\":null,\"event_data\":null,\"org\":null,\"user\":null}",
     HEAD TYPED "}", NULL, NULL, NULL, NULL},
    {"escaped name", "{\"event_id\":\"" ID "\",\"event\\u005ftype\":\"a.b.c\"}",
     HEAD TYPED "}", NULL, NULL, NULL, NULL},
    {"type without dot", "{\"event_id\":\"" ID "\",\"event_type\":\"login\"}",
     HEAD "\"event_type\":\"login\",\"event_category\":\"login\",\"event_action\":\"login\"}",
      NULL, NULL, NULL, NULL},
    {"type with empty parts", "{\"event_id\":\"" ID "\",\"event_type\":\".x.\"}",
     HEAD "\"event_type\":\".x.\"}", NULL, NULL, NULL, NULL},
    {"defaults are cut at a character", "{\"event_id\":\"" ID
     "\",\"event_type\":\"é1234567890123456789012345678901234567890123456789é\"}",
     HEAD "\"event_type\":\"é1234567890123456789012345678901234567890123456789é\",\"event_ca"
      "tegory\":\"é1234567890123456789012345678901234567890123456789\",\"event_action\":\"é1"
      "234567890123456789012345678901234567890123456789\"}", NULL, NULL, NULL, NULL},
    {"limits count characters", BODY
     "\"event_version\":\"éééééééééééééééééééé\"}",
     HEAD "\"event_version\":\"éééééééééééééééééééé\"," TYPED "}", NULL,
      NULL, NULL, NULL},
    {"offset becomes UTC", "{\"event_id\":\"" ID
     "\",\"event_type\":\"a.b.c\",\"event_timestamp\":\"2026-01-15T01:00:00.0000009+01:00\"}",
     HEAD TYPED "}", NULL, NULL, NULL, NULL},

    /* Other names. */
    {"other name", BODY "\"user\":\"al\"}",
     HEAD TYPED ",\"actor_id\":\"al\"}", NULL, NULL, NULL, NULL},
    {"other name of the type", "{\"id\":\"" ID "\",\"type\":\"a.b.c\"}",
     HEAD TYPED "}", NULL, NULL, NULL, NULL},
    {"canonical name counts first", BODY "\"user\":\"al\",\"actor_id\":\"bo\"}",
     HEAD TYPED ",\"actor_id\":\"bo\",\"event_metadata\":{\"user\":\"al\"}}", NULL, NULL, NULL,
      NULL},
    {"canonical null leaves room", BODY "\"user\":\"al\",\"actor_id\":null}",
     HEAD TYPED ",\"actor_id\":\"al\"}", NULL, NULL, NULL, NULL},
    {"first listed counts", BODY "\"username\":\"c\",\"user_id\":\"b\",\"user\":\"a\"}",
     HEAD TYPED ",\"actor_id\":\"a\",\"event_metadata\":{\"username\":\"c\",\"user_id\":\"b\"}}"
      , NULL, NULL, NULL, NULL},
    {"first listed that is valid counts", BODY "\"user_id\":\"b\",\"user\":{\"name\":\"a\"}}",
     HEAD TYPED ",\"actor_id\":\"b\",\"event_metadata\":{\"user\":{\"name\":\"a\"}}}", NULL,
      NULL, NULL, NULL},
    {"invalid under another name is kept", BODY "\"timestamp\":1768435200,\"status\":200,\"dur"
     "ation\":1.5,\"ip\":\"host\",\"level\":\"loud\"}",
     HEAD TYPED ",\"event_metadata\":{\"timestamp\":1768435200,\"status\":200,\"duration\":1.5"
      ",\"ip\":\"host\",\"level\":\"loud\"}}", NULL, NULL, NULL, NULL},
    {"number under another name of a text", BODY "\"user_id\":42}",
     HEAD TYPED ",\"event_metadata\":{\"user_id\":42}}", NULL, NULL, NULL, NULL},
    {"unknown members follow the client's own", BODY
     "\"x\":[ 1 ],\"event_metadata\":{ \"m\" : 1 },\"y\\n\":2}",
     HEAD TYPED ",\"event_metadata\":{\"m\":1,\"x\":[1],\"y\\n\":2}}", NULL, NULL, NULL, NULL},
    {"unknown members of empty metadata", BODY "\"x\":1,\"event_metadata\":{}}",
     HEAD TYPED ",\"event_metadata\":{\"x\":1}}", NULL, NULL, NULL, NULL},
    {"clash with metadata", BODY "\"x\":1,\"event_metadata\":{\"x\":2}}",
     NULL, "/x", "is also a member of event_metadata", NULL, NULL},
    {"escaped clash with metadata", BODY "\"x\":1,\"event_metadata\":{\"\\u0078\":2}}",
     NULL, "/x", "is also a member of event_metadata", NULL, NULL},

    /* actor_ip. */
    {"name as actor_ip", BODY "\"actor_ip\":\"host.example\"}",
     HEAD TYPED ",\"source_address\":\"host.example\"}", NULL, NULL, NULL, NULL},
    {"name as actor_ip, address under another name", BODY
     "\"actor_ip\":\"host.example\",\"ip\":\"1.2.3.4\"}",
     HEAD TYPED ",\"source_address\":\"host.example\",\"event_metadata\":{\"ip\":\"1.2.3.4\"}}",
      NULL, NULL, NULL, NULL},
    {"name as actor_ip beside source_address", BODY "\"actor_ip\":\"h\",\"source_address\":\"s\"}",
     NULL, "/actor_ip", "must be an IPv4 or IPv6 address", NULL, NULL},
    {"empty actor_ip", BODY "\"actor_ip\":\"\"}",
     NULL, "/actor_ip", "must be an address, or a text of 1 to 255 characters", NULL, NULL},
    {"number as actor_ip", BODY "\"actor_ip\":1}",
     NULL, "/actor_ip", "must be a string", NULL, NULL},

    /* Invalid values under canonical names. */
    {"no type", "{\"event_id\":\"" ID "\"}",
     NULL, "/event_type", "is required", NULL, NULL},
    {"null type", "{\"event_type\":null}",
     NULL, "/event_type", "is required", NULL, NULL},
    {"empty type", "{\"event_type\":\"\"}",
     NULL, "/event_type", "must not be empty", NULL, NULL},
    {"number as type", "{\"event_type\":1}",
     NULL, "/event_type", "must be a string", NULL, NULL},
    {"empty text", BODY "\"actor_id\":\"\"}",
     NULL, "/actor_id", "must not be empty", NULL, NULL},
    {"number as text", BODY "\"actor_id\":7}",
     NULL, "/actor_id", "must be a string", NULL, NULL},
    {"NUL in text", BODY "\"actor_id\":\"a\\u0000\"}",
     NULL, "/actor_id", "must not contain \\u0000", NULL, NULL},
    {"too many characters", BODY
     "\"event_version\":\"ééééééééééééééééééééé\"}",
     NULL, "/event_version", "must have at most 20 characters", NULL, NULL},
    {"bad id", "{\"event_id\":\"x\",\"event_type\":\"t\"}",
     NULL, "/event_id", "must be a UUID", NULL, NULL},
    {"bad time", BODY "\"event_timestamp\":\"2026-01-15\"}",
     NULL, "/event_timestamp", "must be an RFC 3339 time of the years 1970 to 9999", NULL, NULL},
    {"number as time", BODY "\"event_timestamp\":1768435200}",
     NULL, "/event_timestamp", "must be a string", NULL, NULL},
    {"bad severity", BODY "\"severity\":\"loud\"}",
     NULL, "/severity", "must be one of debug info low notice warning medium error high critic"
      "al alert emergency", NULL, NULL},
    {"bad outcome", BODY "\"event_outcome\":\"ok\"}",
     NULL, "/event_outcome", "must be one of success failure pending denied unknown", NULL, NULL},
    {"real as integer", BODY "\"duration_ms\":1.0}",
     NULL, "/duration_ms", "must be an integer, not negative", NULL, NULL},
    {"negative integer", BODY "\"duration_ms\":-1}",
     NULL, "/duration_ms", "must be an integer, not negative", NULL, NULL},
    {"string as integer", BODY "\"duration_ms\":\"1\"}",
     NULL, "/duration_ms", "must be an integer", NULL, NULL},
    {"integer too large", BODY "\"duration_ms\":2147483648}",
     NULL, "/duration_ms", "must be 0 to 2147483647", NULL, NULL},
    {"integer far too large", BODY "\"duration_ms\":99999999999999999999999}",
     NULL, "/duration_ms", "must be 0 to 2147483647", NULL, NULL},
    {"retention 0", BODY "\"retention_days\":0}",
     NULL, "/retention_days", "must be 1 to 2555", NULL, NULL},
    {"retention 2556", BODY "\"retention_days\":2556}",
     NULL, "/retention_days", "must be 1 to 2555", NULL, NULL},
    {"string as boolean", BODY "\"is_sensitive\":\"true\"}",
     NULL, "/is_sensitive", "must be true or false", NULL, NULL},
    {"array as metadata", BODY "\"event_metadata\":[]}",
     NULL, "/event_metadata", "must be an object", NULL, NULL},
    {"org is the server's", BODY "\"org\":\"x\"}",
     NULL, "/org", "is set by the server", NULL, NULL},
    {"recorded_at is the server's", BODY "\"recorded_at\":\"2026-01-15T00:00:00Z\"}",
     NULL, "/recorded_at", "is set by the server", NULL, NULL},
    {"source_format is the server's", BODY "\"source_format\":\"cairn\"}",
     NULL, "/source_format", "is set by the server", NULL, NULL},
    {"the first mistake is told", BODY "\"actor_id\":1,\"severity\":1}",
     NULL, "/actor_id", "must be a string", NULL, NULL},

    /* JSON. */
    {"not an object", "[]",
     NULL, "", "expected an object (byte 0)", NULL, NULL},
    {"nothing", "",
     NULL, "", "the text ends in the middle of a value (byte 0)", NULL, NULL},
    {"something behind", BODY "\"x\":1}{}",
     NULL, "", "something follows the value (byte 78)", NULL, NULL},
    {"second member", "{\"event_type\":\"a\",\"event_type\":\"b\"}",
     NULL, "/event_type", "a second member of this name (byte 18)", NULL, NULL},
    {"second member inside", "{\"event_data\":{\"x\":{\"k\":1,\"k\":1}}}",
     NULL, "/event_data/x/k", "a second member of this name (byte 26)", NULL, NULL},
    {"bad value inside", "{\"event_data\":{\"x\":[1,nul]}}",
     NULL, "/event_data/x/1", "expected a value (byte 22)", NULL, NULL},
    {"trailing comma", "{\"event_type\":\"a\",}",
     NULL, "/event_type", "expected the name of a member in quotes (byte 18)", NULL, NULL},

    /* Envelopes and headers. */
    {"envelope A", "{\"version\":\"1.0\",\"service\":\"gw\",\"operation\":\"signal\",\"status"
     "\":\"Success\",\"payload\":{ \"a\":1 }}",
     "\"event_type\":\"gw.signal\",\"event_category\":\"gw\",\"event_action\":\"signal\",\"eve"
      "nt_outcome\":\"success\",\"service\":\"gw\",\"event_data\":{\"version\":\"1.0\",\"servi"
      "ce\":\"gw\",\"operation\":\"signal\",\"status\":\"Success\",\"payload\":{\"a\":1}}}",
      NULL, NULL, NULL, NULL},
    {"envelope A with a type from the header", "{\"service\":\"gw\",\"operation\":\"signal\","
     "\"status\":\"ok\",\"payload\":{},\"attempt\":2,\"retry_reason\":\"x\",\"source_payload\""
     ":{}}",
     "\"event_type\":\"h.t\",\"event_category\":\"h\",\"event_action\":\"signal\",\"event_outc"
      "ome\":\"denied\",\"service\":\"gw\",\"event_data\":{\"service\":\"gw\",\"operation\":\""
      "signal\",\"status\":\"ok\",\"payload\":{},\"attempt\":2,\"retry_reason\":\"x\",\"source"
      "_payload\":{}}}", NULL, NULL, "h.t", "DENIED"},
    {"envelope A with an event field is none", "{\"service\":\"gw\",\"operation\":\"s\",\"stat"
     "us\":\"ok\",\"payload\":{},\"actor_id\":\"x\"}",
     NULL, "/event_type", "is required", NULL, NULL},
    {"envelope A without payload is none",
     "{\"service\":\"gw\",\"operation\":\"s\",\"status\":\"ok\"}",
     NULL, "/event_type", "is required", NULL, NULL},
    {"envelope A with a long operation", "{\"service\":\"gw\",\"status\":1,\"payload\":1,\"ope"
     "ration\":\"01234567890123456789012345678901234567890123456789012345678901234567890123456"
     "78901234567890123456789\"}",
     NULL, "/operation", "makes no event type: <service>.<operation> has 1 to 100 characters",
      NULL, NULL},
    {"envelope B", "{\"id\":\"" ID "\",\"version\":\"1.0\",\"service\":\"gw\",\"event_type\":"
     "\"a.b.c\",\"timestamp\":\"2026-01-15T00:00:00Z\",\"data\":{\"gw\":{}}}",
     HEAD "\"event_version\":\"1.0\"," TYPED ",\"service\":\"gw\",\"event_data\":{\"gw\":{}}}",
      NULL, NULL, NULL, NULL},
    {"data without an envelope is unknown", BODY "\"data\":{}}",
     HEAD TYPED ",\"event_metadata\":{\"data\":{}}}", NULL, NULL, NULL, NULL},
    {"body under a header's type", "{\"severity\":\"loud\", \"org\":1,\"actor_ip\":\"x\"}",
     "\"event_type\":\"h.t\",\"event_category\":\"h\",\"event_action\":\"t\",\"event_data\":{"
      "\"severity\":\"loud\",\"org\":1,\"actor_ip\":\"x\"}}", NULL, NULL, "h.t", NULL},
    {"headers never override", BODY "\"outcome\":\"failure\"}",
     HEAD TYPED ",\"event_outcome\":\"failure\"}", NULL, NULL, "h.t", "success"},
    {"headers fill", BODY "\"actor_id\":\"x\"}",
     HEAD TYPED ",\"event_outcome\":\"success\",\"actor_id\":\"x\"}", NULL, NULL, NULL, "success"},
    {"bad header", BODY "\"actor_id\":\"x\"}",
     NULL, "", "header X-Outcome must be one of success failure pending denied unknown", NULL,
      "fine"},
    {"header that is not UTF-8", "{}",
     NULL, "", "header X-Event-Type must be UTF-8 without NUL", "\xff", NULL},
};
/* clang-format on */

static void test_read(void **state)
{
    const struct read_case *c = *state;
    struct arena arena = ARENA_INIT(MIB(4));
    struct read_options options = {.org = SLICE("o"), .now_us = NOW_US};
    struct event event;
    struct diag diag = {0};
    uint64_t sent = 0;
    options.header_event_type = c->type == NULL ? (slice){0} : slice_from_cstr(c->type);
    options.header_outcome = c->outcome == NULL ? (slice){0} : slice_from_cstr(c->outcome);
    enum err e = event_read(slice_from_cstr(c->json), &options, &arena, &event, &sent, &diag);
    if (c->line == NULL) {
        assert_int_equal(e, ERR_INVALID);
        assert_string_equal(diag.where, c->where);
        assert_string_equal(diag.text, c->text);
    } else {
        struct buf line = BUF_INIT(MIB(1));
        assert_int_equal(e, OK);
        event_write_line(&event, &line);
        /* Where no id was sent, only what follows the server's fields is known. */
        size_t skip = c->line[0] == '{' ? 0 : strlen(HEAD);
        assert_slice_equal(((slice){line.ptr + skip, line.len - skip}), c->line);
        buf_release(&line);
    }
    arena_release(&arena);
}

TEST_TABLE(test_read, cases)
