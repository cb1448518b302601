/* SPDX-License-Identifier: Apache-2.0 */
/* Against a redis-server of the test's own, on a free port of 127.0.0.1. */
#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/hash.h"
#include "limits/limit_conformance.h"
#include "limits/limits_local.h"
#include "limits/limits_redis.h"
#include "limits/quota_conformance.h"
#include "os/clock.h"
#include "os/tempdir.h"
#include "os/thread.h"

#define PASSWORD "s3cr:t"

/* ---- The server ---- */

static struct {
    struct tempdir directory;
    pid_t process;
    int port;
    char url[64];
} server;

static int free_port(void)
{
    int handle = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof(address);
    assert_int_equal(bind(handle, (struct sockaddr *)&address, length), 0);
    assert_int_equal(getsockname(handle, (struct sockaddr *)&address, &length), 0);
    assert_int_equal(close(handle), 0);
    return ntohs(address.sin_port);
}

static struct limit_link *open_link(const char *url, uint32_t timeout_ms)
{
    const struct limit_link_options options = {.url = slice_from_cstr(url),
                                               .timeout_ms = timeout_ms};
    struct limit_link *link = NULL;
    assert_int_equal(limit_link_open(&options, &link, NULL), OK);
    return link;
}

static bool answers(struct limit_link *link)
{
    CLEANUP(limit_reply_freep) redisReply *reply = NULL;
    const slice ping = SLICE("PING");
    return limit_link_call(link, &ping, 1, &reply) == OK;
}

static void start_server(void)
{
    char port[8];
    (void)snprintf(port, sizeof(port), "%d", server.port);
    server.process = fork();
    assert_true(server.process >= 0);
    if (server.process == 0) {
        (void)execlp("redis-server", "redis-server", "--port", port, "--bind", "127.0.0.1", "--dir",
                     server.directory.path, "--save", "", "--appendonly", "no", "--requirepass",
                     PASSWORD, "--loglevel", "warning", "--logfile", "log", (char *)NULL);
        _exit(127);
    }
    bool is_here = false;
    for (int i = 0; i < 500 && !is_here; i++) {
        OWNED(limit_link) link = open_link(server.url, 1000);
        is_here = answers(link);
        (void)usleep(is_here ? 0 : 20000);
    }
    assert_true(is_here);
}

static void stop_server(void)
{
    assert_int_equal(kill(server.process, SIGKILL), 0);
    assert_int_equal(waitpid(server.process, NULL, 0), server.process);
    server.process = 0;
}

static int group_setup(void **state)
{
    UNUSED(state);
    (void)signal(SIGPIPE, SIG_IGN);
    tempdir_init(&server.directory);
    server.port = free_port();
    (void)snprintf(server.url, sizeof(server.url), "redis://:s3cr%%3At@127.0.0.1:%d/2",
                   server.port);
    start_server();
    return 0;
}

static int group_teardown(void **state)
{
    UNUSED(state);
    stop_server();
    tempdir_release(&server.directory);
    return 0;
}

/* ---- Back ends ---- */

static struct limit_link *test_link;

static void command(const char *word)
{
    CLEANUP(limit_reply_freep) redisReply *reply = NULL;
    const slice words = slice_from_cstr(word);
    assert_int_equal(limit_link_call(test_link, &words, 1, &reply), OK);
}

static int open_redis(void **state)
{
    static const struct limits_redis_options options = {.takes_callers_time = true};
    test_link = open_link(server.url, 5000);
    command("FLUSHALL");
    *state = limits_redis_new(test_link, &options);
    return 0;
}

static int close_redis(void **state)
{
    limits_free(*state);
    limit_link_free(test_link);
    return 0;
}

static int open_quota(void **state)
{
    test_link = open_link(server.url, 5000);
    command("FLUSHALL");
    *state = quota_redis_new(test_link, false);
    quota_redis_set_time_for_tests(*state);
    return 0;
}

static int close_quota(void **state)
{
    quota_free(*state);
    limit_link_free(test_link);
    return 0;
}

/* ---- Many at once ---- */

