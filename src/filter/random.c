/* SPDX-License-Identifier: Apache-2.0 */
#include "filter/random.h"

#include "base/hash.h"
#include "codec/time.h"
#include "json/json.h"

uint64_t random_below(struct filter_random *random, uint64_t bound)
{
    ASSERT(bound > 0);
    random->seed += UINT64_C(0x9e3779b97f4a7c15);
    return hash_u64(random->seed, UINT64_C(0xd1b54a32d192ed03)) % bound;
}

#define PICK(random, words) ((words)[random_below((random), COUNT_OF(words))])

static const char *const types[] = {"auth.login", "auth.logout", "pay.in", "pay.out.Failed"};
static const char *const people[] = {"alice", "bob", "Bob", "carol smith", "j\xc3\xbcrgen", "a*b"};
static const char *const outcomes[] = {"success", "failure", "pending", "denied", "unknown"};
static const char *const severities[] = {"debug",   "info",   "low",     "notice",
                                         "warning", "medium", "critical"};
static const char *const addresses[] = {"10.0.0.1", "10.0.7.1", "192.168.1.9", "2001:db8::1"};
static const char *const numbers[] = {"0", "1", "5", "100", "2147483647"};
static const char *const parents[] = {"0190a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b",
                                      "0190a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5c"};
static const char *const messages[] = {"disk full", "Disk is full", "write_failed on node-7",
                                       "full disk", "na\xc3\xafve caf\xc3\xa9"};
/* As JSON text; the keys of paths below are among them. */
static const char *const json_keys[] = {"a", "b", "a.b", "c", ""};
static const char *const json_scalars[] = {"1",
                                           "1.0",
                                           "10e-1",
                                           "-2.5",
                                           "1000",
                                           "\"1\"",
                                           "\"x\"",
                                           "\"Disk full\"",
                                           "\"disk\"",
                                           "\"a\\\"b\\\\c\"",
                                           "true",
                                           "false",
                                           "null",
                                           "\"true\"",
                                           "\"j\\u00fcrgen\"",
                                           "\"2026-01-31T10:00:00Z\"",
                                           "\"2026-01-31\"",
                                           "\"\"",
                                           "\"a*b\"",
                                           "18446744073709551617"};
static const char *const paths[] = {"a", "b", "\"a.b\"", "c", "a.b", "a.a", "c.a", "b.c.a", "\"\""};
static const char *const data_values[] = {
    "1",    "1.00", "-2.5", "1e3", "x",     "\"Disk full\"",   "dis*",
    "true", "null", "\"\"", "*",   "a\\*b", "\"a\\\"b\\\\c\"", "j\xc3\xbcrgen"};
static const char *const data_bounds[] = {
    "1", "0", "999.5", "2026-01-31", "2026-01-31T10:00:00Z", "24h", "1e30"};
static const char *const words[] = {"disk",        "full", "\"DISK full\"", "node-7", "failed",
                                    "alice",       "x",    "caf\xc3\xa9",   "auth",   "1",
                                    "0c1d2e3f4a5b"};
static const char *const comparisons[] = {"<", "<=", ">", ">="};

static void append_json(struct filter_random *random, unsigned depth, struct buf *out)
{
    uint64_t kind = depth == 0 ? 0 : depth == 4 ? 1 : random_below(random, 3);
    uint64_t count = random_below(random, 5);
    if (kind == 0) {
        buf_append_cstr(out, PICK(random, json_scalars));
        return;
    }
    buf_append_byte(out, kind == 1 ? '{' : '[');
    size_t first = random_below(random, COUNT_OF(json_keys)); /* names do not repeat */
    for (size_t i = 0; i < count; i++) {
        buf_append_cstr(out, i > 0 ? "," : "");
        if (kind == 1) {
            json_quote(out, slice_from_cstr(json_keys[(first + i) % COUNT_OF(json_keys)]));
            buf_append_byte(out, ':');
        }
        append_json(random, depth - 1, out);
    }
    buf_append_byte(out, kind == 1 ? '}' : ']');
}

static int64_t random_time(struct filter_random *random)
{
    return SAMPLE_NOW_US - (int64_t)random_below(random, 6) * 6 * 3600 * 1000000;
}

static void append_time(struct buf *out, const char *name, int64_t us)
{
    char text[TIME_TEXT_BYTES];
    time_format_rfc3339(us, text);
    buf_append_format(out, "\"%s\":\"%.*s\",", name, TIME_TEXT_BYTES, text);
}

/* In four of five cases. */
static void append_text(struct filter_random *random, struct buf *out, const char *name,
                        const char *value)
{
    if (random_below(random, 5) > 0) {
        buf_append_format(out, "\"%s\":\"%s\",", name, value);
    }
}

