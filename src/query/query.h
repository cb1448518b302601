/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * query - the road out to readers: from parameters to a page of events.
 *
 *   parameters -> filter, order, position -> scan of the store -> JSON
 *
 * The first page fixes the size of the log that later pages see, and the moment that "24h" is
 * relative to; the cursor carries both with its position, signed, so that pages neither miss nor
 * repeat.
 *
 * Threads: any; calls may block on disk.
 */

#include "query/render.h"
#include "store/store.h"

#define QUERY_KEY_BYTES 32

#define QUERY_LIMIT_DEFAULT 100
#define QUERY_LIMIT_MAX     1000
/* further on, a cursor costs nothing and an offset all before it */
#define QUERY_OFFSET_MAX   10000
#define QUERY_PAGE_BYTES   (8 * 1024 * 1024) /* a page ends early when its events are this large */
#define QUERY_ANSWER_BYTES (QUERY_PAGE_BYTES + 4 * 1024 * 1024)

struct json_writer;

struct query_param {
    slice name, value; /* decoded */
};

struct query_context {
    struct store *store;
    slice org;                 /* of the caller */
    slice narrow;              /* a filter: the caller sees what matches; empty: all */
    bool may_see_all;          /* may ask for another organisation, or for all of them */
    const uint8_t *cursor_key; /* QUERY_KEY_BYTES */
    int64_t now_us;
};

/* ---- Another shape than {"data", "page"}, for clients that know one ---- */

struct query_totals {
    uint64_t page, limit, offset, count, total; /* page from 1; count: of this page */
};

struct query_shape {
    const char *list;                    /* the name of the array */
    const struct render_column *columns; /* of each event; NULL: as always */
    size_t column_count;
    /* Adds the members behind the array. */
    void (*write_page)(struct json_writer *json, const struct query_totals *totals);
};

/* What the parameters say. Lives in the arena it was parsed with. */
struct query {
    const struct filter *filter;
    slice org; /* empty: all */
    enum store_order order;
    struct render_fields fields;
    uint64_t limit;
    uint64_t offset;
    uint64_t page; /* from 1; 0: not asked for */
    bool wants_total;
    const struct query_shape *shape; /* NULL: the usual; of query_page(), set by its caller */
    uint64_t size;                   /* of the log: snapshot */
    bool has_after;
    struct store_position after;
    int64_t now_us;       /* what relative times were relative to */
    uint64_t fingerprint; /* of all that a cursor may not be moved between */
    /* stats */
    enum field group_by[STORE_GROUP_FIELDS_MAX];
    size_t group_count;
    int64_t interval_us;
};

/*
 * Understands parameters. `extra` (may be NULL) is ANDed in, and released with the query; on an
 * error it is still the caller's. `defaults` gives the order. INVALID:
 * an unknown parameter, a bad value, a cursor that is not ours or of another query; diag->where
 * names the parameter. Call query_release() before the arena ends.
 */
struct query_defaults {
    enum store_order order;
    uint64_t limit;
    const struct filter *extra;
};
enum err query_parse(const struct query_context *context, const struct query_param *params,
                     size_t count, const struct query_defaults *defaults, struct arena *arena,
                     struct query *out, struct diag *diag);
void query_release(struct query *query);

/* Whether the caller may see that event, which is of an organisation that it may see. INVALID: its
 * filter is none. */
enum err query_may_see(const struct query_context *context, const struct event *event, bool *out,
                       struct diag *diag);

/* The next page's cursor, empty at the end; what a Link header needs. */
struct query_answer {
    char next_cursor[160];
};

/* {"data": [...], "page": {...}} appended to `out`. LIMIT, CORRUPT, IO. */
enum err query_page(const struct query_context *context, const struct query *query, struct buf *out,
                    struct query_answer *answer, struct diag *diag);

/* The same of one correlation: each event with its "depth" below its parent (0 for none) and the
 * page with the "services" seen. */
enum err query_timeline(const struct query_context *context, const struct query *query,
                        slice correlation_id, struct buf *out, struct query_answer *answer,
                        struct diag *diag);

/* {"data": [{field: value, ..., "time", "count"}], "total", "truncated"}: the `limit` largest
 * groups, or all buckets in order of time. */
enum err query_stats(const struct query_context *context, const struct query *query,
                     struct arena *arena, struct buf *out, struct diag *diag);
