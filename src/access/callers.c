/* SPDX-License-Identifier: Apache-2.0 */
#include "access/callers.h"

#include <stdio.h>
#include <stdlib.h>

#include "access/rights.h"
#include "base/hash.h"
#include "base/mem.h"
#include "catalog/catalog.h"
#include "codec/hex.h"
#include "codec/time.h"
#include "crypto/secret.h"
#include "os/thread.h"

enum { SLOTS_FIRST = 256, PAGE = 1000 };

struct key_entry {
    char prefix[API_KEY_PREFIX_BYTES + 1]; /* "": the slot is free */
    uint8_t hash[SHA256_BYTES];
    char id[CALLERS_ID_BYTES + 1];
    char org[CALLERS_ORG_BYTES + 1];
    char role[16];
    uint32_t rights;
    bool is_active;
    int64_t revoked_us; /* INT64_MAX: never */
    int64_t expires_us;
    char *filter; /* NULL: none */
};

struct org_entry {
    char id[CALLERS_ORG_BYTES + 1];
    char api_version[8];
    char tier[16];
    struct limit_custom limits;
    bool is_active;
};

struct callers {
    struct catalog *catalog;
    struct mutex lock; /* of the rest */
    struct key_entry *keys;
    size_t key_mask; /* slots - 1 */
    size_t key_count;
    struct org_entry *orgs; /* unordered: few */
    size_t org_count, org_capacity;
};

/* ---- Life ---- */

struct callers *callers_new(void)
{
    struct callers *callers = mem_zeroed(sizeof(*callers));
    mutex_init(&callers->lock);
    callers->keys = mem_array(SLOTS_FIRST, sizeof(*callers->keys));
    callers->key_mask = SLOTS_FIRST - 1;
    return callers;
}

void callers_free(struct callers *callers)
{
    if (callers == NULL) {
        return;
    }
    for (size_t i = 0; i <= callers->key_mask; i++) {
        free(callers->keys[i].filter);
    }
    free(callers->keys);
    free(callers->orgs);
    mutex_release(&callers->lock);
    free(callers);
}

/* ---- Keys, under the lock ---- */

/* Where the prefix is, or would be. */
static struct key_entry *find_slot(struct key_entry *keys, size_t mask, slice prefix)
{
    size_t at = (size_t)hash_bytes(prefix, 0) & mask;
    while (keys[at].prefix[0] != '\0' && !slice_equal(slice_from_cstr(keys[at].prefix), prefix)) {
        at = (at + 1) & mask;
    }
    return &keys[at];
}

static void more_slots(struct callers *callers)
{
    size_t mask = 2 * callers->key_mask + 1;
    struct key_entry *keys = mem_array(mask + 1, sizeof(*keys));
    for (size_t i = 0; i <= callers->key_mask; i++) {
        const struct key_entry *entry = &callers->keys[i];
        if (entry->prefix[0] != '\0') {
            *find_slot(keys, mask, slice_from_cstr(entry->prefix)) = *entry;
        }
    }
    free(callers->keys);
    callers->keys = keys;
    callers->key_mask = mask;
}

static void copy_member(const json_t *object, const char *name, char *out, size_t out_bytes)
{
    const char *text = json_string_value(json_object_get(object, name));
    (void)snprintf(out, out_bytes, "%s", text != NULL ? text : "");
}

static int64_t time_member(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    int64_t time_us = INT64_MAX;
    if (text != NULL && !time_parse_rfc3339(slice_from_cstr(text), &time_us)) {
        return 0; /* a time that cannot be read is over */
    }
    return time_us;
}

