/* SPDX-License-Identifier: Apache-2.0 */
#include "api/key_usage.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/hash.h"
#include "base/log.h"
#include "base/mem.h"
#include "http/words.h"
#include "os/clock.h"
#include "os/thread.h"

enum {
    SLOTS = 8192, /* a power of two, at least twice the rows */
    WAKE_ROWS = KEY_USAGE_ROWS_MAX / 4 * 3,
    KEY_ID_BYTES = 63,
    LABEL_BYTES = 256,
};
static_assert(SLOTS >= 2 * KEY_USAGE_ROWS_MAX, "a free slot is near");

struct row {
    char key_id[KEY_ID_BYTES + 1];
    size_t key_len;
    const struct http_route *route;
    int64_t day;
    uint64_t requests[CATALOG_USAGE_CLASSES];
    int64_t last_us;
};

struct rows {
    uint16_t slots[SLOTS]; /* a row and 1; 0: free */
    struct row list[KEY_USAGE_ROWS_MAX];
    size_t count;
};

struct key_usage {
    struct catalog *catalog;
    struct thread thread;
    /* Held by who brings rows to the catalog, and by who looks at both, so that nothing is seen
     * twice or not at all. Behind it comes `lock`, in which only memory is touched. */
    struct mutex turn;
    struct rows *pending; /* on their way to the catalog; of the turn */
    int64_t pruned_day;   /* of the turn */
    bool is_failing;      /* of the thread */
    struct mutex lock;    /* of the rest */
    struct condition wake;
    struct rows *active;
    uint64_t lost;
    bool is_woken, is_stopping;
};

/* ---- Counting ---- */

static bool is_of(const struct row *row, slice key_id, const struct http_route *route, int64_t day)
{
    return row->route == route && row->day == day && row->key_len == key_id.len &&
           memcmp(row->key_id, key_id.ptr, key_id.len) == 0;
}

/* NULL: there is no room. */
static struct row *row_of(struct rows *rows, slice key_id, const struct http_route *route,
                          int64_t day)
{
    uint64_t seed = (uint64_t)(uintptr_t)route ^ (uint64_t)day << 48;
    size_t at = (size_t)hash_bytes(key_id, seed) & (SLOTS - 1);
    for (; rows->slots[at] != 0; at = (at + 1) & (SLOTS - 1)) {
        struct row *row = &rows->list[rows->slots[at] - 1];
        if (is_of(row, key_id, route, day)) {
            return row;
        }
    }
    if (rows->count == KEY_USAGE_ROWS_MAX) {
        return NULL;
    }
    struct row *row = &rows->list[rows->count++];
    *row = (struct row){.key_len = key_id.len, .route = route, .day = day};
    memcpy(row->key_id, key_id.ptr, key_id.len);
    rows->slots[at] = (uint16_t)rows->count;
    return row;
}

void key_usage_count(struct key_usage *usage, slice key_id, const struct http_route *route,
                     int status, int64_t now_us)
{
    size_t status_class = status >= 100 && status < 600 ? (size_t)status / 100 : 0;
    if (key_id.len == 0 || key_id.len > KEY_ID_BYTES) {
        return;
    }
    mutex_lock(&usage->lock);
    size_t before = usage->active->count;
    struct row *row = row_of(usage->active, key_id, route, now_us / KEY_USAGE_DAY_US);
    if (row != NULL) {
        row->requests[status_class]++;
        row->last_us = now_us > row->last_us ? now_us : row->last_us;
    } else {
        usage->lost++;
    }
    if (before < WAKE_ROWS && usage->active->count == WAKE_ROWS) {
        usage->is_woken = true; /* once on the way up, however long the catalog says no */
        condition_signal(&usage->wake);
    }
    mutex_unlock(&usage->lock);
}

/* ---- Storing, in the turn ---- */

static void clear(struct rows *rows)
{
    memset(rows->slots, 0, sizeof(rows->slots));
    rows->count = 0;
}

