/* SPDX-License-Identifier: Apache-2.0 */
/* params - query parameters understood: each name once, in a table. */
#include "base/hash.h"
#include "query/cursor.h"
#include "query/query.h"

/* What is being understood; the parts of the filter collect in `parts`. */
struct parsing {
    const struct query_context *context;
    const struct query_param *params;
    size_t count;
    struct arena *arena;
    struct query *query;
    struct filter_context filter_context;
    const struct filter **parts;
    size_t part_count;
    slice cursor;
    struct diag *diag;
};

static enum err wrong(const struct parsing *parsing, const char *name, const char *expected)
{
    return diag_fail(parsing->diag, ERR_INVALID, name, "expected %s", expected);
}

/* ---- Parameters that are not fields ---- */

static enum err take_q(struct parsing *parsing, slice value)
{
    const struct filter *filter = NULL;
    TRY(filter_parse(value, &parsing->filter_context, parsing->arena, &filter, parsing->diag));
    parsing->parts[parsing->part_count++] = filter;
    return OK;
}

static enum err take_bound(struct parsing *parsing, const char *name, enum filter_op op,
                           slice value)
{
    const struct filter *leaf = NULL;
    int64_t ignored_us = 0;
    if (!filter_parse_time(value, parsing->filter_context.now_us, &ignored_us)) {
        return wrong(parsing, name, "a time: RFC 3339, 24h, 7d, today, or epoch seconds");
    }
    TRY(filter_make_leaf(SLICE("event_timestamp"), op, value, &parsing->filter_context,
                         parsing->arena, &leaf, parsing->diag));
    parsing->parts[parsing->part_count++] = leaf;
    return OK;
}

static enum err take_since(struct parsing *parsing, slice value)
{
    return take_bound(parsing, "since", FILTER_GREATER_EQUAL, value);
}

static enum err take_until(struct parsing *parsing, slice value)
{
    return take_bound(parsing, "until", FILTER_LESS, value);
}

static enum err take_order(struct parsing *parsing, slice value)
{
    static const struct {
        const char *name;
        enum store_order order;
    } orders[] = {
        {"desc", STORE_TIME_DESC},
        {"asc", STORE_TIME_ASC},
        {"seq", STORE_SEQ_ASC},
        {"seq-desc", STORE_SEQ_DESC},
    };
    for (size_t i = 0; i < COUNT_OF(orders); i++) {
        if (slice_equal(value, slice_from_cstr(orders[i].name))) {
            parsing->query->order = orders[i].order;
            return OK;
        }
    }
    return wrong(parsing, "order", "asc, desc, seq or seq-desc");
}

static enum err take_fields(struct parsing *parsing, slice value)
{
    return render_fields_parse(value, &parsing->query->fields, parsing->diag);
}

static enum err take_cursor(struct parsing *parsing, slice value)
{
    parsing->cursor = value;
    return OK;
}

static enum err take_limit(struct parsing *parsing, slice value)
{
    if (!slice_parse_u64(value, &parsing->query->limit) || parsing->query->limit < 1 ||
        parsing->query->limit > QUERY_LIMIT_MAX) {
        return wrong(parsing, "limit", "a number from 1 to 1000");
    }
    return OK;
}

static enum err take_offset(struct parsing *parsing, slice value)
{
    if (!slice_parse_u64(value, &parsing->query->offset) ||
        parsing->query->offset > QUERY_OFFSET_MAX) {
        return wrong(parsing, "offset",
                     "a number from 0 to 10000; follow next_cursor to go further");
    }
    return OK;
}

static enum err take_page(struct parsing *parsing, slice value)
{
    if (!slice_parse_u64(value, &parsing->query->page) || parsing->query->page < 1) {
        return wrong(parsing, "page", "a number from 1");
    }
    return OK;
}

static enum err take_total(struct parsing *parsing, slice value)
{
    parsing->query->wants_total =
        slice_equal(value, SLICE("exact")) || slice_equal(value, SLICE("estimate"));
    if (!parsing->query->wants_total && !slice_equal(value, SLICE("none"))) {
        return wrong(parsing, "total", "exact, estimate or none");
    }
    return OK;
}

