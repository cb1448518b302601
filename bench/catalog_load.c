/* SPDX-License-Identifier: Apache-2.0 */
/*
 * catalog_load - what a change of configuration takes while others are made.
 *
 *   catalog_load [threads=100] [changes=20]
 *
 * Each thread makes so many rules, one behind the other, each durable with its event before the
 * next begins. One more thread empties the outbox, as the follower does. Prints one line of JSON:
 * times of a change in microseconds, and changes per second.
 */
#include <inttypes.h>
#include <stdio.h>

#include "base/err.h"
#include "bench/figures.h"
#include "catalog/catalog.h"
#include "os/clock.h"
#include "os/tempdir.h"
#include "os/thread.h"

enum { THREADS_MAX = 256, TURN_EVENTS = 500, WAIT_US = 100 * 1000 };

#define RULE                                                                                       \
    "{\"match_string\":\"link down\",\"prod_handling\":\"page\",\"dev_handling\":\"Ignore\","      \
    "\"team_assignment\":\"NETO\",\"reason\":\"measured\"}"

struct load {
    struct catalog *catalog;
    uint64_t changes;
    struct samples samples;
};

static const struct catalog_author author = {
    .org = SLICE("default"),
    .changed_by = SLICE("a1b2c3d4"),
    .actor_type = SLICE("api_key"),
    .actor_id = SLICE("a1b2c3d4"),
};

static void must(enum err e, const struct diag *diag)
{
    if (e != OK) {
        (void)fprintf(stderr, "catalog_load: %s: %s %s\n", err_name(e), diag->where, diag->text);
        exit(1);
    }
}

static void make(struct catalog *catalog, const struct kind *kind, const json_t *sent,
                 const json_t *given)
{
    const struct catalog_change change = {.kind = kind,
                                          .author = &author,
                                          .sent = sent,
                                          .given = given};
    struct kind_errors errors;
    struct diag diag = {0};
    must(catalog_begin(catalog, &diag), &diag);
    must(catalog_insert(catalog, &change, NULL, &errors, &diag), &diag);
    must(catalog_commit(catalog, &diag), &diag);
}

static void run(void *arg)
{
    struct load *load = arg;
    json_t *rule = json_loads(RULE, 0, NULL);
    for (uint64_t i = 0; i < load->changes; i++) {
        int64_t start_us = clock_monotonic_us();
        make(load->catalog, &kind_rules, rule, NULL);
        samples_add(&load->samples, (uint64_t)(clock_monotonic_us() - start_us));
    }
    json_decref(rule);
}

/* ---- The follower ---- */

struct follower {
    struct catalog *catalog;
    _Atomic bool is_ending;
    int64_t last;
    uint64_t count;
};

static enum err take(void *context, const struct catalog_event *event)
{
    struct follower *follower = context;
    follower->last = event->position;
    follower->count++;
    return OK;
}

static void follow(void *arg)
{
    struct follower *follower = arg;
    struct diag diag = {0};
    for (;;) {
        bool was_ending = follower->is_ending;
        uint64_t before = follower->count;
        must(catalog_outbox(follower->catalog, TURN_EVENTS, take, follower, &diag), &diag);
        if (follower->count > before) {
            catalog_outbox_done(follower->catalog, follower->last);
        } else if (was_ending) {
            return;
        } else {
            (void)catalog_outbox_wait(follower->catalog, WAIT_US);
        }
    }
}

int main(int argc, char **argv)
{
    uint64_t count = words_number(argc, argv, "threads", 100);
    count = count < THREADS_MAX ? count : THREADS_MAX;
    struct diag diag = {0};
    struct tempdir temp;
    OWNED(dir) dir = NULL;
    tempdir_init(&temp);
    must(dir_open(temp.path, false, &dir, &diag), &diag);
    struct catalog *catalog = NULL;
    const struct catalog_options options = {.hide_key = {1}};
    must(catalog_open(dir, &options, &catalog, &diag), &diag);
    json_t *sent = json_pack("{s:s}", "name", "the first");
    json_t *given = json_pack("{s:s}", "id", "default");
    make(catalog, &kind_organizations, sent, given);
    json_decref(sent);
    json_decref(given);

    struct load loads[THREADS_MAX] = {0};
    struct thread threads[THREADS_MAX] = {0};
    struct follower follower = {.catalog = catalog};
    struct thread follower_thread = {0};
    must(thread_start(&follower_thread, "outbox", follow, &follower, &diag), &diag);
    double cpu_s = figures_cpu_s();
    int64_t start_us = clock_monotonic_us();
    for (uint64_t t = 0; t < count; t++) {
        loads[t].catalog = catalog;
        loads[t].changes = words_number(argc, argv, "changes", 20);
        must(thread_start(&threads[t], "load", run, &loads[t], &diag), &diag);
    }
    struct samples all = {0};
    for (uint64_t t = 0; t < count; t++) {
        thread_join(&threads[t]);
        for (size_t i = 0; i < loads[t].samples.count; i++) {
            samples_add(&all, loads[t].samples.values[i]);
        }
        samples_release(&loads[t].samples);
    }
    double took_s = (double)(clock_monotonic_us() - start_us) / 1e6;
    cpu_s = figures_cpu_s() - cpu_s;
    follower.is_ending = true;
    catalog_outbox_wake(catalog);
    thread_join(&follower_thread);
    printf("{\"p50_us\": %" PRIu64 ", \"p99_us\": %" PRIu64 ", \"max_us\": %" PRIu64
           ", \"per_s\": %.0f, \"cpu_us_each\": %.0f}\n",
           samples_part(&all, 0.5), samples_part(&all, 0.99), samples_part(&all, 1),
           (double)all.count / took_s, cpu_s * 1e6 / (double)all.count);
    samples_release(&all);
    catalog_free(catalog);
    tempdir_release(&temp);
    return 0;
}
