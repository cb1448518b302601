/* SPDX-License-Identifier: Apache-2.0 */
#include "columns/bloom.h"

#include <stdlib.h>

#include "base/hash.h"
#include "base/mem.h"
#include "codec/wire.h"
#include "filter/tokens.h"

enum {
    ROW_TOKENS_MAX = 65536, /* of one row, duplicates counted; more: its tile holds everything */
    SLOTS_FIRST = 8192,
    BITS_PER_TOKEN = 15,
    BITS_MIN = 64,
    WORD_BITS = 64,
};

struct tile_tokens {
    uint64_t *tokens; /* distinct */
    uint32_t count;
    bool holds_everything;
};

struct bloom_build {
    struct tile_tokens tiles[ROWS_TILES_MAX];
    uint32_t tile_count;
    uint64_t *distinct; /* of the tile that is being filled */
    uint32_t distinct_count;
    uint64_t *slots; /* 0: free. A token of 0 counts as 1 */
    uint64_t secret; /* where a token goes: strangers can make tokens that agree in many bits */
    uint32_t slot_mask;
    bool overflowed;
    uint64_t *row_tokens;
};

struct bloom_build *bloom_build_new(void)
{
    struct bloom_build *build = mem_zeroed(sizeof(*build));
    build->distinct = mem_array(BLOOM_TILE_TOKENS_MAX, sizeof(uint64_t));
    build->slots = mem_array(SLOTS_FIRST, sizeof(uint64_t));
    build->slot_mask = SLOTS_FIRST - 1;
    build->secret = hash_secret();
    build->row_tokens = mem_pages(ROW_TOKENS_MAX * sizeof(uint64_t));
    return build;
}

void bloom_build_free(struct bloom_build *build)
{
    if (build == NULL) {
        return;
    }
    for (uint32_t tile = 0; tile < build->tile_count; tile++) {
        free(build->tiles[tile].tokens);
    }
    free(build->distinct);
    free(build->slots);
    free(build->row_tokens);
    free(build);
}

/* False when it is there already. */
static bool slot_take(uint64_t *slots, uint32_t mask, uint64_t secret, uint64_t token)
{
    uint32_t slot = (uint32_t)hash_u64(token, secret) & mask;
    while (slots[slot] != 0) {
        if (slots[slot] == token) {
            return false;
        }
        slot = (slot + 1) & mask;
    }
    slots[slot] = token;
    return true;
}

static void more_slots(struct bloom_build *build)
{
    uint32_t mask = 2 * build->slot_mask + 1;
    uint64_t *slots = mem_array((size_t)mask + 1, sizeof(uint64_t));
    for (uint32_t i = 0; i < build->distinct_count; i++) {
        (void)slot_take(slots, mask, build->secret, build->distinct[i]);
    }
    free(build->slots);
    build->slots = slots;
    build->slot_mask = mask;
}

static void add_token(struct bloom_build *build, uint64_t token)
{
    token = token == 0 ? 1 : token;
    if (!slot_take(build->slots, build->slot_mask, build->secret, token)) {
        return;
    }
    if (build->distinct_count == BLOOM_TILE_TOKENS_MAX) {
        build->overflowed = true;
        return;
    }
    build->distinct[build->distinct_count++] = token;
    if (build->distinct_count > build->slot_mask / 4 * 3) {
        more_slots(build);
    }
}

void bloom_build_row(struct bloom_build *build, slice data, slice metadata)
{
    struct token_sink sink = {.tokens = build->row_tokens, .capacity = ROW_TOKENS_MAX};
    if (data.len > 0) {
        tokens_of_json(data, FILTER_ON_DATA, &sink);
    }
    if (metadata.len > 0) {
        tokens_of_json(metadata, FILTER_ON_METADATA, &sink);
    }
    build->overflowed = build->overflowed || sink.overflowed;
    for (size_t i = 0; i < sink.count && !build->overflowed; i++) {
        add_token(build, sink.tokens[i]);
    }
}

static void begin_tile(struct bloom_build *build)
{
    memset(build->slots, 0, ((size_t)build->slot_mask + 1) * sizeof(uint64_t));
    build->distinct_count = 0;
    build->overflowed = false;
}

void bloom_build_end_tile(struct bloom_build *build)
{
    ASSERT(build->tile_count < ROWS_TILES_MAX);
    struct tile_tokens *tile = &build->tiles[build->tile_count++];
    tile->holds_everything = build->overflowed;
    if (!build->overflowed && build->distinct_count > 0) {
        tile->count = build->distinct_count;
        tile->tokens = mem_resize(NULL, tile->count * sizeof(uint64_t));
        memcpy(tile->tokens, build->distinct, tile->count * sizeof(uint64_t));
    }
    begin_tile(build);
}

