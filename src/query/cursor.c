/* SPDX-License-Identifier: Apache-2.0 */
#include "query/cursor.h"

#include <string.h>

#include "codec/base64.h"
#include "codec/wire.h"
#include "crypto/sha256.h"

enum {
    CURSOR_VERSION = 1,
    CURSOR_BODY_BYTES = 41,
    CURSOR_MAC_BYTES = 16,
    CURSOR_BYTES = CURSOR_BODY_BYTES + CURSOR_MAC_BYTES,
};

void cursor_format(const struct cursor *cursor, const uint8_t key[CURSOR_KEY_BYTES],
                   char out[CURSOR_TEXT_BYTES])
{
    uint8_t bytes[CURSOR_BYTES];
    uint8_t mac[SHA256_BYTES];
    bytes[0] = CURSOR_VERSION;
    wire_put_u64le(bytes + 1, (uint64_t)cursor->time_us);
    wire_put_u64le(bytes + 9, cursor->seq);
    wire_put_u64le(bytes + 17, cursor->size);
    wire_put_u64le(bytes + 25, (uint64_t)cursor->now_us);
    wire_put_u64le(bytes + 33, cursor->fingerprint);
    hmac_sha256((slice){key, CURSOR_KEY_BYTES}, (slice){bytes, CURSOR_BODY_BYTES}, mac);
    memcpy(bytes + CURSOR_BODY_BYTES, mac, CURSOR_MAC_BYTES);
    CLEANUP(buf_release) struct buf text = BUF_INIT(CURSOR_TEXT_BYTES);
    base64url_append(&text, (slice){bytes, sizeof(bytes)});
    ASSERT(!text.failed && text.len < CURSOR_TEXT_BYTES);
    memcpy(out, text.ptr, text.len);
    out[text.len] = '\0';
}

enum err cursor_parse(slice text, const uint8_t key[CURSOR_KEY_BYTES], struct cursor *out)
{
    CLEANUP(buf_release) struct buf bytes = BUF_INIT(CURSOR_BYTES);
    uint8_t mac[SHA256_BYTES];
    if (text.len >= CURSOR_TEXT_BYTES || !base64url_decode(text, &bytes) ||
        bytes.len != CURSOR_BYTES || bytes.ptr[0] != CURSOR_VERSION) {
        return ERR_INVALID;
    }
    hmac_sha256((slice){key, CURSOR_KEY_BYTES}, (slice){bytes.ptr, CURSOR_BODY_BYTES}, mac);
    if (!secret_equal((slice){mac, CURSOR_MAC_BYTES},
                      (slice){bytes.ptr + CURSOR_BODY_BYTES, CURSOR_MAC_BYTES})) {
        return ERR_INVALID;
    }
    *out = (struct cursor){
        .time_us = (int64_t)wire_get_u64le(bytes.ptr + 1),
        .seq = wire_get_u64le(bytes.ptr + 9),
        .size = wire_get_u64le(bytes.ptr + 17),
        .now_us = (int64_t)wire_get_u64le(bytes.ptr + 25),
        .fingerprint = wire_get_u64le(bytes.ptr + 33),
    };
    return OK;
}
