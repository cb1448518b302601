/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench_ledger - the ledger without HTTP: events as JSON in memory, read, checked, hashed,
 * committed, sealed. Prints one line of JSON.
 *
 *   bench_ledger [events=1000000] [batch=500] [producers=2] [seed=42] [start_s=1768435200]
 *
 * The data is generated before the clock starts. events_per_s is to with the last event that is
 * durable, "sealed" when every full segment is on disk, too. The ledger is in a temporary directory
 * (TMPDIR), which is removed.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "bench/figures.h"
#include "bench/generate.h"
#include "event/read.h"
#include "ledger/ledger.h"
#include "os/clock.h"
#include "os/tempdir.h"
#include "os/thread.h"

enum {
    PRODUCERS_MAX = 8,
    BATCHES_IN_FLIGHT = 4,
};

struct producer;

struct slot {
    struct batch batch;
    struct producer *producer;
    bool is_busy;
    enum err result;
};

struct producer {
    struct store *store;
    slice text;
    size_t batch_events;
    struct thread thread;
    struct mutex lock;
    struct condition freed;
    struct slot slots[BATCHES_IN_FLIGHT];
    uint64_t stored;
};

static void on_done(struct batch *batch, enum err result, const struct diag *diag)
{
    struct slot *slot = batch->owner;
    struct producer *producer = slot->producer;
    mutex_lock(&producer->lock);
    slot->result = result;
    slot->is_busy = false;
    producer->stored += batch->stored;
    condition_signal(&producer->freed);
    mutex_unlock(&producer->lock);
}

static struct slot *take_slot(struct producer *producer)
{
    struct slot *taken = NULL;
    mutex_lock(&producer->lock);
    while (taken == NULL) {
        for (size_t i = 0; i < BATCHES_IN_FLIGHT && taken == NULL; i++) {
            taken = producer->slots[i].is_busy ? NULL : &producer->slots[i];
        }
        if (taken == NULL) {
            condition_wait(&producer->freed, &producer->lock);
        }
    }
    taken->is_busy = true;
    mutex_unlock(&producer->lock);
    ASSERT(taken->result == OK);
    return taken;
}

static void fill(struct producer *producer, struct batch *batch, struct arena *arena,
                 struct buf *line)
{
    const struct read_options options = {.org = SLICE("default"), .now_us = clock_now_us()};
    batch_clear(batch);
    while (batch->count < producer->batch_events && producer->text.len > 0) {
        const uint8_t *end = memchr(producer->text.ptr, '\n', producer->text.len);
        slice json = slice_take(&producer->text, (size_t)(end - producer->text.ptr));
        (void)slice_take(&producer->text, 1);
        struct event event;
        struct diag diag = {0};
        uint64_t sent = 0;
        arena_clear(arena);
        enum err e = event_read(json, &options, arena, &event, &sent, &diag);
        ASSERT(e == OK);
        e = batch_add(batch, &event, sent, line);
        ASSERT(e == OK);
    }
}

static void produce(void *arg)
{
    struct producer *producer = arg;
    CLEANUP(arena_release) struct arena arena = ARENA_INIT(MIB(4));
    CLEANUP(buf_release) struct buf line = BUF_INIT(MIB(2));
    while (producer->text.len > 0) {
        struct slot *slot = take_slot(producer);
        fill(producer, &slot->batch, &arena, &line);
        enum err e = store_append(producer->store, &slot->batch, NULL);
        ASSERT(e == OK);
    }
    for (size_t i = 0; i < BATCHES_IN_FLIGHT; i++) {
        mutex_lock(&producer->lock);
        while (producer->slots[i].is_busy) {
            condition_wait(&producer->freed, &producer->lock);
        }
        mutex_unlock(&producer->lock);
        ASSERT(producer->slots[i].result == OK); /* nobody takes the slot again, who would look */
    }
}

static void start_producer(struct producer *producer, struct store *store, slice text,
                           size_t batch_events)
{
    producer->store = store;
    producer->text = text;
    producer->batch_events = batch_events;
    mutex_init(&producer->lock);
    condition_init(&producer->freed);
    for (size_t i = 0; i < BATCHES_IN_FLIGHT; i++) {
        batch_init(&producer->slots[i].batch);
        producer->slots[i].producer = producer;
        producer->slots[i].batch.owner = &producer->slots[i];
        producer->slots[i].batch.done = on_done;
    }
}

