/* SPDX-License-Identifier: Apache-2.0 */
#include "server/first_start.h"

#include "access/callers.h"
#include "catalog/catalog.h"
#include "codec/hex.h"

static const struct catalog_author author = {
    .org = SLICE(SYSTEM_ORGANIZATION),
    .changed_by = SLICE("cairn"),
    .actor_type = SLICE("system"),
    .actor_id = SLICE("cairn"),
    .reason = SLICE("first start"),
};

/* Takes over both objects. */
static enum err insert(struct catalog *catalog, const struct kind *kind, json_t *sent,
                       json_t *given, struct diag *diag)
{
    struct kind_errors errors;
    const struct catalog_change change = {.kind = kind,
                                          .author = &author,
                                          .sent = sent,
                                          .given = given};
    enum err e = catalog_insert(catalog, &change, NULL, &errors, diag);
    json_decref(sent);
    json_decref(given);
    return e;
}

static enum err make_organization(struct catalog *catalog, struct diag *diag)
{
    return insert(catalog, &kind_organizations,
                  json_pack("{s:s, s:s}", "name", SYSTEM_ORGANIZATION, "tier", "unlimited"),
                  json_pack("{s:s}", "id", SYSTEM_ORGANIZATION), diag);
}

static enum err make_key(struct catalog *catalog, slice owner_key, struct diag *diag)
{
    slice prefix = {0};
    uint8_t hash[SHA256_BYTES];
    char hex[2 * SHA256_BYTES];
    if (!api_key_prefix(owner_key, &prefix)) {
        return diag_fail(diag, ERR_INVALID, "admin.key", "does not hold a key");
    }
    sha256(owner_key, hash);
    hex_encode((slice){hash, sizeof(hash)}, hex);
    return insert(catalog, &kind_api_keys,
                  json_pack("{s:s, s:s}", "name", "admin.key", "role", "owner"),
                  json_pack("{s:s%, s:s%}", "key_prefix", (const char *)prefix.ptr, prefix.len,
                            "key_hash", hex, sizeof(hex)),
                  diag);
}

static enum err make_both(struct catalog *catalog, slice owner_key, struct diag *diag)
{
    TRY(make_organization(catalog, diag));
    return make_key(catalog, owner_key, diag);
}

enum err first_start_is_due(struct catalog *catalog, bool *out, struct diag *diag)
{
    json_t *there = NULL;
    enum err e = catalog_get(catalog, &kind_organizations, (slice){0}, SLICE(SYSTEM_ORGANIZATION),
                             &there, diag);
    json_decref(there);
    *out = e == ERR_NOT_FOUND;
    return *out ? OK : e;
}

enum err first_start(struct catalog *catalog, slice owner_key, struct diag *diag)
{
    TRY(catalog_begin(catalog, diag));
    return catalog_end(catalog, make_both(catalog, owner_key, diag), diag);
}
