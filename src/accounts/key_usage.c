/* SPDX-License-Identifier: Apache-2.0 */
#include "accounts/key_usage.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/hash.h"
#include "base/log.h"
#include "base/mem.h"
#include "message/words.h"
#include "os/clock.h"
#include "os/ticker.h"

enum {
    SLOTS = 8192, /* a power of two, at least twice the rows */
    WAKE_ROWS = KEY_USAGE_ROWS_MAX / 4 * 3,
    KEY_ID_BYTES = 63,
};
static_assert(SLOTS >= 2 * KEY_USAGE_ROWS_MAX, "a free slot is near");

struct row {
    char key_id[KEY_ID_BYTES + 1];
    size_t key_len;
    const struct http_route *route; /* NULL: there is none at the path */
    const char *version;            /* NULL: the path has none */
    int64_t day;
    uint64_t requests[CATALOG_USAGE_CLASSES];
    int64_t first_us, last_us;
};

struct rows {
    uint16_t slots[SLOTS]; /* a row and 1; 0: free */
    struct row list[KEY_USAGE_ROWS_MAX];
    size_t count;
};

struct key_usage {
    struct catalog *catalog;
    struct ticker ticker;
    /* Held by who brings rows to the catalog, and by who looks at both, so that nothing is seen
     * twice or not at all. Behind it comes `lock`, in which only memory is touched. */
    struct mutex store_lock;
    struct rows *pending; /* on their way to the catalog; of store_lock */
    int64_t pruned_day;   /* of store_lock */
    bool is_failing;      /* of the thread */
    struct mutex lock;    /* of the rest */
    struct rows *active;
    uint64_t lost;
};

/* ---- Counting ---- */

static slice key_of(const struct row *row)
{
    return (slice){(const uint8_t *)row->key_id, row->key_len};
}

static bool is_same(const struct row *a, const struct row *b)
{
    return a->route == b->route && a->version == b->version && a->day == b->day &&
           slice_equal(key_of(a), key_of(b));
}

/* The row of what `wanted` is of, made if there is room; NULL: there is none. */
static struct row *row_of(struct rows *rows, const struct row *wanted)
{
    uint64_t seed = (uint64_t)(uintptr_t)wanted->route ^
                    (uint64_t)(uintptr_t)wanted->version << 16 ^ (uint64_t)wanted->day << 48;
    size_t at = (size_t)hash_bytes(key_of(wanted), seed) & (SLOTS - 1);
    for (; rows->slots[at] != 0; at = (at + 1) & (SLOTS - 1)) {
        struct row *row = &rows->list[rows->slots[at] - 1];
        if (is_same(row, wanted)) {
            return row;
        }
    }
    if (rows->count == KEY_USAGE_ROWS_MAX) {
        return NULL;
    }
    struct row *row = &rows->list[rows->count++];
    *row = *wanted;
    rows->slots[at] = (uint16_t)rows->count;
    return row;
}

void key_usage_count(struct key_usage *usage, slice key_id, const struct http_route *route,
                     const char *version, int status, int64_t now_us)
{
    size_t status_class = status >= 100 && status < 600 ? (size_t)status / 100 : 0;
    struct row wanted = {.key_len = key_id.len,
                         .route = route,
                         .version = version,
                         .day = now_us / KEY_USAGE_DAY_US,
                         .first_us = now_us};
    if (key_id.len > KEY_ID_BYTES || (route == NULL && version == NULL)) {
        return;
    }
    if (key_id.len > 0) {
        memcpy(wanted.key_id, key_id.ptr, key_id.len);
    }
    mutex_lock(&usage->lock);
    size_t before = usage->active->count;
    struct row *row = row_of(usage->active, &wanted);
    if (row != NULL) {
        row->requests[status_class]++;
        row->last_us = now_us > row->last_us ? now_us : row->last_us;
    } else {
        usage->lost++;
    }
    bool is_much = before < WAKE_ROWS && usage->active->count == WAKE_ROWS;
    mutex_unlock(&usage->lock);
    if (is_much) { /* once on the way up, however long the catalog says no */
        ticker_wake(&usage->ticker);
    }
}

