/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * internal - what the files of this room share.
 */

#include <jansson.h>
#include <stdatomic.h>

#include "catalog/catalog.h"
#include "os/thread.h"
#include "people/people.h"
#include "people/sessions.h"
#include "people/token_cache.h"

struct people {
    struct catalog *catalog;
    struct callers *callers;
    _Atomic uint32_t token_s;
    struct dir *key_dir;
    struct token_keys *keys;
    char issuer_name[TOKEN_ISSUER_BYTES + 1];
    struct token_issuer issuer;
    struct token_cache *cache;
    struct sessions *sessions;
    struct login_guard *guard;
    struct login_guard *signups; /* so many of an address, whatever becomes of them */
    /* From reading which codes were used, or whether there is a second factor, to having written
     * what became of it. */
    _Atomic uint64_t logins[LOGIN_ANSWERS]; /* by their answer */
    struct mutex code_lock;
};

/* Within a transaction. CONFLICT: what was looked at before it, in `proven`, is not the user's any
 * more (the password that was verified, "is_active", "totp_enabled"), or the user is gone. */
enum err people_check_unchanged(struct people *people, const json_t *proven, const char *field,
                                struct diag *diag);

/* Whether `code` is right for the user as stored: a one-time code that was not used before, or one
 * of the recovery codes. *used_out, a new reference, is what is to be stored when it is used. Under
 * code_lock. */
bool people_code_is_right(const json_t *user, slice code, int64_t now_us, json_t **used_out);
