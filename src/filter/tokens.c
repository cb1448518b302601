/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tokens, as docs/format/tokens.md lays them down. With H(bytes, seed) = hash_bytes() and
 * U(number, seed) = hash_u64() of base/hash.h:
 *
 *   path of event_data       P = U(1, HASH_STORED)
 *   path of event_metadata   P = U(2, HASH_STORED)
 *   path one key further     P' = H(key, P)          arrays add nothing
 *   text at a path           H(text, U(3, P))        the first 256 bytes; true, false, null too
 *   number at a path         H(decimal, U(4, P))     as json_decimal_normalise(); "" past 64 bytes
 *   word                     H(word, U(5, HASH_STORED))   lower case, the first 64 bytes
 *
 * Keys, texts and words are taken without their JSON escapes. Cutting long ones keeps the cost of
 * hostile events bounded and loses nothing: tokens only exclude, filter_match() decides.
 *
 * This runs for every event that is sealed; it is the reason for the care below.
 */
#include "filter/tokens.h"

#include "base/hash.h"
#include "base/mem.h"
#include "codec/json.h"
#include "filter/words.h"

enum {
    ROOT_DATA = 1,
    ROOT_METADATA = 2,
    SEED_TEXT = 3,
    SEED_NUMBER = 4,
    SEED_WORD = 5,
    TEXT_BYTES_MAX = 256,
    WORD_BYTES_MAX = 64,
    DECIMAL_BYTES_MAX = 64,
    SCRATCH_BYTES = 1024,
    WINDOW_BYTES = 64, /* of a string, looked at together; as many as a mask has bits */
};

static_assert((int)WINDOW_BYTES == (int)WORD_BYTES_MAX, "a word that fills a window is cut there");

/* The last n < 8 bytes as hash_bytes() reads them, without a call of memcpy(). */
static inline uint64_t load_tail(const uint8_t *p, size_t n)
{
    if (n >= 4) {
        uint32_t first = 0;
        uint32_t last = 0;
        memcpy(&first, p, sizeof(first));
        memcpy(&last, p + n - sizeof(last), sizeof(last));
        return first | (uint64_t)last << (8 * (n - sizeof(last)));
    }
    uint64_t word = p[0];
    word |= n > 1 ? (uint64_t)p[1] << 8 : 0;
    word |= n > 2 ? (uint64_t)p[2] << 16 : 0;
    return word;
}

/* hash_bytes(), for the short texts that keys, values and words are. The test compares them. */
static inline uint64_t hash_short(const uint8_t *p, size_t n, uint64_t seed)
{
    uint64_t h = seed ^ ((uint64_t)n * UINT64_C(0x9e3779b97f4a7c15));
    while (n >= 8) {
        uint64_t word = 0;
        memcpy(&word, p, sizeof(word));
        h = hash_mix(h ^ word, UINT64_C(0xa0761d6478bd642f));
        p += 8;
        n -= 8;
    }
    if (n > 0) {
        h = hash_mix(h ^ load_tail(p, n), UINT64_C(0xe7037ed1a0b428db));
    }
    return hash_mix(h ^ UINT64_C(0x8ebc6af09c88c6e3), UINT64_C(0x589965cc75374cc3));
}

static inline uint64_t text_token(slice text, uint64_t path)
{
    size_t len = text.len < TEXT_BYTES_MAX ? text.len : TEXT_BYTES_MAX;
    return hash_short(text.ptr, len, hash_u64(SEED_TEXT, path));
}

static uint64_t number_token(slice number, uint64_t path)
{
    char decimal[DECIMAL_BYTES_MAX];
    size_t len = json_decimal_normalise(number, decimal, sizeof(decimal));
    return hash_short((const uint8_t *)decimal, len, hash_u64(SEED_NUMBER, path));
}

static inline uint64_t word_token(const uint8_t *lower, size_t len)
{
    return hash_short(lower, len, hash_u64(SEED_WORD, HASH_STORED));
}

static inline uint64_t root_path(enum filter_target root)
{
    return hash_u64(root == FILTER_ON_METADATA ? ROOT_METADATA : ROOT_DATA, HASH_STORED);
}

static inline void emit(struct token_sink *sink, uint64_t token)
{
    if (sink->count == sink->capacity) {
        sink->overflowed = true;
        return;
    }
    sink->tokens[sink->count++] = token;
}

/* Where the words of the first (up to 64) bytes of `text` are, as bits, and their lower case.
 * `limit`: the bytes before it may be read. */
static uint64_t find_words(slice text, const uint8_t *limit, uint8_t lower[WINDOW_BYTES])
{
    uint64_t mask = 0;
    size_t len = text.len < WINDOW_BYTES ? text.len : WINDOW_BYTES;
    for (size_t at = 0; at < len; at += WORDS_BLOCK) {
        uint8_t copy[WORDS_BLOCK] = {0};
        const uint8_t *block = text.ptr + at;
        if (limit - block < WORDS_BLOCK) {
            memcpy(copy, block, (size_t)(limit - block));
            block = copy;
        }
        mask |= (uint64_t)words_block(block, lower + at) << at;
    }
    return len == WINDOW_BYTES ? mask : mask & ((UINT64_C(1) << len) - 1);
}

