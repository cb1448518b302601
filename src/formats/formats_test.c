/* SPDX-License-Identifier: Apache-2.0 */
#include "base/test.h"
#include "formats/formats.h"

#define NOW_US INT64_C(1768435200000000)

struct map_case {
    const char *name;
    const char *json;
    const char *line; /* behind the server's fields; NULL: refused */
    const char *where;
    const char *id;     /* expected id; NULL: a fresh one */
    const char *format; /* NULL: cloudtrail */
};

#define NAMED "\"eventSource\":\"s3.amazonaws.com\",\"eventName\":\"GetObject\""
#define MAPPED                                                                                     \
    "\"event_type\":\"aws.s3.GetObject\",\"event_category\":\"aws\",\"event_action\":"             \
    "\"GetObject\""
#define AFTER "\"source_format\":\"cloudtrail\",\"event_data\":"
#define UUID  "019bbef3-b471-4a11-9ceb-a70e2e1664d2"

#define MESSAGE                                                                                    \
    "\"hostname\":\"r-1\",\"message\":\"link down\",\"timestamp\":\"2026-01-14T23:59:00Z\""
#define SYSLOG                                                                                     \
    "\"event_type\":\"syslog.message\",\"event_category\":\"syslog\",\"event_action\":"            \
    "\"message\","
#define OF_HOST    "\"actor_type\":\"host\",\"actor_id\":\"r-1\","
#define MUTT_AFTER "\"source_format\":\"mutt\",\"event_data\":"

