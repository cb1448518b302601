/* SPDX-License-Identifier: Apache-2.0 */
#include "access/callers.h"

#include <stdio.h>
#include <stdlib.h>

#include "access/rights.h"
#include "base/hash.h"
#include "base/map.h"
#include "base/mem.h"
#include "catalog/catalog.h"
#include "codec/hex.h"
#include "codec/time.h"
#include "crypto/secret.h"
#include "os/thread.h"

struct key_entry {
    char prefix[API_KEY_PREFIX_BYTES + 1];
    uint8_t hash[SHA256_BYTES];
    char id[CALLERS_ID_BYTES + 1];
    char org[CALLERS_ORG_BYTES + 1];
    char user[CALLERS_ID_BYTES + 1]; /* whom it acts for; "": the organisation */
    char role[16];
    uint32_t rights;
    bool is_active;
    int64_t revoked_us; /* INT64_MAX: never */
    int64_t expires_us;
    char *filter; /* NULL: none */
    uint64_t filter_hash;
    bool is_seen; /* its text was shown once, and left this mark */
    uint8_t mark[SECRET_MARK_BYTES];
};

struct org_entry {
    char id[CALLERS_ORG_BYTES + 1];
    char api_version[8];
    char tier[16];
    struct limit_custom limits;
    bool is_active;
};

struct user_entry {
    char id[CALLERS_ID_BYTES + 1];
    char email[CALLERS_NAME_BYTES + 1];
    char org[CALLERS_ORG_BYTES + 1];
    char role[16];
    bool is_active;
};

struct callers {
    struct catalog *catalog;
    struct secret_marker marker;
    struct mutex lock; /* of the rest */
    struct map keys;   /* by prefix */
    struct map orgs;   /* by id */
    struct map users;  /* by id */
};

/* ---- Life ---- */

struct callers *callers_new(void)
{
    struct callers *callers = mem_zeroed(sizeof(*callers));
    secret_marker_init(&callers->marker);
    mutex_init(&callers->lock);
    return callers;
}

static void free_key(void *value)
{
    struct key_entry *entry = value;
    free(entry->filter);
    free(entry);
}

void callers_free(struct callers *callers)
{
    if (callers == NULL) {
        return;
    }
    map_release(&callers->keys, free_key);
    map_release(&callers->orgs, free);
    map_release(&callers->users, free);
    mutex_release(&callers->lock);
    free(callers);
}

/* ---- Entries, under the lock ---- */

static void *find(const struct map *table, const char *id)
{
    return map_find(table, slice_from_cstr(id));
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
    const char *filter = json_string_value(json_object_get(key, "filter"));
    if (prefix == NULL || hash == NULL || strlen(prefix) != API_KEY_PREFIX_BYTES ||
        strlen(hash) != 2 * (size_t)SHA256_BYTES) {
        return; /* it lets nobody in */
    }
    struct key_entry *entry = mem_zeroed(sizeof(*entry));
    copy_member(key, "key_prefix", entry->prefix, sizeof(entry->prefix));
    copy_member(key, "id", entry->id, sizeof(entry->id));
    copy_member(key, "org", entry->org, sizeof(entry->org));
    copy_member(key, "user_id", entry->user, sizeof(entry->user));
    copy_member(key, "role", entry->role, sizeof(entry->role));
    entry->rights = rights_of_key(entry->role, json_object_get(key, "scopes"));
    bool has_hash = hex_decode(slice_from_cstr(hash), entry->hash);
    entry->is_active = has_hash && json_is_true(json_object_get(key, "is_active"));
    entry->revoked_us = time_member(key, "revoked_at");
    entry->expires_us = time_member(key, "expires_at");
    entry->filter = filter != NULL ? mem_text(filter, strlen(filter)) : NULL;
    entry->filter_hash =
        filter != NULL ? hash_bytes(slice_from_cstr(filter), hash_secret()) | 1 : 0;
    entry->rights &= filter != NULL ? RIGHTS_NARROWED : ~UINT32_C(0);
    struct key_entry *before = map_put(&callers->keys, slice_from_cstr(prefix), entry);
    if (before != NULL) {
        free_key(before);
    }
}

/* A key whose object is gone: it is known, and refused, until the next start. */
static bool end_key(void *context, void *value)
{
    struct key_entry *entry = value;
    if (slice_equal(slice_from_cstr(entry->id), *(const slice *)context)) {
        entry->is_active = false;
    }
    return true;
}

static void drop_key(struct callers *callers, slice id)
{
    map_sweep(&callers->keys, end_key, &id, free_key);
}

