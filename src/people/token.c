/* SPDX-License-Identifier: Apache-2.0 */
#include "people/token.h"

#include <jansson.h>
#include <stdio.h>

#include "access/rights.h"
#include "base/mem.h"
#include "codec/base64.h"
#include "codec/time.h"
#include "os/random.h"
#include "people/token_read.h"

#define SECOND_US INT64_C(1000000)
#define LEEWAY_US (TOKEN_LEEWAY_S * SECOND_US)

enum { ID_BYTES = 16, JSON_BYTES_MAX = TOKEN_BYTES_MAX / 4 * 3, RIGHTS_MAX = 32 };

/* ---- Issuing ---- */

/* All that the role may, as the scope says it. */
static void set_whole_scope(struct token_claims *claims)
{
    uint32_t rights = rights_of_role(claims->role);
    CLEANUP(buf_release) struct buf scope = BUF_INIT(TOKEN_SCOPE_BYTES);
    for (size_t i = 0; i < RIGHTS_MAX; i++) {
        const char *name = right_name(rights & (uint32_t)1 << i);
        if (name != NULL) {
            buf_append_format(&scope, "%s%s", scope.len > 0 ? " " : "", name);
        }
    }
    ASSERT(!scope.failed); /* all scopes together have room */
    (void)snprintf(claims->scope, sizeof(claims->scope), "%s", buf_cstr(&scope));
}

static bool is_known_scope(const char *scope)
{
    for (const char *word = scope; *word != '\0';) {
        char name[TOKEN_SCOPE_BYTES + 1];
        size_t len = strcspn(word, " ");
        memcpy(name, word, len);
        name[len] = '\0';
        if (right_of_scope(name) == 0 || (word[len] == ' ' && word[len + 1] == '\0')) {
            return false;
        }
        word += len + (word[len] == ' ' ? 1 : 0);
    }
    return true;
}

static enum err check_claims(const struct token_claims *claims, uint32_t lifetime_s,
                             struct diag *diag)
{
    if (claims->subject[0] == '\0' || claims->org[0] == '\0' || claims->session[0] == '\0') {
        return diag_fail(diag, ERR_INVALID, "sub",
                         "subject, organisation and session must not be empty");
    }
    if (rights_of_role(claims->role) == 0) {
        return diag_fail(diag, ERR_INVALID, "role", "there is no such role");
    }
    if (!is_known_scope(claims->scope)) {
        return diag_fail(diag, ERR_INVALID, "scope", "must be scopes with one space between them");
    }
    if (lifetime_s == 0 || lifetime_s > TOKEN_LIFETIME_MAX_S) {
        return diag_fail(diag, ERR_INVALID, "exp", "a token lives 1 to %d seconds",
                         TOKEN_LIFETIME_MAX_S);
    }
    return OK;
}

static void set_id(struct token_claims *claims)
{
    uint8_t bytes[ID_BYTES];
    CLEANUP(buf_release) struct buf text = BUF_INIT(TOKEN_ID_BYTES);
    random_bytes(bytes, sizeof(bytes));
    base64url_append(&text, (slice){bytes, sizeof(bytes)});
    (void)snprintf(claims->id, sizeof(claims->id), "%s", buf_cstr(&text));
}

/* INVALID: a text is not UTF-8. */
static enum err append_claims(const struct token_issuer *issuer, const struct token_claims *claims,
                              struct buf *out)
{
    json_t *json =
        json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:I, s:I, s:I, s:s}", "iss", issuer->name, "sub",
                  claims->subject, "org", claims->org, "role", claims->role, "scope", claims->scope,
                  "sid", claims->session, "iat", (json_int_t)(claims->issued_us / SECOND_US), "nbf",
                  (json_int_t)(claims->not_before_us / SECOND_US), "exp",
                  (json_int_t)(claims->expires_us / SECOND_US), "jti", claims->id);
    CLEANUP(mem_freep) char *text = json_dumps(json, JSON_COMPACT); /* NULL of NULL */
    json_decref(json);
    if (text == NULL) {
        return ERR_INVALID;
    }
    buf_append_cstr(out, text);
    return buf_check(out);
}

static enum err append_signed(const struct token_key *key, const struct token_issuer *issuer,
                              const struct token_claims *claims, struct buf *token)
{
    uint8_t signature[ED25519_SIGNATURE_BYTES];
    CLEANUP(buf_release) struct buf json = BUF_INIT(JSON_BYTES_MAX);
    buf_append_format(&json, "{\"alg\":\"EdDSA\",\"typ\":\"at+jwt\",\"kid\":\"%s\"}", key->kid);
    base64url_append(token, buf_slice(&json));
    buf_append_byte(token, '.');
    buf_clear(&json);
    TRY(append_claims(issuer, claims, &json));
    base64url_append(token, buf_slice(&json));
    TRY(ed25519_sign(key->seed, buf_slice(token), signature));
    buf_append_byte(token, '.');
    base64url_append(token, (slice){signature, sizeof(signature)});
    return buf_check(token);
}

enum err token_issue(const struct token_issuer *issuer, struct token_claims *claims,
                     uint32_t lifetime_s, int64_t now_us, struct buf *out, struct diag *diag)
{
    struct token_claims whole = *claims;
    CLEANUP(buf_release) struct buf token = BUF_INIT(TOKEN_BYTES_MAX);
    CLEANUP(token_key_release) struct token_key key = {0};
    ASSERT(now_us >= 0 && now_us < TIME_US_MAX - TOKEN_LIFETIME_MAX_S * SECOND_US);
    TRY(check_claims(claims, lifetime_s, diag));
    if (whole.scope[0] == '\0') {
        set_whole_scope(&whole);
    }
    whole.rights = token_rights(whole.role, slice_from_cstr(whole.scope));
    set_id(&whole);
    whole.issued_us = now_us / SECOND_US * SECOND_US;
    whole.not_before_us = whole.issued_us;
    whole.expires_us = whole.issued_us + lifetime_s * SECOND_US;
    token_keys_current(issuer->keys, &key);
    enum err e = append_signed(&key, issuer, &whole, &token);
    if (e != OK) {
        return diag_fail(diag, e, "token",
                         e == ERR_IO ? "it cannot be signed" : "a text is too long or not UTF-8");
    }
    buf_append(out, buf_slice(&token));
    TRY(buf_check(out));
    *claims = whole;
    return OK;
}

