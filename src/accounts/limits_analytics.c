/* SPDX-License-Identifier: Apache-2.0 */
/* limits_analytics - who asks for most, who is refused, and by which window. */
#include "accounts/accounts.h"
#include "accounts/limit_entry.h"
#include "gate/auth.h"
#include "limits/limit_text.h"
#include "limits/limit_tiers.h"

enum { PAGE = 1000, ORGANIZATIONS_MAX = 10000, TIERS_MAX = 16, TOP = 10 };

struct tier_sum {
    const struct limit_tier *tier;
    uint64_t organizations, allowed, refused, quota_used;
};

struct top {
    char id[LIMIT_ID_BYTES_MAX + 1];
    uint64_t allowed, refused;
};

struct analytics {
    struct tier_sum all;
    struct tier_sum tiers[TIERS_MAX];
    size_t tier_count;
    struct {
        uint32_t seconds;
        uint64_t refused;
    } windows[LIMIT_WINDOWS_MAX]; /* those of organisations */
    size_t window_count;
    struct top top[TOP]; /* those refused most first, then those that asked for most */
    size_t top_count;
    bool has_more; /* than were looked at */
};

/* ---- Adding up ---- */

static void add_to(struct tier_sum *sum, const struct limit_entry *entry)
{
    sum->organizations++;
    sum->allowed += entry->usage.allowed;
    sum->refused += limit_entry_refused(&entry->usage);
    sum->quota_used += entry->quota.used;
}

static void add_tier(struct analytics *analytics, const struct limit_entry *entry)
{
    size_t at = 0;
    while (at < analytics->tier_count && analytics->tiers[at].tier != entry->tier) {
        at++;
    }
    ASSERT(at < TIERS_MAX); /* there are fewer in limit_tiers.def */
    if (at == analytics->tier_count) {
        analytics->tiers[analytics->tier_count++].tier = entry->tier;
    }
    add_to(&analytics->tiers[at], entry);
}

static void add_windows(struct analytics *analytics, const struct limit_usage *usage)
{
    for (size_t w = 0; w < usage->window_count; w++) {
        size_t at = 0;
        while (at < analytics->window_count &&
               analytics->windows[at].seconds != usage->windows[w].seconds) {
            at++;
        }
        if (at == LIMIT_WINDOWS_MAX) {
            continue;
        }
        analytics->window_count += at == analytics->window_count ? 1 : 0;
        analytics->windows[at].seconds = usage->windows[w].seconds;
        analytics->windows[at].refused += usage->refused[w];
    }
}

static bool is_above(const struct top *a, const struct top *b)
{
    return a->refused != b->refused ? a->refused > b->refused : a->allowed > b->allowed;
}

static void add_top(struct analytics *analytics, const struct limit_usage *usage)
{
    struct top next = {.allowed = usage->allowed, .refused = limit_entry_refused(usage)};
    memcpy(next.id, usage->id, sizeof(next.id));
    if (next.allowed + next.refused == 0) {
        return;
    }
    for (size_t i = 0; i < analytics->top_count; i++) {
        if (is_above(&next, &analytics->top[i])) {
            struct top moved = analytics->top[i];
            analytics->top[i] = next;
            next = moved;
        }
    }
    if (analytics->top_count < TOP) {
        analytics->top[analytics->top_count++] = next;
    }
}

static enum err add_page(const struct api *api, const json_t *organizations,
                         struct analytics *analytics, struct diag *diag)
{
    for (size_t i = 0; i < json_array_size(organizations); i++) {
        struct limit_entry entry;
        TRY(limit_entry_organization(api, json_array_get(organizations, i), &entry, diag));
        add_to(&analytics->all, &entry);
        add_tier(analytics, &entry);
        add_windows(analytics, &entry.usage);
        add_top(analytics, &entry.usage);
    }
    return OK;
}

