/* SPDX-License-Identifier: Apache-2.0 */
#include "people/refresh.h"

#include <stdio.h>

#include "base/buf.h"
#include "codec/base64.h"
#include "codec/hex.h"
#include "crypto/secret.h"
#include "os/random.h"

#define PREFIX "cairn_refresh_"

enum { NAME_BYTES = 16, NAME_TEXT_BYTES = 22, SECRET_BYTES = 32, SECRET_TEXT_BYTES = 43 };

/* ---- Tokens ---- */

/* The id of the family that has this name, which is 22 characters of base64url. */
static void set_id(slice name_text, char id_out[REFRESH_ID_BYTES + 1])
{
    uint8_t hash[SHA256_BYTES];
    sha256(name_text, hash);
    hex_encode((slice){hash, REFRESH_ID_BYTES / 2}, id_out);
    id_out[REFRESH_ID_BYTES] = '\0';
}

static bool parse_token(slice token, slice *name_text)
{
    uint8_t name[NAME_BYTES];
    uint8_t secret[SECRET_BYTES];
    if (!slice_take_literal(&token, SLICE(PREFIX)) || token.len < NAME_TEXT_BYTES) {
        return false;
    }
    slice text = slice_take(&token, NAME_TEXT_BYTES);
    bool is_token = base64url_decode_exact(text, name, sizeof(name)) &&
                    slice_take_literal(&token, SLICE("_")) &&
                    base64url_decode_exact(token, secret, sizeof(secret));
    secret_wipe(secret, sizeof(secret));
    if (is_token) {
        *name_text = text;
    }
    return is_token;
}

bool refresh_is_one(slice token)
{
    slice name_text = {0};
    return parse_token(token, &name_text);
}

/* A token of the family with this name, and the hash that is kept of it. */
static void make_token(slice name_text, char out[REFRESH_TOKEN_BYTES],
                       uint8_t hash_out[SHA256_BYTES])
{
    uint8_t secret[SECRET_BYTES];
    CLEANUP(buf_release) struct buf text = BUF_INIT(REFRESH_TOKEN_BYTES);
    ASSERT(buf_reserve(&text, REFRESH_TOKEN_BYTES)); /* at once: it is wiped below */
    random_bytes(secret, sizeof(secret));
    buf_append_cstr(&text, PREFIX);
    buf_append(&text, name_text);
    buf_append_byte(&text, '_');
    base64url_append(&text, (slice){secret, sizeof(secret)});
    ASSERT(text.len == REFRESH_TOKEN_BYTES - 1);
    memcpy(out, text.ptr, text.len);
    out[text.len] = '\0';
    sha256(buf_slice(&text), hash_out);
    secret_wipe(text.ptr, text.len);
    secret_wipe(secret, sizeof(secret));
}

/* ---- Begin ---- */

static bool set_text(slice text, char *out, size_t bytes_max)
{
    if (text.len == 0 || text.len > bytes_max || memchr(text.ptr, '\0', text.len) != NULL) {
        return false;
    }
    memcpy(out, text.ptr, text.len);
    out[text.len] = '\0';
    return true;
}

enum err refresh_begin(const struct refresh_store *store, slice subject, slice org, int64_t now_us,
                       char token_out[REFRESH_TOKEN_BYTES], struct refresh_family *family_out,
                       struct diag *diag)
{
    uint8_t name[NAME_BYTES];
    char token[REFRESH_TOKEN_BYTES];
    CLEANUP(buf_release) struct buf name_text = BUF_INIT(NAME_TEXT_BYTES);
    struct refresh_family family = {.created_us = now_us,
                                    .used_us = now_us,
                                    .expires_us = now_us + store->lifetime_us};
    if (!set_text(subject, family.subject, REFRESH_SUBJECT_BYTES) ||
        !set_text(org, family.org, REFRESH_ORG_BYTES)) {
        return diag_fail(diag, ERR_INVALID, "subject",
                         "subject and organisation must have 1 to %d bytes", REFRESH_ORG_BYTES);
    }
    random_bytes(name, sizeof(name));
    base64url_append(&name_text, (slice){name, sizeof(name)});
    set_id(buf_slice(&name_text), family.id);
    make_token(buf_slice(&name_text), token, family.newest);
    enum err e = store->insert(store->context, &family, diag);
    if (e == OK) {
        memcpy(token_out, token, sizeof(token));
        *family_out = family;
    }
    secret_wipe(token, sizeof(token));
    return e;
}

/* ---- Rotate, end ---- */