static void put_key(struct callers *callers, const json_t *key)
{
    const char *prefix = json_string_value(json_object_get(key, "key_prefix"));
    const char *hash = json_string_value(json_object_get(key, "key_hash"));
    if (prefix == NULL || hash == NULL || strlen(prefix) != API_KEY_PREFIX_BYTES ||
        strlen(hash) != 2 * (size_t)SHA256_BYTES) {
        return; /* it lets nobody in */
    }
    if (callers->key_count > callers->key_mask / 4 * 3) {
        more_slots(callers);
    }
    struct key_entry *entry = find_slot(callers->keys, callers->key_mask, slice_from_cstr(prefix));
    callers->key_count += entry->prefix[0] == '\0' ? 1 : 0;
    free(entry->filter);
    *entry = (struct key_entry){0};
    const char *filter = json_string_value(json_object_get(key, "filter"));
    copy_member(key, "key_prefix", entry->prefix, sizeof(entry->prefix));
    copy_member(key, "id", entry->id, sizeof(entry->id));
    copy_member(key, "org", entry->org, sizeof(entry->org));
    copy_member(key, "role", entry->role, sizeof(entry->role));
    entry->rights = rights_of_key(entry->role, json_object_get(key, "scopes"));
    bool has_hash = hex_decode(slice_from_cstr(hash), entry->hash);
    entry->is_active = has_hash && json_is_true(json_object_get(key, "is_active"));
    entry->revoked_us = time_member(key, "revoked_at");
    entry->expires_us = time_member(key, "expires_at");
    entry->filter = filter != NULL ? mem_text(filter, strlen(filter)) : NULL;
}

/* A key whose object is gone: it is known, and refused, until the next start. */
static void drop_key(struct callers *callers, slice id)
{
    for (size_t i = 0; i <= callers->key_mask; i++) {
        if (slice_equal(slice_from_cstr(callers->keys[i].id), id)) {
            callers->keys[i].is_active = false;
        }
    }
}

/* ---- Organisations, under the lock ---- */

static struct org_entry *find_org(struct callers *callers, slice id)
{
    for (size_t i = 0; i < callers->org_count; i++) {
        if (slice_equal(slice_from_cstr(callers->orgs[i].id), id)) {
            return &callers->orgs[i];
        }
    }
    return NULL;
}

static bool take_limit(const json_t *org, const char *name, uint32_t *out)
{
    const json_t *value = json_object_get(org, name);
    *out = (uint32_t)json_integer_value(value);
    return json_is_integer(value);
}

static struct limit_custom own_limits(const json_t *org)
{
    struct limit_custom own = {0};
    own.has_minute = take_limit(org, "requests_per_minute", &own.minute);
    own.has_hour = take_limit(org, "requests_per_hour", &own.hour);
    own.has_day = take_limit(org, "requests_per_day", &own.day);
    own.has_month = take_limit(org, "monthly_quota", &own.month);
    (void)take_limit(org, "burst", &own.burst);
    return own;
}

static void put_org(struct callers *callers, const json_t *org)
{
    const char *id = json_string_value(json_object_get(org, "id"));
    struct org_entry *entry = find_org(callers, slice_from_cstr(id));
    if (entry == NULL && callers->org_count == callers->org_capacity) {
        callers->org_capacity = callers->org_capacity > 0 ? 2 * callers->org_capacity : 16;
        callers->orgs = mem_resize(callers->orgs, callers->org_capacity * sizeof(*callers->orgs));
    }
    entry = entry != NULL ? entry : &callers->orgs[callers->org_count++];
    *entry = (struct org_entry){.is_active = json_is_true(json_object_get(org, "is_active"))};
    copy_member(org, "id", entry->id, sizeof(entry->id));
    copy_member(org, "api_version", entry->api_version, sizeof(entry->api_version));
    copy_member(org, "tier", entry->tier, sizeof(entry->tier));
    entry->limits = own_limits(org);
}

/* ---- From the catalog ---- */

static void put_all(struct callers *callers, const json_t *objects,
                    void (*put)(struct callers *callers, const json_t *object))
{
    size_t i = 0;
    json_t *object = NULL;
    mutex_lock(&callers->lock);
    json_array_foreach(objects, i, object)
    {
        put(callers, object);
    }
    mutex_unlock(&callers->lock);
}

static enum err load_kind(struct callers *callers, const struct kind *kind,
                          void (*put)(struct callers *callers, const json_t *object),
                          struct diag *diag)
{
    struct catalog_list list = {.limit = PAGE};
    bool has_more = true;
    for (; has_more; list.offset += PAGE) {
        json_t *objects = NULL;
        uint64_t total = 0;
        TRY(catalog_list(callers->catalog, kind, &list, &objects, &has_more, &total, diag));
        put_all(callers, objects, put);
        json_decref(objects);
    }
    return OK;
}

enum err callers_load(struct callers *callers, struct catalog *catalog, struct diag *diag)
{
    callers->catalog = catalog;
    TRY(load_kind(callers, &kind_organizations, put_org, diag));
    return load_kind(callers, &kind_api_keys, put_key, diag);
}