static enum err add_all(const struct api *api, slice org, struct analytics *analytics,
                        struct diag *diag)
{
    struct catalog_list list = {.org = org, .limit = PAGE};
    analytics->has_more = true;
    for (; analytics->has_more && list.offset < ORGANIZATIONS_MAX; list.offset += PAGE) {
        json_t *organizations = NULL;
        uint64_t total = 0;
        TRY(catalog_list(api->catalog, &kind_organizations, &list, &organizations,
                         &analytics->has_more, &total, diag));
        enum err e = add_page(api, organizations, analytics, diag);
        json_decref(organizations);
        TRY(e);
    }
    return OK;
}

/* ---- As JSON ---- */

static json_t *sum_json(const struct tier_sum *sum)
{
    json_t *object = json_object();
    limit_json_count(object, "organizations", sum->organizations);
    limit_json_count(object, "allowed", sum->allowed);
    limit_json_count(object, "refused", sum->refused);
    limit_json_count(object, "quota_used", sum->quota_used);
    return object;
}

static json_t *kinds_json(const uint64_t counts[LIMIT_KIND_COUNT])
{
    json_t *object = json_object();
    for (int kind = 0; kind < LIMIT_KIND_COUNT; kind++) {
        limit_json_count(object, limit_kind_name((enum limit_kind)kind), counts[kind]);
    }
    return object;
}

/* Of this process since its start, whoever asked. */
static json_t *process_json(const struct api *api)
{
    struct limits_health limits;
    limits_health(api->limits, &limits);
    json_t *object = json_pack("{s:s, s:o, s:o}", "backend", limits.backend, "allowed",
                               kinds_json(limits.allowed), "refused", kinds_json(limits.refused));
    limit_json_count(object, "passed_unjudged", limits.passed_unjudged);
    limit_json_count(object, "refused_unjudged", limits.refused_unjudged);
    limit_json_count(object, "quota_refused", atomic_load(&api->quota_refused));
    limit_json_count(object, "outages", limits.outages);
    return object;
}

static json_t *windows_json(const struct analytics *analytics)
{
    json_t *object = json_object();
    for (size_t i = 0; i < analytics->window_count; i++) {
        char name[LIMIT_NUMBER_BYTES + 16];
        limit_window_name(LIMIT_ORGANIZATION, analytics->windows[i].seconds, name);
        limit_json_count(object, name, analytics->windows[i].refused);
    }
    return object;
}

static json_t *tiers_json(const struct analytics *analytics)
{
    json_t *array = json_array();
    for (size_t i = 0; i < analytics->tier_count; i++) {
        json_t *tier = sum_json(&analytics->tiers[i]);
        (void)json_object_set_new(tier, "tier", json_string(analytics->tiers[i].tier->name));
        (void)json_array_append_new(array, tier);
    }
    return array;
}

static json_t *top_json(const struct analytics *analytics)
{
    json_t *array = json_array();
    for (size_t i = 0; i < analytics->top_count; i++) {
        json_t *object = json_pack("{s:s}", "id", analytics->top[i].id);
        limit_json_count(object, "allowed", analytics->top[i].allowed);
        limit_json_count(object, "refused", analytics->top[i].refused);
        (void)json_array_append_new(array, object);
    }
    return array;
}

void api_limits_analytics(struct http_request *request)
{
    struct diag diag = {0};
    struct analytics analytics = {0};
    slice org = {0};
    const struct api *api = api_of(request);
    const struct caller *caller = request->caller;
    enum err e = config_org(request, &org, &diag);
    e = e == OK ? add_all(api, org, &analytics, &diag) : e;
    if (e != OK) {
        api_fail(request, e, &diag);
        return;
    }
    json_t *answer =
        json_pack("{s:o, s:o, s:o, s:o, s:b}", "totals", sum_json(&analytics.all),
                  "refused_by_window", windows_json(&analytics), "by_tier", tiers_json(&analytics),
                  "top", top_json(&analytics), "has_more", analytics.has_more);
    if (caller->who.is_system) {
        (void)json_object_set_new(answer, "process", process_json(api));
    }
    config_answer(request, 200, answer);
    json_decref(answer);
}