struct crowd {
    struct limits *limits;
    struct limit_subject subject;
    int tries;
    _Atomic uint32_t passed, refused, busy, unjudged;
    uint32_t passed_before; /* the server came back */
};

static void press(void *arg)
{
    struct crowd *crowd = arg;
    for (int i = 0; i < crowd->tries; i++) {
        struct limit_answer answer = {0};
        enum err e = limits_take(crowd->limits, &crowd->subject, 1, limit_time_now(), &answer);
        crowd->passed += e == OK && !answer.is_unmetered ? 1 : 0;
        crowd->unjudged += e == OK && answer.is_unmetered ? 1 : 0;
        crowd->refused += e == ERR_LIMIT ? 1 : 0;
        crowd->busy += e == ERR_BUSY ? 1 : 0;
        (void)usleep(e == ERR_BUSY ? 1000 : 0); /* as a client does */
    }
}

static void run_crowd(struct crowd *crowd, void (*meanwhile)(struct crowd *crowd))
{
    struct thread threads[3] = {0};
    for (size_t i = 0; i < COUNT_OF(threads); i++) {
        assert_int_equal(thread_start(&threads[i], "press", press, crowd, NULL), OK);
    }
    if (meanwhile != NULL) {
        meanwhile(crowd);
    }
    for (size_t i = 0; i < COUNT_OF(threads); i++) {
        thread_join(&threads[i]);
    }
}

/* The other process: how many it got goes through the pipe. */
static void be_another_server(int out, uint32_t limit)
{
    OWNED(limit_link) link = open_link(server.url, 5000);
    static const struct limits_redis_options options = {0};
    OWNED(limits) limits = limits_redis_new(link, &options);
    struct crowd crowd = {.limits = limits,
                          .subject = single("shared", 3600, limit, 0),
                          .tries = 600};
    press(&crowd);
    uint32_t passed = crowd.passed;
    (void)!write(out, &passed, sizeof(passed));
    (void)close(out);
}

static void test_lim_11_two_servers_share_one_limit(void **state)
{
    UNUSED(state);
    static const uint32_t limits[] = {100, 700}; /* a log, and buckets */
    for (size_t i = 0; i < COUNT_OF(limits); i++) {
        command("FLUSHALL");
        int ends[2];
        assert_int_equal(pipe(ends), 0);
        pid_t other = fork();
        assert_true(other >= 0);
        if (other == 0) {
            be_another_server(ends[1], limits[i]);
            _exit(0);
        }
        (void)close(ends[1]);
        static const struct limits_redis_options options = {0};
        OWNED(limits) here = limits_redis_new(test_link, &options);
        struct crowd crowd = {.limits = here,
                              .subject = single("shared", 3600, limits[i], 0),
                              .tries = 300};
        run_crowd(&crowd, NULL);
        uint32_t passed = 0;
        assert_int_equal(read(ends[0], &passed, sizeof(passed)), sizeof(passed));
        (void)close(ends[0]);
        assert_int_equal(waitpid(other, NULL, 0), other);
        assert_int_equal(passed + crowd.passed, limits[i]);
    }
}

static void test_a_script_that_redis_forgot_is_sent_again(void **state)
{
    struct limit_subject subject = organization("FREE", "acme");
    assert_int_equal(passing(*state, &subject, 3, 0), 3);
    CLEANUP(limit_reply_freep) redisReply *reply = NULL;
    const slice words[] = {SLICE("SCRIPT"), SLICE("FLUSH")};
    assert_int_equal(limit_link_call(test_link, words, 2, &reply), OK);
    assert_int_equal(passing(*state, &subject, 9, 0), 7);
    struct limit_link_state link;
    limit_link_state(test_link, &link);
    assert_int_equal(link.script_loads, 1);
    assert_int_equal(link.outages, 0);
    assert_int_equal(link.connects, 1);
}

static void test_a_clock_set_back_keeps_nobody_out_longer_than_a_window(void **state)
{
    struct limit_subject small = single("small", 60, 10, 0);
    struct limit_subject large = single("large", 60, 500, 0);
    assert_int_equal(passing(*state, &small, 10, 0), 10);
    assert_int_equal(passing(*state, &large, 500, 0), 500);
    int64_t before_us = -86400 * SECOND_US;
    assert_int_equal(passing(*state, &small, 3, before_us), 0);
    assert_int_equal(passing(*state, &large, 3, before_us), 0);
    assert_int_equal(passing(*state, &small, 30, before_us + 60 * SECOND_US), 10);
    assert_int_equal(passing(*state, &large, 700, before_us + 61 * SECOND_US), 500);
}

