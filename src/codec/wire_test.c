/* SPDX-License-Identifier: Apache-2.0 */
#include "base/test.h"
#include "codec/wire.h"

static void test_integers_have_their_order(void **state)
{
    UNUSED(state);
    static const uint8_t bytes[] = {0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef};
    assert_int_equal(wire_get_u16le(bytes), 0x2301);
    assert_int_equal(wire_get_u16be(bytes), 0x0123);
    assert_int_equal(wire_get_u32le(bytes + 4), 0xefcdab89u);
    assert_int_equal(wire_get_u32be(bytes + 4), 0x89abcdefu);
    assert_true(wire_get_u64le(bytes) == 0xefcdab8967452301u);
    assert_true(wire_get_u64be(bytes) == 0x0123456789abcdefu);
}

static void test_what_is_put_is_got(void **state)
{
    UNUSED(state);
    uint8_t bytes[9] = {0}; /* at an odd address */
    wire_put_u16le(bytes + 1, 0xfedc);
    assert_memory_equal(bytes + 1, "\xdc\xfe", 2);
    wire_put_u16be(bytes + 1, 0xfedc);
    assert_memory_equal(bytes + 1, "\xfe\xdc", 2);
    wire_put_u32le(bytes + 1, 0xfedcba98u);
    assert_memory_equal(bytes + 1, "\x98\xba\xdc\xfe", 4);
    wire_put_u32be(bytes + 1, 0xfedcba98u);
    assert_memory_equal(bytes + 1, "\xfe\xdc\xba\x98", 4);
    wire_put_u64le(bytes + 1, 0xfedcba9876543210u);
    assert_memory_equal(bytes + 1, "\x10\x32\x54\x76\x98\xba\xdc\xfe", 8);
    wire_put_u64be(bytes + 1, 0xfedcba9876543210u);
    assert_memory_equal(bytes + 1, "\xfe\xdc\xba\x98\x76\x54\x32\x10", 8);
    assert_int_equal(bytes[0], 0);
}

struct varint_row {
    uint64_t number;
    const char *bytes;
    size_t len;
};

static void test_varints_are_the_shortest(void **state)
{
    UNUSED(state);
    static const struct varint_row rows[] = {
        {0, "\x00", 1},
        {127, "\x7f", 1},
        {128, "\x80\x01", 2},
        {300, "\xac\x02", 2},
        {16383, "\xff\x7f", 2},
        {16384, "\x80\x80\x01", 3},
        {UINT32_MAX, "\xff\xff\xff\xff\x0f", 5},
        {1ull << 63, "\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01", 10},
        {UINT64_MAX, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 10},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        uint8_t out[WIRE_VARINT_BYTES_MAX + 1] = {0};
        assert_int_equal(wire_put_varint(out, rows[i].number), rows[i].len);
        assert_memory_equal(out, rows[i].bytes, rows[i].len);

        slice s = {out, rows[i].len + 1}; /* what follows stays */
        uint64_t number = 0;
        assert_true(wire_take_varint(&s, &number));
        assert_true(number == rows[i].number);
        assert_int_equal(s.len, 1);
    }
}

static void test_bad_varints_take_nothing(void **state)
{
    UNUSED(state);
    static const slice rows[] = {
        SLICE_INIT(""),                                             /* nothing there */
        SLICE_INIT("\x80"),                                         /* cut */
        SLICE_INIT("\xff\xff\xff\xff"),                             /* cut */
        SLICE_INIT("\x80\x00"),                                     /* 0, too long */
        SLICE_INIT("\xff\x80\x00"),                                 /* 127, too long */
        SLICE_INIT("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02"),     /* 2^64 and more */
        SLICE_INIT("\x80\x80\x80\x80\x80\x80\x80\x80\x80\x00"),     /* 0 in ten */
        SLICE_INIT("\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01"), /* eleven */
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        slice s = rows[i];
        uint64_t number = 42;
        assert_false(wire_take_varint(&s, &number));
        assert_int_equal(number, 42);
        assert_ptr_equal(s.ptr, rows[i].ptr);
        assert_int_equal(s.len, rows[i].len);
    }
}

static void test_bytes_are_taken_whole_or_not_at_all(void **state)
{
    UNUSED(state);
    slice s = SLICE("abcdef"), piece = {0};
    assert_true(wire_take_bytes(&s, 2, &piece));
    assert_slice_equal(piece, "ab");
    assert_false(wire_take_bytes(&s, 5, &piece));
    assert_slice_equal(piece, "ab");
    assert_slice_equal(s, "cdef");
    assert_true(wire_take_bytes(&s, 4, &piece));
    assert_true(wire_take_bytes(&s, 0, &piece));
    assert_int_equal(piece.len, 0);
    assert_false(wire_take_bytes(&s, SIZE_MAX, &piece));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_integers_have_their_order),
        cmocka_unit_test(test_what_is_put_is_got),
        cmocka_unit_test(test_varints_are_the_shortest),
        cmocka_unit_test(test_bad_varints_take_nothing),
        cmocka_unit_test(test_bytes_are_taken_whole_or_not_at_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
