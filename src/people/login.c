/* SPDX-License-Identifier: Apache-2.0 */
/* login - passwords and codes become a session; a session becomes tokens; and how it ends. */
#include <stdio.h>

#include "catalog/sessions.h"
#include "codec/time.h"
#include "crypto/password.h"
#include "crypto/secret.h"
#include "os/clock.h"
#include "people/internal.h"

#define KEY_US ((int64_t)30 * 86400 * 1000000) /* so long a key signs */

void login_result_release(struct login_result *result)
{
    secret_wipe(result->token, sizeof(result->token));
    secret_wipe(result->refresh, sizeof(result->refresh));
}

/* ---- Events ---- */

/* Who did it, of which organisation. */
static struct catalog_author author_of(const struct catalog_author *from, slice org, slice email)
{
    struct catalog_author author = *from;
    author.org = org;
    author.actor_type = slice_from_cstr(caller_kind_name(CALLER_USER));
    author.actor_id = author.changed_by = email;
    return author;
}

static enum err note(struct people *people, const struct catalog_author *author, const char *type,
                     const char *outcome, const char *why, struct diag *diag)
{
    json_t *data = why != NULL ? json_pack("{s:s}", "reason", why) : NULL;
    enum err e = catalog_note(people->catalog, author, type, outcome, data, diag);
    json_decref(data);
    return e;
}

/* A login that failed, in a transaction of its own. That of an account that nobody has is for the
 * first organisation to know. */
static enum err note_failure(struct people *people, const struct login *login, const json_t *user,
                             const char *why, struct diag *diag)
{
    slice org = user != NULL ? kind_text(user, "org") : SLICE(SYSTEM_ORGANIZATION);
    struct catalog_author author = author_of(login->from, org, login->email);
    TRY(catalog_begin(people->catalog, diag));
    return catalog_end(people->catalog, note(people, &author, "auth.login", "failure", why, diag),
                       diag);
}

/* ---- Tokens ---- */

/* A key that signed for long is followed by another; a rotation that fails is tried again. */
static void renew_key(struct people *people, int64_t now_us)
{
    enum err e = token_keys_renew(people->keys, KEY_US, now_us, NULL);
    UNUSED(e); /* the old one goes on */
}

static enum err issue(struct people *people, const struct refresh_family *family, int64_t now_us,
                      struct login_result *out, struct diag *diag)
{
    struct token_claims claims = {0};
    CLEANUP(buf_release) struct buf text = BUF_INIT(TOKEN_BYTES_MAX);
    renew_key(people, now_us);
    memcpy(claims.subject, family->subject, sizeof(family->subject));
    memcpy(claims.org, out->who.org, sizeof(claims.org));
    memcpy(claims.session, family->id, sizeof(claims.session));
    (void)snprintf(claims.role, sizeof(claims.role), "%s", out->who.role);
    TRY(token_issue(&people->issuer, &claims, people->token_s, now_us, &text, diag));
    memcpy(out->token, text.ptr, text.len);
    out->token[text.len] = '\0';
    secret_wipe(text.ptr, text.len);
    memcpy(out->who.session, family->id, sizeof(out->who.session));
    out->token_expires_us = claims.expires_us;
    out->session_expires_us = family->expires_us;
    out->answer = LOGIN_GOOD;
    return OK;
}

/* ---- Login ---- */

struct attempt {
    struct people *people;
    const struct login *login;
    int64_t now_us;
    json_t *user; /* NULL: nobody has that address */
    json_t *hash; /* of today's strength; NULL: the stored one is */
    struct login_result *out;
    struct refresh_family family;
};

