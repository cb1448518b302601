/* SPDX-License-Identifier: Apache-2.0 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>

#include "base/test.h"
#include "crypto/password.h"

/* The tests of the reference implementation (phc-winner-argon2, src/test.c) within our limits. */
static const struct {
    const char *hash, *password;
} vectors[] = {
    {"$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
     "password"},
    {"$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
     "password"},
    {"$argon2id$v=19$m=65536,t=4,p=1$c29tZXNhbHQ$kCXUjmjvc5XMqQedpMTsOv+zyJEf5PhtGiUghW9jFyw",
     "password"},
    {"$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$C4TWUs9rDEvq7w3+J4umqA32aWKB1+DSiRuBfYxFj94",
     "differentpassword"},
    {"$argon2id$v=19$m=65536,t=2,p=1$ZGlmZnNhbHQ$vfMrBczELrFdWP0ZsfhWsRPaHppYdP3MVEMIVlqoFBw",
     "password"},
};

static bool verify(const char *hash, slice password)
{
    bool is_right = false;
    assert_int_equal(password_verify(hash, password, &is_right, NULL), OK);
    return is_right;
}

static void test_vectors(void **state)
{
    UNUSED(state);
    for (size_t i = 0; i < COUNT_OF(vectors); i++) {
        print_message("# row %zu\n", i);
        assert_true(verify(vectors[i].hash, slice_from_cstr(vectors[i].password)));
        assert_false(verify(vectors[i].hash, SLICE("passwore")));
        assert_true(password_needs_rehash(vectors[i].hash));
    }
}

static void test_there_and_back(void **state)
{
    UNUSED(state);
    char one[PASSWORD_HASH_BYTES];
    char two[PASSWORD_HASH_BYTES];
    slice password = SLICE("correct horse \xc3\xa9\0 battery");
    assert_int_equal(password_hash(password, one, NULL), OK);
    assert_int_equal(password_hash(password, two, NULL), OK);
    assert_string_not_equal(one, two); /* the salt */
    slice parameters = SLICE("$argon2id$v=19$m=19456,t=2,p=1$");
    assert_memory_equal(one, parameters.ptr, parameters.len);
    assert_true(verify(one, password));
    assert_true(verify(two, password));
    assert_false(password_needs_rehash(one));
    assert_false(verify(one, SLICE("correct horse \xc3\xa9"))); /* no end at a NUL */
    assert_false(verify(one, SLICE("correct horse e\xcc\x81\0 battery")));
    assert_false(verify(one, SLICE("")));
}

/* Others cut at 72 bytes. */
static void test_every_byte_counts(void **state)
{
    UNUSED(state);
    char hash[PASSWORD_HASH_BYTES];
    uint8_t bytes[PASSWORD_BYTES_MAX + 1];
    memset(bytes, 'a', sizeof(bytes));
    assert_int_equal(password_hash((slice){bytes, PASSWORD_BYTES_MAX}, hash, NULL), OK);
    assert_true(verify(hash, (slice){bytes, PASSWORD_BYTES_MAX}));
    assert_false(verify(hash, (slice){bytes, PASSWORD_BYTES_MAX - 1}));
    bytes[PASSWORD_BYTES_MAX - 1] = 'b';
    assert_false(verify(hash, (slice){bytes, PASSWORD_BYTES_MAX}));

    bool is_right = false;
    slice too_long = {bytes, sizeof(bytes)};
    assert_int_equal(password_hash(too_long, hash, NULL), ERR_INVALID);
    assert_int_equal(password_verify(hash, too_long, &is_right, NULL), ERR_INVALID);
    assert_int_equal(password_verify(NULL, too_long, &is_right, NULL), ERR_INVALID);
    assert_int_equal(password_hash(SLICE(""), hash, NULL), ERR_INVALID);
}

