/* SPDX-License-Identifier: Apache-2.0 */
#include "accounts/key_policy.h"

#include "codec/time.h"
#include "os/clock.h"

#define DAY_US ((int64_t)86400 * 1000000)

/* 0: there is no policy. */
static enum err find_days(struct catalog *catalog, slice org, int64_t *out, struct diag *diag)
{
    json_t *organization = NULL;
    TRY(catalog_get(catalog, &kind_organizations, org, org, &organization, diag));
    *out = json_integer_value(json_object_get(organization, "key_days_max"));
    json_decref(organization);
    return OK;
}

enum err key_policy_fill(struct catalog *catalog, slice org, json_t *wanted, struct diag *diag)
{
    int64_t days = 0;
    char text[TIME_TEXT_BYTES];
    TRY(find_days(catalog, org, &days, diag));
    if (days > 0 && !json_is_string(json_object_get(wanted, "expires_at"))) {
        time_format_rfc3339(clock_now_us() + days * DAY_US, text);
        (void)json_object_set_new(wanted, "expires_at", json_stringn(text, sizeof(text)));
    }
    return OK;
}

enum err key_policy_check(struct catalog *catalog, const json_t *old, const json_t *key,
                          struct kind_errors *errors, struct diag *diag)
{
    int64_t days = 0;
    int64_t created_us = 0;
    int64_t end_us = INT64_MAX;
    if (json_equal(json_object_get(old, "expires_at"), json_object_get(key, "expires_at"))) {
        return OK;
    }
    TRY(find_days(catalog, kind_text(key, "org"), &days, diag));
    (void)time_parse_rfc3339(kind_text(key, "expires_at"), &end_us);
    bool is_dated = time_parse_rfc3339(kind_text(key, "created_at"), &created_us);
    ASSERT(is_dated); /* the catalog wrote it */
    if (days == 0 || end_us <= created_us + days * DAY_US) {
        return OK;
    }
    kind_wrong(errors, "expires_at", "keys of this organisation end after %lld days at the latest",
               (long long)days);
    return diag_fail(diag, ERR_INVALID, "/expires_at", "the key would live too long");
}