/* `label` has LABEL_BYTES. */
static struct catalog_usage usage_of(const struct row *row, char *label)
{
    (void)snprintf(label, LABEL_BYTES, "%s %s", http_method_name(row->route->method),
                   row->route->path);
    struct catalog_usage usage = {
        .key_id = {(const uint8_t *)row->key_id, row->key_len},
        .day = row->day,
        .route = slice_from_cstr(label),
        .last_us = row->last_us,
    };
    memcpy(usage.requests, row->requests, sizeof(usage.requests));
    return usage;
}

static enum err add_rows(struct key_usage *usage, int64_t today, struct diag *diag)
{
    char label[LABEL_BYTES];
    for (size_t i = 0; i < usage->pending->count; i++) {
        struct catalog_usage row = usage_of(&usage->pending->list[i], label);
        TRY(catalog_usage_add(usage->catalog, &row, diag));
        TRY(catalog_usage_touch(usage->catalog, row.key_id, row.last_us, diag));
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
    mutex_lock(&usage->turn);
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
    mutex_unlock(&usage->turn);
    return e;
}

/* ---- Reading ---- */

static void read_rows(const struct rows *rows, slice key_id, int64_t first_day, catalog_usage_fn fn,
                      void *context)
{
    char label[LABEL_BYTES];
    for (size_t i = 0; i < rows->count; i++) {
        const struct row *row = &rows->list[i];
        if (row->day >= first_day &&
            slice_equal((slice){(const uint8_t *)row->key_id, row->key_len}, key_id)) {
            const struct catalog_usage usage = usage_of(row, label);
            fn(context, &usage);
        }
    }
}

enum err key_usage_read(struct key_usage *usage, slice key_id, int64_t first_day,
                        catalog_usage_fn fn, void *context, struct diag *diag)
{
    mutex_lock(&usage->turn);
    enum err e = catalog_usage_read(usage->catalog, key_id, first_day, fn, context, diag);
    if (e == OK) {
        read_rows(usage->pending, key_id, first_day, fn, context);
        mutex_lock(&usage->lock);
        read_rows(usage->active, key_id, first_day, fn, context);
        mutex_unlock(&usage->lock);
    }
    mutex_unlock(&usage->turn);
    return e;
}

/* ---- The thread ---- */

/* False: it is to stop. */
static bool wait_for_turn(struct key_usage *usage)
{
    int64_t until_us = clock_monotonic_us() + KEY_USAGE_STORE_MS * INT64_C(1000);
    int64_t left_us = until_us - clock_monotonic_us();
    mutex_lock(&usage->lock);
    while (!usage->is_stopping && !usage->is_woken && left_us > 0) {
        (void)condition_wait_us(&usage->wake, &usage->lock, left_us);
        left_us = until_us - clock_monotonic_us();
    }
    usage->is_woken = false;
    bool goes_on = !usage->is_stopping;
    mutex_unlock(&usage->lock);
    return goes_on;
}

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

static void run(void *context)
{
    struct key_usage *usage = context;
    while (wait_for_turn(usage)) {
        store_and_tell(usage);
    }
    store_and_tell(usage); /* what an earlier try left, or all */
    store_and_tell(usage); /* then all */
}

enum err key_usage_start(struct catalog *catalog, struct key_usage **out, struct diag *diag)
{
    struct key_usage *usage = mem_zeroed(sizeof(*usage));
    usage->catalog = catalog;
    usage->active = mem_zeroed(sizeof(*usage->active));
    usage->pending = mem_zeroed(sizeof(*usage->pending));
    mutex_init(&usage->turn);
    mutex_init(&usage->lock);
    condition_init(&usage->wake);
    enum err e = thread_start(&usage->thread, "key-usage", run, usage, diag);
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
    mutex_lock(&usage->lock);
    usage->is_stopping = true;
    condition_signal(&usage->wake);
    mutex_unlock(&usage->lock);
    thread_join(&usage->thread);
    condition_release(&usage->wake);
    mutex_release(&usage->lock);
    mutex_release(&usage->turn);
    free(usage->active);
    free(usage->pending);
    free(usage);
}