/* What the login leaves in the user: when, which code was used up, a hash of today's strength. */
static enum err touch_user(const struct attempt *attempt, json_t *used, struct diag *diag)
{
    char now_text[TIME_TEXT_BYTES];
    json_t *given = used != NULL ? json_incref(used) : json_object();
    time_format_rfc3339(attempt->now_us, now_text);
    (void)json_object_set_new(given, "last_login_at", json_stringn(now_text, sizeof(now_text)));
    if (attempt->hash != NULL) {
        (void)json_object_set(given, "password", attempt->hash);
    }
    enum err e =
        catalog_touch(attempt->people->catalog, &kind_users, kind_text(attempt->user, "org"),
                      kind_text(attempt->user, "id"), given, diag);
    json_decref(given);
    return e;
}

static enum err begin_inside(struct attempt *attempt, json_t *used, struct diag *diag)
{
    /* sessions of before ended with each of them, and this one would come behind them */
    static const char *const proven[] = {"password", "totp_enabled", "is_active"};
    struct people *people = attempt->people;
    const struct known_caller *who = &attempt->out->who;
    for (size_t i = 0; i < COUNT_OF(proven); i++) {
        TRY(people_check_unchanged(people, attempt->user, proven[i], diag));
    }
    TRY(touch_user(attempt, used, diag));
    TRY(refresh_begin(sessions_store(people->sessions), slice_from_cstr(who->id),
                      slice_from_cstr(who->org), attempt->now_us, attempt->out->refresh,
                      &attempt->family, diag));
    struct catalog_author author =
        author_of(attempt->login->from, slice_from_cstr(who->org), slice_from_cstr(who->name));
    author.session_id = slice_from_cstr(attempt->family.id);
    TRY(note(people, &author, "auth.login", "success", NULL, diag));
    /* Not behind the commit: whoever ends it comes later, and would find nothing to end. */
    sessions_began(people->sessions, &attempt->family);
    return OK;
}

static enum err refuse(struct attempt *attempt, const char *why, struct diag *diag)
{
    attempt->out->answer = LOGIN_WRONG;
    return note_failure(attempt->people, attempt->login, attempt->user, why, diag);
}

/* The session, its event, and the tokens. */
static enum err begin_session(struct attempt *attempt, json_t *used, struct diag *diag)
{
    struct people *people = attempt->people;
    const char *hash = json_string_value(json_object_get(attempt->user, "password"));
    if (password_needs_rehash(hash)) { /* without it, when too many are being made, the old stays */
        attempt->hash = people_hash_password(attempt->login->password);
    }
    TRY(catalog_begin(people->catalog, diag));
    enum err e = catalog_end(people->catalog, begin_inside(attempt, used, diag), diag);
    if (e != OK) {
        sessions_ended(people->sessions, slice_from_cstr(attempt->family.id));
    }
    if (e == ERR_CONFLICT) {
        return refuse(attempt, "the account was changed meanwhile", diag);
    }
    TRY(e);
    return issue(people, &attempt->family, attempt->now_us, attempt->out, diag);
}

/* With the second factor. What is stored is read anew: another login may have used the code. */
static enum err pass_code(struct attempt *attempt, struct diag *diag)
{
    struct people *people = attempt->people;
    json_t *user = NULL;
    json_t *used = NULL;
    TRY(catalog_get(people->catalog, &kind_users, kind_text(attempt->user, "org"),
                    kind_text(attempt->user, "id"), &user, diag));
    bool is_right = people_code_is_right(user, attempt->login->code, attempt->now_us, &used);
    enum err e = is_right ? begin_session(attempt, used, diag)
                          : refuse(attempt, "the code is not right", diag);
    json_decref(used);
    json_decref(user);
    return e;
}

static enum err pass_second_factor(struct attempt *attempt, struct diag *diag)
{
    struct people *people = attempt->people;
    if (!json_is_true(json_object_get(attempt->user, "totp_enabled"))) {
        return begin_session(attempt, NULL, diag);
    }
    if (attempt->login->code.len == 0) {
        attempt->out->answer = LOGIN_CODE_NEEDED;
        return OK;
    }
    mutex_lock(&people->code_lock);
    enum err e = pass_code(attempt, diag);
    mutex_unlock(&people->code_lock);
    return e;
}

