/* SPDX-License-Identifier: Apache-2.0 */
#include "query/cursor.h"

#include <string.h>

#include "codec/base64.h"
#include "codec/wire.h"
#include "crypto/sha256.h"

enum {
    MAC_BYTES = 16,
    EVENT_BYTES = 40, /* behind the first */
};

/* ---- Any bytes ---- */

static void sign(slice bytes, const uint8_t key[CURSOR_KEY_BYTES], uint8_t mac[SHA256_BYTES])
{
    hmac_sha256((slice){key, CURSOR_KEY_BYTES}, bytes, mac);
}

void cursor_seal(enum cursor_of what, slice bytes, const uint8_t key[CURSOR_KEY_BYTES],
                 struct buf *out)
{
    CLEANUP(buf_release) struct buf all = BUF_INIT(1 + bytes.len + MAC_BYTES);
    uint8_t mac[SHA256_BYTES];
    buf_append_byte(&all, (uint8_t)what);
    buf_append(&all, bytes);
    sign(buf_slice(&all), key, mac);
    buf_append(&all, (slice){mac, MAC_BYTES});
    base64url_append(out, buf_slice(&all));
}

enum err cursor_unseal(enum cursor_of what, slice text, const uint8_t key[CURSOR_KEY_BYTES],
                       struct buf *out)
{
    CLEANUP(buf_release) struct buf all = BUF_INIT(text.len);
    uint8_t mac[SHA256_BYTES];
    if (!base64url_decode(text, &all) || all.len < 1 + MAC_BYTES) {
        return ERR_INVALID;
    }
    slice body = {all.ptr, all.len - MAC_BYTES};
    sign(body, key, mac);
    bool is_ours = secret_equal((slice){mac, MAC_BYTES}, (slice){body.ptr + body.len, MAC_BYTES});
    if (!is_ours || body.ptr[0] != what) {
        return ERR_INVALID;
    }
    buf_append(out, (slice){body.ptr + 1, body.len - 1});
    return out->failed ? ERR_INVALID : OK;
}

/* ---- Events ---- */

void cursor_format(const struct cursor *cursor, const uint8_t key[CURSOR_KEY_BYTES],
                   char out[CURSOR_TEXT_BYTES])
{
    CLEANUP(buf_release) struct buf text = BUF_INIT(CURSOR_TEXT_BYTES);
    uint8_t bytes[EVENT_BYTES];
    wire_put_u64le(bytes, (uint64_t)cursor->time_us);
    wire_put_u64le(bytes + 8, cursor->seq);
    wire_put_u64le(bytes + 16, cursor->size);
    wire_put_u64le(bytes + 24, (uint64_t)cursor->now_us);
    wire_put_u64le(bytes + 32, cursor->fingerprint);
    cursor_seal(CURSOR_OF_EVENTS, (slice){bytes, sizeof(bytes)}, key, &text);
    ASSERT(!text.failed && text.len < CURSOR_TEXT_BYTES);
    memcpy(out, text.ptr, text.len);
    out[text.len] = '\0';
}

enum err cursor_parse(slice text, const uint8_t key[CURSOR_KEY_BYTES], struct cursor *out)
{
    CLEANUP(buf_release) struct buf bytes = BUF_INIT(CURSOR_TEXT_BYTES);
    bool is_event = text.len < CURSOR_TEXT_BYTES &&
                    cursor_unseal(CURSOR_OF_EVENTS, text, key, &bytes) == OK &&
                    bytes.len == EVENT_BYTES;
    if (!is_event) {
        return ERR_INVALID;
    }
    *out = (struct cursor){
        .time_us = (int64_t)wire_get_u64le(bytes.ptr),
        .seq = wire_get_u64le(bytes.ptr + 8),
        .size = wire_get_u64le(bytes.ptr + 16),
        .now_us = (int64_t)wire_get_u64le(bytes.ptr + 24),
        .fingerprint = wire_get_u64le(bytes.ptr + 32),
    };
    return OK;
}
