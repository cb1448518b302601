/* SPDX-License-Identifier: Apache-2.0 */
#include "server/settings.h"

#include "access/callers.h"
#include "base/log.h"
#include "catalog/catalog.h"
#include "ledger/ledger.h"

/* ---- What does not ask ---- */

static void tell_times(const struct running *running, struct http_server *http)
{
    const struct http_times times = {
        .head_ms = (uint32_t)running_u64(running, OPTION_HTTP_HEADERS_MS),
        .idle_ms = (uint32_t)running_u64(running, OPTION_HTTP_IDLE_MS),
        .write_ms = (uint32_t)running_u64(running, OPTION_HTTP_WRITE_MS),
        .stop_ms = (uint32_t)running_u64(running, OPTION_STOP_MS_MAX),
    };
    http_server_set_times(http, &times);
}

struct people_limits settings_people(const struct running *running)
{
    return (struct people_limits){
        .token_s = (uint32_t)(running_u64(running, OPTION_TOKEN_LIFETIME_MS) / 1000),
        .session_us = (int64_t)running_u64(running, OPTION_SESSION_LIFETIME_MS) * 1000,
        .session_idle_us = (int64_t)running_u64(running, OPTION_SESSION_IDLE_MS) * 1000,
        .failures_max = (uint32_t)running_u64(running, OPTION_LOGIN_FAILURES_MAX),
        .window_s = (uint32_t)(running_u64(running, OPTION_LOGIN_WINDOW_MS) / 1000),
    };
}

static void tell_people(const struct running *running, struct people *people)
{
    struct people_limits limits = settings_people(running);
    people_set_limits(people, &limits);
}

/* Whoever changed a value before asks for it here again: the last of two sees both. */
void settings_apply(struct settings *settings)
{
    const struct running *running = settings->api->running;
    mutex_lock(&settings->lock);
    log_set_level((enum log_level)running_choice(running, OPTION_LOG_LEVEL));
    ledger_set_reserve(settings->ledger, running_u64(running, OPTION_DISK_RESERVE_BYTES),
                       (uint32_t)running_u64(running, OPTION_DISK_RESERVE_PERCENT));
    struct http_server *http = atomic_load(&settings->api->server);
    if (http != NULL) { /* else it starts, and is told when it has */
        tell_times(running, http);
    }
    if (settings->api->people != NULL) { /* else they are made with it */
        tell_people(running, settings->api->people);
    }
    mutex_unlock(&settings->lock);
}

/* ---- From the catalog ---- */

static slice text_of(const json_t *object, const char *name)
{
    const json_t *value = json_object_get(object, name);
    ASSERT(json_is_string(value)); /* the kind says that it is there */
    return (slice){(const uint8_t *)json_string_value(value), json_string_length(value)};
}

static void take(const struct settings *settings, const json_t *object)
{
    struct diag diag = {0};
    enum option option = OPTION_COUNT;
    slice name = text_of(object, "name");
    enum err e = option_find_name(name, &option)
                     ? running_set(settings->api->running, option, text_of(object, "value"), &diag)
                     : diag_fail(&diag, ERR_NOT_FOUND, "", "there is no such option");
    if (e != OK) {
        LOG_WARN("a setting that is stored does not count", kv_slice("setting", name),
                 kv_str("why", diag.text));
    }
}

static void hear_change(void *context, const struct kind *kind, slice org, slice id)
{
    struct settings *settings = context;
    struct diag diag = {0};
    json_t *object = NULL;
    enum option option = OPTION_COUNT;
    if (kind != &kind_settings) {
        return;
    }
    enum err e = catalog_get(settings->api->catalog, kind, org, id, &object, &diag);
    if (e == OK) {
        take(settings, object);
    } else if (e == ERR_NOT_FOUND && option_find_name(id, &option)) {
        running_unset(settings->api->running, option);
    }
    const char *value = json_string_value(json_object_get(object, "value"));
    if (e == OK || e == ERR_NOT_FOUND) {
        settings_apply(settings);
        LOG_INFO(value != NULL ? "a setting changed" : "a setting was taken back",
                 kv_slice("setting", id), kv_str("value", value != NULL ? value : ""));
    } else {
        LOG_ERROR("a setting is stored, but counts only after a restart", kv_slice("setting", id),
                  kv_str("where", diag.where), kv_str("why", diag.text));
    }
    json_decref(object);
}

static enum err load(void *context, const struct kind *kind, const json_t *object, bool *is_enough)
{
    UNUSED(kind);
    UNUSED(is_enough);
    take(context, object);
    return OK;
}

enum err settings_load(struct settings *settings, struct diag *diag)
{
    const struct catalog_list all = {.org = SLICE(SYSTEM_ORGANIZATION)};
    TRY(catalog_each(settings->api->catalog, &kind_settings, &all, load, settings, diag));
    catalog_listen(settings->api->catalog, hear_change, settings);
    return OK;
}
