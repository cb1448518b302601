/* SPDX-License-Identifier: Apache-2.0 */
/* cairn bench - how many events a second a server takes from here, and how long it lets wait. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/mem.h"
#include "cli/connect.h"
#include "os/clock.h"
#include "os/random.h"
#include "show/progress.h"

enum { CONNECTIONS_MAX = 256, BATCH_MAX = 10000, SECONDS_MAX = 3600, EVENT_BYTES_MAX = 2048 };

struct bench_args {
    uint64_t connections, seconds, batch;
};

static const struct bench_args defaults = {.connections = 4, .seconds = 10, .batch = 100};

static const struct cli_option options[] = {
    {"connections", CLI_U64, offsetof(struct bench_args, connections), "N",
     "How many connections send side by side, 1 to 256 (4)", NULL},
    {"seconds", CLI_U64, offsetof(struct bench_args, seconds), "N", "How long, 1 to 3600 (10)",
     NULL},
    {"batch", CLI_U64, offsetof(struct bench_args, batch), "N",
     "Events in a request, 1 to 10000 (100)", NULL},
};

struct sender {
    const struct bench_args *args;
    struct cairn_client *client;
    pthread_t thread;
    int64_t end_us;
    uint64_t number;            /* of the sender */
    atomic_uint_fast64_t *sent; /* by all, for the progress line */
    uint32_t *waits_us;         /* of each request */
    size_t wait_count, wait_capacity;
    uint64_t events;
    enum cairn_result result;
};

static size_t make_event(const struct sender *sender, uint64_t random, char out[EVENT_BYTES_MAX])
{
    static const char *const types[] = {"user.login",      "user.logout",    "document.read",
                                        "document.update", "payment.create", "config.change"};
    static const char *const outcomes[] = {"success", "success", "success", "failure"};
    int n = snprintf(
        out, EVENT_BYTES_MAX,
        "{\"event_type\":\"%s\",\"event_outcome\":\"%s\",\"service\":\"bench\","
        "\"actor_id\":\"user-%u\",\"actor_ip\":\"10.0.%u.%u\",\"resource_type\":\"document\","
        "\"resource_id\":\"doc-%u\",\"correlation_id\":\"bench-%llu-%llu\","
        "\"event_data\":{\"amount\":%u,\"note\":\"a generated event of cairn bench\","
        "\"request\":{\"method\":\"POST\",\"path\":\"/documents/%u\",\"bytes\":%u}}}",
        types[random % COUNT_OF(types)], outcomes[random >> 8 & 3],
        (unsigned)(random >> 10 & 0x3fff), (unsigned)(random >> 24 & 0xff),
        (unsigned)(random >> 32 & 0xff), (unsigned)(random >> 16 & 0xffff),
        (unsigned long long)sender->number, (unsigned long long)(sender->events / 6),
        (unsigned)(random >> 40 & 0xffff), (unsigned)(random >> 16 & 0xffff),
        (unsigned)(random >> 44 & 0xffff));
    return (size_t)n;
}

static void note_wait(struct sender *sender, int64_t us)
{
    if (sender->wait_count == sender->wait_capacity) {
        sender->wait_capacity = sender->wait_capacity == 0 ? 4096 : sender->wait_capacity * 2;
        sender->waits_us =
            mem_resize(sender->waits_us, sender->wait_capacity * sizeof(sender->waits_us[0]));
    }
    sender->waits_us[sender->wait_count++] = us > UINT32_MAX ? UINT32_MAX : (uint32_t)us;
}

static enum cairn_result send_batch(struct sender *sender, struct cairn_stream *stream)
{
    char event[EVENT_BYTES_MAX];
    for (uint64_t i = 0; i < sender->args->batch; i++) {
        size_t len = make_event(sender, random_u64(), event);
        enum cairn_result result = cairn_stream_write(stream, event, len);
        if (result != CAIRN_OK) {
            return result;
        }
    }
    int64_t begun_us = clock_monotonic_us();
    enum cairn_result result = cairn_stream_flush(stream);
    note_wait(sender, clock_monotonic_us() - begun_us);
    return result;
}

static void *run_sender(void *context)
{
    struct sender *sender = context;
    struct cairn_send_options wanted = {.window_bytes = (size_t)BATCH_MAX * EVENT_BYTES_MAX};
    struct cairn_stream *stream = NULL;
    sender->result = cairn_stream_open(sender->client, &wanted, &stream);
    while (sender->result == CAIRN_OK && clock_monotonic_us() < sender->end_us) {
        sender->result = send_batch(sender, stream);
        if (sender->result == CAIRN_OK) {
            sender->events += sender->args->batch;
            (void)atomic_fetch_add(sender->sent, sender->args->batch);
        }
    }
    cairn_stream_free(stream);
    return NULL;
}

/* ---- Figures ---- */

