/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Access tokens. The first byte says what a stranger has in hand:
 *
 *   0   any bytes: without the key, nothing verifies
 *   1   claims that are signed: what is accepted keeps every promise of people/token.h
 *   2   a header that is signed, before claims of ours: it must mean what ours means
 */
#include "codec/base64.h"
#include "people/token.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define SECOND INT64_C(1000000)

static const int64_t now_us = 1700000000 * SECOND;
static const uint8_t seed[ED25519_SEED_BYTES] = {7};
static struct token_issuer issuer = {.name = "i"};
static struct token_key key;

static const char claims_of_ours[] =
    "{\"iss\":\"i\",\"sub\":\"s\",\"org\":\"o\",\"role\":\"owner\",\"scope\":\"erase\","
    "\"iat\":1700000000,\"nbf\":1700000000,\"exp\":1700000900,\"sid\":\"f\",\"jti\":\"x\"}";

static void make_keys(void)
{
    issuer.keys = token_keys_new(); /* as long as the process */
    ASSERT(token_keys_add(issuer.keys, seed, 1, NULL) == OK);
    token_keys_current(issuer.keys, &key);
}

static bool has_member(slice json, const char *text)
{
    return memmem(json.ptr, json.len, text, strlen(text)) != NULL;
}

static void check_claims(const struct token_claims *claims)
{
    ASSERT(claims->subject[0] != '\0' && claims->org[0] != '\0' && claims->role[0] != '\0');
    ASSERT(strlen(claims->subject) <= TOKEN_SUBJECT_BYTES && strlen(claims->id) <= TOKEN_ID_BYTES);
    ASSERT(strlen(claims->org) <= TOKEN_ORG_BYTES && strlen(claims->role) <= TOKEN_ROLE_BYTES);
    ASSERT(strlen(claims->scope) <= TOKEN_SCOPE_BYTES);
    ASSERT(claims->expires_us > claims->issued_us && claims->expires_us > claims->not_before_us);
    ASSERT(claims->expires_us - claims->issued_us <= TOKEN_LIFETIME_MAX_S * SECOND);
    ASSERT(claims->expires_us + TOKEN_LEEWAY_S * SECOND > now_us);
    ASSERT(claims->issued_us - TOKEN_LEEWAY_S * SECOND <= now_us);
    ASSERT(token_at(claims, now_us) == TOKEN_GOOD);
}

static enum token_answer verify_signed(slice header, slice claims, struct token_claims *out)
{
    uint8_t signature[ED25519_SIGNATURE_BYTES];
    CLEANUP(buf_release) struct buf token = BUF_INIT(KIB(64));
    base64url_append(&token, header);
    buf_append_byte(&token, '.');
    base64url_append(&token, claims);
    if (token.failed) {
        return TOKEN_TOO_LONG;
    }
    ASSERT(ed25519_sign(key.seed, buf_slice(&token), signature) == OK);
    buf_append_byte(&token, '.');
    base64url_append(&token, (slice){signature, sizeof(signature)});
    return token.failed ? TOKEN_TOO_LONG : token_verify(&issuer, buf_slice(&token), now_us, out);
}

static void verify_claims(slice json)
{
    struct token_claims claims = {0};
    CLEANUP(buf_release) struct buf header = BUF_INIT(256);
    buf_append_format(&header, "{\"alg\":\"EdDSA\",\"typ\":\"at+jwt\",\"kid\":\"%s\"}", key.kid);
    if (verify_signed(buf_slice(&header), json, &claims) == TOKEN_GOOD) {
        check_claims(&claims);
    }
}

/* An asterisk stands for the kid, so that it may be in its place. */
static void verify_header(slice json)
{
    struct token_claims claims = {0};
    CLEANUP(buf_release) struct buf header = BUF_INIT(KIB(16));
    for (size_t i = 0; i < json.len; i++) {
        if (json.ptr[i] == '*') {
            buf_append_cstr(&header, key.kid);
        } else {
            buf_append_byte(&header, json.ptr[i]);
        }
    }
    if (header.failed) {
        return;
    }
    if (verify_signed(buf_slice(&header), slice_from_cstr(claims_of_ours), &claims) == TOKEN_GOOD) {
        check_claims(&claims);
        ASSERT(!has_member(buf_slice(&header), "\"crit\""));
        ASSERT(!has_member(buf_slice(&header), "none") && !has_member(buf_slice(&header), "HS256"));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (issuer.keys == NULL) {
        make_keys();
    }
    if (size == 0) {
        return 0;
    }
    slice input = {data + 1, size - 1};
    struct token_claims claims = {0};
    switch (data[0] % 3) {
    case 0:
        ASSERT(token_verify(&issuer, input, now_us, &claims) != TOKEN_GOOD);
        break;
    case 1:
        verify_claims(input);
        break;
    default:
        verify_header(input);
        break;
    }
    return 0;
}
