/* SPDX-License-Identifier: Apache-2.0 */
#include "ingest/journal.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/mem.h"
#include "ingest/own.h"
#include "os/queue.h"

#define MARK_NAME "journal.open"

enum {
    EVENTS_MAX = 16 * 1024,
    BYTES_MAX = 16 * 1024 * 1024,
    TURN_EVENTS = 500,
    FULL_WAIT_US = 1000,
    RETRY_US = 100 * 1000,
    ORG_BYTES_MAX = 64,
};

struct entry {
    uint8_t org_len;
    char org[ORG_BYTES_MAX];
    size_t json_len;
    uint8_t json[];
};

struct journal {
    const struct dir *dir;
    struct store *store;
    struct queue queue;
    struct own_events *own;
    struct thread thread;
    struct mutex lock; /* of `ending`; a pause between tries ends with it */
    struct condition ended;
    bool is_ending;
    _Atomic bool is_marked; /* the file is there that tells the next start of a crash */
    _Atomic uint64_t written, refused, failures, waits, lost;
};

/* ---- The thread ---- */

/* Waits a little; false: the journal ends. */
static bool pause_a_little(struct journal *journal, int64_t us)
{
    mutex_lock(&journal->lock);
    if (!journal->is_ending) {
        (void)condition_wait_us(&journal->ended, &journal->lock, us);
    }
    bool goes_on = !journal->is_ending;
    mutex_unlock(&journal->lock);
    return goes_on;
}

/* What was lost is told, or stays to be told. */
static void commit_gap(struct journal *journal, uint64_t lost)
{
    if (own_events_commit(journal->own, journal->store, NULL) != OK) {
        own_events_clear(journal->own);
        atomic_fetch_add(&journal->lost, lost);
    }
}

/* That a gap is in the events, and why. */
static void put_gap(struct journal *journal, const char *code, uint64_t lost)
{
    CLEANUP(buf_release) struct buf text = BUF_INIT(KIB(1));
    buf_append_format(&text,
                      "{\"event_type\":\"system.error\",\"event_outcome\":\"failure\","
                      "\"actor_type\":\"system\",\"actor_id\":\"cairn\",\"error_code\":\"%s\","
                      "\"error_message\":\"events of requests are missing here\"",
                      code);
    if (lost > 0) {
        buf_append_format(&text, ",\"event_data\":{\"lost\":%llu}", (unsigned long long)lost);
    }
    buf_append_byte(&text, '}');
    enum err e = own_events_add(journal->own, SLICE("default"), buf_slice(&text), NULL);
    ASSERT(e == OK); /* it is the first of its commit */
}

/* Until the store has them, or the journal ends and it does not. */
static void commit(struct journal *journal)
{
    size_t count = own_events_count(journal->own);
    bool goes_on = true;
    enum err e = own_events_commit(journal->own, journal->store, NULL);
    while (e != OK && e != ERR_FULL && goes_on) {
        atomic_fetch_add(&journal->failures, 1);
        goes_on = pause_a_little(journal, RETRY_US);
        e = own_events_commit(journal->own, journal->store, NULL);
    }
    if (e == ERR_FULL) {
        atomic_fetch_add(&journal->lost, count);
        own_events_clear(journal->own);
        return;
    }
    atomic_fetch_add(&journal->written, e == OK ? count : 0);
    uint64_t lost = e == OK ? atomic_exchange(&journal->lost, 0) : 0;
    if (lost > 0) {
        put_gap(journal, "journal_full", lost);
        commit_gap(journal, lost);
    }
}

static void take(struct journal *journal, struct entry *entry)
{
    slice org = {(const uint8_t *)entry->org, entry->org_len};
    slice json = {entry->json, entry->json_len};
    enum err e = own_events_add(journal->own, org, json, NULL);
    if (e == ERR_LIMIT && own_events_count(journal->own) > 0) {
        commit(journal);
        e = own_events_add(journal->own, org, json, NULL);
    }
    atomic_fetch_add(&journal->refused, e != OK ? 1 : 0);
    free(entry);
}