void callers_changed(void *context, const struct kind *kind, slice org, slice id)
{
    struct callers *callers = context;
    json_t *object = NULL;
    bool is_key = kind == &kind_api_keys;
    if (callers->catalog == NULL || (!is_key && kind != &kind_organizations)) {
        return;
    }
    enum err e = catalog_get(callers->catalog, kind, org, id, &object, NULL);
    mutex_lock(&callers->lock);
    struct org_entry *entry = is_key ? NULL : find_org(callers, id);
    if (e == OK && is_key) {
        put_key(callers, object);
    } else if (e == OK) {
        put_org(callers, object);
    } else if (is_key) { /* deleted; or, if it cannot be read, nobody is let in by mistake */
        drop_key(callers, id);
    } else if (entry != NULL) {
        entry->is_active = false;
    }
    mutex_unlock(&callers->lock);
    json_decref(object);
}

/* ---- Who is it? ---- */

static enum callers_answer judge(struct callers *callers, const struct key_entry *entry,
                                 const uint8_t hash[SHA256_BYTES], int64_t now_us,
                                 struct known_caller *out)
{
    slice shown = {hash, SHA256_BYTES};
    if (entry->prefix[0] == '\0' || !secret_equal(shown, (slice){entry->hash, SHA256_BYTES})) {
        return CALLERS_UNKNOWN;
    }
    if (!entry->is_active || now_us >= entry->revoked_us) {
        return CALLERS_REVOKED;
    }
    if (now_us >= entry->expires_us) {
        return CALLERS_EXPIRED;
    }
    const struct org_entry *org = find_org(callers, slice_from_cstr(entry->org));
    if (org == NULL || !org->is_active) {
        return CALLERS_SUSPENDED;
    }
    out->kind = CALLER_KEY;
    out->session[0] = '\0';
    memcpy(out->org, entry->org, sizeof(out->org));
    memcpy(out->name, entry->prefix, sizeof(entry->prefix));
    memcpy(out->id, entry->id, sizeof(out->id));
    memcpy(out->role, entry->role, sizeof(out->role));
    memcpy(out->api_version, org->api_version, sizeof(out->api_version));
    memcpy(out->tier, org->tier, sizeof(out->tier));
    out->limits = org->limits;
    out->rights = entry->rights;
    out->has_filter = entry->filter != NULL;
    out->is_system = strcmp(entry->org, SYSTEM_ORGANIZATION) == 0 && role_sees_all(entry->role);
    return CALLERS_KNOWN;
}

enum callers_answer callers_find(struct callers *callers, slice key, int64_t now_us,
                                 struct known_caller *out)
{
    slice prefix = {0};
    uint8_t hash[SHA256_BYTES];
    if (!api_key_prefix(key, &prefix)) {
        return CALLERS_NO_KEY;
    }
    api_key_hash(key, hash);
    mutex_lock(&callers->lock);
    const struct key_entry *entry = find_slot(callers->keys, callers->key_mask, prefix);
    enum callers_answer answer = judge(callers, entry, hash, now_us, out);
    mutex_unlock(&callers->lock);
    return answer;
}

const char *caller_kind_name(enum caller_kind kind)
{
    static const char *const names[] = {
        [CALLER_KEY] = "api_key", [CALLER_USER] = "user", [CALLER_SERVICE] = "service_account"};
    return names[kind];
}

const char *callers_reason(enum callers_answer answer)
{
    static const char *const reasons[] = {
        [CALLERS_KNOWN] = "known",     [CALLERS_NO_KEY] = "not a key",
        [CALLERS_UNKNOWN] = "unknown", [CALLERS_REVOKED] = "revoked",
        [CALLERS_EXPIRED] = "expired", [CALLERS_SUSPENDED] = "organisation suspended",
    };
    return reasons[answer];
}

char *callers_filter(struct callers *callers, slice key_prefix)
{
    mutex_lock(&callers->lock);
    const struct key_entry *entry = find_slot(callers->keys, callers->key_mask, key_prefix);
    char *filter = entry->filter != NULL ? mem_text(entry->filter, strlen(entry->filter)) : NULL;
    mutex_unlock(&callers->lock);
    return filter;
}
