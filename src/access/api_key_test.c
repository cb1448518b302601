/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "access/api_key.h"
#include "base/test.h"
#include "os/clock.h"

#define ID     "0123abcd"
#define SECRET "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

static void test_a_new_key(void **state)
{
    UNUSED(state);
    struct api_key one, two;
    slice prefix = {0};
    api_key_make(api_key_environment(true), &one);
    api_key_make(api_key_environment(false), &two);
    assert_memory_equal(one.text, "cairn_live_", 11);
    assert_memory_equal(two.text, "cairn_dev_", 10);
    assert_int_equal(strlen(one.text), strlen("cairn_live_" ID "_" SECRET));
    assert_string_not_equal(one.prefix, two.prefix);
    slice text = slice_from_cstr(one.text);
    assert_true(api_key_prefix(text, &prefix));
    assert_slice_equal(prefix, one.prefix);
    assert_true(prefix.ptr == text.ptr + 11);
    assert_true(api_key_matches(text, one.hash));
    assert_false(api_key_matches(text, two.hash));
}

/* SHA-256 of the text, as any tool makes it. */
static void test_the_hash(void **state)
{
    UNUSED(state);
    static const uint8_t expected[SHA256_BYTES] = {0xe9, 0x73, 0xf2, 0x4a, 0x78, 0x2f, 0xd4, 0xbb,
                                                   0x2b, 0x68, 0x1b, 0xe8, 0x65, 0xa9, 0xdf, 0x37,
                                                   0x8b, 0x59, 0x22, 0xe4, 0xb6, 0x6f, 0x50, 0x60,
                                                   0xcd, 0x0d, 0xd8, 0x43, 0xc0, 0xfe, 0x45, 0x75};
    assert_true(api_key_matches(SLICE("cairn_dev_" ID "_" SECRET), expected));
}

static void test_every_bit_counts(void **state)
{
    UNUSED(state);
    struct api_key key;
    slice prefix = {0};
    api_key_make(api_key_environment(true), &key);
    slice text = slice_from_cstr(key.text);
    for (size_t bit = 0; bit < 8 * text.len; bit++) {
        key.text[bit / 8] = (char)(key.text[bit / 8] ^ (1 << bit % 8));
        bool has_form = api_key_prefix(text, &prefix);
        assert_false(has_form && api_key_matches(text, key.hash));
        key.text[bit / 8] = (char)(key.text[bit / 8] ^ (1 << bit % 8));
    }
}

static void test_texts_that_are_no_keys(void **state)
{
    UNUSED(state);
    static const char *const bad[] = {
        "",
        "cairn",
        "cairn_",
        "cairn_live",
        "cairn_live_",
        "cairn_live_" ID,
        "cairn_live_" ID "_",
        "cairn__" ID "_" SECRET,
        "cairn_prod_" ID "_" SECRET,
        "cairn_LIVE_" ID "_" SECRET,
        "cairn_live_live_" ID "_" SECRET,
        "Cairn_live_" ID "_" SECRET,
        "cairn-live-" ID "-" SECRET,
        "cairn_live_0123ABCD_" SECRET,
        "cairn_live_0123abcg_" SECRET,
        "cairn_live_0123abc_" SECRET,
        "cairn_live_0123abcde_" SECRET,
        "cairn_live_" ID "_" SECRET "A",
        "cairn_live_" ID "_" SECRET "=",
        "cairn_live_" ID "_" SECRET "\n",
        " cairn_live_" ID "_" SECRET,
        "cairn_live_" ID "_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",  /* short */
        "cairn_live_" ID "_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB", /* bits left over */
        "cairn_live_" ID "_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA+AA", /* the other alphabet */
        "cairn_live_" ID "_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\xc3\xa9"
        "A",
    };
    slice prefix = SLICE("untouched");
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        print_message("# row %zu\n", i);
        assert_false(api_key_prefix(slice_from_cstr(bad[i]), &prefix));
        assert_slice_equal(prefix, "untouched");
    }
    assert_true(api_key_prefix(SLICE("cairn_live_" ID "_" SECRET), &prefix));
    assert_slice_equal(prefix, ID);
}

static void test_what_it_costs(void **state)
{
    enum { ROUNDS = 500000 };
    UNUSED(state);
    struct api_key key;
    slice prefix = {0};
    api_key_make(api_key_environment(true), &key);
    slice text = slice_from_cstr(key.text);
    int64_t began_us = clock_monotonic_us();
    for (size_t i = 0; i < ROUNDS; i++) {
        assert_true(api_key_prefix(text, &prefix) && api_key_matches(text, key.hash));
    }
    print_message("# form, hash and comparison take %.3f us\n",
                  (double)(clock_monotonic_us() - began_us) / ROUNDS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_new_key),        cmocka_unit_test(test_the_hash),
        cmocka_unit_test(test_every_bit_counts), cmocka_unit_test(test_texts_that_are_no_keys),
        cmocka_unit_test(test_what_it_costs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
