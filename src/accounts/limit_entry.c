/* SPDX-License-Identifier: Apache-2.0 */
#include "accounts/limit_entry.h"

#include "access/callers.h"
#include "codec/time.h"
#include "limits/limit_text.h"
#include "limits/limit_tiers.h"
#include "os/clock.h"

/* ---- Reading ---- */

static enum err away(enum err e, struct diag *diag)
{
    return e == OK ? OK : diag_fail(diag, e, "", REDIS_AWAY);
}

static enum err look(const struct api *api, struct limit_entry *entry, struct diag *diag)
{
    enum err e = limits_look(api->limits, &entry->subject, 1, limit_time_now(), &entry->answer);
    return e == ERR_LIMIT ? OK : away(e, diag);
}

enum err limit_entry_organization(const struct api *api, const json_t *organization,
                                  struct limit_entry *out, struct diag *diag)
{
    struct limit_custom custom;
    const char *id = json_string_value(json_object_get(organization, "id"));
    const char *tier = json_string_value(json_object_get(organization, "tier"));
    const char *name = json_string_value(json_object_get(organization, "name"));
    *out = (struct limit_entry){.name = name != NULL ? name : ""};
    out->tier = limit_tier_find(slice_from_cstr(tier != NULL ? tier : ""));
    callers_limits(organization, &custom);
    slice org = slice_from_cstr(id);
    limit_organization(out->tier, &custom, org, &out->subject);
    enum err e = limits_find(api->limits, LIMIT_ORGANIZATION, org, limit_time_now(), &out->usage);
    if (e != OK && e != ERR_NOT_FOUND) {
        return away(e, diag);
    }
    TRY(away(quota_look(api->quota, org, limit_month(out->tier, &custom), clock_now_us(),
                        &out->quota),
             diag));
    return look(api, out, diag);
}

enum err limit_entry_usage(const struct api *api, const struct limit_usage *usage,
                           struct limit_entry *out, struct diag *diag)
{
    *out = (struct limit_entry){.usage = *usage};
    out->subject = (struct limit_subject){.kind = usage->kind,
                                          .id = slice_from_cstr(out->usage.id),
                                          .window_count = usage->window_count};
    memcpy(out->subject.windows, usage->windows, sizeof(usage->windows));
    return look(api, out, diag);
}

uint64_t limit_entry_refused(const struct limit_usage *usage)
{
    uint64_t refused = 0;
    for (size_t w = 0; w < usage->window_count; w++) {
        refused += usage->refused[w];
    }
    return refused;
}

/* ---- As JSON ---- */

void limit_json_count(json_t *object, const char *name, uint64_t number)
{
    (void)json_object_set_new(object, name, json_integer((json_int_t)number));
}

static void set_time(json_t *object, const char *name, int64_t us)
{
    char text[TIME_TEXT_BYTES];
    time_format_rfc3339(us, text);
    (void)json_object_set_new(object, name, json_stringn(text, sizeof(text)));
}

static json_t *window_json(const struct limit_entry *entry, const struct limit_state *state)
{
    char name[LIMIT_NUMBER_BYTES + 16];
    const struct limit_usage *usage = &entry->usage;
    uint64_t used = 0, refused = 0;
    for (size_t w = 0; w < usage->window_count; w++) {
        if (usage->windows[w].seconds == state->window.seconds) {
            used = usage->used[w];
            refused = usage->refused[w];
        }
    }
    limit_window_name(state->kind, state->window.seconds, name);
    json_t *window = json_pack("{s:s}", "window", name);
    limit_json_count(window, "seconds", state->window.seconds);
    limit_json_count(window, "limit", state->window.limit);
    limit_json_count(window, "burst", state->window.burst);
    limit_json_count(window, "used", used);
    limit_json_count(window, "remaining", state->remaining);
    set_time(window, "reset_at", state->reset_us);
    limit_json_count(window, "refused", refused);
    return window;
}

static void set_limit(json_t *object, const char *name, uint64_t limit)
{
    if (limit == QUOTA_UNLIMITED) {
        (void)json_object_set_new(object, name, json_null());
    } else {
        limit_json_count(object, name, limit);
    }
}

static json_t *quota_json(const struct quota_answer *quota)
{
    json_t *object = json_object();
    set_limit(object, "limit", quota->limit);
    limit_json_count(object, "used", quota->used);
    set_limit(object, "remaining", quota->remaining);
    set_time(object, "reset_at", quota->reset_us);
    return object;
}

json_t *limit_entry_json(const struct limit_entry *entry)
{
    /* Of a longer name the first so many bytes are it, which may end in the middle of a character:
     * then it is no text. */
    slice id = entry->subject.id;
    json_t *text = json_stringn((const char *)id.ptr, id.len);
    json_t *object = json_pack("{s:s, s:o}", "kind", limit_kind_name(entry->subject.kind), "id",
                               text != NULL ? text : json_string("[not UTF-8]"));
    if (entry->name != NULL) {
        (void)json_object_set_new(object, "name", json_string(entry->name));
        (void)json_object_set_new(object, "tier", json_string(entry->tier->name));
        (void)json_object_set_new(object, "unlimited",
                                  json_boolean(!limit_subject_is_on(&entry->subject)));
    }
    limit_json_count(object, "allowed", entry->usage.allowed);
    limit_json_count(object, "refused", limit_entry_refused(&entry->usage));
    json_t *windows = json_array();
    for (size_t i = 0; i < entry->answer.state_count; i++) {
        (void)json_array_append_new(windows, window_json(entry, &entry->answer.states[i]));
    }
    (void)json_object_set_new(object, "windows", windows);
    if (entry->name != NULL) {
        (void)json_object_set_new(object, "quota", quota_json(&entry->quota));
    }
    return object;
}
