/* SPDX-License-Identifier: Apache-2.0 */
/* The encodings of columns, each against what it was made from. */
#include <stdio.h>
#include <stdlib.h>

#include "base/hash.h"
#include "base/mem.h"
#include "base/test.h"
#include "columns/bloom_live.h"
#include "columns/codes.h"
#include "columns/dictionary.h"
#include "columns/ids.h"
#include "columns/numbers.h"
#include "columns/row_set.h"
#include "columns/rows_memory.h"
#include "columns/value_sort.h"
#include "filter/tokens.h"

static uint64_t seed = 1;

static uint64_t next(uint64_t below)
{
    seed = hash_u64(seed, 7);
    return seed % below;
}

/* ---- value_sort ---- */

static int compare_slices(const void *a, const void *b)
{
    return slice_compare(*(const slice *)a, *(const slice *)b);
}

static size_t distinct(slice *values, size_t count)
{
    size_t kept = 0;
    qsort(values, count, sizeof(*values), compare_slices);
    for (size_t i = 0; i < count; i++) {
        if (kept == 0 || !slice_equal(values[kept - 1], values[i])) {
            values[kept++] = values[i];
        }
    }
    return kept;
}

static void test_value_sort(void **state)
{
    enum { COUNT = 3000, BYTES = 40 };
    static uint8_t bytes[COUNT][BYTES];
    static slice sorted[COUNT], values[COUNT];
    static uint32_t order[COUNT];
    UNUSED(state);
    for (size_t round = 0; round < 12; round++) {
        size_t count = (size_t)next(COUNT) + 1;
        size_t shared = round % 3 * 9; /* beginnings that all share */
        for (size_t i = 0; i < count; i++) {
            size_t len = shared + (size_t)next(BYTES - shared);
            memset(bytes[i], 'a', BYTES);
            for (size_t b = shared; b < len; b++) {
                bytes[i][b] = round % 2 == 0 ? (uint8_t)next(2) : (uint8_t)(next(4) * 85);
            }
            sorted[i] = (slice){bytes[i], len};
        }
        count = distinct(sorted, count);
        for (size_t i = 0; i < count; i++) {
            order[i] = (uint32_t)i;
            values[i] = sorted[(i * 7919) % count];
        }
        if (count % 7919 == 0) {
            continue;
        }
        values_sort(values, order, count);
        for (size_t i = 0; i < count; i++) {
            assert_true(slice_equal(values[order[i]], sorted[i]));
        }
    }
}

/* ---- dictionary ---- */

struct dictionary_case {
    enum dictionary_encoding encoding;
    const char *format; /* of a number */
    uint32_t count;
};

static void test_dictionary(void **state)
{
    static const struct dictionary_case cases[] = {
        {DICTIONARY_UUID, "%08x-0000-4000-8000-0123456789ab", 100},
        {DICTIONARY_HEX, "%08x", 100},
        {DICTIONARY_SHARED, "user-%08x", 100},
        {DICTIONARY_SHARED, "USER %08X", 33},
        {DICTIONARY_SHARED, "%07x", 16}, /* an odd length is no HEX */
        {DICTIONARY_SHARED, "%08x-0000-4000-8000-0123456789aB", 3},
        {DICTIONARY_PLAIN, "%08x%0300d", 40},
        {DICTIONARY_SHARED, "x", 1},
    };
    static char texts[100][400];
    UNUSED(state);
    for (size_t c = 0; c < COUNT_OF(cases); c++) {
        CLEANUP(buf_release) struct buf bytes = BUF_INIT(MIB(1));
        slice values[100];
        uint32_t order[100];
        struct dictionary dictionary;
        char scratch[DICTIONARY_SCRATCH_BYTES];
        for (uint32_t i = 0; i < cases[c].count; i++) {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
            (void)snprintf(texts[i], sizeof(texts[i]), cases[c].format, i * 40503u, 7);
#pragma GCC diagnostic pop
            values[i] = slice_from_cstr(texts[i]);
            order[i] = i;
        }
        values_sort(values, order, cases[c].count);
        dictionary_write(values, order, cases[c].count, &bytes, &dictionary);
        dictionary.bytes = buf_slice(&bytes);
        assert_int_equal(dictionary.encoding, cases[c].encoding);
        assert_true(dictionary_is_sound(&dictionary));
        for (uint32_t i = 0; i < cases[c].count; i++) {
            assert_true(slice_equal(dictionary_value(&dictionary, i, scratch), values[order[i]]));
        }
        for (size_t len = 0; len < bytes.len; len++) { /* never reads behind the end */
            CLEANUP(mem_freep) uint8_t *cut = mem_zeroed(len + 1);
            memcpy(cut, bytes.ptr, len);
            dictionary.bytes = (slice){cut, len};
            if (dictionary_is_sound(&dictionary)) {
                (void)dictionary_value(&dictionary, cases[c].count - 1, scratch);
            }
        }
    }
}

