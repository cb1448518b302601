/* SPDX-License-Identifier: Apache-2.0 */
/*
 * limit_load - what the limiter costs a request, which meters an organisation and a key.
 *
 *   limit_load [takes=2000000] [threads=1] [organizations=1000] [shared=0] [tier=ENTERPRISE]
 *              [limit=0] [refused=0] [redis=redis://...]
 *
 * Each thread has organisations of its own; with shared=1 all have the same. `limit` puts another
 * in place of the tier's three. A take is 20 us after the one before, unless refused=1: then all
 * come at once. Prints one line of JSON; ns_each is wall time over the takes of one thread,
 * cpu_ns_each CPU time of the process over all of them.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "bench/figures.h"
#include "limits/limit_tiers.h"
#include "limits/limits_local.h"
#include "limits/limits_redis.h"
#include "os/clock.h"
#include "os/thread.h"

enum { THREADS_MAX = 64, ID_BYTES = 40, STEP_US = 20 };

struct load {
    struct limits *limits;
    uint64_t takes, organizations;
    int64_t step_us;
    struct limit_subject *subjects; /* an organisation and its key, in turn */
    uint64_t passed, refused, failed;
};

static void run(void *arg)
{
    struct load *load = arg;
    struct limit_time now = limit_time_now();
    for (uint64_t i = 0; i < load->takes; i++) {
        struct limit_answer answer;
        const struct limit_subject *subjects = &load->subjects[i % load->organizations * 2];
        now.steady_us += load->step_us;
        now.wall_us += load->step_us;
        enum err e = limits_take(load->limits, subjects, 2, now, &answer);
        load->passed += e == OK && !answer.is_unmetered ? 1 : 0;
        load->refused += e == ERR_LIMIT ? 1 : 0;
        load->failed += e == ERR_BUSY || answer.is_unmetered ? 1 : 0;
    }
}

static void prepare(struct load *load, const struct limit_tier *tier, uint32_t limit,
                    uint64_t thread)
{
    load->subjects = mem_array(load->organizations * 2, sizeof(load->subjects[0]));
    for (uint64_t i = 0; i < load->organizations; i++) {
        static const struct limit_custom none = {0};
        char *id = mem_zeroed(ID_BYTES);
        (void)snprintf(id, ID_BYTES, "%08" PRIx64 "-%016" PRIx64, thread, i);
        struct limit_subject *pair = &load->subjects[i * 2];
        limit_organization(tier, &none, slice_from_cstr(id), &pair[0]);
        limit_key(tier, slice_from_cstr(id), &pair[1]);
        for (size_t w = 0; w < pair[0].window_count && limit > 0; w++) {
            pair[0].windows[w].limit = limit;
        }
    }
}

/* Of memory, or of Redis if there is a URL. */
static struct limits *open_limits(const char *url, struct limit_link **link)
{
    if (url == NULL) {
        return limits_local_new(0);
    }
    const struct limit_link_options options = {.url = slice_from_cstr(url)};
    static const struct limits_redis_options redis_options = {0};
    struct diag diag = {0};
    if (limit_link_open(&options, link, &diag) != OK) {
        (void)fprintf(stderr, "limit_load: %s\n", diag.text);
        exit(1);
    }
    return limits_redis_new(*link, &redis_options);
}

int main(int argc, char **argv)
{
    uint64_t takes = words_number(argc, argv, "takes", 2000000);
    uint64_t count = words_number(argc, argv, "threads", 1);
    uint64_t shared = words_number(argc, argv, "shared", 0);
    uint64_t at_once = words_number(argc, argv, "refused", 0);
    const char *tier_name = words_text(argc, argv, "tier");
    const struct limit_tier *tier =
        limit_tier_find(slice_from_cstr(tier_name != NULL ? tier_name : "ENTERPRISE"));
    uint32_t limit = (uint32_t)words_number(argc, argv, "limit", 0);
    count = count < THREADS_MAX ? count : THREADS_MAX;

    OWNED(limit_link) link = NULL;
    OWNED(limits) limits = open_limits(words_text(argc, argv, "redis"), &link);
    struct load loads[THREADS_MAX] = {0};
    struct thread threads[THREADS_MAX] = {0};
    for (uint64_t t = 0; t < count; t++) {
        loads[t].limits = limits;
        loads[t].takes = takes;
        loads[t].step_us = at_once != 0 ? 0 : STEP_US;
        loads[t].organizations = words_number(argc, argv, "organizations", 1000);
        prepare(&loads[t], tier, limit, shared != 0 ? 0 : t);
    }
    double cpu_s = figures_cpu_s();
    int64_t start_us = clock_monotonic_us();
    for (uint64_t t = 0; t < count; t++) {
        if (thread_start(&threads[t], "load", run, &loads[t], NULL) != OK) {
            return 1;
        }
    }
    struct load sum = {0};
    for (uint64_t t = 0; t < count; t++) {
        thread_join(&threads[t]);
        sum.passed += loads[t].passed;
        sum.refused += loads[t].refused;
        sum.failed += loads[t].failed;
    }
    cpu_s = figures_cpu_s() - cpu_s;
    double us = (double)(clock_monotonic_us() - start_us);
    printf("{\"ns_each\": %.0f, \"cpu_ns_each\": %.0f, \"per_s\": %.0f, \"passed\": %" PRIu64
           ", \"refused\": %" PRIu64 ", \"failed\": %" PRIu64 "}\n",
           us * 1000 / (double)takes, cpu_s * 1e9 / (double)(takes * count),
           (double)(takes * count) / us * 1e6, sum.passed, sum.refused, sum.failed);
    return 0;
}
