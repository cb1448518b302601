/* SPDX-License-Identifier: Apache-2.0 */
#include "base/test.h"
#include "os/clock.h"
#include "os/thread.h"
#include "people/token_cache.h"

#define SECOND INT64_C(1000000)
static const int64_t now_us = 1700000000 * SECOND;

struct place {
    struct token_keys *keys;
    struct token_issuer issuer;
    struct token_cache *cache;
};

static void enter(struct place *place, size_t tokens_max)
{
    static const uint8_t seed[ED25519_SEED_BYTES] = {7};
    place->keys = token_keys_new();
    place->issuer = (struct token_issuer){"i", place->keys};
    place->cache = token_cache_new(tokens_max);
    assert_int_equal(token_keys_add(place->keys, seed, 1, NULL), OK);
}

static void leave(struct place *place)
{
    token_cache_free(place->cache);
    token_keys_free(place->keys);
}

static void issue(struct place *place, uint32_t lifetime_s, struct buf *token)
{
    struct token_claims claims = {.subject = "s", .session = "f", .org = "o", .role = "owner"};
    buf_clear(token);
    assert_int_equal(token_issue(&place->issuer, &claims, lifetime_s, now_us, token, NULL), OK);
}

static enum token_answer ask(struct place *place, const struct buf *token, int64_t at_us)
{
    struct token_claims claims = {0};
    enum token_answer answer =
        token_cache_verify(place->cache, &place->issuer, buf_slice(token), at_us, &claims);
    assert_string_equal(claims.org, answer == TOKEN_GOOD ? "o" : "");
    return answer;
}

static uint64_t hits(struct place *place)
{
    uint64_t hit = 0;
    uint64_t missed = 0;
    token_cache_counts(place->cache, &hit, &missed);
    return hit;
}

static void test_the_second_time_is_known(void **state)
{
    UNUSED(state);
    CLEANUP(leave) struct place place = {0};
    CLEANUP(buf_release) struct buf token = BUF_INIT(TOKEN_BYTES_MAX);
    enter(&place, 64);
    issue(&place, 60, &token);
    assert_int_equal(ask(&place, &token, now_us), TOKEN_GOOD);
    assert_int_equal(hits(&place), 0);
    assert_int_equal(ask(&place, &token, now_us), TOKEN_GOOD);
    assert_int_equal(hits(&place), 1);
    /* Its times count all the same. */
    assert_int_equal(ask(&place, &token, now_us + 90 * SECOND), TOKEN_EXPIRED);
    assert_int_equal(ask(&place, &token, now_us - 31 * SECOND), TOKEN_NOT_YET);
    assert_int_equal(hits(&place), 3);
    token.ptr[token.len - 3] ^= 1;
    assert_int_not_equal(ask(&place, &token, now_us), TOKEN_GOOD);
    assert_int_not_equal(ask(&place, &token, now_us), TOKEN_GOOD);
    assert_int_equal(hits(&place), 3); /* a refusal is not kept */
}

static void test_replaced_keys_are_forgotten(void **state)
{
    UNUSED(state);
    CLEANUP(leave) struct place place = {0};
    CLEANUP(buf_release) struct buf token = BUF_INIT(TOKEN_BYTES_MAX);
    enter(&place, 64);
    issue(&place, 60, &token);
    assert_int_equal(ask(&place, &token, now_us), TOKEN_GOOD);
    assert_int_equal(token_keys_rotate(place.keys, now_us, NULL), OK);
    assert_int_equal(ask(&place, &token, now_us), TOKEN_GOOD);
    assert_int_equal(token_keys_replace_all(place.keys, now_us, NULL), OK);
    assert_int_equal(ask(&place, &token, now_us), TOKEN_UNKNOWN_KEY);
}

static void test_it_is_bounded(void **state)
{
    UNUSED(state);
    CLEANUP(leave) struct place place = {0};
    CLEANUP(buf_release) struct buf lasting = BUF_INIT(TOKEN_BYTES_MAX);
    CLEANUP(buf_release) struct buf token = BUF_INIT(TOKEN_BYTES_MAX);
    enter(&place, 1); /* one set */
    issue(&place, 600, &lasting);
    assert_int_equal(ask(&place, &lasting, now_us), TOKEN_GOOD);
    for (uint32_t i = 0; i < 100; i++) {
        issue(&place, 1 + i, &token);
        assert_int_equal(ask(&place, &token, now_us), TOKEN_GOOD);
    }
    uint64_t before = hits(&place);
    assert_int_equal(ask(&place, &lasting, now_us), TOKEN_GOOD);
    assert_int_equal(hits(&place), before + 1); /* those that expire first went */
}

enum { THREADS = 4, TOKENS = 16, ROUNDS = 300 };
static struct place shared;
static struct buf shared_tokens[TOKENS];

static void ask_many(void *arg)
{
    UNUSED(arg);
    for (size_t i = 0; i < ROUNDS; i++) {
        assert_int_equal(ask(&shared, &shared_tokens[i % TOKENS], now_us), TOKEN_GOOD);
    }
}

static void test_from_many_threads(void **state)
{
    UNUSED(state);
    struct thread threads[THREADS] = {0};
    enter(&shared, 8);
    for (size_t i = 0; i < TOKENS; i++) {
        buf_init(&shared_tokens[i], TOKEN_BYTES_MAX);
        issue(&shared, 60, &shared_tokens[i]);
    }
    for (size_t i = 0; i < THREADS; i++) {
        assert_int_equal(thread_start(&threads[i], "asker", ask_many, NULL, NULL), OK);
    }
    assert_int_equal(token_keys_rotate(shared.keys, now_us, NULL), OK);
    for (size_t i = 0; i < THREADS; i++) {
        thread_join(&threads[i]);
    }
    for (size_t i = 0; i < TOKENS; i++) {
        buf_release(&shared_tokens[i]);
    }
    leave(&shared);
}

static void test_what_a_known_token_costs(void **state)
{
    enum { MANY = 200000 };
    UNUSED(state);
    CLEANUP(leave) struct place place = {0};
    CLEANUP(buf_release) struct buf token = BUF_INIT(TOKEN_BYTES_MAX);
    struct token_claims claims;
    enter(&place, 4096);
    issue(&place, 60, &token);
    int64_t began_us = clock_monotonic_us();
    for (size_t i = 0; i < MANY; i++) {
        assert_int_equal(token_cache_verify(place.cache, &place.issuer, buf_slice(&token), now_us,
                                            &claims),
                         TOKEN_GOOD);
    }
    print_message("# a known token of %zu bytes takes %.2f us\n", token.len,
                  (double)(clock_monotonic_us() - began_us) / MANY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_second_time_is_known),
        cmocka_unit_test(test_replaced_keys_are_forgotten),
        cmocka_unit_test(test_it_is_bounded),
        cmocka_unit_test(test_from_many_threads),
        cmocka_unit_test(test_what_a_known_token_costs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