static enum err take_org(struct parsing *parsing, slice value)
{
    bool own = slice_equal(value, parsing->context->org);
    if (!own && !parsing->context->may_see_all) {
        return diag_fail(parsing->diag, ERR_DENIED, "org", "another organisation's events");
    }
    parsing->query->org = slice_equal(value, SLICE("*")) ? (slice){0} : value;
    return value.len > 0 ? OK : wrong(parsing, "org", "the name of an organisation, or *");
}

static enum err take_group_by(struct parsing *parsing, slice value)
{
    struct query *query = parsing->query;
    while (value.len > 0) {
        const uint8_t *comma = memchr(value.ptr, ',', value.len);
        slice name = slice_take(&value, comma != NULL ? (size_t)(comma - value.ptr) : value.len);
        (void)slice_take(&value, comma != NULL ? 1 : 0);
        enum field field = FIELD_EVENT_ID;
        if (!field_find(name, &field) || fields[field].type == TYPE_JSON ||
            field == FIELD_EVENT_ID || fields[field].type == TYPE_TIME) {
            return diag_fail(parsing->diag, ERR_INVALID, "group_by",
                             "%.*s is not a field that can be counted by", SLICE_ARG(name));
        }
        if (query->group_count == STORE_GROUP_FIELDS_MAX) {
            return wrong(parsing, "group_by", "at most 2 fields");
        }
        query->group_by[query->group_count++] = field;
    }
    return OK;
}

static enum err take_interval(struct parsing *parsing, slice value)
{
    static const struct {
        uint8_t unit;
        int64_t us;
    } units[] = {
        {'s', INT64_C(1000000)},     {'m', INT64_C(60000000)},     {'h', INT64_C(3600000000)},
        {'d', INT64_C(86400000000)}, {'w', INT64_C(604800000000)},
    };
    uint64_t number = 0;
    for (size_t i = 0; i < COUNT_OF(units) && value.len > 1; i++) {
        if (value.ptr[value.len - 1] == units[i].unit &&
            slice_parse_u64((slice){value.ptr, value.len - 1}, &number) && number >= 1 &&
            number <= 10000) {
            parsing->query->interval_us = (int64_t)number * units[i].us;
            return OK;
        }
    }
    return wrong(parsing, "interval", "a span such as 30s, 5m, 1h, 1d or 1w");
}

static const struct {
    const char *name;
    enum err (*take)(struct parsing *parsing, slice value);
    bool moves; /* may differ from page to page of one query */
} words[] = {
    {"q", take_q, false},
    {"since", take_since, false},
    {"until", take_until, false},
    {"order", take_order, false},
    {"org", take_org, false},
    {"fields", take_fields, true},
    {"cursor", take_cursor, true},
    {"limit", take_limit, true},
    {"offset", take_offset, true},
    {"page", take_page, true},
    {"total", take_total, true},
    {"group_by", take_group_by, false},
    {"interval", take_interval, false},
};

static size_t find_word(slice name)
{
    for (size_t i = 0; i < COUNT_OF(words); i++) {
        if (slice_equal(name, slice_from_cstr(words[i].name))) {
            return i;
        }
    }
    return COUNT_OF(words);
}

/* ---- Parameters that are fields ---- */

static bool is_path(slice name)
{
    return slice_take_literal(&name, SLICE("data.")) ||
           slice_take_literal(&name, SLICE("event_data.")) ||
           slice_take_literal(&name, SLICE("metadata.")) ||
           slice_take_literal(&name, SLICE("event_metadata."));
}

static bool is_first_of_name(const struct parsing *parsing, size_t at)
{
    for (size_t i = 0; i < at; i++) {
        if (slice_equal(parsing->params[i].name, parsing->params[at].name)) {
            return false;
        }
    }
    return true;
}

