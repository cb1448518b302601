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

static enum err remove_one(const struct removal *removal, const json_t *key)
{
    const struct catalog_change change = {
        .kind = &kind_api_keys,
        .author = removal->author,
        .id = kind_text(key, "id"),
    };
    return catalog_delete(removal->catalog, &change, removal->errors, removal->diag);
}

/* Those of a page, of which *after, a reference, is the last; NULL: it was the last page. */
static enum err remove_page(const struct removal *removal, struct catalog_list *list,
                            json_t **after)
{
    json_t *keys = NULL;
    json_t *key = NULL;
    size_t i = 0;
    bool has_more = false;
    uint64_t total = 0;
    enum err e = OK;
    list->after = *after;
    TRY(catalog_list(removal->catalog, &kind_api_keys, list, &keys, &has_more, &total,
                     removal->diag));
    json_decref(*after);
    *after =
        has_more ? catalog_position(&kind_api_keys, json_array_get(keys, list->limit - 1)) : NULL;
    json_array_foreach(keys, i, key)
    {
        if (e == OK && (removal->is_of_all || api_key_is_over(key, clock_now_us()))) {
            e = remove_one(removal, key);
        }
    }
    json_decref(keys);
    return e;
}

static enum err remove_listed(const struct removal *removal, struct catalog_list *list)
{
    json_t *after = NULL;
    enum err e = remove_page(removal, list, &after);
    while (e == OK && after != NULL) {
        e = remove_page(removal, list, &after);
    }
    json_decref(after);
    return e;
}

enum err api_key_leave_organization(struct catalog *catalog, const struct catalog_author *author,
                                    const json_t *organization, struct kind_errors *errors,
                                    struct diag *diag)
{
    bool is_locked_out = !json_is_true(json_object_get(organization, "is_active"));
    const struct removal removal = {catalog, author, is_locked_out, errors, diag};
    struct catalog_list list = {.org = kind_text(organization, "id"), .limit = KEYS_AT_ONCE};
    return remove_listed(&removal, &list);
}

enum err api_key_leave_user(struct catalog *catalog, const struct catalog_author *author,
                            const json_t *user, struct kind_errors *errors, struct diag *diag)
{
    const struct removal removal = {catalog, author, false, errors, diag};
    struct catalog_list list = {
        .org = kind_text(user, "org"),
        .filters = {{kind_field(&kind_api_keys, SLICE("user_id")), kind_text(user, "id")}},
        .filter_count = 1,
        .limit = KEYS_AT_ONCE,
    };
    return remove_listed(&removal, &list);
}
