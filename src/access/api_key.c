/* SPDX-License-Identifier: Apache-2.0 */
#include "access/api_key.h"

#include "base/buf.h"
#include "base/mem.h"
#include "codec/base64.h"
#include "codec/hex.h"
#include "crypto/secret.h"
#include "os/random.h"

enum { ID_BYTES = API_KEY_PREFIX_BYTES / 2, SECRET_BYTES = 32, SECRET_TEXT_BYTES = 43 };

void api_key_make(const char *environment, struct api_key *out)
{
    uint8_t secret[SECRET_BYTES];
    uint8_t id[ID_BYTES];
    CLEANUP(buf_release) struct buf text = BUF_INIT(API_KEY_BYTES_MAX);
    random_bytes(secret, sizeof(secret));
    random_bytes(id, sizeof(id));
    hex_encode((slice){id, sizeof(id)}, out->prefix);
    out->prefix[API_KEY_PREFIX_BYTES] = '\0';
    buf_append_format(&text, "cairn_%s_%s_", environment, out->prefix);
    base64url_append(&text, (slice){secret, sizeof(secret)});
    ASSERT(!text.failed && text.len < API_KEY_BYTES_MAX);
    memcpy(out->text, text.ptr, text.len);
    out->text[text.len] = '\0';
    sha256(buf_slice(&text), out->hash);
    secret_wipe(text.ptr, text.len);
    secret_wipe(secret, sizeof(secret));
}

static bool take_word(slice *rest, size_t least, size_t most, slice *out)
{
    size_t len = 0;
    while (len < rest->len && len <= most && rest->ptr[len] != '_') {
        len++;
    }
    if (len < least || len > most) {
        return false;
    }
    *out = slice_take(rest, len);
    return true;
}

bool api_key_prefix(slice key, slice *out)
{
    slice environment = {0};
    slice prefix = {0};
    bool is_key = slice_take_literal(&key, SLICE("cairn_")) &&
                  take_word(&key, 1, 16, &environment) && slice_take_literal(&key, SLICE("_")) &&
                  take_word(&key, API_KEY_PREFIX_BYTES, API_KEY_PREFIX_BYTES, &prefix) &&
                  slice_take_literal(&key, SLICE("_")) && key.len == SECRET_TEXT_BYTES;
    if (is_key) {
        *out = prefix;
    }
    return is_key;
}
