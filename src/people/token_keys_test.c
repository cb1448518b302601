/* SPDX-License-Identifier: Apache-2.0 */
#include <jansson.h>
#include <stdio.h>

#include "base/test.h"
#include "codec/base64.h"
#include "os/fault_disk.h"
#include "os/tempdir.h"
#include "os/thread.h"
#include "people/token_keys.h"

#define SECOND INT64_C(1000000)
#define HOUR   (3600 * SECOND)
static const int64_t now_us = 1700000000 * SECOND;

struct place {
    struct tempdir temp;
    struct dir *dir;
};

static void enter(struct place *place)
{
    tempdir_init(&place->temp);
    assert_int_equal(dir_open(place->temp.path, false, &place->dir, NULL), OK);
}

static void leave(struct place *place)
{
    dir_free(place->dir);
    tempdir_release(&place->temp);
}

static void current_kid(struct token_keys *keys, char out[TOKEN_KID_BYTES + 1])
{
    CLEANUP(token_key_release) struct token_key key = {0};
    token_keys_current(keys, &key);
    memcpy(out, key.kid, sizeof(key.kid));
}

static bool verifies(struct token_keys *keys, const char *kid, int64_t at_us)
{
    uint8_t public_key[ED25519_PUBLIC_BYTES];
    return token_keys_find(keys, slice_from_cstr(kid), at_us, public_key);
}

