/* SPDX-License-Identifier: Apache-2.0 */
#include "access/api_key.h"

#include <jansson.h>

#include "base/buf.h"
#include "base/mem.h"
#include "codec/base64.h"
#include "codec/hex.h"
#include "crypto/secret.h"
#include "os/random.h"

enum { ID_BYTES = API_KEY_PREFIX_BYTES / 2, SECRET_BYTES = 32 };

#define LIVE "live"
#define DEV  "dev"

const char *api_key_environment(bool is_production)
{
    return is_production ? LIVE : DEV;
}

void api_key_make(const char *environment, struct api_key *out)
{
    uint8_t secret[SECRET_BYTES];
    uint8_t id[ID_BYTES];
    CLEANUP(buf_release) struct buf text = BUF_INIT(API_KEY_BYTES_MAX);
    ASSERT(strcmp(environment, LIVE) == 0 || strcmp(environment, DEV) == 0);
    random_bytes(secret, sizeof(secret));
    random_bytes(id, sizeof(id));
    hex_encode((slice){id, sizeof(id)}, out->prefix);
    out->prefix[API_KEY_PREFIX_BYTES] = '\0';
    buf_append_format(&text, "cairn_%s_%s_", environment, out->prefix);
    base64url_append(&text, (slice){secret, sizeof(secret)});
    ASSERT(!text.failed && text.len < API_KEY_BYTES_MAX);
    memcpy(out->text, text.ptr, text.len);
    out->text[text.len] = '\0';
    api_key_hash(buf_slice(&text), out->hash);
    secret_wipe(text.ptr, text.len);
    secret_wipe(secret, sizeof(secret));
}

/* Lower case, as hex_encode() writes it: another text of the same bytes is another key. */
static bool take_id(slice *rest, slice *out)
{
    if (rest->len < API_KEY_PREFIX_BYTES) {
        return false;
    }
    *out = slice_take(rest, API_KEY_PREFIX_BYTES);
    for (size_t i = 0; i < out->len; i++) {
        uint8_t byte = out->ptr[i];
        if (!((byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'f'))) {
            return false;
        }
    }
    return true;
}

/* What stands before the secret; `key` is then the secret. */
static bool take_place(slice *key, slice *prefix)
{
    return slice_take_literal(key, SLICE("cairn_")) &&
           (slice_take_literal(key, SLICE(LIVE "_")) || slice_take_literal(key, SLICE(DEV "_"))) &&
           take_id(key, prefix) && slice_take_literal(key, SLICE("_"));
}

bool api_key_place(slice key, slice *out)
{
    slice prefix = {0};
    bool has_place = take_place(&key, &prefix);
    if (has_place) {
        *out = prefix;
    }
    return has_place;
}

bool api_key_prefix(slice key, slice *out)
{
    slice prefix = {0};
    uint8_t secret[SECRET_BYTES];
    bool is_key = take_place(&key, &prefix) && base64url_decode_exact(key, secret, sizeof(secret));
    secret_wipe(secret, sizeof(secret));
    if (is_key) {
        *out = prefix;
    }
    return is_key;
}

void api_key_hash(slice key, uint8_t out[SHA256_BYTES])
{
    sha256(key, out);
}

bool api_key_matches(slice key, const uint8_t hash[SHA256_BYTES])
{
    uint8_t own[SHA256_BYTES];
    api_key_hash(key, own);
    return secret_equal((slice){own, sizeof(own)}, (slice){hash, SHA256_BYTES});
}

json_t *api_key_given(const struct api_key *key)
{
    char hash[2 * SHA256_BYTES];
    hex_encode((slice){key->hash, SHA256_BYTES}, hash);
    return json_pack("{s:s, s:s%}", "key_prefix", key->prefix, "key_hash", hash, sizeof(hash));
}