static void test_every_key_expires(void **state)
{
    struct limit_subject subjects[2] = {organization("ENTERPRISE", "acme")};
    limit_key(limit_tier_find(SLICE("FREE")), SLICE("a:b"), &subjects[1]);
    for (int i = 0; i < 200; i++) {
        struct limit_answer answer;
        assert_int_equal(limits_take(*state, subjects, 2, at(i), &answer), OK);
    }
    CLEANUP(limit_reply_freep) redisReply *keys = NULL;
    const slice words[] = {SLICE("KEYS"), SLICE("*")};
    assert_int_equal(limit_link_call(test_link, words, 2, &keys), OK);
    assert_int_equal(keys->elements, 6);
    for (size_t i = 0; i < keys->elements; i++) {
        CLEANUP(limit_reply_freep) redisReply *left = NULL;
        const slice ask[] = {SLICE("TTL"), slice_from_cstr(keys->element[i]->str)};
        assert_int_equal(limit_link_call(test_link, ask, 2, &left), OK);
        assert_in_range(left->integer, 1, 8 * 86400);
    }
}

/* ---- Random programs ---- */

static uint64_t draw(uint64_t *seed, uint64_t below)
{
    *seed = hash_u64(*seed, UINT64_C(0x9e3779b97f4a7c15));
    return *seed % below;
}

static int64_t random_step_us(uint64_t *seed, uint32_t seconds, int64_t wait_us)
{
    switch (draw(seed, 6)) {
    case 0:
        return wait_us;
    case 1:
        return wait_us > 0 ? wait_us - 1 : 1;
    case 2:
        return (int64_t)draw(seed, (uint64_t)seconds * 100000);
    default:
        return 0;
    }
}

/* The back end in process is checked against a naive log, and Redis against that. */
static void test_small_windows_are_those_of_the_other_back_end(void **state)
{
    for (uint64_t program = 0; program < 12; program++) {
        uint64_t seed = program + 1;
        OWNED(limits) local = limits_local_new(0);
        char id[16];
        (void)snprintf(id, sizeof(id), "random-%u", (unsigned)program);
        uint32_t limit = 1 + (uint32_t)draw(&seed, LIMIT_LOG_ENTRIES / 2);
        uint32_t seconds = 1 + (uint32_t)draw(&seed, 300);
        uint32_t burst = program % 2 == 0 ? 0 : (uint32_t)draw(&seed, limit + 2);
        struct limit_subject subject = single(id, seconds, limit, burst);
        struct limit_time now = at(0);
        struct limit_answer here = {0}, there = {0};
        for (int i = 0; i < 300; i++) {
            int64_t step_us = random_step_us(&seed, seconds, here.states[0].wait_us);
            now.steady_us += step_us;
            now.wall_us += step_us;
            enum err e = limits_take(local, &subject, 1, now, &here);
            assert_int_equal(limits_take(*state, &subject, 1, now, &there), e);
            assert_int_equal(there.states[0].remaining, here.states[0].remaining);
            assert_int_equal(there.states[0].wait_us, here.states[0].wait_us);
            assert_int_equal(there.states[0].reset_us, here.states[0].reset_us);
        }
    }
}

