/* SPDX-License-Identifier: Apache-2.0 */
/*
 * model - random programs of appends, seals, queries, erasures, key rotations, restarts, power cuts
 * and proofs give the answers of a plain array.
 *
 * A program follows from its seed and runs in a process of its own, so that also one that ends or
 * hangs is found, made shorter while it still fails, and printed.
 *
 *   CAIRN_TEST_SEED=n                        the program of this seed alone, printed in any case
 *   CAIRN_TEST_LONG=1 CAIRN_TEST_SECONDS=n   other seeds each time, for n seconds (600)
 */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "ledger/ledger_support.h"
#include "model/run.h"
#include "os/clock.h"
#include "os/file.h"
#include "os/random.h"

#define SECOND_US INT64_C(1000000)

enum {
    PROGRAMS = 100,
    LARGE_EVERY = 20, /* programs: one that begins just below the end of a segment */
    LARGE_EVENTS = ROWS_MAX - 10,
    STEPS_MAX = 50,
    SHRINK_RUNS_MAX = 200,
    FILE_BYTES_MAX = 256 << 20,
};

/* In seconds, and much: a machine with other work to do gives a program little. The default ones
 * fit into the 120 of a test. */
struct patience {
    uint64_t run;     /* no more programs from then on */
    int64_t prepare;  /* the large ledger; where that takes longer, large programs are left out */
    unsigned program; /* it hangs */
    int64_t shrink;
};
static struct patience patience = {.run = 50, .prepare = 5, .program = 60, .shrink = 45};
static const struct patience patience_long = {.run = 600,
                                              .prepare = 300,
                                              .program = 300,
                                              .shrink = 900};

struct program {
    uint64_t seed;
    bool is_large;
    struct model_step steps[STEPS_MAX];
    size_t count;
};

/* What programs begin with: nothing, or a prepared ledger. Children get copies. */
static struct model nothing;
static struct model prepared;
static struct tempdir prepared_temp;
static int64_t prepare_us;          /* how long that took */
static struct model_report *report; /* shared with the child */

/* ---- The prepared ledger ---- */

static void prepare_batch(struct store *store, struct filter_random *random)
{
    CLEANUP(arena_release) struct arena arena = ARENA_INIT(MIB(64));
    CLEANUP(buf_release) struct buf line = BUF_INIT(MIB(4));
    static struct model_offer offers[500];
    struct batch batch;
    size_t count = 0;
    batch_init(&batch);
    while (count < COUNT_OF(offers) && prepared.count + count < LARGE_EVENTS) {
        struct model_offer *offer = &offers[count];
        model_random_event(random, prepared.count + count, &arena, &offer->event);
        offer->state = BATCH_STORED;
        offer->seq = prepared.count + count++;
        assert_int_equal(batch_add(&batch, &offer->event, offer->event.present, &line), OK);
    }
    assert_int_equal(commit_batch(store, &batch), OK);
    assert_int_equal(batch.stored, count);
    model_store(&prepared, offers, count);
    batch_release(&batch);
}

/* Once, for the first program that begins with it. */
static void prepare(void)
{
    struct filter_random random = {.seed = 7};
    const struct ledger_options options = {.wal_file_bytes = MIB(16)};
    struct ledger *ledger = NULL;
    int64_t start_us = clock_monotonic_us();
    if (prepared.count == LARGE_EVENTS) {
        return;
    }
    assert_int_equal(ledger_open(prepared_temp.path, &options, &ledger, NULL), OK);
    while (prepared.count < LARGE_EVENTS) {
        prepare_batch(ledger_store(ledger), &random);
    }
    ledger_close(ledger);
    prepare_us = clock_monotonic_us() - start_us;
}