static bool take_limit(const json_t *org, const char *name, uint32_t *out)
{
    const json_t *value = json_object_get(org, name);
    *out = (uint32_t)json_integer_value(value);
    return json_is_integer(value);
}

void callers_limits(const json_t *organization, struct limit_custom *out)
{
    *out = (struct limit_custom){0};
    out->has_minute = take_limit(organization, "requests_per_minute", &out->minute);
    out->has_hour = take_limit(organization, "requests_per_hour", &out->hour);
    out->has_day = take_limit(organization, "requests_per_day", &out->day);
    out->has_month = take_limit(organization, "monthly_quota", &out->month);
    (void)take_limit(organization, "burst", &out->burst);
}

static void put_org(struct callers *callers, const json_t *org)
{
    struct org_entry *entry = mem_zeroed(sizeof(*entry));
    copy_member(org, "id", entry->id, sizeof(entry->id));
    copy_member(org, "api_version", entry->api_version, sizeof(entry->api_version));
    copy_member(org, "tier", entry->tier, sizeof(entry->tier));
    callers_limits(org, &entry->limits);
    entry->is_active = json_is_true(json_object_get(org, "is_active"));
    free(map_put(&callers->orgs, slice_from_cstr(entry->id), entry));
}

static void drop_org(struct callers *callers, slice id)
{
    free(map_take(&callers->orgs, id));
}

static void put_user(struct callers *callers, const json_t *user)
{
    struct user_entry *entry = mem_zeroed(sizeof(*entry));
    copy_member(user, "id", entry->id, sizeof(entry->id));
    copy_member(user, "email", entry->email, sizeof(entry->email));
    copy_member(user, "org", entry->org, sizeof(entry->org));
    copy_member(user, "role", entry->role, sizeof(entry->role));
    entry->is_active = json_is_true(json_object_get(user, "is_active"));
    free(map_put(&callers->users, slice_from_cstr(entry->id), entry));
}

static void drop_user(struct callers *callers, slice id)
{
    free(map_take(&callers->users, id));
}

/* ---- From the catalog ---- */

static const struct source {
    const struct kind *kind;
    void (*put)(struct callers *callers, const json_t *object);
    void (*drop)(struct callers *callers, slice id);
} sources[] = {
    {&kind_organizations, put_org, drop_org},
    {&kind_users, put_user, drop_user},
    {&kind_api_keys, put_key, drop_key},
};

/* NULL: of this kind nothing is kept. */
static const struct source *source_of(const struct kind *kind)
{
    const struct source *found = NULL;
    for (size_t i = 0; i < COUNT_OF(sources); i++) {
        found = sources[i].kind == kind ? &sources[i] : found;
    }
    return found;
}

static void take(struct callers *callers, const struct source *source, const json_t *object)
{
    mutex_lock(&callers->lock);
    source->put(callers, object);
    mutex_unlock(&callers->lock);
}

static void hear_change(void *context, const struct kind *kind, slice org, slice id)
{
    struct callers *callers = context;
    const struct source *source = source_of(kind);
    json_t *object = NULL;
    if (source == NULL) {
        return;
    }
    if (catalog_get(callers->catalog, kind, org, id, &object, NULL) == OK) {
        take(callers, source, object);
    } else { /* deleted; or, if it cannot be read, nobody is let in by mistake */
        mutex_lock(&callers->lock);
        source->drop(callers, id);
        mutex_unlock(&callers->lock);
    }
    json_decref(object);
}

static enum err load(void *context, const struct kind *kind, const json_t *object, bool *is_enough)
{
    const struct source *source = source_of(kind);
    UNUSED(is_enough);
    ASSERT(source != NULL);
    take(context, source, object);
    return OK;
}

enum err callers_load(struct callers *callers, struct catalog *catalog, struct diag *diag)
{
    const struct catalog_list all = {0};
    callers->catalog = catalog;
    for (size_t i = 0; i < COUNT_OF(sources); i++) {
        TRY(catalog_each(catalog, sources[i].kind, &all, load, callers, diag));
    }
    catalog_listen(catalog, hear_change, callers);
    return OK;
}

/* ---- Who is it? ---- */

/* What the organisation adds to its caller; false: it lets nobody in. */
static bool set_org(const struct callers *callers, const char *id, struct known_caller *out)
{
    const struct org_entry *org = find(&callers->orgs, id);
    if (org == NULL || !org->is_active) {
        return false;
    }
    memcpy(out->org, org->id, sizeof(out->org));
    memcpy(out->api_version, org->api_version, sizeof(out->api_version));
    memcpy(out->tier, org->tier, sizeof(out->tier));
    out->limits = org->limits;
    out->is_system = strcmp(org->id, SYSTEM_ORGANIZATION) == 0 && role_sees_all(out->role);
    return true;
}

