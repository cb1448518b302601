/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * token - access tokens of people who logged in: JWTs (RFC 7519, RFC 8725, RFC 9068) that this
 * server alone signs and reads.
 *
 *   {"alg":"EdDSA","typ":"at+jwt","kid":"<43>"}                      nothing else
 *   {"iss":..,"sub":..,"org":..,"role":..,"scope":..,"sid":..,
 *    "iat":..,"nbf":..,"exp":..,"jti":..}                            nothing else, all of them
 *   Ed25519 over both, in base64url (RFC 8037)
 *
 * There is no choice of algorithm and no key in a token: the header is compared, not obeyed. What
 * it says is looked at before the signature, what the claims say only behind it. Whoever shows a
 * token that is refused learns nothing but that; the reason is for the log.
 *
 * A token is good until it expires: what ends it before (a user who is gone, a logout) is asked
 * elsewhere, by its subject and its session.
 *
 * Threads: any.
 */

#include "people/token_keys.h"

#define TOKEN_BYTES_MAX     2048
#define TOKEN_ISSUER_BYTES  255
#define TOKEN_SUBJECT_BYTES 64
#define TOKEN_ORG_BYTES     64
#define TOKEN_ROLE_BYTES    15
#define TOKEN_SCOPE_BYTES   127
#define TOKEN_SESSION_BYTES 32
#define TOKEN_ID_BYTES      22

struct token_issuer {
    const char *name; /* "iss": 1 to TOKEN_ISSUER_BYTES of UTF-8 */
    struct token_keys *keys;
};

struct token_claims {
    char subject[TOKEN_SUBJECT_BYTES + 1]; /* whose id */
    char org[TOKEN_ORG_BYTES + 1];
    char role[TOKEN_ROLE_BYTES + 1];
    char session[TOKEN_SESSION_BYTES + 1];        /* "sid": the login that it comes from */
    char scope[TOKEN_SCOPE_BYTES + 1];            /* names with one space between them */
    char id[TOKEN_ID_BYTES + 1];                  /* "jti": 128 random bits, in base64url */
    int64_t issued_us, not_before_us, expires_us; /* whole seconds */
    uint32_t rights; /* of the role, those that the scope names (access/rights.h) */
};

/* Appends a token for subject, org, role, session and scope of *claims (an empty scope: all that
 * the role may), good for `lifetime_s` from now, and fills in the other claims. INVALID: no such
 * role or scope, an empty or damaged text, a lifetime of 0 or beyond TOKEN_LIFETIME_MAX_S; LIMIT:
 * longer than TOKEN_BYTES_MAX or than *out may be; IO. */
enum err token_issue(const struct token_issuer *issuer, struct token_claims *claims,
                     uint32_t lifetime_s, int64_t now_us, struct buf *out, struct diag *diag);

enum token_answer {
    TOKEN_GOOD,
    TOKEN_TOO_LONG,
    TOKEN_NOT_ONE,    /* not three parts */
    TOKEN_BAD_BASE64, /* a part is not what base64url writes, to the last bit */
    TOKEN_BAD_HEADER, /* not an object of texts with distinct names */
    TOKEN_BAD_ALGORITHM,
    TOKEN_BAD_TYPE,
    TOKEN_CRITICAL,    /* it asks for what we do not know */
    TOKEN_MORE_HEADER, /* members that ours do not have */
    TOKEN_UNKNOWN_KEY, /* or one that has ended */
    TOKEN_BAD_SIGNATURE,
    TOKEN_BAD_CLAIMS, /* not an object with distinct names */
    TOKEN_MISSING_CLAIM,
    TOKEN_MORE_CLAIMS,
    TOKEN_WRONG_CLAIM, /* of another type or size, or times in no order */
    TOKEN_WRONG_ISSUER,
    TOKEN_LONG_LIVED, /* longer than TOKEN_LIFETIME_MAX_S */
    TOKEN_EXPIRED,
    TOKEN_NOT_YET,
};

/* Whether the token is good now; *out is written only if it is. Costs an Ed25519 verification:
 * people/token_cache.h makes the second time cheap. */
enum token_answer token_verify(const struct token_issuer *issuer, slice token, int64_t now_us,
                               struct token_claims *out);

/* Whether claims that were good once are so at this time: GOOD, EXPIRED or NOT_YET. */
enum token_answer token_at(const struct token_claims *claims, int64_t now_us);

/* For the log, never for whoever shows the token. Never NULL. */
const char *token_reason(enum token_answer answer);