static void test_texts_that_are_no_hashes(void **state)
{
    UNUSED(state);
#define REST "$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc"
    static const char *const bad[] = {
        "",
        "password",
        "$2b$12$abcdefghijklmnopqrstuv",
        "$argon2i$v=19$m=256,t=2,p=1" REST,
        "$argon2d$v=19$m=256,t=2,p=1" REST,
        "$argon2id$v=16$m=256,t=2,p=1" REST,
        "$argon2id$m=256,t=2,p=1" REST,
        "$argon2id$v=19$m=4194304,t=2,p=1" REST, /* 4 GiB */
        "$argon2id$v=19$m=65537,t=2,p=1" REST,
        "$argon2id$v=19$m=256,t=4000000000,p=1" REST,
        "$argon2id$v=19$m=256,t=0,p=1" REST,
        "$argon2id$v=19$m=0,t=1,p=1" REST,
        "$argon2id$v=19$m=256,t=2,p=2" REST,
        "$argon2id$v=19$m=-256,t=2,p=1" REST,
        "$argon2id$v=19$m=256,t=2,p=1",
        "$argon2id$v=19$m=256,t=2,p=1$$",
        "$argon2id$v=19$m=256,t=2,p=1" REST "$",
        "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc"
        "CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPcCTFhFdXPJO1aFaMaO6Mm5",
    };
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        bool is_right = true;
        print_message("# row %zu\n", i);
        assert_int_equal(password_verify(bad[i], SLICE("password"), &is_right, NULL), ERR_CORRUPT);
        assert_true(is_right); /* untouched */
        assert_true(password_needs_rehash(bad[i]));
    }
    /* What the library alone sees as damaged matches nothing. */
    assert_false(verify("$argon2id$v=19$m=256,t=2,p=1$AA$AA", SLICE("password")));
}

static int64_t now_us(void)
{
    struct timespec t = {0};
    assert_int_equal(clock_gettime(CLOCK_MONOTONIC, &t), 0);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* The least of a few, which load from elsewhere can only make longer. */
static int64_t time_of(const char *hash)
{
    int64_t least_us = INT64_MAX;
    for (size_t i = 0; i < 8; i++) {
        int64_t began_us = now_us();
        assert_false(verify(hash, SLICE("wrong")));
        int64_t took_us = now_us() - began_us;
        least_us = took_us < least_us ? took_us : least_us;
    }
    return least_us;
}

static void test_nobody_takes_as_long_as_somebody(void **state)
{
    UNUSED(state);
    char hash[PASSWORD_HASH_BYTES];
    assert_int_equal(password_hash(SLICE("right"), hash, NULL), OK);
    int64_t somebody_us = time_of(hash);
    int64_t nobody_us = time_of(NULL);
    print_message("# somebody %lld us, nobody %lld us\n", (long long)somebody_us,
                  (long long)nobody_us);
    assert_true(nobody_us > somebody_us / 2 && nobody_us < somebody_us * 2);
}

/* ---- Many at once ---- */

enum { CROWD = 40 };
static atomic_uint served, told_busy;

static void *knock(void *hash)
{
    bool is_right = false;
    enum err e = password_verify(hash, SLICE("right"), &is_right, NULL);
    if (e == OK && is_right) {
        atomic_fetch_add(&served, 1);
    } else if (e == ERR_BUSY) {
        atomic_fetch_add(&told_busy, 1);
    }
    return NULL;
}

static void test_a_crowd_is_served_in_turn_or_told_to_come_later(void **state)
{
    UNUSED(state);
    char hash[PASSWORD_HASH_BYTES];
    pthread_t threads[CROWD];
    assert_int_equal(password_hash(SLICE("right"), hash, NULL), OK);
    for (size_t i = 0; i < CROWD; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, knock, hash), 0);
    }
    for (size_t i = 0; i < CROWD; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    }
    print_message("# %u served, %u told to come later\n", served, told_busy);
    assert_int_equal(served + told_busy, CROWD);
    assert_true(served >= PASSWORD_PARALLEL_MAX);
    assert_true(verify(hash, SLICE("right"))); /* all places are free again */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vectors),
        cmocka_unit_test(test_there_and_back),
        cmocka_unit_test(test_every_byte_counts),
        cmocka_unit_test(test_texts_that_are_no_hashes),
        cmocka_unit_test(test_nobody_takes_as_long_as_somebody),
        cmocka_unit_test(test_a_crowd_is_served_in_turn_or_told_to_come_later),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
