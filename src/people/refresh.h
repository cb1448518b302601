/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * refresh - refresh tokens: opaque, each good once, in families that end together (RFC 9700, 4.14).
 *
 *   cairn_refresh_<22 characters: family>_<43 characters: secret>
 *
 * A login begins a family. Each use of its token gives the next one and makes the one before
 * worthless; whoever shows that one again, thief or owner, proves that two have it, and the whole
 * family ends: both must log in. There is no grace for a client that lost an answer, because it
 * cannot be told from a thief.
 *
 *   begin ---> live -- rotate --> live -- rotate --> ...   until it expires, or is idle too long
 *               |  an old token, or another secret
 *               '-----------------------------------> revoked, for ever
 *
 * What is kept are hashes: of the family's name its SHA-256, cut to 128 bits, in hex, which may be
 * shown and logged as the session's id; of the newest secret the SHA-256 of the whole token.
 * Whoever knows a family's name has held one of its tokens, so that any other secret under it is
 * an old one.
 *
 * Threads: any; the callbacks decide between two that come at once (see `advance`).
 */

#include <stdatomic.h>

#include "base/err.h"
#include "base/slice.h"
#include "crypto/sha256.h"

#define REFRESH_TOKEN_BYTES   81 /* with its NUL */
#define REFRESH_ID_BYTES      32
#define REFRESH_SUBJECT_BYTES 64
#define REFRESH_ORG_BYTES     64

struct refresh_family {
    char id[REFRESH_ID_BYTES + 1];
    char subject[REFRESH_SUBJECT_BYTES + 1];
    char org[REFRESH_ORG_BYTES + 1];
    uint8_t newest[SHA256_BYTES]; /* of the one token that is good */
    int64_t created_us;
    int64_t used_us;    /* when the newest was given */
    int64_t expires_us; /* however often it is used */
    int64_t revoked_us; /* 0: it lives */
};

/* Where families are kept. Faults (IO, FULL, BUSY) go through to the caller. */
struct refresh_store {
    enum err (*insert)(void *context, const struct refresh_family *family, struct diag *diag);
    enum err (*find)(void *context, const char *id, struct refresh_family *out,
                     struct diag *diag); /* NOT_FOUND */
    /* In one step: if the family lives and its newest is `seen`, it is `next` from now on, used at
     * `now_us`; else CONFLICT, and nothing changes. */
    enum err (*advance)(void *context, const char *id, const uint8_t seen[SHA256_BYTES],
                        const uint8_t next[SHA256_BYTES], int64_t now_us, struct diag *diag);
    /* OK also when it was revoked before, which then stays as it was. */
    enum err (*revoke)(void *context, const char *id, int64_t now_us, struct diag *diag);
    void *context;
    _Atomic int64_t lifetime_us; /* of a family; one that is shortened ends those that live, too */
    _Atomic int64_t idle_us;     /* between two uses; 0: as long as its lifetime */
};

enum refresh_answer {
    REFRESH_GOOD,
    REFRESH_NOT_ONE, /* it does not look like one */
    REFRESH_UNKNOWN,
    REFRESH_REVOKED,
    REFRESH_EXPIRED,
    REFRESH_REUSED, /* and its family was revoked for it: worth an event of its own */
};

/* Begins a family for a user who logged in. *family_out says which. INVALID: an empty or too long
 * subject or organisation; what the store says. */
enum err refresh_begin(const struct refresh_store *store, slice subject, slice org, int64_t now_us,
                       char token_out[REFRESH_TOKEN_BYTES], struct refresh_family *family_out,
                       struct diag *diag);

/* Whether it has the form of one, to the last bit. */
bool refresh_is_one(slice token);

/* Takes a token for the next one. OK: *answer_out says whether; if GOOD, `next_out` is the token
 * and *family_out whose it is (also for REVOKED, EXPIRED and REUSED, for the log). Any other error
 * is the store's: then nobody knows whether the token is spent, and the user logs in again. To
 * whoever shows the token, all answers but GOOD are one. */
enum err refresh_rotate(const struct refresh_store *store, slice token, int64_t now_us,
                        enum refresh_answer *answer_out, char next_out[REFRESH_TOKEN_BYTES],
                        struct refresh_family *family_out, struct diag *diag);

/* A logout: ends the family of that token, if it is the good one or an old one; then *family_out is
 * that, else it has no id. */
enum err refresh_end(const struct refresh_store *store, slice token, int64_t now_us,
                     enum refresh_answer *answer_out, struct refresh_family *family_out,
                     struct diag *diag);

/* For the log. Never NULL. */
const char *refresh_reason(enum refresh_answer answer);