static void append_payload(struct filter_random *random, struct buf *out)
{
    if (random_below(random, 5) > 0) {
        buf_append_cstr(out, "\"event_data\":");
        append_json(random, 4, out);
        buf_append_byte(out, ',');
    }
    buf_append_cstr(out, "\"event_metadata\":{\"a\":");
    append_json(random, 2, out);
    buf_append_cstr(out, "}}");
}

void random_event_json(struct filter_random *random, struct buf *out)
{
    int64_t us = random_time(random);
    buf_append_format(out, "{\"event_id\":\"0190a1b2-c3d4-7e5f-8a9b-%012x\",",
                      (unsigned)random_below(random, UINT32_MAX));
    append_time(out, "event_timestamp", us);
    append_time(out, "recorded_at", us + (int64_t)random_below(random, 1000000));
    buf_append_format(out, "\"org\":\"default\",\"event_type\":\"%s\",\"event_action\":\"in\",",
                      PICK(random, types));
    append_text(random, out, "event_outcome", PICK(random, outcomes));
    append_text(random, out, "severity", PICK(random, severities));
    append_text(random, out, "actor_id", PICK(random, people));
    append_text(random, out, "actor_ip", PICK(random, addresses));
    append_text(random, out, "parent_event_id", PICK(random, parents));
    if (random_below(random, 3) > 0) {
        buf_append_format(out, "\"duration_ms\":%s,", PICK(random, numbers));
    }
    append_text(random, out, "error_message", PICK(random, messages));
    if (random_below(random, 3) > 0) {
        buf_append_format(out, "\"is_sensitive\":%s,", random_below(random, 2) ? "true" : "false");
    }
    append_payload(random, out);
}

/* Leaves on fields: every operand of a row is valid with every operator of it. */
static const struct leaf_choice {
    const char *name;
    const char *operators;   /* separated by spaces */
    const char *operands[8]; /* up to NULL */
} leaf_choices[] = {
    {"event_type", ": = != :!", {"auth.*", "auth.login", "pay.*", "pay.out.Failed", "*", "p*"}},
    {"event_type", "~ !~", {"^auth", "\"log(in|out)$\"", "(?i)failed", "\\.in$"}},
    {"actor_id",
     ": !=",
     {"alice", "b*", "\"carol smith\"", "j\xc3\xbcrgen", "a\\*b", "(bob OR B*)"}},
    {"user", ": ~", {"alice", "bob", "carol"}},
    {"severity", ": = < <= > >=", {"info", "low", "warning", "medium", "DEBUG", "critical"}},
    {"outcome", ": !=", {"success", "d*", "(failure OR pending)", "*"}},
    {"actor_ip", ": !=", {"10.0.0.1", "10.0.0.0/16", "10.*", "2001:DB8::/32", "0.0.0.0/0", "*"}},
    {"duration_ms", ": < <= > >= !=", {"0", "1", "5", "99", "2147483647"}},
    {"is_sensitive", ": !=", {"true", "false", "*"}},
    {"parent_event_id", ": !=", {"0190A1B2-C3D4-7E5F-8A9B-0C1D2E3F4A5B", "0190a1b2*", "*", "ff*"}},
    {"event_id", ":", {"0190a1b2*", "*", "0190a1b2-c3d4-7e5f-8a9b-000000000001"}},
    {"event_timestamp", "< <= > >=", {"24h", "today", "2026-01-31", "2026-01-31T12:00:00Z"}},
    {"since", ":", {"12h", "7d", "yesterday", "now"}},
    {"until", ":", {"12h", "1d", "now", "2026-01-31T18:00:00+00:00"}},
    {"event_data", ":", {"*"}},
    {"error_message", ": ~", {"\"disk full\"", "Disk", "write_failed"}},
    {"namespace", ":", {"default", "*"}},
};

/* The n-th word of a text, at random. */
static slice pick_word(struct filter_random *random, const char *text)
{
    slice rest = slice_from_cstr(text);
    uint64_t count = 1;
    for (size_t i = 0; i < rest.len; i++) {
        count += rest.ptr[i] == ' ' ? 1 : 0;
    }
    for (uint64_t skip = random_below(random, count); skip > 0; skip--) {
        const uint8_t *space = memchr(rest.ptr, ' ', rest.len);
        (void)slice_take(&rest, (size_t)(space - rest.ptr) + 1);
    }
    const uint8_t *end = memchr(rest.ptr, ' ', rest.len);
    return (slice){rest.ptr, end == NULL ? rest.len : (size_t)(end - rest.ptr)};
}

