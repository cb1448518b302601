/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "base/test.h"
#include "codec/hex.h"
#include "os/thread.h"
#include "people/refresh.h"

#define SECOND INT64_C(1000000)
#define DAY    (86400 * SECOND)
static const int64_t now_us = 1700000000 * SECOND;

/* ---- A store in memory ---- */

enum { FAMILIES = 8 };
struct memory {
    struct mutex lock;
    struct refresh_family families[FAMILIES];
    size_t count;
    enum err fault;        /* of every call */
    enum err revoke_fault; /* of revoke alone */
};

static struct refresh_family *look(struct memory *memory, const char *id)
{
    for (size_t i = 0; i < memory->count; i++) {
        if (strcmp(memory->families[i].id, id) == 0) {
            return &memory->families[i];
        }
    }
    return NULL;
}

static enum err memory_insert(void *context, const struct refresh_family *family, struct diag *diag)
{
    struct memory *memory = context;
    UNUSED(diag);
    assert_true(memory->count < FAMILIES);
    if (memory->fault == OK) {
        memory->families[memory->count++] = *family;
    }
    return memory->fault;
}

static enum err memory_find(void *context, const char *id, struct refresh_family *out,
                            struct diag *diag)
{
    struct memory *memory = context;
    UNUSED(diag);
    mutex_lock(&memory->lock);
    const struct refresh_family *family = look(memory, id);
    if (family != NULL) {
        *out = *family;
    }
    mutex_unlock(&memory->lock);
    return memory->fault != OK ? memory->fault : (family != NULL ? OK : ERR_NOT_FOUND);
}

static enum err memory_advance(void *context, const char *id, const uint8_t seen[SHA256_BYTES],
                               const uint8_t next[SHA256_BYTES], int64_t at_us, struct diag *diag)
{
    struct memory *memory = context;
    UNUSED(diag);
    mutex_lock(&memory->lock);
    struct refresh_family *family = look(memory, id);
    bool fits = memory->fault == OK && family->revoked_us == 0 &&
                memcmp(family->newest, seen, SHA256_BYTES) == 0;
    if (fits) {
        memcpy(family->newest, next, SHA256_BYTES);
        family->used_us = at_us;
    }
    mutex_unlock(&memory->lock);
    return memory->fault != OK ? memory->fault : (fits ? OK : ERR_CONFLICT);
}

static enum err memory_revoke(void *context, const char *id, int64_t at_us, struct diag *diag)
{
    struct memory *memory = context;
    UNUSED(diag);
    mutex_lock(&memory->lock);
    struct refresh_family *family = look(memory, id);
    if (memory->fault == OK && memory->revoke_fault == OK && family->revoked_us == 0) {
        family->revoked_us = at_us;
    }
    mutex_unlock(&memory->lock);
    return memory->fault != OK ? memory->fault : memory->revoke_fault;
}

static struct refresh_store store_of(struct memory *memory)
{
    mutex_init(&memory->lock);
    return (struct refresh_store){memory_insert, memory_find, memory_advance, memory_revoke,
                                  memory,        30 * DAY,    7 * DAY};
}

static void begin(const struct refresh_store *store, char token[REFRESH_TOKEN_BYTES])
{
    struct refresh_family family = {0};
    assert_int_equal(refresh_begin(store, SLICE("user"), SLICE("org"), now_us, token, &family,
                                   NULL),
                     OK);
    assert_string_equal(family.subject, "user");
    assert_int_equal(strlen(family.id), REFRESH_ID_BYTES);
}

static enum refresh_answer rotate(const struct refresh_store *store, const char *token,
                                  int64_t at_us, char next[REFRESH_TOKEN_BYTES])
{
    enum refresh_answer answer = REFRESH_NOT_ONE;
    struct refresh_family family = {0};
    char given[REFRESH_TOKEN_BYTES] = "";
    assert_int_equal(refresh_rotate(store, slice_from_cstr(token), at_us, &answer, given, &family,
                                    NULL),
                     OK);
    if (answer == REFRESH_GOOD) {
        assert_string_equal(family.org, "org");
        memcpy(next, given, sizeof(given));
    } else {
        assert_string_equal(given, "");
    }
    return answer;
}

/* ---- The tests ---- */

static void test_one_after_another(void **state)
{
    UNUSED(state);
    struct memory memory = {0};
    struct refresh_store store = store_of(&memory);
    char token[REFRESH_TOKEN_BYTES];
    begin(&store, token);
    assert_int_equal(strlen(token), REFRESH_TOKEN_BYTES - 1);
    for (int64_t i = 0; i < 20; i++) {
        char before[REFRESH_TOKEN_BYTES];
        memcpy(before, token, sizeof(before));
        assert_int_equal(rotate(&store, before, now_us + i * DAY, token), REFRESH_GOOD);
        assert_string_not_equal(before, token);
    }
    assert_int_equal(memory.families[0].used_us, now_us + 19 * DAY);
}