static int set_up(void **state)
{
    UNUSED(state);
    model_init(&nothing);
    model_init(&prepared);
    tempdir_init(&prepared_temp);
    report = mmap(NULL, sizeof(*report), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(report != MAP_FAILED);
    return 0;
}

static int tear_down(void **state)
{
    UNUSED(state);
    (void)munmap(report, sizeof(*report));
    model_release(&nothing);
    model_release(&prepared);
    tempdir_release(&prepared_temp);
    return 0;
}

/* The files of a directory, without those in it that are directories. */
static void copy_files(const char *from_path, const char *to_path, const char *name)
{
    CLEANUP(dir_names_release) struct dir_names names = {0};
    char from[TEMPDIR_PATH_BYTES + 16];
    char to[TEMPDIR_PATH_BYTES + 16];
    OWNED(dir) source = NULL;
    OWNED(dir) target = NULL;
    (void)snprintf(from, sizeof(from), "%s/%s", from_path, name);
    (void)snprintf(to, sizeof(to), "%s/%s", to_path, name);
    assert_int_equal(dir_open(from, false, &source, NULL), OK);
    assert_int_equal(dir_open(to, true, &target, NULL), OK);
    assert_int_equal(dir_list(source, &names, NULL), OK);
    for (size_t i = 0; i < names.count; i++) {
        CLEANUP(mem_freep) uint8_t *bytes = NULL;
        size_t len = 0;
        bool is_dir = strcmp(names.names[i], "ledger") == 0 || strcmp(names.names[i], "keys") == 0;
        if (!is_dir) {
            assert_int_equal(file_read_all(source, names.names[i], FILE_BYTES_MAX, &bytes, &len,
                                           NULL),
                             OK);
            assert_int_equal(file_replace(target, names.names[i], (slice){bytes, len}, NULL), OK);
        }
    }
}

/* ---- Programs ---- */

static const struct step_choice {
    enum model_step_kind kind;
    uint32_t weight;
    uint32_t size_max;
} choices[] = {
    {MODEL_APPEND, 30, 40}, {MODEL_SCAN, 14, 1},  {MODEL_PAGES, 8, 20},     {MODEL_COUNT, 9, 1},
    {MODEL_GET, 6, 20},     {MODEL_FIND, 5, 10},  {MODEL_TIMELINE, 5, 1},   {MODEL_PROVE, 5, 4},
    {MODEL_ENTRIES, 3, 1},  {MODEL_ERASE, 7, 1},  {MODEL_ROTATE, 1, 1},     {MODEL_RESTART, 3, 1},
    {MODEL_SETTLE, 1, 1},   {MODEL_VERIFY, 1, 1}, {MODEL_POWER_CUT, 2, 30}, {MODEL_ERASE_CUT, 2, 1},
};

static void pick_step(struct filter_random *random, struct model_step *out)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < COUNT_OF(choices); i++) {
        sum += choices[i].weight;
    }
    uint64_t at = random_below(random, sum);
    const struct step_choice *choice = choices;
    while (at >= choice->weight) {
        at -= choice->weight;
        choice++;
    }
    out->kind = choice->kind;
    out->size = 1 + (uint32_t)random_below(random, choice->size_max);
    out->seed = random_below(random, UINT64_MAX);
}

static void make_program(uint64_t seed, struct program *out)
{
    struct filter_random random = {.seed = seed};
    *out = (struct program){.seed = seed, .is_large = seed % LARGE_EVERY == 10};
    out->count = 5 + (size_t)random_below(&random, STEPS_MAX - 5 + 1);
    for (size_t i = 0; i < out->count; i++) {
        pick_step(&random, &out->steps[i]);
    }
}

