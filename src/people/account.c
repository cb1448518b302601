/* SPDX-License-Identifier: Apache-2.0 */
/* account - what users change of their own: the password, and the second factor. */
#include <stdlib.h>

#include "codec/hex.h"
#include "crypto/password.h"
#include "crypto/secret.h"
#include "os/clock.h"
#include "people/internal.h"
#include "people/second_factor.h"

/* ---- Codes ---- */

static bool take_secret(const json_t *user, uint8_t out[TOTP_SECRET_BYTES])
{
    slice text = kind_text(user, "totp_secret");
    return text.len == 2 * TOTP_SECRET_BYTES && hex_decode(text, out);
}

static bool one_time_code_is_right(const json_t *user, slice code, int64_t now_us, uint64_t *step)
{
    uint8_t secret[TOTP_SECRET_BYTES];
    uint64_t last = (uint64_t)json_integer_value(json_object_get(user, "totp_step"));
    bool is_right = take_secret(user, secret) &&
                    totp_verify((slice){secret, sizeof(secret)}, code, now_us, last, step);
    secret_wipe(secret, sizeof(secret));
    return is_right;
}

/* The hashes that are left without that of the code: a new reference; NULL: it is none of them. */
static json_t *without_code(const json_t *user, slice code)
{
    uint8_t hashes[RECOVERY_CODES][SHA256_BYTES];
    const json_t *left = json_object_get(user, "recovery_codes");
    size_t count = json_array_size(left);
    size_t index = 0;
    if (count == 0 || count > RECOVERY_CODES) {
        return NULL;
    }
    for (size_t i = 0; i < count; i++) {
        const char *text = json_string_value(json_array_get(left, i));
        if (text == NULL || !hex_decode(slice_from_cstr(text), hashes[i])) {
            return NULL;
        }
    }
    if (!recovery_code_find(code, (const uint8_t(*)[SHA256_BYTES])hashes, count, &index)) {
        return NULL;
    }
    json_t *rest = json_deep_copy(left);
    (void)json_array_remove(rest, index);
    return rest;
}

bool people_code_is_right(const json_t *user, slice code, int64_t now_us, json_t **used_out)
{
    uint64_t step = 0;
    if (one_time_code_is_right(user, code, now_us, &step)) {
        *used_out = json_pack("{s:I}", "totp_step", (json_int_t)step);
        return true;
    }
    json_t *rest = without_code(user, code);
    if (rest != NULL) {
        *used_out = json_pack("{s:o}", "recovery_codes", rest);
    }
    return rest != NULL;
}

/* ---- The password ---- */

static enum err get_user(struct people *people, const struct known_caller *who, json_t **out,
                         struct diag *diag)
{
    return catalog_get(people->catalog, &kind_users, slice_from_cstr(who->org),
                       slice_from_cstr(who->id), out, diag);
}

static enum err not_right(struct diag *diag)
{
    return diag_fail(diag, ERR_DENIED, "", "the password is not right");
}

/* Whoever has a session for a moment does not have the account: they must know the password, which
 * is that of `user`. */
static enum err check_password(struct people *people, const json_t *user,
                               struct password_proof *proof, const struct catalog_author *author,
                               struct diag *diag)
{
    struct login_attempt attempt;
    bool is_right = false;
    if (login_guard_enter(people->guard, kind_text(user, "email"), author->actor_ip, &attempt,
                          &proof->retry_after_us) != OK) {
        return diag_fail(diag, ERR_LIMIT, "", "too many tries");
    }
    enum err e = password_verify(json_string_value(json_object_get(user, "password")),
                                 proof->password, &is_right, diag);
    if (e != OK && e != ERR_INVALID) {
        login_guard_undone(people->guard, &attempt);
        return e;
    }
    if (e != OK || !is_right) {
        return not_right(diag);
    }
    login_guard_succeeded(people->guard, &attempt);
    return OK;
}

/* `proven`: the user, as the password was right. Of two that show the same one, the second does not
 * know the password any more. */
