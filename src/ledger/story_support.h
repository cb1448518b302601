/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * story_support - a ledger's life in steps, on a disk that forgets, and what must be true of it
 * whenever it is opened again. Event number n is the event with seq base + n, in every life.
 */

#include <malloc.h>
#include <stdlib.h>
#include <unistd.h>

#include "ledger/ledger_support.h"
#include "os/clock.h"
#include "os/fault_disk.h"

enum {
    STORY_BATCH = 20,              /* events, which are there together or not at all */
    STORY_LARGE_BYTES = 16 * 1024, /* of the data of each event in every third batch */
    STORY_EVERY = 50,              /* of so many events an erasure takes one */
    STORY_CHOSEN = 2,
};

struct story {
    struct ledger_fixture f;
    struct fault_disk *disk;
    uint64_t base;         /* seq of event 0 */
    uint64_t acknowledged; /* events [0, acknowledged) were stored, or seen by a reader */
    uint64_t offered;      /* events [0, offered) may be there */
    uint64_t erased;       /* chosen ones of [0, erased) are gone for sure */
    uint64_t erasing;      /* chosen ones of [0, erasing) may be gone */
    size_t keys;           /* of the log; there are so many at least */
    uint64_t signed_size;  /* of the newest checkpoint that was seen */
    struct merkle_hash signed_root;
    _Atomic bool is_fatal;
    char what[160]; /* for messages: where the power went, and the seed */
};

/* Everything, however long it takes, and not a part that takes seconds. */
static inline bool story_is_long(void)
{
    return getenv("CAIRN_TEST_LONG") != NULL;
}

/* A ledger is opened thousands of times: its memory is not given back in between, and large arrays
 * of which few pages are used are not cleared but mapped. */
static inline void story_keep_memory(void)
{
    (void)mallopt(M_ARENA_MAX, 1);
    (void)mallopt(M_TRIM_THRESHOLD, 1000 * 1000 * 1000);
    (void)mallopt(M_MMAP_THRESHOLD, 1100 * 1000);
}

static inline void story_fatal(void *context, const struct diag *diag)
{
    (void)diag;
    atomic_store(&((struct story *)context)->is_fatal, true);
}

static inline void story_init(struct story *story, bool buffered)
{
    *story = (struct story){0};
    tempdir_init(&story->f.temp);
    assert_int_equal(rmdir(story->f.temp.path), 0); /* the ledger makes it, and may lose it */
    story->disk = fault_disk_new();
    /* The notary signs when it is asked to, so that a life has the same operations each time. */
    story->f.options = (struct ledger_options){.wal_file_bytes = MIB(1),
                                               .checkpoint_interval_ms = 1000 * 1000 * 1000,
                                               .cosign_interval_ms = 2000 * 1000 * 1000,
                                               .buffered_wal = buffered,
                                               .on_fatal = story_fatal,
                                               .fatal_context = story};
    fault_install(fault_disk_plan(story->disk));
}

static inline void story_release(struct story *story)
{
    fixture_close(&story->f);
    fault_install(NULL);
    fault_disk_freep(&story->disk);
    tempdir_release(&story->f.temp);
}

/* ---- Events ---- */

struct story_event {
    struct numbered_event numbered;
    char large[STORY_LARGE_BYTES];
};

static inline void story_event_init(struct story_event *e, uint64_t n, bool tiny)
{
    numbered_event_init(&e->numbered, n, tiny ? "{}" : NULL);
    if (!tiny && n / STORY_BATCH % 3 == 2) {
        int len =
            snprintf(e->large, sizeof(e->large), "{\"n\":%llu,\"pad\":\"", (unsigned long long)n);
        memset(e->large + len, 'x', sizeof(e->large) - (size_t)len);
        memcpy(e->large + sizeof(e->large) - 3, "\"}", 3);
        set_text(&e->numbered.event, FIELD_EVENT_DATA, e->large);
    }
}

static inline enum err story_append_some(struct story *story, uint64_t count, bool tiny)
{
    struct batch batch;
    CLEANUP(buf_release) struct buf line = BUF_INIT(MIB(1));
    CLEANUP(mem_freep) struct story_event *e = mem_zeroed(sizeof(*e));
    uint64_t end = story->acknowledged + count;
    batch_init(&batch);
    for (uint64_t n = story->acknowledged; n < end; n++) {
        story_event_init(e, n, tiny);
        buf_clear(&line);
        assert_int_equal(batch_add(&batch, &e->numbered.event, e->numbered.event.present, &line),
                         OK);
    }
    story->offered = end > story->offered ? end : story->offered;
    enum err result = commit_batch(story->f.store, &batch);
    if (result == OK) {
        assert_int_equal(batch.stored + batch.duplicates, count);
        assert_int_equal(batch.events[0].seq, story->base + story->acknowledged);
        story->acknowledged = end;
    }
    batch_release(&batch);
    return result;
}

static inline enum err story_append(struct story *story)
{
    return story_append_some(story, STORY_BATCH, false);
}

/* ---- Steps ---- */

static inline void story_read_checkpoint(struct story *story)
{
    CLEANUP(buf_release) struct buf note = BUF_INIT(NOTE_BYTES_MAX);
    uint64_t size = 0;
    assert_int_equal(store_checkpoint(story->f.store, &note, &size, NULL), OK);
    assert_true(size >= story->signed_size);
    assert_int_equal(merkle_root_at(size, store_node, story->f.store, &story->signed_root), OK);
    story->signed_size = size;
}

static inline enum err story_open(struct story *story)
{
    TRY(fixture_open(&story->f));
    uint64_t there = store_size(story->f.store) - story->base;
    story_read_checkpoint(story); /* what anyone may have seen since */
    story->acknowledged = there > story->acknowledged ? there : story->acknowledged;
    return OK;
}

static inline enum err story_close(struct story *story)
{
    fixture_close(&story->f);
    return fault_disk_is_off(story->disk) ? ERR_IO : OK;
}

static inline enum err story_checkpoint(struct story *story)
{
    uint64_t size = story->base + story->acknowledged;
    for (int i = 0; i < 1000; i++) {
        clock_advance_for_tests(1000000); /* no waiting between two checkpoints */
        if (store_wait_checkpoint(story->f.store, size, 10) == OK) {
            story_read_checkpoint(story);
            return OK;
        }
        if (fault_disk_is_off(story->disk)) {
            return ERR_IO;
        }
    }
    return ERR_BUSY;
}

static inline enum err story_rotate(struct story *story)
{
    clock_advance_for_tests(1000000);
    TRY(store_rotate_key(story->f.store, 0, NULL));
    story->keys++;
    return OK;
}

static inline bool story_is_chosen(uint64_t n)
{
    return n % STORY_EVERY == STORY_CHOSEN;
}

static inline enum err story_choose(void *context, const struct rows *rows, struct row_set *set)
{
    const struct story *story = context;
    for (uint32_t row = 0; row < rows->count; row++) {
        if (story_is_chosen(rows->first_seq + row - story->base)) {
            row_set_add(set, row);
        }
    }
    return OK;
}

static inline enum err story_erase(struct story *story)
{
    uint64_t erased = 0;
    story->erasing = story->acknowledged;
    TRY(ledger_erase(story->f.ledger, story_choose, story, &erased, &story->f.diag));
    story->erased = story->acknowledged;
    return OK;
}