/* The same work whether the account exists or not, until the password is right. */
static enum err judge(struct attempt *attempt, struct diag *diag)
{
    struct people *people = attempt->people;
    bool is_right = false;
    enum err e = catalog_find(people->catalog, &kind_users, (slice){0}, "email",
                              attempt->login->email, &attempt->user, diag);
    if (e != OK && e != ERR_NOT_FOUND) {
        return e;
    }
    const char *hash = json_string_value(json_object_get(attempt->user, "password"));
    e = password_verify(hash, attempt->login->password, &is_right, diag);
    if (e != OK && e != ERR_INVALID) {
        return e;
    }
    if (attempt->user == NULL) {
        return refuse(attempt, "there is no such account", diag);
    }
    if (e != OK || !is_right) {
        return refuse(attempt, "the password is not right", diag);
    }
    enum callers_answer known =
        callers_find_user(people->callers, kind_text(attempt->user, "id"), &attempt->out->who);
    if (known != CALLERS_KNOWN) {
        return refuse(attempt, callers_reason(known), diag);
    }
    return pass_second_factor(attempt, diag);
}

enum err people_login(struct people *people, const struct login *login, struct login_result *out,
                      struct diag *diag)
{
    struct attempt attempt = {.people = people,
                              .login = login,
                              .now_us = clock_now_us(),
                              .out = out};
    struct login_attempt guarded;
    *out = (struct login_result){.answer = LOGIN_LATER};
    if (login_guard_enter(people->guard, login->email, login->from->actor_ip, &guarded,
                          &out->retry_after_us) != OK) {
        atomic_fetch_add(&people->logins[LOGIN_LATER], 1);
        return OK;
    }
    enum err e = judge(&attempt, diag);
    json_decref(attempt.user);
    json_decref(attempt.hash);
    /* a guess that was wrong counts, also if its event cannot be stored */
    bool is_undone = e != OK ? out->answer != LOGIN_WRONG : out->answer == LOGIN_CODE_NEEDED;
    if (is_undone) {
        login_guard_undone(people->guard, &guarded);
    } else if (out->answer == LOGIN_GOOD) {
        login_guard_succeeded(people->guard, &guarded);
    }
    if (e == OK || out->answer == LOGIN_WRONG) {
        atomic_fetch_add(&people->logins[out->answer], 1);
    }
    return e;
}

const char *login_answer_name(enum login_answer answer)
{
    static const char *const names[LOGIN_ANSWERS] = {
        [LOGIN_GOOD] = "success",
        [LOGIN_WRONG] = "failure",
        [LOGIN_CODE_NEEDED] = "code_needed",
        [LOGIN_LATER] = "limited",
    };
    return names[answer];
}

void people_login_counts(const struct people *people, uint64_t counts_out[LOGIN_ANSWERS])
{
    for (size_t i = 0; i < LOGIN_ANSWERS; i++) {
        counts_out[i] = atomic_load(&people->logins[i]);
    }
}

/* ---- Refresh ---- */

struct refreshing {
    struct people *people;
    const struct catalog_author *from;
    int64_t now_us;
    enum refresh_answer answer;
    struct refresh_family family;
    struct login_result *out;
};

/* A token that is shown twice is in two hands. */
static enum err note_reuse(struct refreshing *refreshing, struct diag *diag)
{
    struct known_caller who = {0};
    slice user = slice_from_cstr(refreshing->family.subject);
    (void)callers_find_user(refreshing->people->callers, user, &who);
    struct catalog_author author =
        author_of(refreshing->from, slice_from_cstr(refreshing->family.org),
                  who.name[0] != '\0' ? slice_from_cstr(who.name) : user);
    author.session_id = slice_from_cstr(refreshing->family.id);
    return note(refreshing->people, &author, "auth.refresh", "denied",
                refresh_reason(refreshing->answer), diag);
}

