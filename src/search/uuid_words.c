/* SPDX-License-Identifier: Apache-2.0 */
#include "search/uuid_words.h"

#include "codec/hex.h"

/* The bytes of the five words of a UUID's text: 8-4-4-4-12 digits. */
static const struct {
    uint8_t at;
    uint8_t len;
} runs[UUID_WORDS] = {{0, 4}, {4, 2}, {6, 2}, {8, 2}, {10, 6}};

/* As filter/tokens.h says what a word is. */
static bool is_word_byte(uint8_t byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
           (byte >= '0' && byte <= '9') || byte == '_' || byte >= 0x80;
}

static bool is_gap_byte(uint8_t byte)
{
    return !is_word_byte(byte);
}

/* The words of the phrase, if there are at most five and each could be one of a UUID. */
static bool take_words(slice phrase, slice words[UUID_WORDS], size_t *count)
{
    *count = 0;
    for (;;) {
        (void)slice_take_while(&phrase, is_gap_byte);
        slice word = slice_take_while(&phrase, is_word_byte);
        if (word.len == 0) {
            return *count > 0;
        }
        if (*count == UUID_WORDS) {
            return false;
        }
        words[(*count)++] = word;
    }
}

static bool place(const slice *words, size_t count, size_t first, uint8_t mask[16],
                  uint8_t value[16])
{
    memset(mask, 0, 16);
    memset(value, 0, 16);
    for (size_t i = 0; i < count; i++) {
        uint8_t at = runs[first + i].at;
        uint8_t len = runs[first + i].len;
        if (words[i].len != (size_t)2 * len || !hex_decode(words[i], value + at)) {
            return false;
        }
        memset(mask + at, 0xff, len);
    }
    return true;
}

void uuid_words_find(slice phrase, struct uuid_words *out)
{
    slice words[UUID_WORDS];
    size_t count = 0;
    out->count = 0;
    if (!take_words(phrase, words, &count)) {
        return;
    }
    for (size_t first = 0; first + count <= UUID_WORDS; first++) {
        uint8_t mask[16];
        uint8_t value[16];
        if (place(words, count, first, mask, value)) {
            memcpy(out->places[out->count].mask, mask, sizeof(mask));
            memcpy(out->places[out->count].value, value, sizeof(value));
            out->count++;
        }
    }
}