/* clang-format off */
static struct map_case cases[] = {
    {"least", "{" NAMED "}", MAPPED ",\"event_outcome\":\"success\",\"service\":\"s3\"," AFTER
     "{" NAMED "}}", NULL, NULL, NULL},
    {"its own id", "{\"eventID\":\"" UUID "\"," NAMED "}",
     MAPPED ",\"event_outcome\":\"success\",\"service\":\"s3\"," AFTER "{\"eventID\":\"" UUID
      "\"," NAMED "}}", NULL, UUID, NULL},
    {"an id that is no UUID", "{\"eventID\":\"abc-1\"," NAMED "}",
     MAPPED ",\"event_outcome\":\"success\",\"service\":\"s3\"," AFTER "{\"eventID\":\"abc-1\","
      NAMED "}}", NULL, "7aa09927-5fa5-5496-886f-1594ee9f006a", NULL},
    {"failure", "{" NAMED ",\"errorCode\":\"AccessDenied\",\"errorMessage\":\"no \\\"way\\\"\"}",
     MAPPED ",\"event_outcome\":\"failure\",\"service\":\"s3\",\"error_code\":\"AccessDenied\""
      ",\"error_message\":\"no \\\"way\\\"\"," AFTER "{" NAMED
      ",\"errorCode\":\"AccessDenied\",\"errorMessage\":\"no \\\"way\\\"\"}}", NULL, NULL, NULL},
    {"actor", "{" NAMED ",\"userIdentity\":{\"type\":\"IAMUser\",\"accountId\":\"111122223333"
     "\",\"principalId\":\"AIDAEXAMPLE\",\"arn\":\"arn:aws:iam::111122223333:user/al\",\"sessi"
     "onContext\":{\"type\":\"x\"}},\"sourceIPAddress\":\"192.0.2.7\",\"userAgent\":\"curl\","
     "\"requestID\":\"R1\"}",
     MAPPED ",\"event_outcome\":\"success\",\"service\":\"s3\",\"actor_type\":\"IAMUser\",\"ac"
      "tor_id\":\"arn:aws:iam::111122223333:user/al\",\"actor_ip\":\"192.0.2.7\",\"request_id"
      "\":\"R1\",\"user_agent\":\"curl\"," AFTER
     "{" NAMED ",\"userIdentity\":{\"type\":\"IAMUser\",\"accountId\":\"111122223333\",\"princ"
      "ipalId\":\"AIDAEXAMPLE\",\"arn\":\"arn:aws:iam::111122223333:user/al\",\"sessionContext"
      "\":{\"type\":\"x\"}},\"sourceIPAddress\":\"192.0.2.7\",\"userAgent\":\"curl\",\"request"
      "ID\":\"R1\"}}", NULL, NULL, NULL},
    {"actor without arn", "{\"userIdentity\":{\"accountId\":\"111122223333\",\"invokedBy\":\"e"
     "c2.amazonaws.com\"}," NAMED ",\"sourceIPAddress\":\"ec2.amazonaws.com\"}",
     MAPPED ",\"event_outcome\":\"success\",\"service\":\"s3\",\"actor_id\":\"ec2.amazonaws.co"
      "m\",\"source_address\":\"ec2.amazonaws.com\"," AFTER
     "{\"userIdentity\":{\"accountId\":\"111122223333\",\"invokedBy\":\"ec2.amazonaws.com\"},"
      NAMED ",\"sourceIPAddress\":\"ec2.amazonaws.com\"}}", NULL, NULL, NULL},
    {"the first resource", "{" NAMED ",\"resources\":[{\"type\":\"AWS::S3::Bucket\",\"ARN\":\""
     "arn:aws:s3:::b\"},{\"type\":\"x\",\"ARN\":\"y\"}]}",
     MAPPED ",\"event_outcome\":\"success\",\"service\":\"s3\",\"resource_type\":\"AWS::S3::Bu"
      "cket\",\"resource_id\":\"arn:aws:s3:::b\"," AFTER
     "{" NAMED ",\"resources\":[{\"type\":\"AWS::S3::Bucket\",\"ARN\":\"arn:aws:s3:::b\"},{\"t"
      "ype\":\"x\",\"ARN\":\"y\"}]}}", NULL, NULL, NULL},
    {"odd values are left out", "{ " NAMED ",\"requestID\":7,\"userAgent\":null,\"errorCode\":"
     "\"\",\"eventTime\":\"soon\",\"userIdentity\":[],\"resources\":{\"type\":1} }",
     MAPPED ",\"event_outcome\":\"success\",\"service\":\"s3\"," AFTER
     "{" NAMED ",\"requestID\":7,\"userAgent\":null,\"errorCode\":\"\",\"eventTime\":\"soon\","
      "\"userIdentity\":[],\"resources\":{\"type\":1}}}", NULL, NULL, NULL},
    {"no name", "{\"eventSource\":\"s3.amazonaws.com\"}", NULL, "/eventName", NULL, NULL},
    {"no source", "{\"eventName\":\"x\"}", NULL, "/eventSource", NULL, NULL},
    {"name that is none", "{\"eventSource\":\"s3\",\"eventName\":{}}", NULL, "/eventName", NULL,
     NULL},
    {"broken inside", "{" NAMED ",\"userIdentity\":{\"type\":x}}", NULL, "/userIdentity/type",
     NULL, NULL},
    {"no object", "[]", NULL, "", NULL, NULL},
    {"a message of a host", "{" MESSAGE "}", SYSLOG OF_HOST
     MUTT_AFTER "{" MESSAGE "}}", NULL, NULL, "mutt"},
    {"a trap of a device", "{" MESSAGE ",\"trap_oid\":\"1.3.6.1\",\"syslog_severity\":3}",
     "\"event_type\":\"snmp.trap\",\"event_category\":\"snmp\",\"event_action\":\"trap\","
     "\"severity\":\"error\"," OF_HOST
     "\"resource_type\":\"trap\",\"resource_id\":\"1.3.6.1\"," MUTT_AFTER "{" MESSAGE
     ",\"trap_oid\":\"1.3.6.1\",\"syslog_severity\":3}}", NULL, NULL, "mutt"},
    {"severity as text", "{" MESSAGE ",\"syslog_severity\":\"0\"}",
     SYSLOG "\"severity\":\"emergency\"," OF_HOST MUTT_AFTER "{"
     MESSAGE ",\"syslog_severity\":\"0\"}}", NULL, NULL, "mutt"},
    {"a severity that there is not", "{" MESSAGE ",\"syslog_severity\":8}",
     SYSLOG OF_HOST MUTT_AFTER "{" MESSAGE
     ",\"syslog_severity\":8}}", NULL, NULL, "mutt"},
    {"no host", "{\"message\":\"x\",\"timestamp\":\"2026-01-14T23:59:00Z\"}", NULL, "/hostname",
     NULL, "mutt"},
    {"no message", "{\"hostname\":\"x\",\"timestamp\":\"2026-01-14T23:59:00Z\"}", NULL,
     "/message", NULL, "mutt"},
    {"no timestamp", "{\"hostname\":\"x\",\"message\":\"y\"}", NULL, "/timestamp",
     NULL, "mutt"},
};
/* clang-format on */