static enum err refresh_inside(struct refreshing *refreshing, slice token, struct diag *diag)
{
    struct people *people = refreshing->people;
    TRY(refresh_rotate(sessions_store(people->sessions), token, refreshing->now_us,
                       &refreshing->answer, refreshing->out->refresh, &refreshing->family, diag));
    if (refreshing->answer == REFRESH_REUSED) {
        return note_reuse(refreshing, diag);
    }
    if (refreshing->answer == REFRESH_GOOD &&
        callers_find_user(people->callers, slice_from_cstr(refreshing->family.subject),
                          &refreshing->out->who) != CALLERS_KNOWN) {
        refreshing->answer = REFRESH_REVOKED;
        return catalog_session_revoke(people->catalog, slice_from_cstr(refreshing->family.id),
                                      refreshing->now_us, diag);
    }
    return OK;
}

enum err people_refresh(struct people *people, slice token, const struct catalog_author *from,
                        struct login_result *out, struct diag *diag)
{
    struct refreshing refreshing = {.people = people,
                                    .from = from,
                                    .now_us = clock_now_us(),
                                    .out = out};
    *out = (struct login_result){.answer = LOGIN_WRONG};
    if (!refresh_is_one(token)) { /* which takes nobody's turn to write */
        return OK;
    }
    TRY(catalog_begin(people->catalog, diag));
    TRY(catalog_end(people->catalog, refresh_inside(&refreshing, token, diag), diag));
    if (refreshing.answer == REFRESH_GOOD) {
        return issue(people, &refreshing.family, refreshing.now_us, out, diag);
    }
    secret_wipe(out->refresh, sizeof(out->refresh));
    if (refreshing.family.id[0] != '\0') {
        sessions_ended(people->sessions, slice_from_cstr(refreshing.family.id));
    }
    return OK;
}

/* ---- Logout ---- */

static enum err logout_inside(struct people *people, const struct known_caller *who, slice refresh,
                              struct refresh_family *ended, struct diag *diag)
{
    enum refresh_answer answer = REFRESH_NOT_ONE;
    if (refresh.len > 0) {
        return refresh_end(sessions_store(people->sessions), refresh, clock_now_us(), &answer,
                           ended, diag);
    }
    memcpy(ended->id, who->session, sizeof(ended->id));
    memcpy(ended->subject, who->id, sizeof(ended->subject));
    memcpy(ended->org, who->org, sizeof(ended->org));
    return catalog_session_revoke(people->catalog, slice_from_cstr(who->session), clock_now_us(),
                                  diag);
}

static enum err note_logout(struct people *people, const struct refresh_family *ended,
                            const struct catalog_author *from, struct diag *diag)
{
    struct known_caller who = {0};
    (void)callers_find_user(people->callers, slice_from_cstr(ended->subject), &who);
    struct catalog_author author =
        author_of(from, slice_from_cstr(ended->org), slice_from_cstr(who.name));
    author.session_id = slice_from_cstr(ended->id);
    return note(people, &author, "auth.logout", "success", NULL, diag);
}

enum err people_logout(struct people *people, const struct known_caller *who, slice refresh,
                       const struct catalog_author *from, struct diag *diag)
{
    struct refresh_family ended = {0};
    ASSERT(refresh.len > 0 || (who != NULL && who->session[0] != '\0'));
    if (refresh.len > 0 && !refresh_is_one(refresh)) {
        return OK;
    }
    TRY(catalog_begin(people->catalog, diag));
    enum err e = logout_inside(people, who, refresh, &ended, diag);
    if (e == OK && ended.id[0] != '\0') {
        e = note_logout(people, &ended, from, diag);
    }
    TRY(catalog_end(people->catalog, e, diag));
    sessions_ended(people->sessions, slice_from_cstr(ended.id));
    return OK;
}

enum err people_end_sessions(struct people *people, slice user, slice but, struct diag *diag)
{
    TRY(catalog_sessions_revoke(people->catalog, user, but, clock_now_us(), diag));
    sessions_ending_of(people->sessions, user, but);
    return OK;
}

void people_forget(struct people *people, slice user, slice but)
{
    sessions_ended_of(people->sessions, user, but);
}