/* ---- Verifying ---- */

struct parts {
    slice header, claims, signature; /* in base64url */
    slice signed_bytes;
};

static bool take_part(slice *rest, slice *part)
{
    const uint8_t *dot = rest->len > 0 ? memchr(rest->ptr, '.', rest->len) : NULL;
    if (dot == NULL) {
        return false;
    }
    *part = slice_take(rest, (size_t)(dot - rest->ptr));
    (void)slice_take(rest, 1);
    return part->len > 0;
}

static bool split(slice token, struct parts *out)
{
    slice rest = token;
    if (!take_part(&rest, &out->header) || !take_part(&rest, &out->claims) || rest.len == 0 ||
        memchr(rest.ptr, '.', rest.len) != NULL) {
        return false;
    }
    out->signature = rest;
    out->signed_bytes = (slice){token.ptr, token.len - rest.len - 1};
    return true;
}

/* The header, and whether it was one of our keys that signed. */
static enum token_answer check_signature(struct token_keys *keys, const struct parts *parts,
                                         int64_t now_us)
{
    char kid[TOKEN_KID_BYTES + 1];
    uint8_t public_key[ED25519_PUBLIC_BYTES];
    uint8_t signature[ED25519_SIGNATURE_BYTES];
    CLEANUP(buf_release) struct buf json = BUF_INIT(JSON_BYTES_MAX);
    if (!base64url_decode(parts->header, &json)) {
        return TOKEN_BAD_BASE64;
    }
    enum token_answer answer = token_read_header(buf_slice(&json), kid);
    if (answer != TOKEN_GOOD) {
        return answer;
    }
    if (!token_keys_find(keys, slice_from_cstr(kid), now_us, public_key)) {
        return TOKEN_UNKNOWN_KEY;
    }
    if (!base64url_decode_exact(parts->signature, signature, sizeof(signature))) {
        return TOKEN_BAD_BASE64;
    }
    bool is_ours = ed25519_verify(public_key, parts->signed_bytes, signature);
    return is_ours ? TOKEN_GOOD : TOKEN_BAD_SIGNATURE;
}

enum token_answer token_at(const struct token_claims *claims, int64_t now_us)
{
    if (now_us >= claims->expires_us + LEEWAY_US) {
        return TOKEN_EXPIRED;
    }
    bool has_begun =
        now_us + LEEWAY_US >= claims->not_before_us && now_us + LEEWAY_US >= claims->issued_us;
    return has_begun ? TOKEN_GOOD : TOKEN_NOT_YET;
}

enum token_answer token_verify(const struct token_issuer *issuer, slice token, int64_t now_us,
                               struct token_claims *out)
{
    struct parts parts = {0};
    struct token_claims claims = {0};
    CLEANUP(buf_release) struct buf json = BUF_INIT(JSON_BYTES_MAX);
    if (token.len > TOKEN_BYTES_MAX) {
        return TOKEN_TOO_LONG;
    }
    if (!split(token, &parts)) {
        return TOKEN_NOT_ONE;
    }
    enum token_answer answer = check_signature(issuer->keys, &parts, now_us);
    if (answer != TOKEN_GOOD) {
        return answer;
    }
    if (!base64url_decode(parts.claims, &json)) {
        return TOKEN_BAD_BASE64;
    }
    answer = token_read_claims(buf_slice(&json), issuer->name, &claims);
    answer = answer == TOKEN_GOOD ? token_at(&claims, now_us) : answer;
    if (answer == TOKEN_GOOD) {
        *out = claims;
    }
    return answer;
}

const char *token_reason(enum token_answer answer)
{
    static const char *const reasons[] = {
        [TOKEN_GOOD] = "it is good",
        [TOKEN_TOO_LONG] = "it is longer than any of ours",
        [TOKEN_NOT_ONE] = "it does not have three parts",
        [TOKEN_BAD_BASE64] = "a part is not canonical base64url",
        [TOKEN_BAD_HEADER] = "the header is not one of ours",
        [TOKEN_BAD_ALGORITHM] = "the algorithm is not EdDSA",
        [TOKEN_BAD_TYPE] = "the type is not at+jwt",
        [TOKEN_CRITICAL] = "the header has critical extensions",
        [TOKEN_MORE_HEADER] = "the header has members that ours do not have",
        [TOKEN_UNKNOWN_KEY] = "no key of that kid verifies now",
        [TOKEN_BAD_SIGNATURE] = "the signature does not fit",
        [TOKEN_BAD_CLAIMS] = "the claims are not an object with distinct names",
        [TOKEN_MISSING_CLAIM] = "a claim is missing",
        [TOKEN_MORE_CLAIMS] = "it has claims that ours do not have",
        [TOKEN_WRONG_CLAIM] = "a claim has another type, size or order than ours",
        [TOKEN_WRONG_ISSUER] = "another issuer made it",
        [TOKEN_LONG_LIVED] = "it lives longer than any of ours",
        [TOKEN_EXPIRED] = "it has expired",
        [TOKEN_NOT_YET] = "it is not yet valid",
    };
    return reasons[answer];
}