/* ---- Storing, under store_lock ---- */

static void clear(struct rows *rows)
{
    memset(rows->slots, 0, sizeof(rows->slots));
    rows->count = 0;
}

void key_usage_label(const struct http_route *route, char *label)
{
    (void)snprintf(label, KEY_USAGE_LABEL_BYTES, "%s %s", http_method_name(route->method),
                   route->path);
}

/* Of a row with a route; `label` becomes that. */
static struct catalog_usage usage_of(const struct row *row, char *label)
{
    key_usage_label(row->route, label);
    struct catalog_usage usage = {
        .key_id = key_of(row),
        .day = row->day,
        .route = slice_from_cstr(label),
        .last_us = row->last_us,
    };
    memcpy(usage.requests, row->requests, sizeof(usage.requests));
    return usage;
}

/* Of a row with what is asked for; `label` is used for that of a route. */
static struct catalog_use use_of(const struct row *row, enum catalog_used used, char *label)
{
    struct catalog_use use = {.key_id = key_of(row),
                              .first_us = row->first_us,
                              .last_us = row->last_us};
    for (size_t i = 0; i < CATALOG_USAGE_CLASSES; i++) {
        use.requests += row->requests[i];
    }
    if (used == CATALOG_USED_ROUTES) {
        key_usage_label(row->route, label);
        use.first_us = 0;
    }
    use.what = slice_from_cstr(used == CATALOG_USED_ROUTES ? label : row->version);
    return use;
}

static enum err add_row(struct key_usage *usage, const struct row *row, struct diag *diag)
{
    char label[KEY_USAGE_LABEL_BYTES];
    if (row->route != NULL) {
        struct catalog_usage of_route = usage_of(row, label);
        TRY(catalog_usage_add(usage->catalog, &of_route, diag));
    }
    if (row->version != NULL) {
        struct catalog_use of_version = use_of(row, CATALOG_USED_VERSIONS, label);
        TRY(catalog_usage_add_version(usage->catalog, row->day, &of_version, diag));
    }
    return row->key_len == 0 ? OK
                             : catalog_usage_touch(usage->catalog, key_of(row), row->last_us, diag);
}

static enum err add_rows(struct key_usage *usage, int64_t today, struct diag *diag)
{
    for (size_t i = 0; i < usage->pending->count; i++) {
        TRY(add_row(usage, &usage->pending->list[i], diag));
    }
    return today == usage->pruned_day
               ? OK
               : catalog_usage_prune(usage->catalog, today - CATALOG_USAGE_DAYS + 1, diag);
}

static enum err store_rows(struct key_usage *usage, struct diag *diag)
{
    int64_t today = clock_now_us() / KEY_USAGE_DAY_US;
    TRY(catalog_begin(usage->catalog, diag));
    TRY(catalog_end(usage->catalog, add_rows(usage, today, diag), diag));
    usage->pruned_day = today;
    return OK;
}

static void tell_lost(struct key_usage *usage)
{
    mutex_lock(&usage->lock);
    uint64_t lost = usage->lost;
    usage->lost = 0;
    mutex_unlock(&usage->lock);
    if (lost > 0) {
        LOG_WARN("the use of keys was counted in part", kv_u64("requests_not_counted", lost));
    }
}

enum err key_usage_store(struct key_usage *usage, struct diag *diag)
{
    enum err e = OK;
    mutex_lock(&usage->store_lock);
    if (usage->pending->count == 0) { /* else the last try failed */
        mutex_lock(&usage->lock);
        struct rows *full = usage->active;
        usage->active = usage->pending;
        usage->pending = full;
        mutex_unlock(&usage->lock);
    }
    if (usage->pending->count > 0) {
        e = store_rows(usage, diag);
    }
    if (e == OK) {
        clear(usage->pending);
    }
    mutex_unlock(&usage->store_lock);
    return e;
}