static int compare_counts(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a;
    uint32_t y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

/* Bits for so many tokens, rounded up to whole words. */
static uint32_t rows_for(uint32_t token_count)
{
    uint32_t bits = BITS_PER_TOKEN * token_count;
    bits = bits < BITS_MIN ? BITS_MIN : bits;
    return (bits + WORD_BITS - 1) / WORD_BITS * WORD_BITS;
}

/* Enough for all but the fullest tenth of the tiles. */
static uint32_t rows_wanted(const struct bloom_build *build)
{
    uint32_t counts[ROWS_TILES_MAX];
    for (uint32_t tile = 0; tile < build->tile_count; tile++) {
        const struct tile_tokens *tokens = &build->tiles[tile];
        counts[tile] = tokens->holds_everything ? BLOOM_TILE_TOKENS_MAX : tokens->count;
    }
    qsort(counts, build->tile_count, sizeof(uint32_t), compare_counts);
    return rows_for(counts[(build->tile_count - 1) * 9 / 10]);
}

/* The i-th bit of a token: double hashing of its halves, then the high part of a product. */
static inline uint32_t probe(uint64_t token, uint32_t i, uint32_t row_count)
{
    uint32_t hash = (uint32_t)token + i * ((uint32_t)(token >> 32) | 1);
    return (uint32_t)((uint64_t)hash * row_count >> 32);
}

static void set_tile(const struct tile_tokens *tile, uint32_t row_count, uint64_t *bits)
{
    memset(bits, tile->holds_everything ? 0xff : 0, row_count / 8);
    for (uint32_t i = 0; i < tile->count; i++) {
        for (uint32_t p = 0; p < BLOOM_PROBES; p++) {
            uint32_t bit = probe(tile->tokens[i], p, row_count);
            bits[bit / WORD_BITS] |= UINT64_C(1) << (bit % WORD_BITS);
        }
    }
}

struct bloom_tile *bloom_build_take_tile(struct bloom_build *build)
{
    const struct tile_tokens tokens = {build->distinct, build->distinct_count, build->overflowed};
    uint32_t row_count = rows_for(build->overflowed ? 0 : tokens.count);
    struct bloom_tile *tile = mem_resize(NULL, sizeof(*tile) + row_count / 8);
    tile->row_count = row_count;
    set_tile(&tokens, row_count, tile->bits);
    begin_tile(build);
    return tile;
}

bool bloom_tile_holds(const struct bloom_tile *tile, uint64_t token)
{
    token = token == 0 ? 1 : token;
    for (uint32_t i = 0; i < BLOOM_PROBES; i++) {
        uint32_t bit = probe(token, i, tile->row_count);
        if ((tile->bits[bit / WORD_BITS] >> (bit % WORD_BITS) & 1) == 0) {
            return false;
        }
    }
    return true;
}

/* Bit j of word i becomes bit i of word j. */
static void transpose(uint64_t words[WORD_BITS])
{
    uint64_t mask = UINT64_C(0x00000000ffffffff);
    for (unsigned width = 32; width != 0; width >>= 1, mask ^= mask << width) {
        for (unsigned i = 0; i < WORD_BITS; i = (i + width + 1) & ~width) {
            uint64_t swap = (words[i] >> width ^ words[i + width]) & mask;
            words[i] ^= swap << width;
            words[i + width] ^= swap;
        }
    }
}

/* 64 tiles' words `word` of bits, sliced, into the rows of `out` at byte `column`. */
static void slice_bits(const uint64_t *tile_bits, size_t words_per_tile, size_t word, size_t column,
                       uint8_t *out)
{
    uint64_t words[WORD_BITS];
    for (size_t i = 0; i < WORD_BITS; i++) {
        words[i] = tile_bits[i * words_per_tile + word];
    }
    transpose(words);
    for (size_t i = 0; i < WORD_BITS; i++) {
        wire_put_u64le(out + (word * WORD_BITS + i) * BLOOM_ROW_BYTES + column, words[i]);
    }
}

uint32_t bloom_build_write(const struct bloom_build *build, struct buf *out)
{
    ASSERT(build->tile_count > 0);
    uint32_t row_count = rows_wanted(build);
    size_t words = row_count / WORD_BITS;
    if (!buf_reserve(out, (size_t)row_count * BLOOM_ROW_BYTES)) {
        return 0;
    }
    uint8_t *rows = out->ptr + out->len;
    CLEANUP(mem_freep) uint64_t *tile_bits = mem_array(WORD_BITS * words, sizeof(uint64_t));
    for (uint32_t first = 0; first < ROWS_TILES_MAX; first += WORD_BITS) {
        memset(tile_bits, 0, WORD_BITS * words * sizeof(uint64_t));
        for (uint32_t i = 0; i < WORD_BITS && first + i < build->tile_count; i++) {
            set_tile(&build->tiles[first + i], row_count, tile_bits + i * words);
        }
        for (size_t word = 0; word < words; word++) {
            slice_bits(tile_bits, words, word, first / 8, rows);
        }
    }
    out->len += (size_t)row_count * BLOOM_ROW_BYTES;
    return row_count;
}

void bloom_ask(const struct bloom *bloom, uint64_t token, uint64_t tiles[4])
{
    token = token == 0 ? 1 : token;
    for (uint32_t i = 0; i < bloom->probes; i++) {
        const uint8_t *row =
            bloom->bits + (size_t)probe(token, i, bloom->row_count) * BLOOM_ROW_BYTES;
        for (size_t word = 0; word < 4; word++) {
            tiles[word] &= wire_get_u64le(row + 8 * word);
        }
    }
}
