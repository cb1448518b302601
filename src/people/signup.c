/* SPDX-License-Identifier: Apache-2.0 */
/* signup - an organisation that makes itself. */
#include <stdio.h>

#include "codec/time.h"
#include "crypto/secret.h"
#include "os/clock.h"
#include "people/internal.h"

#define DAY_US ((int64_t)86400 * 1000000)

enum { KEY_DAYS = 30 }; /* of a key that comes with a login */

void signup_result_release(struct signup_result *result)
{
    json_decref(result->organization);
    json_decref(result->user);
    json_decref(result->key);
    secret_wipe(&result->secret, sizeof(result->secret));
}

struct making {
    const struct kind *kind;
    const struct catalog_author *author;
    json_t *sent, *given; /* are taken */
};

/* Within a transaction. */
static enum err insert(struct people *people, const struct making *making, json_t **out,
                       struct kind_errors *errors, struct diag *diag)
{
    const struct catalog_change change = {.kind = making->kind,
                                          .author = making->author,
                                          .sent = making->sent,
                                          .given = making->given};
    enum err e = catalog_insert(people->catalog, &change, out, errors, diag);
    json_decref(making->sent);
    json_decref(making->given);
    return e;
}

/* `hashed`: the password, by catalog_hash(). */
static enum err make_all(struct people *people, const struct signup *signup, json_t *hashed,
                         struct signup_result *out, struct kind_errors *errors, struct diag *diag)
{
    const json_t *sent = signup->sent;
    const json_t *email = json_object_get(sent, "email");
    struct catalog_author author = *signup->from;
    author.actor_type = slice_from_cstr(caller_kind_name(CALLER_USER));
    author.actor_id = author.changed_by = kind_text(sent, "email");
    const struct making organization = {
        .kind = &kind_organizations,
        .author = &author,
        .sent = json_pack("{s:O?, s:O?}", "name", json_object_get(sent, "name"), "email", email),
    };
    TRY(insert(people, &organization, &out->organization, errors, diag));
    author.org = kind_text(out->organization, "id");
    const struct making user = {
        .kind = &kind_users,
        .author = &author,
        .sent = json_pack("{s:O?, s:O?, s:s}", "email", email, "password",
                          json_object_get(sent, "password"), "role", "owner"),
        .given = json_incref(hashed),
    };
    TRY(insert(people, &user, &out->user, errors, diag));
    api_key_make(signup->key_environment, &out->secret);
    const struct making key = {
        .kind = &kind_api_keys,
        .author = &author,
        .sent = json_pack("{s:s, s:s}", "name", "The first key", "role", "owner"),
        .given = api_key_given(&out->secret),
    };
    TRY(insert(people, &key, &out->key, errors, diag));
    return catalog_note(people->catalog, &author, "auth.signup", "success", NULL, diag);
}

enum err people_signup(struct people *people, const struct signup *signup,
                       struct signup_result *out, struct kind_errors *errors, struct diag *diag)
{
    struct login_attempt attempt;
    slice address = signup->from->actor_ip;
    *out = (struct signup_result){0};
    *errors = (struct kind_errors){0};
    if (kind_text(signup->sent, "email").len == 0) { /* an organisation alone may have none */
        kind_wrong(errors, "email", "must be given");
        return diag_fail(diag, ERR_INVALID, "/email", "must be given");
    }
    if (login_guard_enter(people->signups, address, address, &attempt, &out->retry_after_us) !=
        OK) {
        return diag_fail(diag, ERR_LIMIT, "", "too many came from this address");
    }
    json_t *hashed = NULL;
    enum err e = catalog_hash(people->catalog, &kind_users, signup->sent, &hashed, diag);
    e = e == OK ? catalog_begin(people->catalog, diag) : e;
    if (e == OK) {
        e = catalog_end(people->catalog, make_all(people, signup, hashed, out, errors, diag), diag);
    }
    json_decref(hashed);
    return e;
}

enum err people_key_after_login(struct people *people, const struct known_caller *who,
                                const char *key_environment, const struct catalog_author *from,
                                struct signup_result *out, struct diag *diag)
{
    struct kind_errors errors = {0};
    char expires[TIME_TEXT_BYTES];
    struct catalog_author author = *from;
    *out = (struct signup_result){0};
    author.org = slice_from_cstr(who->org);
    author.actor_type = slice_from_cstr(caller_kind_name(CALLER_USER));
    author.actor_id = author.changed_by = slice_from_cstr(who->name);
    TRY(catalog_get(people->catalog, &kind_organizations, author.org, author.org,
                    &out->organization, diag));
    int64_t most = json_integer_value(json_object_get(out->organization, "key_days_max"));
    int64_t days = most > 0 && most < KEY_DAYS ? most : KEY_DAYS;
    time_format_rfc3339(clock_now_us() + days * DAY_US, expires);
    api_key_make(key_environment, &out->secret);
    TRY(catalog_begin(people->catalog, diag));
    const struct making key = {
        .kind = &kind_api_keys,
        .author = &author,
        .sent = json_pack("{s:s, s:s, s:s, s:s%}", "name", "Login", "role", who->role, "user_id",
                          who->id, "expires_at", expires, sizeof(expires)),
        .given = api_key_given(&out->secret),
    };
    return catalog_end(people->catalog, insert(people, &key, &out->key, &errors, diag), diag);
}
