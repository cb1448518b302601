/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tokens, as docs/format/tokens.md lays them down. With H(bytes, seed) = hash_bytes() and
 * U(number, seed) = hash_u64() of base/hash.h:
 *
 *   path of event_data       P = U(1, HASH_STORED)
 *   path of event_metadata   P = U(2, HASH_STORED)
 *   path one key further     P' = H(key, P)          arrays add nothing
 *   text at a path           H(text, P ^ U(3, HASH_STORED))      the first 256 bytes; also true,
 *                                                                false, null
 *   number at a path         H(decimal, P ^ U(4, HASH_STORED))   as json_decimal_normalise() writes
 *                                                                it; "" if that passes 64 bytes
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
#include "filter/words.h"
#include "json/json.h"

enum {
    ROOT_DATA = 1,
    ROOT_METADATA = 2,
    SEED_TEXT = 3,
    SEED_NUMBER = 4,
    SEED_WORD = 5,
    TEXT_BYTES_MAX = 256,
    WORD_BYTES_MAX = 64,
    DECIMAL_BYTES_MAX = 64,
    INTEGER_DIGITS_MAX = 18,
    SCRATCH_BYTES = 1024,
    WINDOW_BYTES = 64, /* of a string, looked at together; as many as a mask has bits */
};

static_assert((int)WINDOW_BYTES == (int)WORD_BYTES_MAX, "a word that fills a window is cut there");

static inline uint64_t text_token(slice text, uint64_t path)
{
    text.len = text.len < TEXT_BYTES_MAX ? text.len : TEXT_BYTES_MAX;
    return hash_bytes(text, path ^ hash_u64(SEED_TEXT, HASH_STORED));
}

/* json_decimal_normalise() of a whole number of up to 18 digits, which most numbers are: its digits
 * without the zeros at the end, "e", and how many those were. 0: it is another kind of number. */
static size_t normalise_integer(slice number, uint8_t out[DECIMAL_BYTES_MAX])
{
    size_t len = number.len;
    if (len == 0 || len > INTEGER_DIGITS_MAX || number.ptr[0] == '0') {
        return 0;
    }
    for (size_t i = 0; i < len; i++) {
        if ((uint8_t)(number.ptr[i] - '0') > 9) {
            return 0;
        }
        out[i] = number.ptr[i];
    }
    while (out[len - 1] == '0') {
        len--;
    }
    size_t zeros = number.len - len;
    out[len++] = 'e';
    if (zeros >= 10) {
        out[len++] = '1';
        zeros -= 10;
    }
    out[len++] = (uint8_t)('0' + zeros);
    return len;
}

static uint64_t number_token(slice number, uint64_t path)
{
    uint8_t decimal[DECIMAL_BYTES_MAX];
    size_t len = normalise_integer(number, decimal);
    if (len == 0) {
        len = json_decimal_normalise(number, (char *)decimal, sizeof(decimal));
    }
    return hash_bytes((slice){decimal, len}, path ^ hash_u64(SEED_NUMBER, HASH_STORED));
}

