/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/base64.h"

#include <sodium.h>

enum { PIECE_BYTES = 189 }; /* a multiple of three: only the last piece has padding */

/* Piece by piece, because what libsodium writes has a NUL, for which there need not be room. */
static void append(int variant, struct buf *out, slice bytes)
{
    char text[sodium_base64_ENCODED_LEN(PIECE_BYTES, sodium_base64_VARIANT_ORIGINAL)];
    if (!buf_reserve(out, sodium_base64_encoded_len(bytes.len, variant) - 1)) {
        return;
    }
    while (bytes.len > 0) {
        slice piece = slice_take(&bytes, bytes.len < PIECE_BYTES ? bytes.len : PIECE_BYTES);
        (void)sodium_bin2base64(text, sizeof(text), piece.ptr, piece.len, variant);
        buf_append_cstr(out, text);
    }
    sodium_memzero(text, sizeof(text)); /* it may be of a secret */
}

/* libsodium takes some bytes past ASCII for letters: its chars may be negative. */
static bool is_ascii(slice text)
{
    uint8_t all = 0;
    for (size_t i = 0; i < text.len; i++) {
        all |= text.ptr[i];
    }
    return all < 0x80;
}

/* False, too, for a text of more than `room` bytes. Of white space nothing is ignored. */
static bool decode_into(int variant, slice text, uint8_t *out, size_t room, size_t *len)
{
    uint8_t none = 0; /* libsodium wants an address, also for nothing */
    *len = 0;
    return text.len == 0 || (is_ascii(text) &&
                             sodium_base642bin(room > 0 ? out : &none, room, (const char *)text.ptr,
                                               text.len, NULL, len, NULL, variant) == 0);
}

static bool decode(int variant, slice text, struct buf *out)
{
    size_t len = 0;
    size_t letters = text.len;
    while (letters > 0 && text.len - letters < 2 && text.ptr[letters - 1] == '=') {
        letters--;
    }
    size_t room = letters * 3 / 4;
    if (!buf_reserve(out, room) || !decode_into(variant, text, out->ptr + out->len, room, &len)) {
        return false;
    }
    out->len += len;
    return true;
}

void base64_append(struct buf *out, slice bytes)
{
    append(sodium_base64_VARIANT_ORIGINAL, out, bytes);
}

bool base64_decode(slice text, struct buf *out)
{
    return decode(sodium_base64_VARIANT_ORIGINAL, text, out);
}

void base64url_append(struct buf *out, slice bytes)
{
    append(sodium_base64_VARIANT_URLSAFE_NO_PADDING, out, bytes);
}

bool base64url_decode(slice text, struct buf *out)
{
    return decode(sodium_base64_VARIANT_URLSAFE_NO_PADDING, text, out);
}

bool base64url_decode_exact(slice text, uint8_t *out, size_t out_bytes)
{
    size_t len = 0;
    return decode_into(sodium_base64_VARIANT_URLSAFE_NO_PADDING, text, out, out_bytes, &len) &&
           len == out_bytes;
}