/* A leaf names its place in a filter; here the parameter is the place. */
static enum err make_leaf(struct parsing *parsing, slice name, slice value,
                          const struct filter **leaf)
{
    struct diag diag = {0};
    enum err e = filter_make_leaf(name, FILTER_EQUAL, value, &parsing->filter_context,
                                  parsing->arena, leaf, &diag);
    if (e != OK) {
        char where[sizeof(diag.where)];
        size_t len = name.len < sizeof(where) - 1 ? name.len : sizeof(where) - 1;
        memcpy(where, name.ptr, len);
        where[len] = '\0';
        return diag_fail(parsing->diag, e, where, "%s", diag.text);
    }
    return OK;
}

/* All parameters of one name: one of the plain values, and none of those behind a "!". */
static enum err take_field(struct parsing *parsing, size_t first)
{
    slice name = parsing->params[first].name;
    const struct filter **wanted =
        arena_take(parsing->arena, parsing->count * sizeof(struct filter *));
    size_t wanted_count = 0;
    if (wanted == NULL) {
        return diag_fail(parsing->diag, ERR_LIMIT, "", "too many parameters");
    }
    for (size_t i = first; i < parsing->count; i++) {
        slice value = parsing->params[i].value;
        const struct filter *leaf = NULL;
        if (!slice_equal(parsing->params[i].name, name)) {
            continue;
        }
        bool negated = slice_take_literal(&value, SLICE("!"));
        TRY(make_leaf(parsing, name, value, &leaf));
        if (negated) {
            TRY(filter_make_not(parsing->arena, leaf, &parsing->parts[parsing->part_count]));
            parsing->part_count++;
        } else {
            wanted[wanted_count++] = leaf;
        }
    }
    if (wanted_count > 0) {
        TRY(filter_make_or(parsing->arena, wanted, wanted_count,
                           &parsing->parts[parsing->part_count]));
        parsing->part_count++;
    }
    return OK;
}

static enum err take_param(struct parsing *parsing, size_t at)
{
    slice name = parsing->params[at].name;
    size_t word = find_word(name);
    enum field field = FIELD_EVENT_ID;
    if (word < COUNT_OF(words)) {
        if (!is_first_of_name(parsing, at) && word != find_word(SLICE("q"))) {
            return diag_fail(parsing->diag, ERR_INVALID, words[word].name, "is given twice");
        }
        return words[word].take(parsing, parsing->params[at].value);
    }
    if (!is_path(name) && !field_find(name, &field)) {
        char where[sizeof(parsing->diag->where)];
        size_t len = name.len < sizeof(where) - 1 ? name.len : sizeof(where) - 1;
        memcpy(where, name.ptr, len);
        where[len] = '\0';
        return diag_fail(parsing->diag, ERR_INVALID, where,
                         "is no parameter; fields, data.<path>, q, since, until, order, fields, "
                         "limit, cursor, offset, page and total are");
    }
    return is_first_of_name(parsing, at) ? take_field(parsing, at) : OK;
}

/* ---- Cursors ---- */

/* Everything that makes two queries different, whatever the order of pages. */
static uint64_t fingerprint(const struct parsing *parsing)
{
    uint64_t hash = hash_bytes(parsing->context->org, HASH_STORED);
    hash = hash_bytes(parsing->context->narrow, hash);
    for (size_t i = 0; i < parsing->count; i++) {
        size_t word = find_word(parsing->params[i].name);
        if (word == COUNT_OF(words) || !words[word].moves) {
            hash = hash_bytes(parsing->params[i].name, hash);
            hash = hash_bytes(parsing->params[i].value, hash);
        }
    }
    return hash_u64((uint64_t)parsing->query->order, hash);
}

/* A cursor brings the first page's now with it, so it is read before times are understood. */
static enum err read_cursor(struct parsing *parsing, struct cursor *cursor, bool *there)
{
    for (size_t i = 0; i < parsing->count; i++) {
        if (slice_equal(parsing->params[i].name, SLICE("cursor")) &&
            parsing->params[i].value.len > 0) {
            *there = true;
            if (cursor_parse(parsing->params[i].value, parsing->context->cursor_key, cursor) !=
                OK) {
                return wrong(parsing, "cursor", "a next_cursor as it was given");
            }
        }
    }
    return OK;
}