/* ---- Reading ---- */

static void read_rows(const struct rows *rows, slice key_id, int64_t first_day, catalog_usage_fn fn,
                      void *context)
{
    char label[KEY_USAGE_LABEL_BYTES];
    for (size_t i = 0; i < rows->count; i++) {
        const struct row *row = &rows->list[i];
        if (row->route != NULL && row->day >= first_day && slice_equal(key_of(row), key_id)) {
            const struct catalog_usage usage = usage_of(row, label);
            fn(context, &usage);
        }
    }
}

enum err key_usage_read(struct key_usage *usage, slice key_id, int64_t first_day,
                        catalog_usage_fn fn, void *context, struct diag *diag)
{
    mutex_lock(&usage->store_lock);
    enum err e = catalog_usage_read(usage->catalog, key_id, first_day, fn, context, diag);
    if (e == OK) {
        read_rows(usage->pending, key_id, first_day, fn, context);
        mutex_lock(&usage->lock);
        read_rows(usage->active, key_id, first_day, fn, context);
        mutex_unlock(&usage->lock);
    }
    mutex_unlock(&usage->store_lock);
    return e;
}

static void read_sums(const struct rows *rows, enum catalog_used used, int64_t first_day,
                      catalog_use_fn fn, void *context)
{
    char label[KEY_USAGE_LABEL_BYTES];
    for (size_t i = 0; i < rows->count; i++) {
        const struct row *row = &rows->list[i];
        if (used == CATALOG_USED_ROUTES ? row->route != NULL : row->version != NULL) {
            struct catalog_use use = use_of(row, used, label);
            use.requests = row->day >= first_day ? use.requests : 0;
            fn(context, &use);
        }
    }
}

enum err key_usage_sums(struct key_usage *usage, enum catalog_used used, int64_t first_day,
                        catalog_use_fn fn, void *context, struct diag *diag)
{
    mutex_lock(&usage->store_lock);
    enum err e = catalog_usage_sums(usage->catalog, used, first_day, fn, context, diag);
    if (e == OK) {
        read_sums(usage->pending, used, first_day, fn, context);
        mutex_lock(&usage->lock);
        read_sums(usage->active, used, first_day, fn, context);
        mutex_unlock(&usage->lock);
    }
    mutex_unlock(&usage->store_lock);
    return e;
}

/* ---- The thread ---- */

static void store_and_tell(struct key_usage *usage)
{
    struct diag diag = {0};
    bool fails = key_usage_store(usage, &diag) != OK;
    if (fails && !usage->is_failing) {
        LOG_WARN("the use of keys cannot be stored; it stays in memory", kv_str("why", diag.text));
    }
    usage->is_failing = fails;
    tell_lost(usage);
}

static void turn(void *context, bool is_last)
{
    struct key_usage *usage = context;
    store_and_tell(usage); /* what an earlier try left, or all */
    if (is_last) {
        store_and_tell(usage); /* then all */
    }
}

enum err key_usage_start(struct catalog *catalog, struct key_usage **out, struct diag *diag)
{
    struct key_usage *usage = mem_zeroed(sizeof(*usage));
    usage->catalog = catalog;
    usage->active = mem_zeroed(sizeof(*usage->active));
    usage->pending = mem_zeroed(sizeof(*usage->pending));
    mutex_init(&usage->store_lock);
    mutex_init(&usage->lock);
    ticker_init(&usage->ticker);
    enum err e = ticker_start(&usage->ticker, "key-usage", KEY_USAGE_STORE_MS * INT64_C(1000), turn,
                              usage, diag);
    if (e != OK) {
        key_usage_stop(usage);
        return e;
    }
    *out = usage;
    return OK;
}

void key_usage_stop(struct key_usage *usage)
{
    if (usage == NULL) {
        return;
    }
    ticker_release(&usage->ticker);
    mutex_release(&usage->lock);
    mutex_release(&usage->store_lock);
    free(usage->active);
    free(usage->pending);
    free(usage);
}
