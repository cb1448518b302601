/* SPDX-License-Identifier: Apache-2.0 */
/*
 * limits - what every organisation, key and address may ask for and has left, and resetting it.
 *
 * An organisation sees itself; the administrators of the first see all, keys and addresses too, and
 * only they reset.
 */
#include <stdlib.h>

#include "accounts/accounts.h"
#include "accounts/limit_entry.h"
#include "base/log.h"
#include "base/mem.h"
#include "gate/auth.h"

enum {
    LIMIT_DEFAULT = 100,
    KNOWN_MAX = 10000, /* keys or addresses that are looked at for a list */
};

/* ---- What is asked for ---- */

struct listing {
    slice org; /* empty: all */
    enum limit_kind kind;
    uint64_t limit, offset;
};

static enum err take_number(const struct http_param *param, uint64_t least, uint64_t most,
                            uint64_t *out, struct diag *diag)
{
    return slice_parse_u64(param->value, out) && *out >= least && *out <= most
               ? OK
               : diag_fail(diag, ERR_INVALID, "", "%.*s: expected a number from %llu to %llu",
                           SLICE_ARG(param->name), (unsigned long long)least,
                           (unsigned long long)most);
}

static enum err take_kind(slice value, enum limit_kind *out, struct diag *diag)
{
    return limit_kind_parse(value, out)
               ? OK
               : diag_fail(diag, ERR_INVALID, "kind", "expected organization, key or address");
}

static enum err take_param(const struct http_param *param, struct listing *listing,
                           struct diag *diag)
{
    static const char *const others[] = {"org", "reason", "api_key", "api_version"};
    for (size_t i = 0; i < COUNT_OF(others); i++) {
        if (slice_equal(param->name, slice_from_cstr(others[i]))) {
            return OK;
        }
    }
    if (slice_equal(param->name, SLICE("kind"))) {
        return take_kind(param->value, &listing->kind, diag);
    }
    if (slice_equal(param->name, SLICE("limit"))) {
        return take_number(param, 1, CATALOG_LIST_MAX, &listing->limit, diag);
    }
    if (slice_equal(param->name, SLICE("offset"))) {
        return take_number(param, 0, UINT32_MAX, &listing->offset, diag);
    }
    return diag_fail(diag, ERR_INVALID, "", "%.*s is no parameter; org, kind, limit and offset are",
                     SLICE_ARG(param->name));
}

static enum err take_listing(const struct http_request *request, struct listing *out,
                             struct diag *diag)
{
    const struct caller *caller = request->caller;
    *out = (struct listing){.limit = LIMIT_DEFAULT};
    TRY(config_org(request, &out->org, diag));
    for (size_t i = 0; i < request->query_count; i++) {
        TRY(take_param(&request->query[i], out, diag));
    }
    if (out->kind != LIMIT_ORGANIZATION && !caller->who.is_system) {
        return diag_fail(diag, ERR_DENIED, "kind",
                         "keys and addresses are for the first organisation's administrators");
    }
    return OK;
}

/* ---- The list ---- */

/* Organisations in the order of the catalog, also those that asked for nothing yet. */
static enum err list_organizations(const struct api *api, const struct listing *listing,
                                   json_t *data, bool *has_more, struct diag *diag)
{
    json_t *organizations = NULL;
    uint64_t total = 0;
    const struct catalog_list list = {.org = listing->org,
                                      .limit = (uint32_t)listing->limit,
                                      .offset = listing->offset};
    TRY(catalog_list(api->catalog, &kind_organizations, &list, &organizations, has_more, &total,
                     diag));
    enum err e = OK;
    for (size_t i = 0; i < json_array_size(organizations) && e == OK; i++) {
        struct limit_entry entry;
        e = limit_entry_organization(api, json_array_get(organizations, i), &entry, diag);
        if (e == OK) {
            (void)json_array_append_new(data, limit_entry_json(&entry));
        }
    }
    json_decref(organizations);
    return e;
}

struct known {
    struct limit_usage *list;
    size_t count, capacity;
};

