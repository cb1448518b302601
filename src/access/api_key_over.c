/* SPDX-License-Identifier: Apache-2.0 */
#include "access/api_key_over.h"

#include "codec/time.h"
#include "os/clock.h"

#define KEYS_AT_ONCE 100 /* that are looked at before their owner is removed */

bool api_key_is_over(const json_t *key, int64_t now_us)
{
    int64_t end_us = INT64_MAX;
    bool is_dated = time_parse_rfc3339(kind_text(key, "revoked_at"), &end_us) ||
                    time_parse_rfc3339(kind_text(key, "expires_at"), &end_us);
    return !json_is_true(json_object_get(key, "is_active")) || (is_dated && end_us <= now_us);
}

/* ---- Keys that go with their owner ---- */

struct removal {
    struct catalog *catalog;
    const struct catalog_author *author;
    bool is_of_all; /* also of those that are not over */
    struct kind_errors *errors;
    struct diag *diag;
};

static enum err remove_if_over(void *context, const struct kind *kind, const json_t *key,
                               bool *is_enough)
{
    const struct removal *removal = context;
    const struct catalog_change change = {
        .kind = kind,
        .author = removal->author,
        .id = kind_text(key, "id"),
    };
    UNUSED(is_enough);
    return removal->is_of_all || api_key_is_over(key, clock_now_us())
               ? catalog_delete(removal->catalog, &change, removal->errors, removal->diag)
               : OK;
}

enum err api_key_leave_organization(struct catalog *catalog, const struct catalog_author *author,
                                    const json_t *organization, struct kind_errors *errors,
                                    struct diag *diag)
{
    bool is_locked_out = !json_is_true(json_object_get(organization, "is_active"));
    struct removal removal = {catalog, author, is_locked_out, errors, diag};
    const struct catalog_list keys = {.org = kind_text(organization, "id"), .limit = KEYS_AT_ONCE};
    return catalog_each(catalog, &kind_api_keys, &keys, remove_if_over, &removal, diag);
}

enum err api_key_leave_user(struct catalog *catalog, const struct catalog_author *author,
                            const json_t *user, struct kind_errors *errors, struct diag *diag)
{
    struct removal removal = {catalog, author, false, errors, diag};
    const struct catalog_list keys = {
        .org = kind_text(user, "org"),
        .filters = {{kind_field(&kind_api_keys, SLICE("user_id")), kind_text(user, "id")}},
        .filter_count = 1,
        .limit = KEYS_AT_ONCE,
    };
    return catalog_each(catalog, &kind_api_keys, &keys, remove_if_over, &removal, diag);
}