static enum err change_inside(struct people *people, const json_t *proven, slice session,
                              const struct catalog_change *change, struct kind_errors *errors,
                              struct diag *diag)
{
    enum err e = people_check_unchanged(people, proven, "password", diag);
    if (e == ERR_CONFLICT) {
        return not_right(diag);
    }
    TRY(e);
    TRY(catalog_update(people->catalog, change, NULL, errors, diag));
    return people_end_sessions(people, change->id, session, diag);
}

static enum err set_proven(struct people *people, const json_t *proven, slice next,
                           const struct catalog_author *author, struct kind_errors *errors,
                           struct diag *diag)
{
    struct catalog_author whose = *author;
    json_t *given = NULL;
    whose.org = kind_text(proven, "org");
    json_t *sent = json_pack("{s:s%}", "password", (const char *)next.ptr, next.len);
    enum err e = catalog_hash(people->catalog, &kind_users, sent, &given, diag);
    const struct catalog_change change = {.kind = &kind_users,
                                          .author = &whose,
                                          .id = kind_text(proven, "id"),
                                          .how = KIND_PATCH,
                                          .sent = sent,
                                          .given = given};
    e = e == OK ? catalog_begin(people->catalog, diag) : e;
    if (e == OK) {
        e = catalog_end(people->catalog,
                        change_inside(people, proven, author->session_id, &change, errors, diag),
                        diag);
    }
    json_decref(sent);
    json_decref(given);
    return e;
}

enum err people_set_password(struct people *people, const struct known_caller *who,
                             struct password_proof *proof, slice next,
                             const struct catalog_author *author, struct kind_errors *errors,
                             struct diag *diag)
{
    json_t *user = NULL;
    TRY(get_user(people, who, &user, diag));
    enum err e = check_password(people, user, proof, author, diag);
    e = e == OK ? set_proven(people, user, next, author, errors, diag) : e;
    json_decref(user);
    TRY(e);
    people_forget(people, slice_from_cstr(who->id), slice_from_cstr(who->session));
    return OK;
}

/* ---- The second factor ---- */

static enum err check_own_password(struct people *people, const struct known_caller *who,
                                   struct password_proof *proof,
                                   const struct catalog_author *author, struct diag *diag)
{
    json_t *user = NULL;
    TRY(get_user(people, who, &user, diag));
    enum err e = check_password(people, user, proof, author, diag);
    json_decref(user);
    return e;
}

static enum err begin_factor(struct people *people, const struct known_caller *who,
                             struct buf *uri_out, struct diag *diag)
{
    uint8_t secret[TOTP_SECRET_BYTES];
    char text[2 * TOTP_SECRET_BYTES];
    json_t *user = NULL;
    TRY(get_user(people, who, &user, diag));
    bool is_on = json_is_true(json_object_get(user, "totp_enabled"));
    json_decref(user);
    if (is_on) {
        return diag_fail(diag, ERR_CONFLICT, "", "there is a second factor already; end it first");
    }
    totp_secret_make(secret);
    hex_encode((slice){secret, sizeof(secret)}, text);
    enum err e = totp_uri((slice){secret, sizeof(secret)}, SLICE("Cairn"),
                          slice_from_cstr(who->name), uri_out);
    secret_wipe(secret, sizeof(secret));
    TRY(e);
    json_t *given = json_pack("{s:s%, s:i}", "totp_secret", text, sizeof(text), "totp_step", 0);
    secret_wipe(text, sizeof(text));
    e = catalog_begin(people->catalog, diag);
    if (e == OK) {
        e = catalog_end(people->catalog,
                        catalog_touch(people->catalog, &kind_users, slice_from_cstr(who->org),
                                      slice_from_cstr(who->id), given, diag),
                        diag);
    }
    json_decref(given);
    return e;
}

enum err people_totp_begin(struct people *people, const struct known_caller *who,
                           struct password_proof *proof, const struct catalog_author *author,
                           struct buf *uri_out, struct diag *diag)
{
    TRY(check_own_password(people, who, proof, author, diag));
    mutex_lock(&people->code_lock); /* another secret never comes under a code that was right */
    enum err e = begin_factor(people, who, uri_out, diag);
    mutex_unlock(&people->code_lock);
    return e;
}