/* Nothing that is kept lets anybody in, or is part of a token. */
static void test_only_hashes_are_kept(void **state)
{
    UNUSED(state);
    struct memory memory = {0};
    struct refresh_store store = store_of(&memory);
    char token[REFRESH_TOKEN_BYTES];
    uint8_t hash[SHA256_BYTES];
    begin(&store, token);
    sha256(slice_from_cstr(token), hash);
    assert_memory_equal(memory.families[0].newest, hash, sizeof(hash));
    assert_null(memmem(&memory.families[0], sizeof(memory.families[0]), token + 14, 22));
    assert_null(memmem(&memory.families[0], sizeof(memory.families[0]), token + 37, 43));
}

static void test_an_old_token_ends_the_family(void **state)
{
    UNUSED(state);
    struct memory memory = {0};
    struct refresh_store store = store_of(&memory);
    char first[REFRESH_TOKEN_BYTES], second[REFRESH_TOKEN_BYTES], third[REFRESH_TOKEN_BYTES];
    char other[REFRESH_TOKEN_BYTES], next[REFRESH_TOKEN_BYTES];
    begin(&store, first);
    begin(&store, other);
    assert_int_equal(rotate(&store, first, now_us, second), REFRESH_GOOD);
    assert_int_equal(rotate(&store, second, now_us, third), REFRESH_GOOD);
    assert_int_equal(rotate(&store, first, now_us + 5, next), REFRESH_REUSED);
    assert_int_equal(memory.families[0].revoked_us, now_us + 5);
    assert_int_equal(rotate(&store, third, now_us + 6, next), REFRESH_REVOKED);
    assert_int_equal(rotate(&store, first, now_us + 6, next), REFRESH_REVOKED);
    assert_int_equal(memory.families[0].revoked_us, now_us + 5);
    assert_int_equal(rotate(&store, other, now_us, next), REFRESH_GOOD); /* its own alone */
}

static void test_it_expires(void **state)
{
    UNUSED(state);
    struct memory memory = {0};
    struct refresh_store store = store_of(&memory);
    char idle[REFRESH_TOKEN_BYTES], busy[REFRESH_TOKEN_BYTES], next[REFRESH_TOKEN_BYTES];
    begin(&store, idle);
    begin(&store, busy);
    assert_int_equal(rotate(&store, idle, now_us + 7 * DAY, next), REFRESH_EXPIRED);
    for (int64_t day = 6; day < 30; day += 6) {
        assert_int_equal(rotate(&store, busy, now_us + day * DAY, busy), REFRESH_GOOD);
    }
    assert_int_equal(rotate(&store, busy, now_us + 30 * DAY - 1, busy), REFRESH_GOOD);
    assert_int_equal(rotate(&store, busy, now_us + 30 * DAY, next), REFRESH_EXPIRED);
    store.idle_us = 0;
    assert_int_equal(rotate(&store, idle, now_us + 29 * DAY, next), REFRESH_GOOD);
}

static void test_a_shorter_life_counts_for_those_that_live(void **state)
{
    UNUSED(state);
    struct memory memory = {0};
    struct refresh_store store = store_of(&memory);
    char token[REFRESH_TOKEN_BYTES], next[REFRESH_TOKEN_BYTES];
    struct refresh_family family;
    enum refresh_answer answer = REFRESH_NOT_ONE;
    begin(&store, token);
    store.lifetime_us = 3 * DAY;
    assert_int_equal(rotate(&store, token, now_us + 3 * DAY, next), REFRESH_EXPIRED);
    assert_int_equal(refresh_rotate(&store, slice_from_cstr(token), now_us + 2 * DAY, &answer, next,
                                    &family, NULL),
                     OK);
    assert_int_equal(answer, REFRESH_GOOD);
    assert_int_equal(family.expires_us, now_us + 3 * DAY);
    store.lifetime_us = 60 * DAY; /* a longer one is for those that begin */
    store.idle_us = 0;
    assert_int_equal(rotate(&store, next, now_us + 30 * DAY, token), REFRESH_EXPIRED);
    assert_int_equal(rotate(&store, next, now_us + 30 * DAY - 1, token), REFRESH_GOOD);
}

static void test_a_logout_ends_it(void **state)
{
    UNUSED(state);
    struct memory memory = {0};
    struct refresh_store store = store_of(&memory);
    enum refresh_answer answer = REFRESH_NOT_ONE;
    char token[REFRESH_TOKEN_BYTES], next[REFRESH_TOKEN_BYTES];
    struct refresh_family family;
    begin(&store, token);
    slice text = slice_from_cstr(token);
    assert_int_equal(refresh_end(&store, text, now_us, &answer, &family, NULL), OK);
    assert_int_equal(answer, REFRESH_GOOD);
    assert_int_equal(rotate(&store, token, now_us, next), REFRESH_REVOKED);
    assert_int_equal(refresh_end(&store, text, now_us, &answer, &family, NULL), OK);
    assert_int_equal(answer, REFRESH_REVOKED);
}