static bool is_over(const struct refresh_store *store, const struct refresh_family *family,
                    int64_t now_us)
{
    int64_t idle_us = store->idle_us;
    return now_us >= family->expires_us || (idle_us > 0 && now_us >= family->used_us + idle_us);
}

/* What a shorter lifetime than that of its beginning leaves of it. */
static void shorten(const struct refresh_store *store, struct refresh_family *family)
{
    int64_t end_us = family->created_us + store->lifetime_us;
    family->expires_us = end_us < family->expires_us ? end_us : family->expires_us;
}

/* What the token is, and whose. Changes nothing. */
static enum err judge(const struct refresh_store *store, slice token, int64_t now_us,
                      enum refresh_answer *answer_out, struct refresh_family *family_out,
                      slice *name_text_out, struct diag *diag)
{
    char id[REFRESH_ID_BYTES + 1];
    uint8_t hash[SHA256_BYTES];
    struct refresh_family family = {0};
    if (!parse_token(token, name_text_out)) {
        *answer_out = REFRESH_NOT_ONE;
        return OK;
    }
    set_id(*name_text_out, id);
    enum err e = store->find(store->context, id, &family, diag);
    if (e == ERR_NOT_FOUND) {
        *answer_out = REFRESH_UNKNOWN;
        return OK;
    }
    TRY(e);
    shorten(store, &family);
    sha256(token, hash);
    bool is_newest =
        secret_equal((slice){hash, sizeof(hash)}, (slice){family.newest, sizeof(family.newest)});
    if (family.revoked_us != 0) {
        *answer_out = REFRESH_REVOKED;
    } else if (is_over(store, &family, now_us)) {
        *answer_out = REFRESH_EXPIRED;
    } else {
        *answer_out = is_newest ? REFRESH_GOOD : REFRESH_REUSED;
    }
    *family_out = family;
    return OK;
}

static enum err advance(const struct refresh_store *store, slice name_text, int64_t now_us,
                        struct refresh_family *family, char next_out[REFRESH_TOKEN_BYTES],
                        struct diag *diag)
{
    char next[REFRESH_TOKEN_BYTES];
    uint8_t hash[SHA256_BYTES];
    make_token(name_text, next, hash);
    enum err e = store->advance(store->context, family->id, family->newest, hash, now_us, diag);
    if (e == OK) {
        memcpy(next_out, next, sizeof(next));
        memcpy(family->newest, hash, sizeof(hash));
        family->used_us = now_us;
    }
    secret_wipe(next, sizeof(next));
    return e;
}

enum err refresh_rotate(const struct refresh_store *store, slice token, int64_t now_us,
                        enum refresh_answer *answer_out, char next_out[REFRESH_TOKEN_BYTES],
                        struct refresh_family *family_out, struct diag *diag)
{
    slice name_text = {0};
    struct refresh_family family = {0};
    enum refresh_answer answer = REFRESH_NOT_ONE;
    TRY(judge(store, token, now_us, &answer, &family, &name_text, diag));
    if (answer == REFRESH_GOOD) {
        enum err e = advance(store, name_text, now_us, &family, next_out, diag);
        if (e == ERR_CONFLICT) { /* another was quicker with this very token */
            answer = REFRESH_REUSED;
        } else if (e != OK) {
            return e;
        }
    }
    if (answer == REFRESH_REUSED) {
        TRY(store->revoke(store->context, family.id, now_us, diag));
        family.revoked_us = now_us;
    }
    *answer_out = answer;
    *family_out = family;
    return OK;
}

enum err refresh_end(const struct refresh_store *store, slice token, int64_t now_us,
                     enum refresh_answer *answer_out, struct refresh_family *family_out,
                     struct diag *diag)
{
    slice name_text = {0};
    struct refresh_family family = {0};
    enum refresh_answer answer = REFRESH_NOT_ONE;
    TRY(judge(store, token, now_us, &answer, &family, &name_text, diag));
    bool ends = answer == REFRESH_GOOD || answer == REFRESH_REUSED;
    if (ends) {
        TRY(store->revoke(store->context, family.id, now_us, diag));
    }
    *answer_out = answer;
    *family_out = ends ? family : (struct refresh_family){0};
    return OK;
}

const char *refresh_reason(enum refresh_answer answer)
{
    static const char *const reasons[] = {
        [REFRESH_GOOD] = "it is good",
        [REFRESH_NOT_ONE] = "not a refresh token",
        [REFRESH_UNKNOWN] = "unknown",
        [REFRESH_REVOKED] = "its family was revoked",
        [REFRESH_EXPIRED] = "its family has expired",
        [REFRESH_REUSED] = "it was used before, and its family is revoked for it",
    };
    return reasons[answer];
}
