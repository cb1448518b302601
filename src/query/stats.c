/* SPDX-License-Identifier: Apache-2.0 */
/* stats - counts by field and time, from the store's groups to an answer. */
#include <stdlib.h>

#include "json/write.h"
#include "query/query.h"

enum {
    STATS_GROUPS_MAX = 100000, /* counted */
    STATS_BUCKETS_MAX = 10000, /* told, of a series */
};

/* Largest first; of equal ones by value, so that the order is always the same. */
static int by_count(const void *left, const void *right)
{
    const struct store_group *a = left;
    const struct store_group *b = right;
    if (a->count != b->count) {
        return a->count > b->count ? -1 : 1;
    }
    for (size_t i = 0; i < STORE_GROUP_FIELDS_MAX; i++) {
        size_t len = a->values[i].len < b->values[i].len ? a->values[i].len : b->values[i].len;
        int order = len > 0 ? memcmp(a->values[i].ptr, b->values[i].ptr, len) : 0;
        if (order != 0 || a->values[i].len != b->values[i].len) {
            return order != 0 ? order : (a->values[i].len < b->values[i].len ? -1 : 1);
        }
    }
    return 0;
}

static int by_time(const void *left, const void *right)
{
    const struct store_group *a = left;
    const struct store_group *b = right;
    if (a->bucket_us != b->bucket_us) {
        return a->bucket_us < b->bucket_us ? -1 : 1;
    }
    return by_count(left, right);
}

static void write_group(struct json_writer *json, const struct query *query,
                        const struct store_group *group)
{
    json_begin_object(json, NULL);
    if (query->interval_us > 0) {
        json_time(json, "time", group->bucket_us);
    }
    for (size_t i = 0; i < query->group_count; i++) {
        json_key(json, fields[query->group_by[i]].name);
        if (group->values[i].ptr == NULL) {
            json_null(json, NULL);
        } else {
            json_str(json, NULL, group->values[i]);
        }
    }
    json_u64(json, "count", group->count);
    json_end_object(json);
}

enum err query_stats(const struct query_context *context, const struct query *query,
                     struct arena *arena, struct buf *out, struct diag *diag)
{
    struct store_group *groups = NULL;
    size_t count = 0;
    struct store_count_options options = {
        .org = query->org,
        .filter = query->filter,
        .size = query->size,
        .group_count = query->group_count,
        .interval_us = query->interval_us,
        .groups_max = STATS_GROUPS_MAX,
    };
    memcpy(options.group_by, query->group_by, sizeof(options.group_by));
    enum err e = store_count(context->store, &options, arena, &groups, &count, diag);
    if (e == ERR_LIMIT) {
        return diag_fail(diag, ERR_INVALID, "group_by",
                         "more than %d groups; narrow the filter or count by fewer values",
                         STATS_GROUPS_MAX);
    }
    TRY(e);
    bool is_series = query->interval_us > 0;
    uint64_t total = 0;
    for (size_t i = 0; i < count; i++) {
        total += groups[i].count;
    }
    if (count > 1) {
        qsort(groups, count, sizeof(*groups), is_series ? by_time : by_count);
    }
    uint64_t shown_max = is_series ? STATS_BUCKETS_MAX : query->limit;
    struct json_writer json = json_writer_to(out);
    json_begin_object(&json, NULL);
    json_begin_array(&json, "data");
    for (size_t i = 0; i < count && i < shown_max; i++) {
        write_group(&json, query, &groups[i]);
    }
    json_end_array(&json);
    json_u64(&json, "total", total);
    json_u64(&json, "groups", count);
    json_bool(&json, "truncated", count > shown_max);
    return json_end(&json);
}