static inline uint64_t word_token(slice lower)
{
    return hash_bytes(lower, hash_u64(SEED_WORD, HASH_STORED));
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

/* Emits the words whose bytes are the bits of `mask`; `lower` is their lower case. */
static inline void emit_mask(uint64_t mask, const uint8_t lower[WINDOW_BYTES],
                             struct token_sink *sink)
{
    while (mask != 0) {
        unsigned from = (unsigned)__builtin_ctzll(mask);
        uint64_t gaps = ~(mask >> from); /* not 0 unless the word fills the window */
        unsigned len = gaps == 0 ? WINDOW_BYTES : (unsigned)__builtin_ctzll(gaps);
        emit(sink, word_token((slice){lower + from, len}));
        mask = from + len == WINDOW_BYTES ? 0 : mask & ~UINT64_C(0) << (from + len);
    }
}

/* A block that may be read whole: at `p`, or, where less than a block is left before `end`, a copy
 * with zeros behind. */
static inline const uint8_t *whole_block(const uint8_t *p, const uint8_t *end,
                                         uint8_t copy[WORDS_BLOCK])
{
    if (end - p >= WORDS_BLOCK) {
        return p;
    }
    memset(copy, 0, WORDS_BLOCK);
    memcpy(copy, p, p < end ? (size_t)(end - p) : 0);
    return copy;
}

/* The words of the first 64 bytes of a long text; returns how many bytes are done with. */
static size_t emit_window(slice text, struct token_sink *sink)
{
    uint8_t lower[WINDOW_BYTES];
    uint8_t copy[WORDS_BLOCK];
    uint64_t mask = 0;
    const uint8_t *end = text.ptr + text.len;
    for (size_t at = 0; at < WINDOW_BYTES; at += WORDS_BLOCK) {
        const uint8_t *p = at < text.len ? text.ptr + at : end;
        mask |= (uint64_t)words_block(whole_block(p, end, copy), lower + at) << at;
    }
    size_t done = text.len < WINDOW_BYTES ? text.len : WINDOW_BYTES;
    if (~mask == 0) { /* a word longer than a window: its beginning stands for it */
        emit_mask(mask, lower, sink);
        while (done < text.len && byte_is_word(text.ptr[done])) {
            done++;
        }
        return done;
    }
    size_t cut = (size_t)__builtin_clzll(~mask); /* bytes of a word at the end that may go on */
    if (text.len > WINDOW_BYTES && cut > 0) {
        mask = mask << cut >> cut;
        done -= cut;
    }
    emit_mask(mask, lower, sink);
    return done;
}

static void emit_text(slice text, uint64_t path, struct token_sink *sink)
{
    emit(sink, text_token(text, path));
    while (text.len > 0) {
        (void)slice_take(&text, emit_window(text, sink));
    }
}

/*
 * A pass over compact JSON that was checked when it came in: json_walk checks it once more, which
 * costs as much as all hashes together. Here a quote, a bracket, a colon, a comma is what it seems
 * to be. Of damaged bytes it makes useless tokens; it never leaves them.
 */
struct pass {
    const uint8_t *p, *end;
    struct token_sink *sink;
    uint64_t path; /* of the value that comes next */
    bool is_key;   /* the next string is one */
    size_t depth;
    uint64_t paths[JSON_DEPTH_MAX + 1]; /* of the containers that are open */
    bool is_object[JSON_DEPTH_MAX + 1];
};

/* How many bytes from `p` on are inside the string: up to its closing quote, or to `end`. */
static size_t string_len(const uint8_t *p, const uint8_t *end, bool *has_escapes)
{
    uint8_t copy[WORDS_BLOCK];
    size_t bytes = (size_t)(end - p);
    size_t at = 0;
    *has_escapes = false;
    while (at < bytes) {
        unsigned stops = words_stops(whole_block(p + at, end, copy));
        at += stops == 0 ? WORDS_BLOCK : (size_t)__builtin_ctz(stops);
        if (stops != 0 && p[at] == '"') {
            return at;
        }
        *has_escapes = *has_escapes || stops != 0;
        at += stops != 0 ? 2 : 0;
    }
    return bytes;
}

/* What a string without escapes is: a key, or a text. */
static void take_plain(struct pass *pass, slice text)
{
    if (pass->is_key) {
        pass->path = hash_bytes(text, pass->paths[pass->depth]);
    } else {
        emit_text(text, pass->path, pass->sink);
    }
}

static void take_any_string(struct pass *pass)
{
    bool has_escapes = false;
    slice raw = {pass->p, string_len(pass->p, pass->end, &has_escapes)};
    pass->p += raw.len;
    pass->p += pass->p < pass->end ? 1 : 0; /* the quote */
    if (!has_escapes) {
        take_plain(pass, raw);
        return;
    }
    uint8_t scratch[SCRATCH_BYTES];
    CLEANUP(mem_freep) uint8_t *heap = NULL;
    uint8_t *plain = scratch;
    if (raw.len > sizeof(scratch)) {
        plain = heap = mem_resize(NULL, raw.len);
    }
    slice text = {plain, json_unescape(raw, plain)};
    take_plain(pass, text);
}

/* Most strings are short, have no escapes, and do not stand at the very end: end, words and lower
 * case come from one look at them. */
static void take_string(struct pass *pass)
{
    const uint8_t *p = ++pass->p;
    if (pass->is_key || pass->end - p < WINDOW_BYTES) {
        take_any_string(pass);
        return;
    }
    uint8_t lower[WINDOW_BYTES];
    uint64_t mask = 0;
    unsigned stops = 0;
    size_t at = 0;
    for (; at < WINDOW_BYTES && stops == 0; at += WORDS_BLOCK) {
        mask |= (uint64_t)words_block(p + at, lower + at) << at;
        stops = words_stops(p + at);
    }
    size_t len = stops == 0 ? 0 : at - WORDS_BLOCK + (size_t)__builtin_ctz(stops);
    if (stops == 0 || p[len] != '"') {
        take_any_string(pass);
        return;
    }
    emit(pass->sink, text_token((slice){p, len}, pass->path));
    emit_mask(mask & ((UINT64_C(1) << len) - 1), lower, pass->sink);
    pass->p = p + len + 1;
}

/* A number, or true, false, null. */
static void take_bare(struct pass *pass)
{
    const uint8_t *p = pass->p;
    while (p < pass->end && *p != ',' && *p != '}' && *p != ']') {
        p++;
    }
    slice text = {pass->p, (size_t)(p - pass->p)};
    bool is_name = *pass->p == 't' || *pass->p == 'f' || *pass->p == 'n';
    emit(pass->sink, is_name ? text_token(text, pass->path) : number_token(text, pass->path));
    pass->p = p;
}

/* False when there is one bracket too many. */
static bool take_bracket(struct pass *pass, uint8_t byte)
{
    pass->p++;
    if (byte == '}' || byte == ']') {
        return pass->depth-- > 0;
    }
    if (pass->depth == JSON_DEPTH_MAX) {
        return false;
    }
    pass->paths[++pass->depth] = pass->path;
    pass->is_object[pass->depth] = byte == '{';
    pass->is_key = byte == '{';
    return true;
}

void tokens_of_json(slice json, enum filter_target root, struct token_sink *sink)
{
    struct pass pass;
    pass.p = json.ptr;
    pass.end = json.len > 0 ? json.ptr + json.len : json.ptr;
    pass.sink = sink;
    pass.path = root_path(root);
    pass.is_key = false;
    pass.depth = 0;
    pass.paths[0] = pass.path;
    pass.is_object[0] = false;
    bool is_sound = true;
    while (is_sound && pass.p < pass.end) {
        switch (*pass.p) {
        case '{':
        case '[':
        case '}':
        case ']':
            is_sound = take_bracket(&pass, *pass.p);
            break;
        case ',':
            pass.p++;
            pass.path = pass.paths[pass.depth];
            pass.is_key = pass.is_object[pass.depth];
            break;
        case ':':
            pass.p++;
            pass.is_key = false;
            break;
        case '"':
            take_string(&pass);
            break;
        default:
            take_bare(&pass);
            break;
        }
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
        out->all_of[out->count].any_of[0] = word_token((slice){lower, len});
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
