/* SPDX-License-Identifier: Apache-2.0 */
/* reload - the configuration file, read again while the server runs. */
#include "access/callers.h"
#include "base/log.h"
#include "catalog/catalog.h"
#include "server/front.h"
#include "server/settings.h"

enum { VALUE_BYTES_MAX = 16 * 1024 };

/* ---- What is another value ---- */

/* What the file says of it, as JSON: null where it says nothing. */
static json_t *said(const struct options *options, enum option option)
{
    struct buf text CLEANUP(buf_release) = BUF_INIT(VALUE_BYTES_MAX);
    if (!options_format_from(options, option, OPTION_FROM_FILE, &text)) {
        return json_null();
    }
    json_t *value = json_stringn(buf_cstr(&text), text.len);
    return value != NULL ? value : json_string("[not UTF-8]");
}

static const char *effect_of(const struct options *next, enum option option)
{
    if (options_source(next, option) > OPTION_FROM_FILE) {
        return "overridden"; /* something stronger says otherwise, before and now */
    }
    return (option_info(option)->flags & OPTION_RUNNING) != 0 ? "now" : "restart";
}

static json_t *difference(const struct options *now, const struct options *next, enum option option)
{
    const struct option_info *info = option_info(option);
    bool is_secret = (info->flags & OPTION_SECRET) != 0;
    json_t *old = said(now, option);
    json_t *new = said(next, option);
    json_t *change = NULL;
    if (!json_equal(old, new)) {
        change = json_pack("{s:s, s:s}", "name", info->name, "effect", effect_of(next, option));
        (void)json_object_set(change, "old_value", is_secret ? json_null() : old);
        (void)json_object_set(change, "new_value", is_secret ? json_null() : new);
    }
    json_decref(old);
    json_decref(new);
    return change;
}

/* An array; empty where the file says what it said. */
static json_t *differences(const struct options *now, const struct options *next)
{
    json_t *changes = json_array();
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        json_t *change = difference(now, next, (enum option)i);
        if (change != NULL) {
            (void)json_array_append_new(changes, change);
        }
    }
    return changes;
}

/* ---- Its event, and the log ---- */

static enum err note(struct catalog *catalog, const char *path, json_t *changes, struct diag *diag)
{
    const struct catalog_author author = {
        .org = SLICE(SYSTEM_ORGANIZATION),
        .actor_type = SLICE("system"),
        .actor_id = SLICE("cairn"),
    };
    TRY(catalog_begin(catalog, diag));
    json_t *data = json_pack("{s:s*, s:O}", "file", path, "changed", changes);
    enum err e = catalog_note(catalog, &author, "config.file.reload", "success", data, diag);
    json_decref(data);
    return catalog_end(catalog, e, diag);
}

static const char *text_of(const json_t *change, const char *name)
{
    const char *text = json_string_value(json_object_get(change, name));
    return text != NULL ? text : "-";
}

static void tell(const json_t *changes)
{
    size_t i = 0;
    json_t *change = NULL;
    json_array_foreach(changes, i, change)
    {
        const char *effect = text_of(change, "effect");
        const char *message = "the configuration file changed an option";
        if (strcmp(effect, "restart") == 0) {
            message = "the configuration file changed an option that counts after a restart";
        } else if (strcmp(effect, "overridden") == 0) {
            message = "the configuration file changed an option that something stronger overrides";
        }
        LOG_INFO(message, kv_str("option", text_of(change, "name")),
                 kv_str("old", text_of(change, "old_value")),
                 kv_str("new", text_of(change, "new_value")));
    }
}

/* ---- Reloading ---- */

static enum err take_file(struct settings *settings, const struct options *now, struct diag *diag)
{
    struct api *api = settings->api;
    const char *path = options_text(now, OPTION_CONFIG);
    OWNED(options) next = NULL;
    TRY(options_reload(now, &next, diag));
    TRY(front_check(next, diag));
    json_t *changes = differences(now, next);
    if (json_array_size(changes) == 0) {
        LOG_INFO("the configuration file says what it said", kv_str("file", path));
        json_decref(changes);
        return OK;
    }
    enum err e = note(api->catalog, path, changes, diag);
    if (e == OK) {
        running_take_file(api->running, next);
        settings_apply(settings);
        tell(changes);
    }
    json_decref(changes);
    return e;
}

void settings_reload(struct settings *settings)
{
    struct diag diag = {0};
    OWNED(options) now = running_options(settings->api->running);
    if (options_text(now, OPTION_CONFIG)[0] == '\0') {
        return;
    }
    if (take_file(settings, now, &diag) != OK) {
        LOG_ERROR("the configuration file is not taken; what counted before counts",
                  kv_str("where", diag.where), kv_str("why", diag.text));
    }
}