static int compare_u32(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

struct figures {
    uint64_t events;
    size_t requests;
    double seconds;
    uint32_t *waits_us; /* sorted */
};

static double wait_ms(const struct figures *figures, double part)
{
    if (figures->requests == 0) {
        return 0;
    }
    size_t at = (size_t)(part * (double)(figures->requests - 1) + 0.5);
    return (double)figures->waits_us[at] / 1000;
}

static void print_figures(const struct cli *cli, const struct figures *figures)
{
    double rate = (double)figures->events / figures->seconds;
    if (cli_wants_json(cli)) {
        (void)
            printf("{\"events\":%llu,\"seconds\":%.3f,\"events_per_second\":%.1f,\"requests\":%zu,"
                   "\"p50_ms\":%.3f,\"p90_ms\":%.3f,\"p99_ms\":%.3f,\"max_ms\":%.3f}\n",
                   (unsigned long long)figures->events, figures->seconds, rate, figures->requests,
                   wait_ms(figures, 0.5), wait_ms(figures, 0.9), wait_ms(figures, 0.99),
                   wait_ms(figures, 1));
        return;
    }
    struct buf out CLEANUP(buf_release) = BUF_INIT(KIB(4));
    screen_count(&out, figures->events);
    buf_append_format(&out, " events in %.1f s: ", figures->seconds);
    screen_count(&out, (uint64_t)rate);
    buf_append_cstr(&out, " events/s\n");
    screen_count(&out, figures->requests);
    buf_append_format(&out,
                      " requests; half waited less than %.2f ms, 90 %% less than %.2f ms, "
                      "99 %% less than %.2f ms, none more than %.2f ms\n",
                      wait_ms(figures, 0.5), wait_ms(figures, 0.9), wait_ms(figures, 0.99),
                      wait_ms(figures, 1));
    (void)screen_write(buf_slice(&out));
}

static void collect(const struct sender *senders, size_t count, struct figures *out)
{
    for (size_t i = 0; i < count; i++) {
        out->events += senders[i].events;
        out->requests += senders[i].wait_count;
    }
    out->waits_us = mem_array(out->requests + 1, sizeof(out->waits_us[0]));
    size_t at = 0;
    for (size_t i = 0; i < count; i++) {
        if (senders[i].wait_count > 0) {
            memcpy(out->waits_us + at, senders[i].waits_us,
                   senders[i].wait_count * sizeof(out->waits_us[0]));
        }
        at += senders[i].wait_count;
    }
    qsort(out->waits_us, out->requests, sizeof(out->waits_us[0]), compare_u32);
}

/* ---- All of it ---- */

static void watch(const struct cli *cli, struct progress *progress, uint64_t seconds,
                  atomic_uint_fast64_t *sent)
{
    uint64_t total = seconds * 1000;
    for (uint64_t passed = 0; passed < total && cli->screen.err_is_terminal;) {
        struct timespec pause = {.tv_nsec = 100000000};
        (void)nanosleep(&pause, NULL);
        passed = (uint64_t)(progress_seconds(progress) * 1000);
        progress_update(progress, passed, total, atomic_load(sent));
    }
}

static enum cli_exit connect_all(const struct cli *cli, struct sender *senders, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        enum cli_exit exit = cli_connect(cli, &senders[i].client);
        if (exit != CLI_OK) {
            return exit;
        }
    }
    return CLI_OK;
}

static enum cli_exit run_senders(const struct cli *cli, struct sender *senders, size_t count)
{
    const struct bench_args *args = cli->args;
    atomic_uint_fast64_t sent = 0;
    struct progress progress;
    struct figures figures = {0};
    enum cli_exit exit = CLI_OK;
    size_t started = 0;
    progress_begin(&progress, &cli->screen, "events");
    for (; started < count; started++) {
        struct sender *sender = &senders[started];
        sender->args = args;
        sender->number = random_u64();
        sender->sent = &sent;
        sender->end_us = clock_monotonic_us() + (int64_t)args->seconds * 1000000;
        if (pthread_create(&sender->thread, NULL, run_sender, sender) != 0) {
            cli_say(cli, "only %zu threads could be started", started);
            break;
        }
    }
    watch(cli, &progress, args->seconds, &sent);
    for (size_t i = 0; i < started; i++) {
        (void)pthread_join(senders[i].thread, NULL);
    }
    figures.seconds = progress_seconds(&progress);
    progress_hide(&progress);
    for (size_t i = 0; i < started && exit == CLI_OK; i++) {
        if (senders[i].result != CAIRN_OK) {
            exit = cli_fail_client(cli, senders[i].client, senders[i].result);
        }
    }
    collect(senders, started, &figures);
    if (figures.events > 0) {
        print_figures(cli, &figures);
    }
    free(figures.waits_us);
    return exit;
}

static enum cli_exit run(struct cli *cli)
{
    const struct bench_args *args = cli->args;
    if (args->connections < 1 || args->connections > CONNECTIONS_MAX || args->batch < 1 ||
        args->batch > BATCH_MAX || args->seconds < 1 || args->seconds > SECONDS_MAX) {
        return cli_usage(cli, "takes 1 to %d connections, 1 to %d seconds, a batch of 1 to %d",
                         CONNECTIONS_MAX, SECONDS_MAX, BATCH_MAX);
    }
    size_t count = (size_t)args->connections;
    struct sender *senders CLEANUP(mem_freep) = mem_array(count, sizeof(senders[0]));
    enum cli_exit exit = connect_all(cli, senders, count);
    if (exit == CLI_OK) {
        exit = run_senders(cli, senders, count);
    }
    for (size_t i = 0; i < count; i++) {
        cairn_client_free(senders[i].client);
        free(senders[i].waits_us);
    }
    return exit;
}

const struct cli_command cmd_bench = {
    .name = "bench",
    .summary = "Measures a server with generated events",
    .operands = "",
    .details = "The events are real: they are recorded and stay. Use a server of its own, such as "
               "cairn serve --data ./bench-data --listen 127.0.0.1:8091.",
    .options = options,
    .option_count = COUNT_OF(options),
    .defaults = &defaults,
    .args_bytes = sizeof(defaults),
    .uses_server = true,
    .run = run,
};