static void test_map(void **state)
{
    const struct map_case *c = *state;
    struct arena arena = ARENA_INIT(MIB(4));
    struct read_options options = {.org = SLICE("o"), .now_us = NOW_US};
    static struct event event;
    struct diag diag = {0};
    uint64_t sent = 0;
    const struct format *format =
        format_find(slice_from_cstr(c->format != NULL ? c->format : "cloudtrail"));
    enum err e =
        format_read(format, slice_from_cstr(c->json), &options, &arena, &event, &sent, &diag);
    if (c->line == NULL) {
        assert_int_equal(e, ERR_INVALID);
        assert_string_equal(diag.where, c->where);
        arena_release(&arena);
        return;
    }
    assert_int_equal(e, OK);
    struct buf line = BUF_INIT(MIB(1));
    event_write_line(&event, &line);
    const uint8_t *type = memmem(line.ptr, line.len, "\"event_type\"", 12);
    assert_non_null(type);
    size_t skip = (size_t)(type - line.ptr);
    assert_slice_equal(((slice){line.ptr + skip, line.len - skip}), c->line);
    assert_int_equal((sent & FIELD_BIT(FIELD_EVENT_ID)) != 0, c->id != NULL);
    if (c->id != NULL) {
        assert_memory_equal(line.ptr + strlen("{\"event_id\":\""), c->id, UUID_TEXT_BYTES);
    }
    buf_release(&line);
    arena_release(&arena);
}

struct next_case {
    const char *text;
    const char *records; /* joined by | */
    enum err expect;     /* of the call behind the last record */
};

/* Joins the records of `text` with |, given whole or a byte more each time. */
static enum err join_records(slice text, bool is_whole, struct buf *found)
{
    const struct format *format = format_find(SLICE("cloudtrail"));
    struct format_state state = {0};
    size_t given = is_whole ? text.len : 0;
    slice rest = {text.ptr, given};
    for (;;) {
        slice record = {0};
        bool is_last = given == text.len;
        enum err e = format_next(format, &state, &rest, is_last, &record, NULL);
        if (e != OK || (record.len == 0 && is_last)) {
            return e;
        }
        if (record.len == 0) {
            rest.len++;
            given++;
            continue;
        }
        buf_append_cstr(found, found->len > 0 ? "|" : "");
        buf_append(found, record);
    }
}

static void test_next(void **state)
{
    UNUSED(state);
    static const struct next_case texts[] = {
        {"", "", OK},
        {" \n", "", OK},
        {"{}", "{}", OK},
        {"{\"a\":\"}\\\"\"}\n{\"b\":[{}]}\n", "{\"a\":\"}\\\"\"}|{\"b\":[{}]}", OK},
        {"{}{} ,\n{}", "{}|{}|{}", OK},
        {" { \"Records\" : [ {\"a\":1} , {\"b\":2} ] } ", "{\"a\":1}|{\"b\":2}", OK},
        {"{\"Records\":[]}", "", OK},
        {"{\"Records\":[{}]}\n{\"Records\":[{\"x\":{}}]}", "{}|{\"x\":{}}", OK},
        {"{\"Recording\":1}", "{\"Recording\":1}", OK},
        {"[{},{\"a\":1}]", "{}|{\"a\":1}", OK},
        {"{\"Records\":[{}", "{}", ERR_INVALID},
        {"{\"Records\":[{}]", "{}", ERR_INVALID},
        {"{\"Records\":[{} {}]}", "{}", ERR_INVALID},
        {"{\"Records\":[{},]}", "{}", ERR_INVALID},
        {"{\"Records\":[1]}", "", ERR_INVALID},
        {"{\"Records\":[{}],\"x\":1}", "{}", ERR_INVALID},
        {"{},,{}", "{}", ERR_INVALID},
        {",{}", "", ERR_INVALID},
        {"{\"a\":", "", ERR_INVALID},
        {"x", "", ERR_INVALID},
    };
    for (size_t i = 0; i < 2 * COUNT_OF(texts); i++) {
        const struct next_case *c = &texts[i / 2];
        struct buf found = BUF_INIT(KIB(1));
        assert_int_equal(join_records(slice_from_cstr(c->text), i % 2 == 0, &found), c->expect);
        assert_slice_equal(buf_slice(&found), c->records);
        buf_release(&found);
    }
}

static void test_names(void **state)
{
    UNUSED(state);
    assert_null(format_find(SLICE("cloud")));
    assert_null(format_find(SLICE("")));
    assert_slice_equal(format_name(format_find(SLICE("cloudtrail"))), "cloudtrail");
}

int main(void)
{
    struct CMUnitTest tests[COUNT_OF(cases) + 2] = {
        cmocka_unit_test(test_next),
        cmocka_unit_test(test_names),
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        tests[i + 2] = (struct CMUnitTest){.name = cases[i].name,
                                           .test_func = test_map,
                                           .initial_state = &cases[i]};
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