static void known_release(struct known *known)
{
    free(known->list);
}

static bool collect(void *context, const struct limit_usage *usage)
{
    struct known *known = context;
    if (known->count == known->capacity) {
        known->capacity = known->capacity > 0 ? 2 * known->capacity : 64;
        known->list = mem_resize(known->list, known->capacity * sizeof(known->list[0]));
    }
    known->list[known->count++] = *usage;
    return known->count < KNOWN_MAX;
}

/* Those first that were refused most, then those that asked for most. */
static int compare(const void *left, const void *right)
{
    const struct limit_usage *a = left, *b = right;
    uint64_t a_refused = limit_entry_refused(a), b_refused = limit_entry_refused(b);
    if (a_refused != b_refused) {
        return a_refused > b_refused ? -1 : 1;
    }
    if (a->allowed != b->allowed) {
        return a->allowed > b->allowed ? -1 : 1;
    }
    return strcmp(a->id, b->id);
}

static enum err list_known(const struct api *api, const struct listing *listing, json_t *data,
                           bool *has_more, struct diag *diag)
{
    CLEANUP(known_release) struct known known = {0};
    enum err e = limits_list(api->limits, listing->kind, limit_time_now(), collect, &known);
    if (e != OK) {
        return diag_fail(diag, e, "", REDIS_AWAY);
    }
    if (known.count > 0) {
        qsort(known.list, known.count, sizeof(known.list[0]), compare);
    }
    uint64_t end = listing->offset + listing->limit;
    for (size_t i = listing->offset; i < known.count && i < end; i++) {
        struct limit_entry entry;
        TRY(limit_entry_usage(api, &known.list[i], &entry, diag));
        (void)json_array_append_new(data, limit_entry_json(&entry));
    }
    *has_more = known.count > end;
    return OK;
}

void api_limits_get(struct http_request *request)
{
    struct diag diag = {0};
    struct listing listing;
    bool has_more = false;
    const struct api *api = api_of(request);
    json_t *data = json_array();
    enum err e = take_listing(request, &listing, &diag);
    if (e == OK) {
        e = listing.kind == LIMIT_ORGANIZATION
                ? list_organizations(api, &listing, data, &has_more, &diag)
                : list_known(api, &listing, data, &has_more, &diag);
    }
    if (e == OK) {
        json_t *answer = json_pack("{s:O, s:{s:I, s:b}}", "data", data, "page", "limit",
                                   (json_int_t)listing.limit, "has_more", has_more);
        config_answer(request, 200, answer);
        json_decref(answer);
    } else {
        api_fail(request, e, &diag);
    }
    json_decref(data);
}

/* ---- Reset ---- */

/* Of one subject. */
struct reset {
    enum limit_kind kind;
    slice id;
    struct catalog_author author;
    json_t *body;
    json_t *object; /* the organisation, or the key, if the catalog has it */
};

static void reset_release(struct reset *reset)
{
    json_decref(reset->body);
    json_decref(reset->object);
}

/* A key by what is shown of it, a user by the id. What the catalog does not have, a service
 * account, is known while it is counted. */
static enum err find_key(const struct api *api, struct reset *reset, struct diag *diag)
{
    struct limit_usage usage;
    enum err e = catalog_find(api->catalog, &kind_api_keys, (slice){0}, "key_prefix", reset->id,
                              &reset->object, diag);
    if (e == ERR_NOT_FOUND) {
        e = catalog_get(api->catalog, &kind_users, (slice){0}, reset->id, &reset->object, diag);
    }
    if (e != ERR_NOT_FOUND) {
        return e;
    }
    e = limits_find(api->limits, LIMIT_KEY, reset->id, limit_time_now(), &usage);
    if (e == ERR_NOT_FOUND) {
        return diag_fail(diag, e, "id", "there is no such key");
    }
    return e == OK ? OK : diag_fail(diag, e, "", REDIS_AWAY);
}