static void append_field_leaf(struct filter_random *random, struct buf *out)
{
    const struct leaf_choice *choice = &PICK(random, leaf_choices);
    size_t count = 0;
    while (count < COUNT_OF(choice->operands) && choice->operands[count] != NULL) {
        count++;
    }
    buf_append_cstr(out, choice->name);
    buf_append(out, pick_word(random, choice->operators));
    buf_append_cstr(out, choice->operands[random_below(random, count)]);
}

static void append_data_leaf(struct filter_random *random, struct buf *out)
{
    const char *root = random_below(random, 4) == 0 ? "metadata.a" : "data";
    const char *path = PICK(random, paths);
    switch (random_below(random, 4)) {
    case 0:
        buf_append_format(out, "%s.%s%s%s", root, path, PICK(random, comparisons),
                          PICK(random, data_bounds));
        break;
    case 1:
        buf_append_format(out, "%s.%s~%s", root, path,
                          random_below(random, 2) ? "^[0-9]" : "[a-k]");
        break;
    default:
        buf_append_format(out, "%s.%s:%s", root, path, PICK(random, data_values));
        break;
    }
}

static void append_leaf(struct filter_random *random, struct buf *out)
{
    switch (random_below(random, 5)) {
    case 0:
        buf_append_cstr(out, PICK(random, words));
        break;
    case 1:
    case 2:
        append_data_leaf(random, out);
        break;
    default:
        append_field_leaf(random, out);
        break;
    }
}

static void append_filter(struct filter_random *random, unsigned depth, struct buf *out)
{
    static const char *const joins[] = {" AND ", " OR ", " ", " OR NOT ", " AND !"};
    if (depth == 0 || random_below(random, 3) == 0) {
        append_leaf(random, out);
        return;
    }
    buf_append_cstr(out, random_below(random, 4) == 0 ? "NOT (" : "(");
    append_filter(random, depth - 1, out);
    for (uint64_t more = random_below(random, 3); more > 0; more--) {
        buf_append_cstr(out, PICK(random, joins));
        append_filter(random, depth - 1, out);
    }
    buf_append_byte(out, ')');
}

void random_filter_text(struct filter_random *random, struct buf *out)
{
    append_filter(random, (unsigned)random_below(random, 4), out);
}

static bool sample_number(const struct json_item *item, int64_t *out)
{
    int64_t number = 0;
    for (size_t i = 0; i < item->text.len && number < INT32_MAX; i++) {
        number = number * 10 + (item->text.ptr[i] - '0');
    }
    *out = item->kind == JSON_TRUE ? 1 : number;
    return item->kind == JSON_NUMBER || item->kind == JSON_TRUE || item->kind == JSON_FALSE;
}

/* One member; the walk stands before its value. */
static bool sample_value(struct json_walk *walk, enum field field, struct arena *arena,
                         union value *out)
{
    struct json_item item = {0};
    if (fields[field].type == TYPE_JSON) {
        return json_walk_value(walk, &out->text);
    }
    (void)json_walk_next(walk, &item);
    switch (fields[field].type) {
    case TYPE_UUID:
        return uuid_parse(item.text, &out->uuid);
    case TYPE_TIME:
        return time_parse_rfc3339(item.text, &out->number);
    case TYPE_INTEGER:
    case TYPE_BOOLEAN:
        return sample_number(&item, &out->number);
    case TYPE_TEXT:
    case TYPE_ADDRESS:
    case TYPE_CHOICE:
    case TYPE_JSON:
        break;
    }
    uint8_t *text = arena_take(arena, item.text.len);
    if (text == NULL || item.kind != JSON_STRING) {
        return false;
    }
    out->text = (slice){text, json_unescape(item.text, text)};
    return true;
}

enum err sample_event(slice json, struct arena *arena, struct event *out, struct diag *diag)
{
    struct json_walk walk;
    struct json_item item = {0};
    struct event event = {0};
    json_walk_init(&walk, json);
    if (json_walk_next(&walk, &item) != JSON_OBJECT_BEGIN) {
        return diag_fail(diag, ERR_INVALID, "", "expected an object");
    }
    while (json_walk_next(&walk, &item) == JSON_KEY) {
        enum field field = FIELD_EVENT_ID;
        if (!field_find(item.text, &field) ||
            !sample_value(&walk, field, arena, &event.value[field])) {
            return diag_fail(diag, ERR_INVALID, "", "bad sample: %.*s", SLICE_ARG(item.text));
        }
        event.present |= FIELD_BIT(field);
    }
    if (item.kind != JSON_OBJECT_END) {
        return diag_fail(diag, ERR_INVALID, "", "expected a member");
    }
    *out = event;
    return OK;
}
