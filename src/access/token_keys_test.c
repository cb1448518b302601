/* SPDX-License-Identifier: Apache-2.0 */
#include <jansson.h>
#include <stdio.h>

#include "access/token_keys.h"
#include "base/test.h"
#include "codec/base64.h"
#include "os/fault_disk.h"
#include "os/tempdir.h"

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

/* A life of a directory; `acknowledged` is the newest key that was promised. */
static enum err live(const struct dir *dir, char acknowledged[TOKEN_KID_BYTES + 1])
{
    OWNED(token_keys) keys = NULL;
    TRY(token_keys_open(dir, now_us, &keys, NULL));
    current_kid(keys, acknowledged);
    TRY(token_keys_rotate(keys, now_us + SECOND, NULL));
    current_kid(keys, acknowledged);
    TRY(token_keys_rotate(keys, now_us + 2 * HOUR, NULL)); /* ends the first */
    current_kid(keys, acknowledged);
    return OK;
}

/* After a power cut at any operation the set opens, and knows the key that signed. */
static void test_power_cuts(void **state)
{
    UNUSED(state);
    bool was_cut = true;
    for (uint64_t n = 1; was_cut; n++) {
        OWNED(fault_disk) disk = fault_disk_new();
        CLEANUP(leave) struct place place = {0};
        char acknowledged[TOKEN_KID_BYTES + 1] = "";
        enter(&place);
        fault_install(fault_disk_plan(disk));
        fault_disk_cut_at(disk, n);
        was_cut = live(place.dir, acknowledged) != OK;
        fault_disk_cut_at(disk, 0);
        fault_disk_lose(disk, n);
        OWNED(token_keys) keys = NULL;
        struct diag diag = {0};
        if (token_keys_open(place.dir, now_us + 2 * HOUR, &keys, &diag) != OK) {
            fail_msg("cut at %llu: %s: %s", (unsigned long long)n, diag.where, diag.text);
        }
        assert_true(acknowledged[0] == '\0' || verifies(keys, acknowledged, now_us));
        fault_install(NULL);
        assert_true(n < 200);
        print_message("# cut at %llu%s\n", (unsigned long long)n,
                      was_cut ? "" : ": beyond the end");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vectors),
        cmocka_unit_test(test_one_takes_over_from_another),
        cmocka_unit_test(test_rotations_have_a_limit),
        cmocka_unit_test(test_a_stolen_key_ends_at_once),
        cmocka_unit_test(test_damaged_directories),
        cmocka_unit_test(test_power_cuts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