static void test_large_windows_never_let_more_through(void **state)
{
    enum { STEPS = 1500 };
    for (uint64_t program = 0; program < 4; program++) {
        uint64_t seed = program + 1;
        char id[16];
        (void)snprintf(id, sizeof(id), "random-%u", (unsigned)program);
        uint32_t limit = 150 + (uint32_t)draw(&seed, 200);
        struct limit_subject subject = single(id, 60, limit, program % 2 == 0 ? 0 : 40);
        static int64_t passed[STEPS];
        uint32_t count = 0, one = 0, two = 0; /* the first passed in the window, and in two */
        struct limit_time now = at(0);
        struct limit_answer answer = {0};
        for (int i = 0; i < STEPS; i++) {
            now.steady_us += random_step_us(&seed, 2, answer.states[0].wait_us);
            if (limits_take(*state, &subject, 1, now, &answer) == OK) {
                passed[count++] = now.steady_us;
            }
            while (one < count && passed[one] <= now.steady_us - 60 * SECOND_US) {
                one++;
            }
            while (two < count && passed[two] <= now.steady_us - 120 * SECOND_US) {
                two++;
            }
            assert_true(count - one <= limit + subject.windows[0].burst);
            assert_true(count - two <= 2 * limit);
        }
        assert_true(count > limit);
    }
}

/* ---- Away ---- */

struct news {
    _Atomic int went, came;
};

static void note_news(void *context, bool is_away, const char *error)
{
    struct news *news = context;
    assert_true(is_away == (error[0] != '\0'));
    assert_null(strstr(error, PASSWORD));
    if (is_away) {
        news->went++;
    } else {
        news->came++;
    }
}

static void wait_until_back(struct limits *limits)
{
    struct limit_subject probe = single("probe", 1, 1000000, 0);
    struct limits_health health = {.is_away = true};
    for (int i = 0; i < 1000 && health.is_away; i++) {
        struct limit_answer answer;
        enum err e = limits_take(limits, &probe, 1, limit_time_now(), &answer);
        assert_true(e == OK || e == ERR_BUSY);
        limits_health(limits, &health);
        (void)usleep(10000);
    }
    assert_false(health.is_away);
}

static void test_open_or_closed_is_a_choice_and_is_counted(void **state)
{
    UNUSED(state);
    char url[64];
    (void)snprintf(url, sizeof(url), "redis://:%s@127.0.0.1:%d", "secret", free_port());
    for (int closed = 0; closed < 2; closed++) {
        OWNED(limit_link) link = open_link(url, 200);
        const struct limits_redis_options options = {.is_closed = closed == 1};
        OWNED(limits) limits = limits_redis_new(link, &options);
        struct limit_subject subject = organization("FREE", "acme");
        int64_t start_us = clock_monotonic_us();
        for (int i = 0; i < 50; i++) {
            struct limit_answer answer;
            struct limit_headers headers;
            enum err e = limits_take(limits, &subject, 1, limit_time_now(), &answer);
            assert_int_equal(e, closed == 1 ? ERR_BUSY : OK);
            assert_int_equal(answer.is_unmetered, closed == 0);
            assert_false(limit_headers(&answer, limit_time_now(), &headers));
        }
        assert_true(clock_monotonic_us() - start_us < 2 * SECOND_US); /* not 50 times the wait */
        struct limits_health health;
        limits_health(limits, &health);
        assert_true(health.is_away && health.away_since_us > 0);
        assert_int_equal(health.outages, 1);
        assert_int_equal(health.passed_unjudged, closed == 0 ? 50 : 0);
        assert_int_equal(health.refused_unjudged, closed == 1 ? 50 : 0);
        assert_null(strstr(health.error, "secret"));
        OWNED(quota) quota = quota_redis_new(link, closed == 1);
        struct quota_answer answer = {0};
        enum err e = quota_take(quota, SLICE("acme"), 5, clock_now_us(), &answer);
        assert_int_equal(e, closed == 1 ? ERR_BUSY : OK);
        assert_int_equal(answer.is_uncounted, closed == 0);
    }
}

static void test_a_wrong_password_is_away_and_says_so(void **state)
{
    UNUSED(state);
    char url[64];
    (void)snprintf(url, sizeof(url), "redis://:wrong@127.0.0.1:%d", server.port);
    OWNED(limit_link) link = open_link(url, 1000);
    assert_false(answers(link));
    struct limit_link_state link_state;
    limit_link_state(link, &link_state);
    assert_true(link_state.is_away);
    assert_non_null(strstr(link_state.error, "WRONGPASS"));
}