/* In whose history it is written: the organisation's. NOT_FOUND; of an address nobody can know. */
static enum err find_owner(const struct api *api, struct reset *reset, struct diag *diag)
{
    if (reset->kind == LIMIT_ORGANIZATION) {
        TRY(catalog_get(api->catalog, &kind_organizations, (slice){0}, reset->id, &reset->object,
                        diag));
    } else if (reset->kind == LIMIT_KEY) {
        TRY(find_key(api, reset, diag));
    }
    if (reset->object != NULL) {
        reset->author.org = kind_text(reset->object, "org");
    }
    return OK;
}

static enum err take_reset(const struct http_request *request, struct reset *reset,
                           struct diag *diag)
{
    struct listing listing = {0};
    for (size_t i = 0; i < request->query_count; i++) {
        TRY(take_param(&request->query[i], &listing, diag));
    }
    reset->kind = listing.kind;
    reset->id = http_path_param(request, "id");
    if (reset->id.len == 0 || reset->id.len > LIMIT_ID_BYTES_MAX) {
        return diag_fail(diag, ERR_NOT_FOUND, "id", "there is none of this name");
    }
    TRY(config_body(request, &reset->body, diag));
    reset->author = config_author(request, reset->body);
    return find_owner(api_of(request), reset, diag);
}

static void set_text(json_t *object, const char *name, slice text)
{
    if (text.len > 0) { /* bytes that are no UTF-8 make no member */
        (void)json_object_set_new(object, name, json_stringn((const char *)text.ptr, text.len));
    }
}

static enum err note_reset(struct catalog *catalog, const struct reset *reset, const char *outcome,
                           struct diag *diag)
{
    const struct catalog_author *author = &reset->author;
    json_t *data = json_pack("{s:s}", "kind", limit_kind_name(reset->kind));
    set_text(data, "id", reset->id);
    set_text(data, "changed_by", author->changed_by);
    set_text(data, "reason", author->reason);
    enum err e = catalog_begin(catalog, diag);
    if (e == OK) {
        e = catalog_note(catalog, author, "rate_limit.reset", outcome, data, diag);
        e = catalog_end(catalog, e, diag);
    }
    json_decref(data);
    return e;
}

/* The event first: what crashes in between leaves one of a reset that was not made, never a reset
 * without its event. */
static enum err run_reset(const struct api *api, const struct reset *reset, struct diag *diag)
{
    struct diag ignored = {0};
    TRY(note_reset(api->catalog, reset, "success", diag));
    enum err e = limits_reset(api->limits, reset->kind, reset->id);
    if (e == OK) {
        return OK;
    }
    if (note_reset(api->catalog, reset, "failure", &ignored) != OK) {
        LOG_ERROR("limits were not reset, and the event that says so was not stored",
                  kv_slice("id", reset->id), kv_str("why", ignored.text));
    }
    return diag_fail(diag, e, "", REDIS_AWAY);
}

static enum err answer_reset(struct http_request *request, const struct reset *reset,
                             struct diag *diag)
{
    const struct api *api = api_of(request);
    struct limit_entry entry;
    struct limit_usage usage = {.kind = reset->kind};
    if (reset->kind == LIMIT_ORGANIZATION) {
        TRY(limit_entry_organization(api, reset->object, &entry, diag));
    } else {
        memcpy(usage.id, reset->id.ptr, reset->id.len);
        enum err e = limits_find(api->limits, reset->kind, reset->id, limit_time_now(), &usage);
        UNUSED(e); /* not known: without windows */
        TRY(limit_entry_usage(api, &usage, &entry, diag));
    }
    json_t *answer = limit_entry_json(&entry);
    config_answer(request, 200, answer);
    json_decref(answer);
    return OK;
}

void api_limits_reset(struct http_request *request)
{
    struct diag diag = {0};
    CLEANUP(reset_release) struct reset reset = {0};
    enum err e = take_reset(request, &reset, &diag);
    e = e == OK ? run_reset(api_of(request), &reset, &diag) : e;
    e = e == OK ? answer_reset(request, &reset, &diag) : e;
    if (e != OK) {
        api_fail(request, e, &diag);
    }
}