/* ---- numbers ---- */

static void test_numbers(void **state)
{
    static const uint64_t spans[] = {1, 2, 255, 256, 65535, 65536, 1ull << 33, UINT64_MAX / 3};
    static int64_t numbers[1000], back[1000];
    UNUSED(state);
    for (size_t s = 0; s < COUNT_OF(spans); s++) {
        for (uint32_t some_absent = 0; some_absent < 3; some_absent++) {
            CLEANUP(buf_release) struct buf bytes = BUF_INIT(MIB(1));
            uint32_t count = 600 + (uint32_t)next(400);
            for (uint32_t i = 0; i < count; i++) {
                bool absent = some_absent > 0 && next(3) < some_absent;
                numbers[i] = absent ? ROWS_ABSENT : (int64_t)next(spans[s]) - 100;
            }
            numbers_write(numbers, count, &bytes);
            assert_true(numbers_is_sound(buf_slice(&bytes), count));
            numbers_read(buf_slice(&bytes), count, 0, count, back);
            assert_memory_equal(numbers, back, count * sizeof(*back));
            for (uint32_t i = 0; i < 50; i++) {
                uint32_t first = (uint32_t)next(count);
                uint32_t n = (uint32_t)next(count - first) + 1;
                numbers_read(buf_slice(&bytes), count, first, n, back);
                assert_memory_equal(numbers + first, back, n * sizeof(*back));
            }
        }
    }
}

static void test_numbers_extremes(void **state)
{
    const int64_t numbers[] = {INT64_MAX, ROWS_ABSENT + 1, ROWS_ABSENT, 0, -1};
    int64_t back[COUNT_OF(numbers)];
    CLEANUP(buf_release) struct buf bytes = BUF_INIT(KIB(4));
    UNUSED(state);
    numbers_write(numbers + 2, 3, &bytes);
    numbers_read(buf_slice(&bytes), 3, 0, 3, back);
    assert_memory_equal(back, numbers + 2, 3 * sizeof(*back));
    buf_clear(&bytes);
    numbers_write(numbers, 2, &bytes);
    numbers_read(buf_slice(&bytes), 2, 0, 2, back);
    assert_memory_equal(back, numbers, 2 * sizeof(*back));
}

/* ---- ids ---- */

static void test_ids(void **state)
{
    static const struct {
        int64_t spread_ms;
        uint8_t version;
        size_t bytes_each;
    } cases[] = {
        {1, 0x70, 10}, {100, 0x70, 11}, {30000, 0x70, 12}, {40000, 0x70, 16}, {1, 0x40, 16}};
    static struct uuid ids[300];
    static int64_t times[300];
    struct row_set gone = {0};
    UNUSED(state);
    row_set_add(&gone, 5);
    for (size_t c = 0; c < COUNT_OF(cases); c++) {
        CLEANUP(buf_release) struct buf bytes = BUF_INIT(KIB(16));
        for (uint32_t i = 0; i < 300; i++) {
            uint8_t random[10] = {(uint8_t)i, 1, 2, 3, 4, 5, 6, 7, 8, 9};
            times[i] = INT64_C(1700000000000000) + i * 777;
            int64_t off = i % 2 == 0 ? 0 : cases[c].spread_ms - 1;
            ids[i] = uuid_make_v7(times[i] / 1000 * 1000 - off * 1000, random);
            ids[i].bytes[6] = (uint8_t)((ids[i].bytes[6] & 0x0f) | cases[c].version);
        }
        ids_write(ids, times, &gone, 300, &bytes);
        assert_int_equal(bytes.len, 2 * 4 + 300 * cases[c].bytes_each);
        assert_true(ids_is_sound(buf_slice(&bytes), 300));
        for (uint32_t i = 0; i < 300; i++) {
            struct uuid id;
            ids_read(buf_slice(&bytes), 300, i, i == 5 ? ROWS_ABSENT : times[i], &id);
            const struct uuid none = {0};
            assert_memory_equal(&id, i == 5 ? &none : &ids[i], sizeof(id));
        }
    }
}