static void run(void *arg)
{
    struct journal *journal = arg;
    void *entries[TURN_EVENTS];
    size_t count = 0;
    commit(journal);
    while ((count = queue_pop_all(&journal->queue, entries, TURN_EVENTS, -1)) > 0) {
        for (size_t i = 0; i < count; i++) {
            take(journal, entries[i]);
        }
        commit(journal);
    }
}

/* ---- Life ---- */

enum err journal_start(const struct dir *dir, struct store *store, struct journal **out,
                       struct diag *diag)
{
    bool was_killed = dir_has(dir, MARK_NAME);
    struct journal *journal = mem_zeroed(sizeof(*journal));
    journal->dir = dir;
    journal->store = store;
    journal->own = own_events_new();
    queue_init(&journal->queue, EVENTS_MAX, BYTES_MAX);
    mutex_init(&journal->lock);
    condition_init(&journal->ended);
    atomic_init(&journal->is_marked, was_killed);
    if (was_killed) { /* goes with the first commit */
        put_gap(journal, "journal_gap", 0);
    }
    enum err e = thread_start(&journal->thread, "journal", run, journal, diag);
    if (e != OK) {
        journal_stop(journal);
        return e;
    }
    *out = journal;
    return OK;
}

void journal_stop(struct journal *journal)
{
    if (journal == NULL) {
        return;
    }
    mutex_lock(&journal->lock);
    journal->is_ending = true;
    condition_broadcast(&journal->ended);
    mutex_unlock(&journal->lock);
    queue_close(&journal->queue);
    thread_join(&journal->thread);
    bool is_whole = own_events_count(journal->own) == 0 && atomic_load(&journal->lost) == 0;
    if (is_whole &&
        atomic_load(&journal->is_marked)) { /* else some are missing, and the mark stays */
        enum err e = dir_remove(journal->dir, MARK_NAME, NULL);
        UNUSED(e); /* the next start says that some may be missing, which is no harm */
    }
    own_events_free(journal->own);
    queue_release(&journal->queue);
    condition_release(&journal->ended);
    mutex_release(&journal->lock);
    free(journal);
}

/* Once, by the first who puts: from here on a crash takes something. */
static void mark(struct journal *journal)
{
    bool is_first = !atomic_exchange(&journal->is_marked, true);
    if (is_first && file_replace(journal->dir, MARK_NAME, SLICE("\n"), NULL) != OK) {
        atomic_store(&journal->is_marked, false); /* the next one tries again */
    }
}

void journal_put(struct journal *journal, slice org, slice json)
{
    ASSERT(org.len > 0 && org.len <= ORG_BYTES_MAX);
    if (!atomic_load(&journal->is_marked)) {
        mark(journal);
    }
    struct entry *entry = mem_resize(NULL, sizeof(*entry) + json.len);
    entry->org_len = (uint8_t)org.len;
    entry->json_len = json.len;
    memcpy(entry->org, org.ptr, org.len);
    memcpy(entry->json, json.ptr, json.len);
    bool goes_on = true;
    enum err e = queue_push(&journal->queue, entry, sizeof(*entry) + json.len);
    while (e == ERR_BUSY && goes_on) {
        atomic_fetch_add(&journal->waits, 1);
        goes_on = pause_a_little(journal, FULL_WAIT_US);
        e = queue_push(&journal->queue, entry, sizeof(*entry) + json.len);
    }
    if (e != OK) { /* the journal ends; nobody puts any more who was not cut off */
        free(entry);
    }
}

void journal_figures(struct journal *journal, struct journal_figures *out)
{
    *out = (struct journal_figures){
        .written = atomic_load(&journal->written),
        .refused = atomic_load(&journal->refused),
        .failures = atomic_load(&journal->failures),
        .waits = atomic_load(&journal->waits),
        .lost = atomic_load(&journal->lost),
        .waiting = queue_count(&journal->queue),
    };
}