static enum err use_cursor(struct parsing *parsing, const struct cursor *cursor)
{
    struct query *query = parsing->query;
    if (cursor->fingerprint != query->fingerprint) {
        return diag_fail(parsing->diag, ERR_INVALID, "cursor", "belongs to another query");
    }
    if (query->offset > 0 || query->page > 0) {
        return diag_fail(parsing->diag, ERR_INVALID, "cursor",
                         "goes neither with offset nor with page");
    }
    query->size = cursor->size;
    query->has_after = true;
    query->after = (struct store_position){cursor->time_us, cursor->seq};
    return OK;
}

static enum err use_page(struct parsing *parsing)
{
    struct query *query = parsing->query;
    if (query->page == 0) {
        return OK;
    }
    uint64_t offset = (query->page - 1) * query->limit;
    if (query->page > QUERY_OFFSET_MAX || offset > QUERY_OFFSET_MAX) {
        return wrong(parsing, "page", "a page among the first 10000 events; follow next_cursor");
    }
    query->offset = offset;
    query->wants_total = true;
    return OK;
}

/* The filter of all parts. They are its own then, but for `extra`, which is the caller's. */
static enum err take_params(struct parsing *parsing, const struct cursor *cursor, bool has_cursor,
                            const struct filter *extra)
{
    struct query *query = parsing->query;
    for (size_t i = 0; i < parsing->count; i++) {
        TRY(take_param(parsing, i));
    }
    if (parsing->context->narrow.len > 0) {
        TRY(take_q(parsing, parsing->context->narrow));
    }
    query->fingerprint = fingerprint(parsing);
    if (has_cursor) {
        TRY(use_cursor(parsing, cursor));
    }
    TRY(use_page(parsing));
    size_t count = parsing->part_count;
    if (extra != NULL) {
        parsing->parts[count++] = extra;
    }
    return filter_make_and(parsing->arena, parsing->parts, count, &query->filter);
}

enum err query_parse(const struct query_context *context, const struct query_param *params,
                     size_t count, const struct query_defaults *defaults, struct arena *arena,
                     struct query *out, struct diag *diag)
{
    struct query query = {
        .org = context->org,
        .order = defaults->order,
        .limit = defaults->limit > 0 ? defaults->limit : QUERY_LIMIT_DEFAULT,
        .size = UINT64_MAX,
        .now_us = context->now_us,
    };
    struct cursor cursor = {0};
    bool has_cursor = false;
    struct parsing parsing = {
        .context = context,
        .params = params,
        .count = count,
        .arena = arena,
        .query = &query,
        .parts = arena_take(arena, (count + 2) * sizeof(struct filter *)),
        .diag = diag,
    };
    if (parsing.parts == NULL) {
        return diag_fail(diag, ERR_LIMIT, "", "too many parameters");
    }
    TRY(read_cursor(&parsing, &cursor, &has_cursor));
    query.now_us = has_cursor ? cursor.now_us : context->now_us;
    parsing.filter_context.now_us = query.now_us;
    enum err e = take_params(&parsing, &cursor, has_cursor, defaults->extra);
    if (e != OK) { /* patterns do not live in the arena */
        for (size_t i = 0; i < parsing.part_count; i++) {
            filter_release(parsing.parts[i]);
        }
        return e;
    }
    *out = query;
    return OK;
}

void query_release(struct query *query)
{
    if (query->filter != NULL) {
        filter_release(query->filter);
    }
}

enum err query_may_see(const struct query_context *context, const struct event *event, bool *out,
                       struct diag *diag)
{
    CLEANUP(arena_release) struct arena arena = ARENA_INIT(MIB(1));
    const struct filter_context filter_context = {.now_us = context->now_us};
    const struct filter *filter = NULL;
    *out = true;
    if (context->narrow.len > 0) {
        TRY(filter_parse(context->narrow, &filter_context, &arena, &filter, diag));
        *out = filter_match(filter, event);
        filter_release(filter);
    }
    return OK;
}