/* ---- bloom ---- */

static void test_bloom(void **state)
{
    enum { TILES = 70, ROWS = 40 };
    OWNED(bloom_build) build = bloom_build_new();
    CLEANUP(buf_release) struct buf bits = BUF_INIT(MIB(16));
    char json[64];
    UNUSED(state);
    for (uint32_t tile = 0; tile < TILES; tile++) {
        for (uint32_t row = 0; row < ROWS; row++) {
            (void)snprintf(json, sizeof(json), "{\"n\":%u}", tile * 1000 + row);
            bloom_build_row(build, slice_from_cstr(json), (slice){0});
        }
        bloom_build_end_tile(build);
    }
    struct bloom bloom = {.row_count = bloom_build_write(build, &bits), .probes = BLOOM_PROBES};
    bloom.bits = bits.ptr;
    assert_int_equal(bits.len, (size_t)bloom.row_count * BLOOM_ROW_BYTES);
    size_t wrong = 0;
    for (uint32_t n = 0; n < TILES * 1000; n += 9) {
        CLEANUP(arena_release) struct arena arena = ARENA_INIT(KIB(64));
        const struct filter_context context = {0};
        const struct filter *leaf = NULL;
        struct leaf_tokens tokens;
        uint64_t tiles[4] = {UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX};
        (void)snprintf(json, sizeof(json), "%u", n);
        assert_int_equal(filter_make_leaf(SLICE("data.n"), FILTER_EQUAL, slice_from_cstr(json),
                                          &context, &arena, &leaf, NULL),
                         OK);
        tokens_of_leaf(leaf, &tokens);
        bloom_ask(&bloom, tokens.all_of[0].any_of[1], tiles);
        uint32_t tile = n / 1000;
        bool is_there = n % 1000 < ROWS;
        assert_true(!is_there || (tiles[tile / 64] >> (tile % 64) & 1) != 0);
        for (size_t word = 0; word < 4; word++) {
            wrong += (size_t)__builtin_popcountll(tiles[word]);
        }
        wrong -= is_there ? 1 : 0;
    }
    assert_true(wrong < TILES * 1000 / 9 * TILES / 500); /* 0.2 % */
}

/* A tile of more tokens than a filter may have holds everything. */
static void test_bloom_overflow(void **state)
{
    OWNED(bloom_build) build = bloom_build_new();
    CLEANUP(buf_release) struct buf bits = BUF_INIT(MIB(16));
    CLEANUP(buf_release) struct buf json = BUF_INIT(MIB(4));
    uint64_t tiles[4] = {UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX};
    UNUSED(state);
    bloom_build_end_tile(build);
    buf_append_byte(&json, '[');
    for (uint32_t i = 0; i < 2 * BLOOM_TILE_TOKENS_MAX; i++) {
        buf_append_format(&json, "%u,", i);
    }
    buf_append_cstr(&json, "0]");
    bloom_build_row(build, buf_slice(&json), (slice){0});
    bloom_build_end_tile(build);
    struct bloom bloom = {.row_count = bloom_build_write(build, &bits), .probes = BLOOM_PROBES};
    bloom.bits = bits.ptr;
    bloom_ask(&bloom, 12345, tiles);
    assert_true(tiles[0] == 2);
}

/* ---- bloom_live ---- */

enum { LIVE_ROWS = 5 * ROWS_TILE + 100 };

/* A full tile has what was put there and little else; rows behind the last full one may have
 * anything. */
static void ask_all(struct bloom_live *live, const struct rows *rows)
{
    size_t wrong = 0;
    for (uint32_t row = 0; row < LIVE_ROWS; row += 7) {
        uint64_t tiles[4] = {UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX};
        char text[16];
        (void)snprintf(text, sizeof(text), "word%u", row);
        const struct filter leaf = {.op = FILTER_WORDS,
                                    .target = FILTER_ON_ANY,
                                    .text = slice_from_cstr(text)};
        struct leaf_tokens tokens;
        tokens_of_leaf(&leaf, &tokens);
        bloom_live_ask(live, rows, tokens.all_of[0].any_of[0], tiles);
        assert_true((tiles[0] >> (row / ROWS_TILE) & 1) != 0);
        assert_true(tiles[0] >> (LIVE_ROWS / ROWS_TILE) == UINT64_MAX >> (LIVE_ROWS / ROWS_TILE));
        tiles[0] &= ~(UINT64_C(1) << (row / ROWS_TILE));
        wrong += (size_t)__builtin_popcountll(tiles[0] & ((1u << (LIVE_ROWS / ROWS_TILE)) - 1));
    }
    assert_true(wrong < 10);
}

