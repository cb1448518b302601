/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * ledger_support - for tests of a ledger: events by number, appends that wait, and a ledger
 * in a temporary directory that can be closed and opened again.
 */

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/test.h"
#include "ledger/ledger.h"
#include "ledger/verify.h"
#include "os/tempdir.h"
#include "os/thread.h"

#define SUPPORT_T0 INT64_C(1767225600000000) /* 2026-01-01T00:00:00Z */

/* What event number n says; two calls with one n say the same. `data` may be NULL. */
struct numbered_event {
    struct event event;
    char actor[32];
    char correlation[40];
    char data[256];
};

static inline struct uuid numbered_id(uint64_t n)
{
    uint8_t random[10] = {0};
    memcpy(random + 2, &n, sizeof(n));
    return uuid_make_v7(SUPPORT_T0 + (int64_t)n * 1000, random);
}

static inline void set_text(struct event *event, enum field field, const char *text)
{
    event->present |= FIELD_BIT(field);
    event->value[field].text = slice_from_cstr(text);
}

static inline void set_number(struct event *event, enum field field, int64_t number)
{
    event->present |= FIELD_BIT(field);
    event->value[field].number = number;
}

static inline void numbered_event_init(struct numbered_event *e, uint64_t n, const char *data)
{
    *e = (struct numbered_event){0};
    e->event.present |= FIELD_BIT(FIELD_EVENT_ID);
    e->event.value[FIELD_EVENT_ID].uuid = numbered_id(n);
    set_number(&e->event, FIELD_EVENT_TIMESTAMP, SUPPORT_T0 + (int64_t)n * 1000);
    set_number(&e->event, FIELD_RECORDED_AT, SUPPORT_T0 + (int64_t)n * 1000 + 7);
    set_text(&e->event, FIELD_ORG, "default");
    set_text(&e->event, FIELD_EVENT_TYPE, n % 3 == 0 ? "auth.login" : "order.create");
    set_text(&e->event, FIELD_EVENT_OUTCOME, n % 10 == 0 ? "failure" : "success");
    (void)snprintf(e->actor, sizeof(e->actor), "user-%llu", (unsigned long long)(n % 50));
    set_text(&e->event, FIELD_ACTOR_ID, e->actor);
    (void)snprintf(e->correlation, sizeof(e->correlation), "corr-%llu",
                   (unsigned long long)(n / 6));
    set_text(&e->event, FIELD_CORRELATION_ID, e->correlation);
    if (data != NULL) {
        (void)snprintf(e->data, sizeof(e->data), "%s", data);
    } else {
        (void)snprintf(e->data, sizeof(e->data), "{\"n\":%llu,\"note\":\"event number %llu\"}",
                       (unsigned long long)n, (unsigned long long)n);
    }
    set_text(&e->event, FIELD_EVENT_DATA, e->data);
}

/* ---- Appends that wait ---- */

struct append_wait {
    struct mutex lock;
    struct condition told;
    bool is_done;
    enum err result;
};

static inline void append_done(struct batch *batch, enum err result, const struct diag *diag)
{
    struct append_wait *wait = batch->owner;
    UNUSED(diag);
    mutex_lock(&wait->lock);
    wait->is_done = true;
    wait->result = result;
    condition_signal(&wait->told);
    mutex_unlock(&wait->lock);
}

/* Appends `batch`; append_end() has the result, also that of store_append(). */
static inline enum err append_begin(struct store *store, struct batch *batch,
                                    struct append_wait *wait)
{
    *wait = (struct append_wait){.lock = MUTEX_INIT};
    condition_init(&wait->told);
    batch->owner = wait;
    batch->done = append_done;
    enum err e = store_append(store, batch, NULL);
    if (e != OK) { /* `done` is not called */
        wait->result = e;
        wait->is_done = true;
    }
    return e;
}

/* Waits for the result. */
static inline enum err append_end(struct append_wait *wait)
{
    mutex_lock(&wait->lock);
    while (!wait->is_done) {
        condition_wait(&wait->told, &wait->lock);
    }
    mutex_unlock(&wait->lock);
    condition_release(&wait->told);
    mutex_release(&wait->lock);
    return wait->result;
}

/* Commits `batch` and waits for the result. */
static inline enum err commit_batch(struct store *store, struct batch *batch)
{
    struct append_wait wait;
    (void)append_begin(store, batch, &wait);
    return append_end(&wait);
}

