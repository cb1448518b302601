/* SPDX-License-Identifier: Apache-2.0 */
#include <pthread.h>

#include "base/test.h"
#include "crypto/sha256.h"

static void assert_hex(const uint8_t hash[SHA256_BYTES], const char *expected)
{
    char text[2 * SHA256_BYTES + 1];
    for (size_t i = 0; i < SHA256_BYTES; i++) {
        text[2 * i] = "0123456789abcdef"[hash[i] >> 4];
        text[2 * i + 1] = "0123456789abcdef"[hash[i] & 15];
    }
    text[2 * SHA256_BYTES] = '\0';
    assert_string_equal(text, expected);
}

/* The examples of FIPS 180-4; the last one takes a second block for its padding. */
static const struct {
    const char *text;
    const char *expect;
} messages[] = {
    {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
    {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
    {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
     "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
};

static void test_published_digests(void **state)
{
    UNUSED(state);
    for (size_t i = 0; i < COUNT_OF(messages); i++) {
        uint8_t hash[SHA256_BYTES];
        sha256(slice_from_cstr(messages[i].text), hash);
        assert_hex(hash, messages[i].expect);
    }
}

static void test_two_pieces_hash_as_one(void **state)
{
    UNUSED(state);
    slice text = SLICE("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq");
    for (size_t cut = 0; cut <= text.len; cut++) {
        uint8_t hash[SHA256_BYTES];
        sha256_two((slice){text.ptr, cut}, (slice){text.ptr + cut, text.len - cut}, hash);
        assert_hex(hash, "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
    }
}

static void test_a_slice_without_bytes_may_be_null(void **state)
{
    UNUSED(state);
    uint8_t hash[SHA256_BYTES];
    sha256((slice){0}, hash);
    assert_hex(hash, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    sha256_two((slice){0}, SLICE("abc"), hash);
    assert_hex(hash, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    hmac_sha256((slice){0}, (slice){0}, hash);
    assert_hex(hash, "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

/* RFC 4231, test cases 1, 2 and 6 (a key longer than a block). */
static void test_published_authentication_codes(void **state)
{
    UNUSED(state);
    uint8_t hash[SHA256_BYTES];
    uint8_t key[131];
    memset(key, 0x0b, 20);
    hmac_sha256((slice){key, 20}, SLICE("Hi There"), hash);
    assert_hex(hash, "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
    hmac_sha256(SLICE("Jefe"), SLICE("what do ya want for nothing?"), hash);
    assert_hex(hash, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    memset(key, 0xaa, sizeof(key));
    hmac_sha256((slice){key, sizeof(key)},
                SLICE("Test Using Larger Than Block-Size Key - Hash Key First"), hash);
    assert_hex(hash, "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

static void test_secrets_are_equal_only_byte_for_byte(void **state)
{
    UNUSED(state);
    assert_true(secret_equal(SLICE("token"), SLICE("token")));
    assert_true(secret_equal((slice){0}, SLICE("")));
    assert_false(secret_equal(SLICE("token"), SLICE("tokeN")));
    assert_false(secret_equal(SLICE("token"), SLICE("Token")));
    assert_false(secret_equal(SLICE("token"), SLICE("toke")));
    assert_false(secret_equal(SLICE(""), SLICE("t")));
}

static void *hash_often(void *wrong_out)
{
    size_t wrong = 0;
    uint8_t expected[SHA256_BYTES];
    sha256(SLICE("abc"), expected);
    for (size_t i = 0; i < 10000; i++) {
        uint8_t hash[SHA256_BYTES];
        sha256_two(SLICE("a"), SLICE("bc"), hash);
        wrong += memcmp(hash, expected, sizeof(hash)) != 0;
    }
    *(size_t *)wrong_out = wrong;
    return NULL;
}

/* Under LeakSanitizer this also shows that an ended thread leaves no context behind. */
static void test_threads_do_not_share_a_digest(void **state)
{
    UNUSED(state);
    pthread_t threads[4];
    size_t wrong[COUNT_OF(threads)];
    for (size_t i = 0; i < COUNT_OF(threads); i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, hash_often, &wrong[i]), 0);
    }
    for (size_t i = 0; i < COUNT_OF(threads); i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_int_equal(wrong[i], 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_published_digests),
        cmocka_unit_test(test_two_pieces_hash_as_one),
        cmocka_unit_test(test_a_slice_without_bytes_may_be_null),
        cmocka_unit_test(test_published_authentication_codes),
        cmocka_unit_test(test_secrets_are_equal_only_byte_for_byte),
        cmocka_unit_test(test_threads_do_not_share_a_digest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
