/* SPDX-License-Identifier: Apache-2.0 */
#include "people/people.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "crypto/password.h"
#include "os/clock.h"
#include "people/internal.h"

enum { CACHED_TOKENS = 16384 };

/* ---- Life ---- */

static enum err open_keys(const struct dir *data, int64_t now_us, struct people *people,
                          struct diag *diag)
{
    OWNED(dir) keys = NULL;
    TRY(dir_open_in(data, "keys", true, &keys, diag));
    TRY(dir_open_in(keys, "tokens", true, &people->key_dir, diag));
    return token_keys_open(people->key_dir, now_us, &people->keys, diag);
}

enum err people_open(const struct dir *data, struct catalog *catalog, struct callers *callers,
                     const struct people_options *options, struct people **out, struct diag *diag)
{
    OWNED(people) people = mem_zeroed(sizeof(*people));
    int64_t now_us = clock_now_us();
    people->catalog = catalog;
    people->callers = callers;
    const struct people_limits *limits = &options->limits;
    const struct login_guard_options guard = {limits->failures_max, limits->window_s,
                                              LOGIN_GUARD_NAMES};
    people->token_s = limits->token_s;
    mutex_init(&people->code_lock);
    TRY(open_keys(data, now_us, people, diag));
    (void)snprintf(people->issuer_name, sizeof(people->issuer_name), "%s", options->issuer);
    people->issuer = (struct token_issuer){people->issuer_name, people->keys};
    people->cache = token_cache_new(CACHED_TOKENS);
    people->guard = login_guard_new(&guard);
    people->signups = login_guard_new(&guard);
    people->sessions = sessions_new(catalog, limits->session_us, limits->session_idle_us);
    TRY(sessions_load(people->sessions, now_us, diag));
    *out = MOVE(people);
    return OK;
}

void people_set_limits(struct people *people, const struct people_limits *limits)
{
    people->token_s = limits->token_s;
    sessions_set_times(people->sessions, limits->session_us, limits->session_idle_us);
    login_guard_set(people->guard, limits->failures_max, limits->window_s);
    login_guard_set(people->signups, limits->failures_max, limits->window_s);
}

void people_free(struct people *people)
{
    if (people == NULL) {
        return;
    }
    sessions_free(people->sessions);
    login_guard_free(people->guard);
    login_guard_free(people->signups);
    token_cache_free(people->cache);
    token_keys_free(people->keys);
    dir_free(people->key_dir);
    mutex_release(&people->code_lock);
    free(people);
}

/* ---- What the files of this room share ---- */

enum err people_check_unchanged(struct people *people, const json_t *proven, const char *field,
                                struct diag *diag)
{
    json_t *user = NULL;
    enum err e = catalog_get(people->catalog, &kind_users, kind_text(proven, "org"),
                             kind_text(proven, "id"), &user, diag);
    if (e != OK && e != ERR_NOT_FOUND) {
        return e;
    }
    bool is_same = json_equal(json_object_get(user, field), json_object_get(proven, field));
    json_decref(user);
    return is_same ? OK : diag_fail(diag, ERR_CONFLICT, field, "was changed meanwhile");
}

json_t *people_hash_password(slice password)
{
    char hash[PASSWORD_HASH_BYTES];
    return password_hash(password, hash, NULL) == OK ? json_string(hash) : NULL;
}

const char *people_issuer(const struct people *people)
{
    return people->issuer_name;
}

/* ---- Who is it? ---- */

/* What a token says is a claim of some minutes ago; who its user is now is asked. */
static const char *judge(struct people *people, const struct token_claims *claims, int64_t now_us,
                         struct known_caller *out)
{
    slice user = slice_from_cstr(claims->subject);
    if (!sessions_live(people->sessions, slice_from_cstr(claims->session), user, now_us)) {
        return "its session has ended";
    }
    enum callers_answer answer = callers_find_user(people->callers, user, out);
    if (answer != CALLERS_KNOWN) {
        return callers_reason(answer);
    }
    out->rights &= claims->rights;
    memcpy(out->session, claims->session, sizeof(out->session));
    return NULL;
}

enum people_answer people_find(struct people *people, slice token, int64_t now_us,
                               struct known_caller *out)
{
    struct token_claims claims;
    enum token_answer answer = TOKEN_GOOD;
    if (!token_cache_find(people->cache, &people->issuer, token, now_us, &answer, &claims)) {
        return PEOPLE_UNVERIFIED;
    }
    bool is_known = answer == TOKEN_GOOD && judge(people, &claims, now_us, out) == NULL;
    return is_known ? PEOPLE_KNOWN : PEOPLE_REFUSED;
}

bool people_ask(struct people *people, slice token, int64_t now_us, struct known_caller *out,
                const char **why)
{
    struct token_claims claims;
    enum token_answer answer =
        token_cache_verify(people->cache, &people->issuer, token, now_us, &claims);
    *why = answer == TOKEN_GOOD ? judge(people, &claims, now_us, out) : token_reason(answer);
    return *why == NULL;
}

/* ---- The keys of tokens ---- */

static enum err note_rotation(struct people *people, bool at_once, const char *outcome,
                              const struct catalog_author *author, struct diag *diag)
{
    TRY(catalog_begin(people->catalog, diag));
    json_t *data = json_pack("{s:b}", "at_once", at_once);
    enum err e =
        catalog_note(people->catalog, author, "auth.token_keys.rotate", outcome, data, diag);
    json_decref(data);
    return catalog_end(people->catalog, e, diag);
}

/* What crashes in between leaves an event of a rotation that was not made, and every token as good
 * as it was; a key that changed within the transaction would stay so when the commit fails. */
enum err people_rotate_keys(struct people *people, bool at_once,
                            const struct catalog_author *author, int64_t now_us, struct diag *diag)
{
    TRY(note_rotation(people, at_once, "success", author, diag));
    enum err e = at_once ? token_keys_replace_all(people->keys, now_us, diag)
                         : token_keys_rotate(people->keys, now_us, diag);
    if (e != OK) {
        enum err noted = note_rotation(people, at_once, "failure", author, NULL);
        UNUSED(noted); /* whoever asked is told by the answer */
    }
    return e;
}