static void test_readers_make_live_filters(void **state)
{
    static struct event events[LIVE_ROWS];
    static char texts[LIVE_ROWS][32];
    static struct bloom_live live;
    UNUSED(state);
    for (uint32_t row = 0; row < LIVE_ROWS; row++) {
        int len = snprintf(texts[row], sizeof(texts[row]), "{\"a\":\"word%u\"}", row);
        events[row].present = FIELD_BIT(FIELD_EVENT_DATA);
        events[row].value[FIELD_EVENT_DATA].text =
            (slice){(const uint8_t *)texts[row], (size_t)len};
    }
    struct rows *rows = rows_memory_new(events, LIVE_ROWS, 0, NULL);
    ask_all(&live, rows); /* makes them */
    ask_all(&live, rows); /* has them */
    bloom_live_release(&live);
    rows_memory_free(rows);
}

/* ---- codes ---- */

static void test_codes(void **state)
{
    enum { COUNT = 1000 };
    static uint8_t u8[COUNT];
    static uint16_t u16[COUNT];
    static uint32_t u32[COUNT];
    static const void *const codes[] = {u8, u16, u32};
    static const enum rows_code_width widths[] = {ROWS_CODE_U8, ROWS_CODE_U16, ROWS_CODE_U32};
    static const uint32_t limits[] = {256, 65536, 70000};
    UNUSED(state);
    for (size_t w = 0; w < COUNT_OF(widths); w++) {
        for (size_t i = 0; i < COUNT; i++) {
            uint32_t code = (uint32_t)next(next(2) == 0 ? 4 : limits[w]);
            code = next(9) == 0 ? limits[w] - 1 : code;
            u8[i] = (uint8_t)code;
            u16[i] = (uint16_t)code;
            u32[i] = code;
        }
        struct rows_text_column column = {.codes = codes[w], .width = widths[w]};
        for (size_t round = 0; round < 300; round++) {
            uint32_t first = (uint32_t)next(next(2) == 0 ? 3 : limits[w] + 10);
            uint32_t n = (uint32_t)next(next(2) == 0 ? 3 : limits[w] + 10) + 1;
            uint32_t count = (uint32_t)next(COUNT + 1);
            struct row_set set = {0};
            uint64_t table[70100 / 64 + 1] = {0};
            struct row_set by_table = {0};
            codes_in_range(&column, count, first, n, &set);
            for (uint32_t code = first; code < first + n && code < 70100; code++) {
                table[code / 64] |= UINT64_C(1) << (code % 64);
            }
            codes_in_table(&column, count, table, 70100, &by_table);
            for (uint32_t row = 0; row < COUNT; row++) {
                uint32_t code = code_of_row(&column, row);
                bool expected = row < count && code >= first && code < first + n;
                assert_int_equal(row_set_has(&set, row), expected);
                assert_int_equal(row_set_has(&by_table, row), expected);
            }
        }
    }
}

/* ---- row_set ---- */

static void test_row_set(void **state)
{
    struct row_set set;
    UNUSED(state);
    row_set_fill(&set, 130);
    assert_int_equal(row_set_count(&set), 130);
    assert_int_equal(row_set_next(&set, 129), 129);
    assert_int_equal(row_set_next(&set, 130), ROWS_MAX);
    assert_int_equal(row_set_previous(&set, ROWS_MAX), 129);
    assert_int_equal(row_set_previous(&set, 64), 63);
    assert_int_equal(row_set_previous(&set, 0), ROWS_MAX);
    row_set_remove(&set, 0);
    assert_int_equal(row_set_previous(&set, 1), ROWS_MAX);
    assert_int_equal(row_set_next(&set, 0), 1);
    row_set_fill(&set, ROWS_MAX);
    assert_int_equal(row_set_next(&set, ROWS_MAX - 1), ROWS_MAX - 1);
    assert_int_equal(row_set_count(&set), ROWS_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_value_sort),
        cmocka_unit_test(test_dictionary),
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_numbers_extremes),
        cmocka_unit_test(test_ids),
        cmocka_unit_test(test_bloom),
        cmocka_unit_test(test_bloom_overflow),
        cmocka_unit_test(test_readers_make_live_filters),
        cmocka_unit_test(test_codes),
        cmocka_unit_test(test_row_set),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