/* RFC 8037, appendix A.1 to A.4: seed, public key, thumbprint, and a signature over a JWS. */
static void test_vectors(void **state)
{
    UNUSED(state);
    OWNED(token_keys) keys = token_keys_new();
    uint8_t seed[ED25519_SEED_BYTES];
    uint8_t signature[ED25519_SIGNATURE_BYTES];
    CLEANUP(token_key_release) struct token_key key = {0};
    CLEANUP(buf_release) struct buf text = BUF_INIT(TOKEN_JWKS_BYTES_MAX);
    assert_true(base64url_decode_exact(SLICE("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A"), seed,
                                       sizeof(seed)));
    assert_int_equal(token_keys_add(keys, seed, now_us, NULL), OK);
    token_keys_current(keys, &key);
    assert_string_equal(key.kid, "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
    base64url_append(&text, (slice){key.public_key, sizeof(key.public_key)});
    assert_slice_equal(buf_slice(&text), "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo");

    slice message = SLICE("eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc");
    assert_int_equal(ed25519_sign(key.seed, message, signature), OK);
    buf_clear(&text);
    base64url_append(&text, (slice){signature, sizeof(signature)});
    assert_slice_equal(buf_slice(&text), "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4"
                                         "iylGjg5BhVsPt9g7sVvpAr_MuM0KAg");

    buf_clear(&text);
    token_keys_jwks(keys, now_us, &text);
    assert_slice_equal(buf_slice(&text), "{\"keys\":[{\"kty\":\"OKP\",\"crv\":\"Ed25519\","
                                         "\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\","
                                         "\"kid\":\"kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k\","
                                         "\"use\":\"sig\",\"alg\":\"EdDSA\"}]}");
}

static void test_one_takes_over_from_another(void **state)
{
    UNUSED(state);
    CLEANUP(leave) struct place place = {0};
    char first[TOKEN_KID_BYTES + 1];
    char second[TOKEN_KID_BYTES + 1];
    enter(&place);
    OWNED(token_keys) keys = NULL;
    assert_int_equal(token_keys_open(place.dir, now_us, &keys, NULL), OK);
    current_kid(keys, first);
    assert_true(verifies(keys, first, now_us + 1000 * HOUR)); /* no successor, no end */
    assert_int_equal(token_keys_rotate(keys, now_us + HOUR, NULL), OK);
    current_kid(keys, second);
    assert_string_not_equal(first, second);

    /* The last token of the first key may live so long, and no longer. */
    int64_t end_us = now_us + 2 * HOUR + 2 * TOKEN_LEEWAY_S * SECOND;
    assert_true(verifies(keys, first, end_us - 1));
    assert_false(verifies(keys, first, end_us));
    assert_true(verifies(keys, second, end_us));
    assert_false(verifies(keys, "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k", now_us));
    assert_false(verifies(keys, "", now_us));

    token_keys_freep(&keys); /* a restart in the overlap, and one behind it */
    assert_int_equal(token_keys_open(place.dir, end_us - 1, &keys, NULL), OK);
    assert_true(verifies(keys, first, end_us - 1));
    token_keys_freep(&keys);
    assert_int_equal(token_keys_open(place.dir, end_us, &keys, NULL), OK);
    assert_false(verifies(keys, first, end_us - 1)); /* its file is gone */
    char current[TOKEN_KID_BYTES + 1];
    current_kid(keys, current);
    assert_string_equal(current, second);
}

static size_t count_keys(struct token_keys *keys, int64_t at_us)
{
    CLEANUP(buf_release) struct buf text = BUF_INIT(TOKEN_JWKS_BYTES_MAX);
    token_keys_jwks(keys, at_us, &text);
    assert_int_equal(buf_check(&text), OK);
    json_t *set = json_loadb((const char *)text.ptr, text.len, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(set);
    size_t count = json_array_size(json_object_get(set, "keys"));
    json_decref(set);
    return count;
}

static void test_rotations_have_a_limit(void **state)
{
    UNUSED(state);
    CLEANUP(leave) struct place place = {0};
    enter(&place);
    OWNED(token_keys) keys = NULL;
    assert_int_equal(token_keys_open(place.dir, now_us, &keys, NULL), OK);
    for (size_t i = 1; i < TOKEN_KEYS_MAX; i++) {
        assert_int_equal(token_keys_rotate(keys, now_us - (int64_t)i * HOUR, NULL), OK);
        assert_int_equal(count_keys(keys, now_us), i + 1); /* though the clock goes back */
    }
    char before[TOKEN_KID_BYTES + 1];
    char after[TOKEN_KID_BYTES + 1];
    current_kid(keys, before);
    assert_int_equal(token_keys_rotate(keys, now_us, NULL), ERR_LIMIT);
    current_kid(keys, after);
    assert_string_equal(before, after);
    assert_int_equal(token_keys_rotate(keys, now_us + 2 * HOUR, NULL), OK);
    assert_int_equal(count_keys(keys, now_us + 2 * HOUR), 2);
}

static void renew_old(void *keys)
{
    assert_int_equal(token_keys_renew(keys, HOUR, now_us + 2 * HOUR, NULL), OK);
}

static void test_of_many_that_find_it_old_one_renews_the_key(void **state)
{
    UNUSED(state);
    CLEANUP(leave) struct place place = {0};
    struct thread threads[4] = {0};
    enter(&place);
    OWNED(token_keys) keys = NULL;
    assert_int_equal(token_keys_open(place.dir, now_us, &keys, NULL), OK);
    assert_int_equal(token_keys_renew(keys, HOUR, now_us + HOUR, NULL), OK);
    assert_int_equal(count_keys(keys, now_us), 1); /* it is not old yet */
    for (size_t i = 0; i < COUNT_OF(threads); i++) {
        assert_int_equal(thread_start(&threads[i], "login", renew_old, keys, NULL), OK);
    }
    for (size_t i = 0; i < COUNT_OF(threads); i++) {
        thread_join(&threads[i]);
    }
    assert_int_equal(count_keys(keys, now_us), 2);
}

static void test_a_stolen_key_ends_at_once(void **state)
{
    UNUSED(state);
    CLEANUP(leave) struct place place = {0};
    char stolen[TOKEN_KID_BYTES + 1];
    enter(&place);
    OWNED(token_keys) keys = NULL;
    assert_int_equal(token_keys_open(place.dir, now_us, &keys, NULL), OK);
    current_kid(keys, stolen);
    uint64_t epoch = token_keys_epoch(keys);
    assert_int_equal(token_keys_rotate(keys, now_us, NULL), OK);
    assert_true(token_keys_epoch(keys) == epoch);
    assert_int_equal(token_keys_replace_all(keys, now_us, NULL), OK);
    assert_true(token_keys_epoch(keys) != epoch);
    assert_false(verifies(keys, stolen, now_us));
    token_keys_freep(&keys);
    assert_int_equal(token_keys_open(place.dir, now_us, &keys, NULL), OK);
    assert_false(verifies(keys, stolen, now_us));
    assert_int_equal(count_keys(keys, now_us), 1);
}

static void test_damaged_directories(void **state)
{
    UNUSED(state);
    CLEANUP(leave) struct place place = {0};
    enter(&place);
    OWNED(token_keys) keys = NULL;
    assert_int_equal(token_keys_open(place.dir, now_us, &keys, NULL), OK);
    char kid[TOKEN_KID_BYTES + 1];
    current_kid(keys, kid);
    token_keys_freep(&keys);

    char name[TOKEN_KID_BYTES + 8];
    (void)snprintf(name, sizeof(name), "%s.key", kid);
    assert_int_equal(file_replace(place.dir, "aside.key.tmp", SLICE("half a key"), NULL), OK);
    assert_int_equal(token_keys_open(place.dir, now_us, &keys, NULL), OK);
    assert_false(dir_has(place.dir, "aside.key.tmp"));
    token_keys_freep(&keys);

    assert_int_equal(dir_rename(place.dir, name, "other.key", NULL), OK);
    assert_int_equal(token_keys_open(place.dir, now_us, &keys, NULL), ERR_CORRUPT);
    assert_int_equal(file_replace(place.dir, "other.key", SLICE("cairn-key 1\n"), NULL), OK);
    assert_int_equal(token_keys_open(place.dir, now_us, &keys, NULL), ERR_CORRUPT);
}

/* A life of a directory, and how far it came. */
struct life {
    char acknowledged[TOKEN_KID_BYTES + 1]; /* the newest key that was promised; "": none */
    int64_t at_us;
};

static enum err rotate_at(struct token_keys *keys, int64_t at_us, struct life *life)
{
    life->at_us = at_us;
    TRY(token_keys_rotate(keys, at_us, NULL));
    current_kid(keys, life->acknowledged);
    return OK;
}

static enum err live(const struct dir *dir, struct life *life)
{
    OWNED(token_keys) keys = NULL;
    *life = (struct life){.at_us = now_us};
    TRY(token_keys_open(dir, now_us, &keys, NULL));
    current_kid(keys, life->acknowledged);
    TRY(rotate_at(keys, now_us + SECOND, life));
    return rotate_at(keys, now_us + 2 * HOUR, life); /* ends the first */
}

/* At once after it the set opens, and knows the key that signed. */
static void check_after(const struct dir *dir, const struct life *life, const char *what,
                        uint64_t n)
{
    OWNED(token_keys) keys = NULL;
    struct diag diag = {0};
    if (token_keys_open(dir, life->at_us, &keys, &diag) != OK) {
        fail_msg("%s at %llu: %s: %s", what, (unsigned long long)n, diag.where, diag.text);
    }
    if (life->acknowledged[0] != '\0' && !verifies(keys, life->acknowledged, life->at_us)) {
        fail_msg("%s at %llu: a key is lost", what, (unsigned long long)n);
    }
}

/* The power goes at any operation. */
static bool cut_power(uint64_t n, uint64_t seed)
{
    OWNED(fault_disk) disk = fault_disk_new();
    CLEANUP(leave) struct place place = {0};
    struct life life;
    enter(&place);
    fault_install(fault_disk_plan(disk));
    fault_disk_cut_at(disk, n);
    bool was_cut = live(place.dir, &life) != OK;
    fault_disk_cut_at(disk, 0);
    fault_disk_lose(disk, seed);
    check_after(place.dir, &life, "cut", n);
    fault_install(NULL);
    return was_cut;
}

/* The same when one operation fails and the program goes on. */
static bool fail_once(uint64_t n)
{
    OWNED(fault_disk) disk = fault_disk_new();
    CLEANUP(leave) struct place place = {0};
    struct life life;
    enter(&place);
    fault_install(fault_disk_plan(disk));
    fault_disk_fail_at(disk, n, 0);
    bool has_failed = live(place.dir, &life) != OK;
    fault_disk_cut_at(disk, 0);
    check_after(place.dir, &life, "failed", n);
    fault_install(NULL);
    return has_failed;
}

static void test_power_cuts_and_failures(void **state)
{
    enum { SEEDS = 16 };
    UNUSED(state);
    uint64_t n = 1;
    for (bool goes_on = true; goes_on; n++) {
        goes_on = false;
        for (uint64_t seed = 0; seed < SEEDS; seed++) {
            goes_on = cut_power(n, seed * 1000 + n) || goes_on;
        }
        goes_on = fail_once(n) || goes_on;
        assert_true(n < 200);
    }
    print_message("# %llu operations\n", (unsigned long long)n - 2);
    assert_true(n > 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vectors),
        cmocka_unit_test(test_one_takes_over_from_another),
        cmocka_unit_test(test_rotations_have_a_limit),
        cmocka_unit_test(test_of_many_that_find_it_old_one_renews_the_key),
        cmocka_unit_test(test_a_stolen_key_ends_at_once),
        cmocka_unit_test(test_damaged_directories),
        cmocka_unit_test(test_power_cuts_and_failures),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