static void test_texts_that_are_no_tokens(void **state)
{
    UNUSED(state);
    struct memory memory = {0};
    struct refresh_store store = store_of(&memory);
    char token[REFRESH_TOKEN_BYTES + 1], next[REFRESH_TOKEN_BYTES];
    begin(&store, token);
    for (size_t len = 0; len < REFRESH_TOKEN_BYTES - 1; len++) {
        enum refresh_answer answer = REFRESH_GOOD;
        struct refresh_family family;
        slice cut = {(const uint8_t *)token, len};
        assert_int_equal(refresh_rotate(&store, cut, now_us, &answer, next, &family, NULL), OK);
        assert_int_equal(answer, REFRESH_NOT_ONE);
    }
    token[REFRESH_TOKEN_BYTES - 1] = 'A';
    token[REFRESH_TOKEN_BYTES] = '\0';
    assert_int_equal(rotate(&store, token, now_us, next), REFRESH_NOT_ONE);
    token[REFRESH_TOKEN_BYTES - 1] = '\0';
    token[20] = token[20] == 'A' ? 'B' : 'A'; /* another family */
    assert_int_equal(rotate(&store, token, now_us, next), REFRESH_UNKNOWN);
    token[20] = '.';
    assert_int_equal(rotate(&store, token, now_us, next), REFRESH_NOT_ONE);
    assert_int_equal(memory.families[0].revoked_us, 0);
}

static void test_faults_go_through(void **state)
{
    UNUSED(state);
    struct memory memory = {0};
    struct refresh_store store = store_of(&memory);
    char token[REFRESH_TOKEN_BYTES], next[REFRESH_TOKEN_BYTES] = "";
    struct refresh_family family;
    enum refresh_answer answer = REFRESH_GOOD;
    begin(&store, token);
    slice text = slice_from_cstr(token);
    memory.fault = ERR_IO;
    assert_int_equal(refresh_rotate(&store, text, now_us, &answer, next, &family, NULL), ERR_IO);
    assert_int_equal(refresh_end(&store, text, now_us, &answer, &family, NULL), ERR_IO);
    assert_int_equal(refresh_begin(&store, SLICE("u"), SLICE("o"), now_us, next, &family, NULL),
                     ERR_IO);
    assert_string_equal(next, "");
    memory.fault = OK;
    assert_int_equal(rotate(&store, token, now_us, next), REFRESH_GOOD);
    memory.revoke_fault = ERR_IO; /* the thief gets no answer that says all is well */
    assert_int_equal(refresh_rotate(&store, text, now_us, &answer, next, &family, NULL), ERR_IO);
    assert_int_equal(refresh_begin(&store, SLICE(""), SLICE("o"), now_us, next, &family, NULL),
                     ERR_INVALID);
}

/* ---- One token, many at once: one gets the next, and the family ends ---- */

enum { THREADS = 8 };
static struct refresh_store race_store;
static char race_token[REFRESH_TOKEN_BYTES];
static enum refresh_answer race_answers[THREADS];

static void race(void *answer)
{
    struct refresh_family family;
    char next[REFRESH_TOKEN_BYTES];
    enum err e = refresh_rotate(&race_store, slice_from_cstr(race_token), now_us, answer, next,
                                &family, NULL);
    assert_int_equal(e, OK);
}

static void test_a_race_has_one_winner(void **state)
{
    UNUSED(state);
    struct memory memory = {0};
    struct thread threads[THREADS] = {0};
    size_t good = 0;
    race_store = store_of(&memory);
    begin(&race_store, race_token);
    for (size_t i = 0; i < THREADS; i++) {
        assert_int_equal(thread_start(&threads[i], "race", race, &race_answers[i], NULL), OK);
    }
    for (size_t i = 0; i < THREADS; i++) {
        thread_join(&threads[i]);
        good += race_answers[i] == REFRESH_GOOD ? 1 : 0;
    }
    assert_int_equal(good, 1);
    assert_true(memory.families[0].revoked_us != 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_after_another),
        cmocka_unit_test(test_only_hashes_are_kept),
        cmocka_unit_test(test_an_old_token_ends_the_family),
        cmocka_unit_test(test_it_expires),
        cmocka_unit_test(test_a_shorter_life_counts_for_those_that_live),
        cmocka_unit_test(test_a_logout_ends_it),
        cmocka_unit_test(test_texts_that_are_no_tokens),
        cmocka_unit_test(test_faults_go_through),
        cmocka_unit_test(test_a_race_has_one_winner),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