/* Runs it in a child; the report is complete as far as that came. True when nothing differs. */
static bool run_program(const struct program *program)
{
    struct tempdir temp;
    int status = 0;
    tempdir_init(&temp);
    memset(report, 0, sizeof(*report));
    if (program->is_large) {
        prepare();
        copy_files(prepared_temp.path, temp.path, "");
        copy_files(prepared_temp.path, temp.path, "keys");
        copy_files(prepared_temp.path, temp.path, "ledger");
    }
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        (void)alarm(patience.program);
        bool same = model_run(temp.path, program->is_large ? &prepared : &nothing, program->steps,
                              program->count, report);
        _exit(same ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    tempdir_release(&temp);
    if (!report->is_done) {
        (void)snprintf(report->why, sizeof(report->why), "the process ended with %s %d",
                       WIFSIGNALED(status) ? "signal" : "status",
                       WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
    }
    return report->is_done && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* ---- Failures ---- */

static void print_program(const struct program *program, const char *title)
{
    const char *line = report->steps;
    size_t number = 1;
    print_message("%s: CAIRN_TEST_SEED=%" PRIu64 " begins with %d events; these steps:\n", title,
                  program->seed, program->is_large ? LARGE_EVENTS : 0);
    while (*line != '\0') {
        const char *end = strchr(line, '\n');
        size_t len = end != NULL ? (size_t)(end - line) : strlen(line);
        print_message("  %2zu. %.*s\n", number++, (int)len, line);
        line += len + (end != NULL ? 1 : 0);
    }
    print_message("  and then: %s\n", report->why[0] != '\0' ? report->why : "nothing differs");
}

struct shrinking {
    struct program best; /* fails */
    unsigned runs;
    int64_t ends_us;
};

/* Keeps `candidate` if it fails, too. */
static bool try_shorter(struct shrinking *shrinking, const struct program *candidate)
{
    if (shrinking->runs == SHRINK_RUNS_MAX || clock_monotonic_us() > shrinking->ends_us) {
        return false;
    }
    shrinking->runs++;
    if (run_program(candidate)) {
        return false;
    }
    shrinking->best = *candidate;
    return true;
}

/* Without `n` steps from `at` on. */
static bool try_without(struct shrinking *shrinking, size_t at, size_t n)
{
    struct program candidate = shrinking->best;
    memmove(candidate.steps + at, candidate.steps + at + n,
            (candidate.count - at - n) * sizeof(*candidate.steps));
    candidate.count -= n;
    return try_shorter(shrinking, &candidate);
}

static void drop_steps(struct shrinking *shrinking)
{
    for (size_t n = shrinking->best.count / 2; n > 0; n /= 2) {
        for (size_t at = shrinking->best.count; at > 0;) { /* what comes last matters most seldom */
            at = at > n ? at - n : 0;
            if (at + n <= shrinking->best.count) {
                (void)try_without(shrinking, at, n);
            }
        }
    }
}

static void lower_sizes(struct shrinking *shrinking)
{
    for (size_t i = 0; i < shrinking->best.count; i++) {
        struct program candidate = shrinking->best;
        do {
            candidate.steps[i].size /= 2;
        } while (candidate.steps[i].size > 0 && try_shorter(shrinking, &candidate));
    }
}

static void shrink_and_fail(const struct program *program)
{
    struct shrinking shrinking = {
        .best = *program,
        .ends_us = clock_monotonic_us() + patience.shrink * SECOND_US,
    };
    print_program(program, "as found");
    struct program candidate = *program;
    candidate.is_large = false;
    if (program->is_large) {
        (void)try_shorter(&shrinking, &candidate);
    }
    drop_steps(&shrinking);
    lower_sizes(&shrinking);
    drop_steps(&shrinking);
    bool differs = !run_program(&shrinking.best);
    print_program(&shrinking.best, differs ? "shrunk" : "shrunk, but not the same each time");
    fail_msg("program %" PRIu64, program->seed);
}

/* ---- The test ---- */

static uint64_t number_from(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);
    return text != NULL ? strtoull(text, NULL, 10) : otherwise;
}

/* Not beside much other work, nor under a sanitizer of threads. */
static bool may_be_large(int64_t start_us)
{
    bool is_late = clock_monotonic_us() > start_us + (int64_t)patience.run * SECOND_US / 2;
    if (prepared.count == 0 && is_late) {
        return false;
    }
    prepare();
    return prepare_us <= patience.prepare * SECOND_US;
}

/* Programs from seed `first` on; returns how many. */
static uint64_t run_programs(uint64_t first, uint64_t count, bool is_alone)
{
    int64_t start_us = clock_monotonic_us();
    int64_t end_us = start_us + (int64_t)patience.run * SECOND_US;
    uint64_t done = 0;
    for (uint64_t i = 0; i < count && clock_monotonic_us() < end_us; i++) {
        struct program program;
        make_program(first + i, &program);
        if (program.is_large && !is_alone && !may_be_large(start_us)) {
            continue;
        }
        if (!run_program(&program)) {
            shrink_and_fail(&program);
        }
        if (is_alone) {
            print_program(&program, "as asked for");
        }
        done++;
    }
    return done;
}

static void test_programs_give_the_answers_of_a_plain_array(void **state)
{
    bool is_long = number_from("CAIRN_TEST_LONG", 0) != 0;
    bool is_alone = getenv("CAIRN_TEST_SEED") != NULL;
    uint64_t first = number_from("CAIRN_TEST_SEED", is_long ? random_u64() >> 16 : 1);
    uint64_t count = is_alone ? 1 : is_long ? UINT64_MAX : PROGRAMS;
    UNUSED(state);
    if (is_long) {
        patience = patience_long;
        patience.run = number_from("CAIRN_TEST_SECONDS", patience.run);
    }
    uint64_t done = run_programs(first, count, is_alone);
    print_message("# %" PRIu64 " programs, from seed %" PRIu64 " on\n", done, first);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_programs_give_the_answers_of_a_plain_array),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