static inline void add_numbered(struct batch *batch, uint64_t n, const char *data)
{
    CLEANUP(buf_release) struct buf line = BUF_INIT(MIB(1));
    struct numbered_event e;
    numbered_event_init(&e, n, data);
    assert_int_equal(batch_add(batch, &e.event, e.event.present, &line), OK);
}

/* Events [from, to) in batches of up to `batch_size`; all must be stored. */
static inline void append_range(struct store *store, uint64_t from, uint64_t to, size_t batch_size)
{
    struct batch batch;
    batch_init(&batch);
    while (from < to) {
        batch_clear(&batch);
        for (size_t i = 0; i < batch_size && from < to; i++) {
            add_numbered(&batch, from++, NULL);
        }
        assert_int_equal(commit_batch(store, &batch), OK);
        assert_int_equal(batch.stored, batch.count);
    }
    batch_release(&batch);
}

/* ---- A ledger that comes and goes ---- */

struct ledger_fixture {
    struct tempdir temp;
    struct ledger_options options;
    struct ledger *ledger;
    struct store *store;
    struct diag diag;
};

static inline enum err fixture_open(struct ledger_fixture *f)
{
    enum err e = ledger_open(f->temp.path, &f->options, &f->ledger, &f->diag);
    f->store = e == OK ? ledger_store(f->ledger) : NULL;
    return e;
}

static inline void fixture_close(struct ledger_fixture *f)
{
    ledger_close(f->ledger);
    f->ledger = NULL;
}

static inline void fixture_reopen(struct ledger_fixture *f)
{
    fixture_close(f);
    assert_int_equal(fixture_open(f), OK);
}

static inline int fixture_set_up(void **state)
{
    struct ledger_fixture *f = mem_zeroed(sizeof(*f));
    tempdir_init(&f->temp);
    f->options.wal_file_bytes = MIB(32);
    f->options.checkpoint_interval_ms = 50;
    assert_int_equal(fixture_open(f), OK);
    *state = f;
    return 0;
}

static inline int fixture_tear_down(void **state)
{
    struct ledger_fixture *f = *state;
    fixture_close(f);
    tempdir_release(&f->temp);
    free(f);
    return 0;
}

/* Whether any file of the ledger still has these bytes. Past os/file.h, whose faults are for the
 * ledger. */
static inline bool disk_has(const struct ledger_fixture *f, const char *needle)
{
    char path[TEMPDIR_PATH_BYTES + NAME_MAX + 16];
    bool found = false;
    (void)snprintf(path, sizeof(path), "%s/ledger", f->temp.path);
    DIR *stream = opendir(path);
    assert_non_null(stream);
    for (const struct dirent *entry = NULL; !found && (entry = readdir(stream)) != NULL;) {
        struct stat stat = {0};
        (void)snprintf(path, sizeof(path), "%s/ledger/%s", f->temp.path, entry->d_name);
        int fd = open(path, O_RDONLY);
        bool is_file = fd >= 0 && fstat(fd, &stat) == 0 && S_ISREG(stat.st_mode); /* not renamed */
        if (is_file && stat.st_size > 0) {
            size_t len = (size_t)stat.st_size;
            void *bytes = mmap(NULL, len, PROT_READ, MAP_SHARED, fd, 0);
            assert_true(bytes != MAP_FAILED);
            found = memmem(bytes, len, needle, strlen(needle)) != NULL;
            (void)munmap(bytes, len);
        }
        (void)close(fd);
    }
    (void)closedir(stream);
    return found;
}

/* Runs a filter over everything in seq order; the seqs found, at most `max`. */
static inline size_t find_seqs(struct store *store, const char *text, uint64_t *seqs, size_t max)
{
    CLEANUP(arena_release) struct arena arena = ARENA_INIT(MIB(4));
    const struct filter_context context = {.now_us = SUPPORT_T0};
    const struct filter *filter = NULL;
    const struct store_event *event = NULL;
    size_t count = 0;
    assert_int_equal(filter_parse(slice_from_cstr(text), &context, &arena, &filter, NULL), OK);
    const struct store_scan_options options = {.filter = filter,
                                               .order = STORE_SEQ_ASC,
                                               .size = UINT64_MAX};
    OWNED(store_scan) scan = NULL;
    assert_int_equal(store_scan_open(store, &options, &scan, NULL), OK);
    for (;;) {
        assert_int_equal(store_scan_next(scan, &event, NULL), OK);
        if (event == NULL) {
            break;
        }
        if (count < max) {
            seqs[count] = event->seq;
        }
        count++;
    }
    filter_release(filter);
    return count;
}
