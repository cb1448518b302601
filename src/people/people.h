/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * people - those who log in: their tokens, their sessions, and whose they are.
 *
 *     password (and code) --login--> access token, for minutes
 *                                    refresh token, good once, for the next pair of both
 *
 * A token is looked at in three steps: was it verified before, else is it one of ours; does the
 * session that it comes from live; is its user still let in, and in which role. So a logout, a new
 * role and a user who was locked out count for the next request.
 *
 * Threads: any. Only people_find() never blocks.
 */

#include "access/callers.h"
#include "people/login_guard.h"
#include "people/refresh.h"
#include "people/token.h"

struct catalog_author;
struct people;

struct people_limits {
    uint32_t token_s;        /* how long an access token is good */
    int64_t session_us;      /* how long a session lives, however often it is refreshed */
    int64_t session_idle_us; /* and how long if it is not; 0: as long */
    uint32_t failures_max;   /* of logins, as login_guard_options */
    uint32_t window_s;
};

struct people_options {
    const char *issuer; /* "iss" of tokens */
    struct people_limits limits;
};

/* Reads the keys that sign tokens from keys/tokens in `data`, and the sessions of the catalog; what
 * is given outlives the people. */
enum err people_open(const struct dir *data, struct catalog *catalog, struct callers *callers,
                     const struct people_options *options, struct people **out, struct diag *diag);
void people_free(struct people *people);
DEFINE_OWNED(people);

/* Other limits, which count for the next token, refresh and login. */
void people_set_limits(struct people *people, const struct people_limits *limits);

/* As catalog_options.hash_password. */
struct json_t; /* of jansson */
struct json_t *people_hash_password(slice password);

/* "iss" of our tokens. */
const char *people_issuer(const struct people *people);

enum people_answer {
    PEOPLE_KNOWN,
    PEOPLE_REFUSED,
    PEOPLE_UNVERIFIED, /* it was not shown before: people_ask() tells */
};
/* Who shows that token, from memory alone. */
enum people_answer people_find(struct people *people, slice token, int64_t now_us,
                               struct known_caller *out);
/* The same; verifies the signature if need be. False: *why is for the log. */
bool people_ask(struct people *people, slice token, int64_t now_us, struct known_caller *out,
                const char **why);

/* A new key signs tokens from now on. `at_once`: all others end, and with them every token, for
 * when one was stolen. The event is durable before a key changes: if it cannot be stored, none
 * does, and where a key cannot be written a second event says so. Errors as token_keys_rotate(),
 * and those of the catalog. */
enum err people_rotate_keys(struct people *people, bool at_once,
                            const struct catalog_author *author, int64_t now_us, struct diag *diag);

/* ---- Logging in and out (login.c) ---- */

struct login {
    slice email, password;
    slice code;                        /* a one-time or a recovery code; empty: none was sent */
    const struct catalog_author *from; /* address, agent, ids of the request */
};

enum login_answer {
    LOGIN_GOOD,
    LOGIN_WRONG,       /* of whatever it is */
    LOGIN_CODE_NEEDED, /* the password is right, and the user has a second factor */
    LOGIN_LATER,       /* too many failed: *retry_after_us */
    LOGIN_ANSWERS,     /* how many there are */
};
const char *login_answer_name(enum login_answer answer); /* "success", "failure" ... */

struct login_result {
    enum login_answer answer;
    int64_t retry_after_us;
    struct known_caller who;
    char token[TOKEN_BYTES_MAX + 1];
    int64_t token_expires_us;
    char refresh[REFRESH_TOKEN_BYTES];
    int64_t session_expires_us;
};
void login_result_release(struct login_result *result); /* wipes the tokens */

/* Each attempt leaves an event, auth.login, in the same transaction as the session; one that comes
 * too often is only answered. BUSY: too many passwords are being looked at; IO, FULL. */
enum err people_login(struct people *people, const struct login *login, struct login_result *out,
                      struct diag *diag);

/* The next pair for a refresh token: GOOD or WRONG. One that was used before ends its session and
 * leaves an event. */
enum err people_refresh(struct people *people, slice token, const struct catalog_author *from,
                        struct login_result *out, struct diag *diag);

/* How often each was answered since the start, for metrics. */
void people_login_counts(const struct people *people, uint64_t counts_out[LOGIN_ANSWERS]);

/* Ends the session of a caller, or, if `refresh` is not empty, of that token. OK also when it had
 * ended before. `who` is NULL if nobody is known. */
enum err people_logout(struct people *people, const struct known_caller *who, slice refresh,
                       const struct catalog_author *from, struct diag *diag);

/* Ends all sessions of a user but that one (empty: all), within the caller's transaction; that
 * counts when it calls people_forget(), with the same words, behind its commit. */
enum err people_end_sessions(struct people *people, slice user, slice but, struct diag *diag);
void people_forget(struct people *people, slice user, slice but);

/* ---- Signing up (signup.c) ---- */

struct signup {
    const struct json_t *sent; /* name of the organisation, email and password of its owner */
    const char *key_environment;
    const struct catalog_author *from;
};

struct signup_result {
    struct json_t *organization, *user, *key; /* as the catalog has them */
    struct api_key secret;                    /* the organisation's first, which is shown once */
    int64_t retry_after_us;                   /* of LIMIT */
};
void signup_result_release(struct signup_result *result);

/* An organisation of tier FREE, its owner, and a key: all or nothing, with the event auth.signup.
 * INVALID and CONFLICT with `errors`; LIMIT: too many from this address. */
struct kind_errors;
enum err people_signup(struct people *people, const struct signup *signup,
                       struct signup_result *out, struct kind_errors *errors, struct diag *diag);

/* A key for programs of a user who has just logged in, good for 30 days: what clients of older
 * systems expect of a login. */
enum err people_key_after_login(struct people *people, const struct known_caller *who,
                                const char *key_environment, const struct catalog_author *from,
                                struct signup_result *out, struct diag *diag);

/* ---- A user's own account (account.c) ---- */

/* A password that shows that it is the user who asks. DENIED: it is not right; LIMIT: too many were
 * not, and another may be shown later. */
struct password_proof {
    slice password;
    int64_t retry_after_us; /* of LIMIT */
};

/* Another password. Other sessions end. INVALID with `errors`: the new one is not good enough. */
enum err people_set_password(struct people *people, const struct known_caller *who,
                             struct password_proof *proof, slice next,
                             const struct catalog_author *author, struct kind_errors *errors,
                             struct diag *diag);

/* A second factor, for who knows the password (as people_set_password()), or whoever has a session
 * for a moment could lock its owner out: a new secret, which counts once a code of it was shown.
 * CONFLICT: there is one already. `uri_out` is what an authenticator application reads. */
enum err people_totp_begin(struct people *people, const struct known_caller *who,
                           struct password_proof *proof, const struct catalog_author *author,
                           struct buf *uri_out, struct diag *diag);
/* Other sessions end, with an event. DENIED: the code is not right; NOT_FOUND: none was begun. The
 * recovery codes are shown once. */
struct recovery_codes;
enum err people_totp_confirm(struct people *people, const struct known_caller *who, slice code,
                             const struct catalog_author *author, struct recovery_codes *out,
                             struct diag *diag);
/* Takes it away, for who knows the password (as people_set_password()). */
enum err people_totp_end(struct people *people, const struct known_caller *who,
                         struct password_proof *proof, const struct catalog_author *author,
                         struct diag *diag);
/* The same for a user who lost it, within the transaction of the administrator who may do that.
 * NOT_FOUND. */
enum err people_totp_reset(struct people *people, slice org, slice user,
                           const struct catalog_author *author, struct diag *diag);