static json_t *hashes_of(const struct recovery_codes *codes)
{
    json_t *list = json_array();
    for (size_t i = 0; i < RECOVERY_CODES; i++) {
        char hex[2 * SHA256_BYTES];
        hex_encode((slice){codes->hashes[i], SHA256_BYTES}, hex);
        (void)json_array_append_new(list, json_stringn(hex, sizeof(hex)));
    }
    return list;
}

/* Within a transaction: a change of what the server keeps of it, and its event; takes `given`. */
static enum err set_factor(struct people *people, slice org, slice user, json_t *given,
                           const struct catalog_author *author, struct diag *diag)
{
    struct kind_errors errors = {0};
    struct catalog_author whose = *author;
    json_t *nothing = json_object();
    whose.org = org;
    const struct catalog_change change = {.kind = &kind_users,
                                          .author = &whose,
                                          .id = user,
                                          .how = KIND_PATCH,
                                          .sent = nothing,
                                          .given = given};
    enum err e = catalog_update(people->catalog, &change, NULL, &errors, diag);
    json_decref(nothing);
    json_decref(given);
    return e;
}

/* Whoever has a session that began without the factor loses it (OWASP ASVS). */
static enum err switch_on(struct people *people, const struct known_caller *who, json_t *given,
                          const struct catalog_author *author, struct diag *diag)
{
    slice user = slice_from_cstr(who->id);
    struct catalog_author whose = *author;
    whose.org = slice_from_cstr(who->org);
    TRY(set_factor(people, whose.org, user, given, author, diag));
    TRY(people_end_sessions(people, user, slice_from_cstr(who->session), diag));
    json_t *why = json_pack("{s:s}", "reason", "a second factor was switched on");
    enum err e =
        catalog_note(people->catalog, &whose, "auth.other_sessions.end", "success", why, diag);
    json_decref(why);
    return e;
}

static enum err confirm(struct people *people, const struct known_caller *who, slice code,
                        const struct catalog_author *author, struct recovery_codes *out,
                        struct diag *diag)
{
    uint64_t step = 0;
    json_t *user = NULL;
    TRY(get_user(people, who, &user, diag));
    bool is_begun = kind_text(user, "totp_secret").len > 0;
    bool is_on = json_is_true(json_object_get(user, "totp_enabled"));
    bool is_right = is_begun && one_time_code_is_right(user, code, clock_now_us(), &step);
    json_decref(user);
    if (!is_begun || is_on) {
        return diag_fail(diag, ERR_NOT_FOUND, "", "no second factor was begun");
    }
    if (!is_right) {
        return diag_fail(diag, ERR_DENIED, "", "the code is not right");
    }
    recovery_codes_make(out);
    TRY(catalog_begin(people->catalog, diag));
    json_t *given = json_pack("{s:b, s:I, s:o}", "totp_enabled", 1, "totp_step", (json_int_t)step,
                              "recovery_codes", hashes_of(out));
    return catalog_end(people->catalog, switch_on(people, who, given, author, diag), diag);
}

enum err people_totp_confirm(struct people *people, const struct known_caller *who, slice code,
                             const struct catalog_author *author, struct recovery_codes *out,
                             struct diag *diag)
{
    mutex_lock(&people->code_lock);
    enum err e = confirm(people, who, code, author, out, diag);
    if (e == OK) { /* before a login with a code begins one that stays */
        people_forget(people, slice_from_cstr(who->id), slice_from_cstr(who->session));
    }
    mutex_unlock(&people->code_lock);
    return e;
}

enum err people_totp_reset(struct people *people, slice org, slice user,
                           const struct catalog_author *author, struct diag *diag)
{
    json_t *given = json_pack("{s:b, s:n, s:n, s:n}", "totp_enabled", 0, "totp_secret", "totp_step",
                              "recovery_codes");
    return set_factor(people, org, user, given, author, diag);
}

enum err people_totp_end(struct people *people, const struct known_caller *who,
                         struct password_proof *proof, const struct catalog_author *author,
                         struct diag *diag)
{
    TRY(check_own_password(people, who, proof, author, diag));
    TRY(catalog_begin(people->catalog, diag));
    return catalog_end(people->catalog,
                       people_totp_reset(people, slice_from_cstr(who->org),
                                         slice_from_cstr(who->id), author, diag),
                       diag);
}