static enum callers_answer judge(const struct callers *callers, const struct key_entry *entry,
                                 int64_t now_us, struct known_caller *out)
{
    if (!entry->is_active || now_us >= entry->revoked_us) {
        return CALLERS_REVOKED;
    }
    if (now_us >= entry->expires_us) {
        return CALLERS_EXPIRED;
    }
    const struct user_entry *user = find(&callers->users, entry->user);
    if (entry->user[0] != '\0' && (user == NULL || !user->is_active)) {
        return CALLERS_SUSPENDED;
    }
    out->kind = CALLER_KEY;
    memcpy(out->name, entry->prefix, sizeof(entry->prefix));
    memcpy(out->id, entry->id, sizeof(out->id));
    memcpy(out->role, entry->role, sizeof(out->role));
    out->session[0] = '\0';
    out->rights = user == NULL ? entry->rights : entry->rights & rights_of_role(user->role);
    out->filter = entry->filter_hash;
    return set_org(callers, entry->org, out) ? CALLERS_KNOWN : CALLERS_SUSPENDED;
}

/* Programs show the same key again and again: only the first time is it hashed. */
static bool is_text_of(const struct callers *callers, struct key_entry *entry, slice key)
{
    uint8_t mark[SECRET_MARK_BYTES];
    secret_mark(&callers->marker, key, mark);
    if (entry->is_seen &&
        secret_equal((slice){mark, sizeof(mark)}, (slice){entry->mark, sizeof(entry->mark)})) {
        return true;
    }
    if (!api_key_matches(key, entry->hash)) {
        return false;
    }
    memcpy(entry->mark, mark, sizeof(mark));
    entry->is_seen = true;
    return true;
}

enum callers_answer callers_find(struct callers *callers, slice key, int64_t now_us,
                                 struct known_caller *out)
{
    slice prefix = {0};
    if (!api_key_place(key, &prefix)) {
        return CALLERS_NO_KEY;
    }
    mutex_lock(&callers->lock);
    struct key_entry *entry = map_find(&callers->keys, prefix);
    bool is_its = entry != NULL && is_text_of(callers, entry, key);
    enum callers_answer answer = is_its ? judge(callers, entry, now_us, out) : CALLERS_UNKNOWN;
    mutex_unlock(&callers->lock);
    return is_its || api_key_prefix(key, &prefix) ? answer : CALLERS_NO_KEY;
}

static enum callers_answer judge_user(const struct callers *callers, const struct user_entry *user,
                                      struct known_caller *out)
{
    if (user == NULL) {
        return CALLERS_UNKNOWN;
    }
    if (!user->is_active) {
        return CALLERS_SUSPENDED;
    }
    out->kind = CALLER_USER;
    memcpy(out->name, user->email, sizeof(out->name));
    memcpy(out->id, user->id, sizeof(out->id));
    memcpy(out->role, user->role, sizeof(out->role));
    out->session[0] = '\0';
    out->rights = rights_of_role(user->role);
    out->filter = 0;
    return set_org(callers, user->org, out) ? CALLERS_KNOWN : CALLERS_SUSPENDED;
}

enum callers_answer callers_find_user(struct callers *callers, slice id, struct known_caller *out)
{
    mutex_lock(&callers->lock);
    enum callers_answer answer = judge_user(callers, map_find(&callers->users, id), out);
    mutex_unlock(&callers->lock);
    return answer;
}

bool callers_find_service(struct callers *callers, const char *name, const char *org,
                          const char *role, struct known_caller *out)
{
    *out = (struct known_caller){.kind = CALLER_SERVICE, .rights = rights_of_role(role)};
    (void)snprintf(out->name, sizeof(out->name), "%s", name);
    (void)snprintf(out->role, sizeof(out->role), "%s", role);
    mutex_lock(&callers->lock);
    bool is_known = set_org(callers, org, out);
    mutex_unlock(&callers->lock);
    return is_known;
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
        [CALLERS_EXPIRED] = "expired", [CALLERS_SUSPENDED] = "user or organisation suspended",
    };
    return reasons[answer];
}

char *callers_filter(struct callers *callers, slice key_prefix)
{
    mutex_lock(&callers->lock);
    const struct key_entry *entry = map_find(&callers->keys, key_prefix);
    char *filter = entry != NULL && entry->filter != NULL
                       ? mem_text(entry->filter, strlen(entry->filter))
                       : NULL;
    mutex_unlock(&callers->lock);
    return filter;
}