static void test_a_redis_that_hangs_costs_no_more_than_the_timeout(void **state)
{
    UNUSED(state);
    OWNED(limit_link) link = open_link(server.url, 200);
    assert_true(answers(link));
    assert_int_equal(kill(server.process, SIGSTOP), 0);
    int64_t start_us = clock_monotonic_us();
    bool has_answered = answers(link);
    int64_t took_us = clock_monotonic_us() - start_us;
    assert_int_equal(kill(server.process, SIGCONT), 0);
    assert_false(has_answered);
    assert_in_range(took_us, 150000, 800000);
}

static void kill_and_restart(struct crowd *crowd)
{
    while (crowd->passed < 200) {
        (void)usleep(1000);
    }
    stop_server();
    (void)usleep(50000);
    start_server();
    crowd->passed_before = crowd->passed;
}

static void test_redis_is_killed_and_restarted_under_load(void **state)
{
    UNUSED(state);
    struct news news = {0};
    const struct limit_link_options link_options = {.url = slice_from_cstr(server.url),
                                                    .timeout_ms = 2000,
                                                    .changed = note_news,
                                                    .context = &news};
    OWNED(limit_link) link = NULL;
    assert_int_equal(limit_link_open(&link_options, &link, NULL), OK);
    static const struct limits_redis_options options = {.is_closed = true};
    OWNED(limits) limits = limits_redis_new(link, &options);
    struct crowd crowd = {.limits = limits,
                          .subject = single("load", 3600, 1000000, 0),
                          .tries = 3000};
    run_crowd(&crowd, kill_and_restart);
    assert_int_equal(crowd.passed + crowd.busy, 9000);
    assert_true(crowd.busy > 0);
    assert_true(crowd.passed > crowd.passed_before); /* the threads met it again */
    wait_until_back(limits);
    struct limits_health health;
    limits_health(limits, &health);
    assert_true(health.outages >= 1);
    assert_int_equal(news.went, health.outages);
    assert_int_equal(news.came, health.outages);
    assert_int_equal(health.away_since_us, 0);
    crowd.tries = 10;
    uint32_t before = crowd.passed;
    run_crowd(&crowd, NULL);
    assert_int_equal(crowd.passed, before + 30);
}

static void test_a_restart_while_nobody_calls_is_no_outage(void **state)
{
    UNUSED(state);
    OWNED(limit_link) link = open_link(server.url, 2000);
    assert_true(answers(link));
    stop_server();
    start_server();
    assert_true(answers(link));
    struct limit_link_state link_state;
    limit_link_state(link, &link_state);
    assert_int_equal(link_state.outages, 0);
    assert_int_equal(link_state.connects, 2);
}

static const struct CMUnitTest conformance[] = LIMIT_CONFORMANCE(open_redis, close_redis);

int main(void)
{
    static const struct CMUnitTest tests[] = {
        QUOTA_CONFORMANCE(open_quota, close_quota),
        LIMIT_TEST(test_lim_11_two_servers_share_one_limit, open_redis, close_redis),
        LIMIT_TEST(test_a_script_that_redis_forgot_is_sent_again, open_redis, close_redis),
        LIMIT_TEST(test_a_clock_set_back_keeps_nobody_out_longer_than_a_window, open_redis,
                   close_redis),
        LIMIT_TEST(test_every_key_expires, open_redis, close_redis),
        LIMIT_TEST(test_small_windows_are_those_of_the_other_back_end, open_redis, close_redis),
        LIMIT_TEST(test_large_windows_never_let_more_through, open_redis, close_redis),
        cmocka_unit_test(test_open_or_closed_is_a_choice_and_is_counted),
        cmocka_unit_test(test_a_wrong_password_is_away_and_says_so),
        cmocka_unit_test(test_a_redis_that_hangs_costs_no_more_than_the_timeout),
        cmocka_unit_test(test_redis_is_killed_and_restarted_under_load),
        cmocka_unit_test(test_a_restart_while_nobody_calls_is_no_outage),
    };
    struct CMUnitTest all[COUNT_OF(tests) + COUNT_OF(conformance)];
    memcpy(all, conformance, sizeof(conformance));
    memcpy(all + COUNT_OF(conformance), tests, sizeof(tests));
    return cmocka_run_group_tests(all, group_setup, group_teardown);
}
