/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/base64.h"

struct alphabet {
    char letters[65];
    bool has_padding;
};

static const struct alphabet standard = {
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/", true};
static const struct alphabet for_urls = {
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_", false};

enum { NOT_A_LETTER = 64 };

/* The one or two bytes behind the last whole group, as two or three letters. */
static void append_rest(const struct alphabet *alphabet, struct buf *out, slice rest)
{
    uint8_t second = rest.len == 2 ? rest.ptr[1] : 0;
    const char *letters = alphabet->letters;
    buf_append_byte(out, (uint8_t)letters[rest.ptr[0] >> 2]);
    buf_append_byte(out, (uint8_t)letters[(rest.ptr[0] & 3) << 4 | second >> 4]);
    if (rest.len == 2) {
        buf_append_byte(out, (uint8_t)letters[(second & 15) << 2]);
    }
    if (alphabet->has_padding) {
        buf_append_cstr(out, rest.len == 2 ? "=" : "==");
    }
}

static void append(const struct alphabet *alphabet, struct buf *out, slice bytes)
{
    size_t groups = bytes.len / 3, rest = bytes.len % 3;
    size_t rest_letters = alphabet->has_padding ? 4 : rest + 1;
    if (!buf_reserve(out, groups * 4 + (rest > 0 ? rest_letters : 0))) {
        return;
    }
    const char *letters = alphabet->letters;
    for (size_t i = 0; i < groups; i++) {
        const uint8_t *three = bytes.ptr + 3 * i;
        uint8_t *text = out->ptr + out->len + 4 * i;
        text[0] = (uint8_t)letters[three[0] >> 2];
        text[1] = (uint8_t)letters[(three[0] & 3) << 4 | three[1] >> 4];
        text[2] = (uint8_t)letters[(three[1] & 15) << 2 | three[2] >> 6];
        text[3] = (uint8_t)letters[three[2] & 63];
    }
    out->len += groups * 4;
    if (rest > 0) {
        append_rest(alphabet, out, (slice){bytes.ptr + 3 * groups, rest});
    }
}

static inline uint8_t letter_value(const struct alphabet *alphabet, uint8_t letter)
{
    if (letter >= 'A' && letter <= 'Z') {
        return (uint8_t)(letter - 'A');
    }
    if (letter >= 'a' && letter <= 'z') {
        return (uint8_t)(letter - 'a' + 26);
    }
    if (letter >= '0' && letter <= '9') {
        return (uint8_t)(letter - '0' + 52);
    }
    if (letter == (uint8_t)alphabet->letters[62]) {
        return 62;
    }
    return letter == (uint8_t)alphabet->letters[63] ? 63 : (uint8_t)NOT_A_LETTER;
}

/* Takes off the padding, which must make the text's length a multiple of four. */
static bool take_padding(slice *text)
{
    if (text->len % 4 != 0) {
        return false;
    }
    size_t padding = 0;
    while (padding < 2 && padding < text->len && text->ptr[text->len - 1 - padding] == '=') {
        padding++;
    }
    text->len -= padding;
    return true;
}

/* The two or three letters behind the last whole group. Bits that no byte gets must be zero. */
static bool decode_rest(const struct alphabet *alphabet, slice text, uint8_t *out)
{
    uint8_t a = letter_value(alphabet, text.ptr[0]);
    uint8_t b = letter_value(alphabet, text.ptr[1]);
    uint8_t c = text.len == 3 ? letter_value(alphabet, text.ptr[2]) : 0;
    uint8_t unused = text.len == 3 ? c & 3 : b & 15;
    if (((a | b | c) & NOT_A_LETTER) != 0 || unused != 0) {
        return false;
    }
    out[0] = (uint8_t)(a << 2 | b >> 4);
    if (text.len == 3) {
        out[1] = (uint8_t)(b << 4 | c >> 2);
    }
    return true;
}

/* Of letters alone, without padding: how many bytes they stand for. False: no such text. */
static bool decoded_len(slice text, size_t *out)
{
    size_t rest = text.len % 4;
    *out = text.len / 4 * 3 + (rest > 0 ? rest - 1 : 0);
    return rest != 1;
}

/* Into room for decoded_len() bytes. */
static bool decode_into(const struct alphabet *alphabet, slice text, uint8_t *out)
{
    size_t groups = text.len / 4, rest = text.len % 4;
    uint8_t bad = 0;
    for (size_t i = 0; i < groups; i++) {
        uint8_t four[4];
        for (size_t j = 0; j < sizeof(four); j++) {
            four[j] = letter_value(alphabet, text.ptr[4 * i + j]);
            bad |= four[j] & NOT_A_LETTER;
        }
        uint8_t *three = out + 3 * i;
        three[0] = (uint8_t)(four[0] << 2 | four[1] >> 4);
        three[1] = (uint8_t)(four[1] << 4 | four[2] >> 2);
        three[2] = (uint8_t)(four[2] << 6 | four[3]);
    }
    return bad == 0 && (rest == 0 || decode_rest(alphabet, (slice){text.ptr + 4 * groups, rest},
                                                 out + 3 * groups));
}

static bool decode(const struct alphabet *alphabet, slice text, struct buf *out)
{
    size_t len = 0;
    if (alphabet->has_padding && !take_padding(&text)) {
        return false;
    }
    if (!decoded_len(text, &len) || !buf_reserve(out, len)) {
        return false;
    }
    if (len > 0 && !decode_into(alphabet, text, out->ptr + out->len)) {
        return false;
    }
    out->len += len;
    return true;
}

void base64_append(struct buf *out, slice bytes)
{
    append(&standard, out, bytes);
}

bool base64_decode(slice text, struct buf *out)
{
    return decode(&standard, text, out);
}

void base64url_append(struct buf *out, slice bytes)
{
    append(&for_urls, out, bytes);
}

bool base64url_decode(slice text, struct buf *out)
{
    return decode(&for_urls, text, out);
}

bool base64url_decode_exact(slice text, uint8_t *out, size_t out_bytes)
{
    size_t len = 0;
    return decoded_len(text, &len) && len == out_bytes &&
           (len == 0 || decode_into(&for_urls, text, out));
}