/* The words of one window; returns how many bytes of `text` are done with. */
static size_t emit_window(slice text, const uint8_t *limit, struct token_sink *sink)
{
    uint8_t lower[WINDOW_BYTES];
    uint64_t mask = find_words(text, limit, lower);
    while (mask != 0) {
        unsigned from = (unsigned)__builtin_ctzll(mask);
        uint64_t gaps = ~(mask >> from); /* not 0 unless the word fills the window */
        unsigned len = gaps == 0 ? WINDOW_BYTES : (unsigned)__builtin_ctzll(gaps);
        if (from + len == WINDOW_BYTES && from > 0 && text.len > WINDOW_BYTES) {
            return from; /* it may go on: the next window begins with it */
        }
        emit(sink, word_token(lower + from, len));
        if (from + len == WINDOW_BYTES) {
            break;
        }
        mask &= ~UINT64_C(0) << (from + len);
    }
    size_t done = text.len < WINDOW_BYTES ? text.len : WINDOW_BYTES;
    while (mask != 0 && done < text.len && byte_is_word(text.ptr[done])) {
        done++; /* the rest of a word longer than a window */
    }
    return done;
}

static void emit_words(slice text, const uint8_t *limit, struct token_sink *sink)
{
    while (text.len > 0) {
        (void)slice_take(&text, emit_window(text, limit, sink));
    }
}

static void emit_string(const struct json_item *item, uint64_t path, const uint8_t *limit,
                        struct token_sink *sink)
{
    if (!item->has_escapes) {
        emit(sink, text_token(item->text, path));
        emit_words(item->text, limit, sink);
        return;
    }
    uint8_t scratch[SCRATCH_BYTES];
    CLEANUP(mem_freep) uint8_t *heap = NULL;
    uint8_t *plain = scratch;
    if (item->text.len > sizeof(scratch)) {
        plain = heap = mem_resize(NULL, item->text.len);
    }
    slice text = {plain, json_unescape(item->text, plain)};
    emit(sink, text_token(text, path));
    emit_words(text, plain + text.len, sink);
}

static uint64_t key_path(const struct json_item *item, uint64_t path)
{
    if (!item->has_escapes) {
        return hash_short(item->text.ptr, item->text.len, path);
    }
    uint8_t scratch[SCRATCH_BYTES];
    CLEANUP(mem_freep) uint8_t *heap = NULL;
    uint8_t *plain = scratch;
    if (item->text.len > sizeof(scratch)) {
        plain = heap = mem_resize(NULL, item->text.len);
    }
    return hash_bytes((slice){plain, json_unescape(item->text, plain)}, path);
}

void tokens_of_json(slice json, enum filter_target root, struct token_sink *sink)
{
    struct json_walk walk;
    struct json_item item;
    uint64_t paths[JSON_DEPTH_MAX + 1]; /* of the containers that are open */
    size_t depth = 0;
    uint64_t path = root_path(root); /* of the value that comes next */
    const uint8_t *limit = json.len > 0 ? json.ptr + json.len : json.ptr;
    paths[0] = path;
    json_walk_init(&walk, json);
    for (;;) {
        switch (json_walk_next(&walk, &item)) {
        case JSON_KEY:
            path = key_path(&item, paths[depth]);
            continue;
        case JSON_OBJECT_BEGIN:
        case JSON_ARRAY_BEGIN:
            paths[++depth] = path;
            continue;
        case JSON_OBJECT_END:
        case JSON_ARRAY_END:
            depth--;
            break;
        case JSON_STRING:
            emit_string(&item, path, limit, sink);
            break;
        case JSON_NUMBER:
            emit(sink, number_token(item.text, path));
            break;
        case JSON_TRUE:
            emit(sink, text_token(SLICE("true"), path));
            break;
        case JSON_FALSE:
            emit(sink, text_token(SLICE("false"), path));
            break;
        case JSON_NULL:
            emit(sink, text_token(SLICE("null"), path));
            break;
        case JSON_END:
        case JSON_ERROR:
            return;
        }
        path = paths[depth]; /* an array's next element; an object's next key sets it anew */
    }
}

static void want_words(slice phrase, struct leaf_tokens *out)
{
    slice word = {0};
    while (out->count < TOKENS_OF_LEAF_MAX && words_take(&phrase, &word)) {
        uint8_t lower[WORD_BYTES_MAX];
        size_t len = word.len < sizeof(lower) ? word.len : sizeof(lower);
        for (size_t i = 0; i < len; i++) {
            lower[i] = word_bytes[word.ptr[i]];
        }
        out->all_of[out->count].any_of[0] = word_token(lower, len);
        out->all_of[out->count++].count = 1;
    }
}

static void want_value(const struct filter *leaf, struct leaf_tokens *out)
{
    uint64_t path = root_path(leaf->target);
    for (size_t i = 0; i < leaf->path_len; i++) {
        path = hash_bytes(leaf->path[i], path);
    }
    out->all_of[0].any_of[0] = text_token(leaf->text, path);
    out->all_of[0].count = 1;
    if (leaf->has_number) {
        out->all_of[0].any_of[1] = number_token(leaf->text, path);
        out->all_of[0].count = 2;
    }
    out->count = 1;
}

void tokens_of_leaf(const struct filter *leaf, struct leaf_tokens *out)
{
    out->count = 0;
    bool is_inside = leaf->target == FILTER_ON_DATA || leaf->target == FILTER_ON_METADATA;
    if (leaf->op == FILTER_WORDS) {
        want_words(leaf->text, out);
    } else if (leaf->op == FILTER_EQUAL && is_inside) {
        want_value(leaf, out);
    }
}