static void end_producer(struct producer *producer)
{
    for (size_t i = 0; i < BATCHES_IN_FLIGHT; i++) {
        batch_release(&producer->slots[i].batch);
    }
    condition_release(&producer->freed);
    mutex_release(&producer->lock);
}

/* Whole lines, about as many for each. */
static void share_out(slice text, size_t producers, slice out[PRODUCERS_MAX])
{
    for (size_t i = 0; i < producers; i++) {
        size_t len = i + 1 < producers ? text.len / (producers - i) : text.len;
        while (len < text.len && text.ptr[len - 1] != '\n') {
            len++;
        }
        out[i] = slice_take(&text, len);
    }
}

static int run(const char *path, slice text, uint64_t events, size_t batch_events,
               size_t producer_count)
{
    struct diag diag = {0};
    struct ledger *ledger = NULL;
    struct producer producers[PRODUCERS_MAX] = {0};
    slice shares[PRODUCERS_MAX];
    if (ledger_open(path, &(struct ledger_options){0}, &ledger, &diag) != OK) {
        (void)fprintf(stderr, "%s: %s\n", diag.where, diag.text);
        return 1;
    }
    share_out(text, producer_count, shares);
    double cpu = figures_cpu_s();
    int64_t began_us = clock_monotonic_us();
    for (size_t i = 0; i < producer_count; i++) {
        start_producer(&producers[i], ledger_store(ledger), shares[i], batch_events);
        enum err e = thread_start(&producers[i].thread, "producer", produce, &producers[i], &diag);
        ASSERT(e == OK);
    }
    uint64_t stored = 0;
    for (size_t i = 0; i < producer_count; i++) {
        thread_join(&producers[i].thread);
        stored += producers[i].stored;
        end_producer(&producers[i]);
    }
    double acknowledged = (double)(clock_monotonic_us() - began_us) / 1e6;
    ledger_settle(ledger);
    double sealed = (double)(clock_monotonic_us() - began_us) / 1e6;
    cpu = figures_cpu_s() - cpu;
    struct store_figures figures;
    store_figures(ledger_store(ledger), &figures);
    (void)printf("{\"events\":%llu,\"stored\":%llu,\"batch\":%zu,"
                 "\"producers\":%zu,\"events_per_s\":%.0f,\"sealed_per_s\":%.0f,"
                 "\"cpu_us_per_event\":%.2f,\"bytes_per_event\":%.1f,\"commits\":%llu}\n",
                 (unsigned long long)events, (unsigned long long)stored, batch_events,
                 producer_count, (double)stored / acknowledged, (double)stored / sealed,
                 cpu * 1e6 / (double)stored,
                 figures.segments > 0
                     ? (double)figures.segment_bytes / ((double)figures.segments * ROWS_MAX)
                     : 0.0,
                 (unsigned long long)figures.commits);
    ledger_close(ledger);
    return 0;
}

int main(int argc, char **argv)
{
    uint64_t events = words_number(argc, argv, "events", 1000000);
    size_t batch_events = (size_t)words_number(argc, argv, "batch", 500);
    size_t producers = (size_t)words_number(argc, argv, "producers", 2);
    int64_t start_us = (int64_t)words_number(argc, argv, "start_s", 1768435200) * 1000000;
    struct tempdir temp;
    OWNED(generator)
    generator = generator_new(words_number(argc, argv, "seed", 42), start_us, 3000000);
    CLEANUP(buf_release) struct buf text = BUF_INIT((size_t)1 << 40);
    for (uint64_t i = 0; i < events; i++) {
        generator_next(generator, &text);
    }
    producers = producers < 1 ? 1 : producers > PRODUCERS_MAX ? PRODUCERS_MAX : producers;
    tempdir_init(&temp);
    int status = run(temp.path, buf_slice(&text), events, batch_events, producers);
    tempdir_release(&temp);
    return status;
}
