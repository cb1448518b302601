/* SPDX-License-Identifier: Apache-2.0 */
/* settings - options that may change while the server runs, and those that may not: shown. */
#include "config/settings.h"

#include <stdio.h>

#include "access/rights.h"
#include "gate/auth.h"

enum { VALUE_BYTES_MAX = 16 * 1024, NAME_SHOWN_BYTES = 60 };

/* ---- Who, and what ---- */

enum err settings_check_caller(const struct http_request *request, struct diag *diag)
{
    const struct caller *caller = request->caller;
    bool may_change = (rights_of_role(caller->who.role) & RIGHT_CONFIG_WRITE) != 0;
    slice org = {0};
    TRY(config_org(request, &org, diag));
    if (!caller->who.is_system || !may_change) {
        return diag_fail(diag, ERR_DENIED, "",
                         "settings reach the whole server: only owners and administrators of the "
                         "first organisation may see and change them");
    }
    return slice_equal(org, SLICE(SYSTEM_ORGANIZATION))
               ? OK
               : diag_fail(diag, ERR_INVALID, "org", "settings are the whole server's");
}

enum err settings_option(const struct http_request *request, enum option *out, struct diag *diag)
{
    slice name = http_path_param(request, "name");
    if (option_find_name(name, out)) {
        return OK;
    }
    const char *near = option_near(name);
    return diag_fail(diag, ERR_NOT_FOUND, "", "there is no option %.*s%s%s",
                     SLICE_ARG(slice_cut(name, NAME_SHOWN_BYTES)),
                     near != NULL ? "; perhaps you mean " : "", near != NULL ? near : "");
}

enum err settings_stored(struct catalog *catalog, enum option option, json_t **out,
                         struct diag *diag)
{
    slice name = slice_from_cstr(option_info(option)->name);
    *out = NULL;
    enum err e = catalog_get(catalog, &kind_settings, SLICE(SYSTEM_ORGANIZATION), name, out, diag);
    return e == ERR_NOT_FOUND ? OK : e;
}

void settings_etag(const json_t *stored, char out[SETTINGS_ETAG_BYTES])
{
    if (stored == NULL) {
        (void)snprintf(out, SETTINGS_ETAG_BYTES, "\"0\"");
        return;
    }
    /* A new setting begins with version 1 again; its time tells it from the one before. */
    (void)snprintf(out, SETTINGS_ETAG_BYTES, "\"%lld-%.27s\"",
                   (long long)json_integer_value(json_object_get(stored, "version")),
                   json_string_value(json_object_get(stored, "updated_at")));
}

/* ---- How it is shown ---- */

static void set_text(json_t *object, const char *name, const char *text)
{
    (void)json_object_set_new(object, name, text != NULL ? json_string(text) : json_null());
}

/* What one source says, or all together (OPTION_SOURCES); null: it says nothing. */
static void set_value(json_t *object, const char *name, const struct options *options,
                      enum option option, unsigned source)
{
    struct buf text CLEANUP(buf_release) = BUF_INIT(VALUE_BYTES_MAX);
    bool is_said = true;
    if (source < OPTION_SOURCES) {
        is_said = options_format_from(options, option, (enum option_source)source, &text);
    } else {
        options_format(options, option, &text);
    }
    json_t *value = is_said ? json_stringn(buf_cstr(&text), text.len) : json_null();
    /* a path of the file system need not be UTF-8 */
    (void)json_object_set_new(object, name, value != NULL ? value : json_string("[not UTF-8]"));
}

static void set_limit(json_t *object, const char *name, enum option_type type, uint64_t limit)
{
    struct buf text CLEANUP(buf_release) = BUF_INIT(64);
    option_format_limit(type, limit, &text);
    set_text(object, name, buf_cstr(&text));
}

static json_t *choices_of(const struct option_info *info)
{
    json_t *choices = json_array();
    for (const char *at = info->choices; *at != '\0'; at += strspn(at, " ")) {
        size_t len = strcspn(at, " ");
        (void)json_array_append_new(choices, json_stringn(at, len));
        at += len;
    }
    return choices;
}

static void set_limits(json_t *object, const struct option_info *info)
{
    switch (info->type) {
    case OPTION_TYPE_SIZE:
    case OPTION_TYPE_DURATION:
    case OPTION_TYPE_INTEGER:
        set_limit(object, "least", info->type, info->least);
        set_limit(object, "most", info->type, info->most);
        return;
    case OPTION_TYPE_CHOICE:
        (void)json_object_set_new(object, "choices", choices_of(info));
        return;
    case OPTION_TYPE_TEXT:
    case OPTION_TYPE_PATH:
    case OPTION_TYPE_FILE:
    case OPTION_TYPE_NAME:
        (void)json_object_set_new(object, "bytes_most", json_integer((json_int_t)info->most));
        return;
    case OPTION_TYPE_ADDRESS:
    case OPTION_TYPE_BOOLEAN:
        return;
    }
}

/* What a secret is nobody sees; whether it is given, everybody who may look here. */
static void set_values(json_t *object, const struct options *options, enum option option)
{
    const struct option_info *info = option_info(option);
    bool is_secret = (info->flags & OPTION_SECRET) != 0;
    enum option_source source = options_source(options, option);
    if (is_secret) {
        (void)json_object_set_new(object, "value", json_null());
        (void)json_object_set_new(object, "value_set",
                                  json_boolean(options_text(options, option)[0] != '\0'));
    } else {
        set_value(object, "value", options, option, OPTION_SOURCES);
    }
    set_value(object, "default", options, option, OPTION_FROM_DEFAULT);
    set_text(object, "source", option_source_name(source));
    set_text(object, "where", options_where(options, option));
    if ((info->flags & OPTION_RUNNING) != 0) {
        bool is_overridden = source > OPTION_FROM_SETTING;
        set_value(object, "setting", options, option, OPTION_FROM_SETTING);
        set_text(object, "overridden_by", is_overridden ? options_where(options, option) : NULL);
    }
}

/* A new reference. */
static json_t *show(const struct options *options, enum option option)
{
    const struct option_info *info = option_info(option);
    char flag[OPTION_FLAG_BYTES_MAX];
    json_t *object = json_object();
    set_text(object, "name", info->name);
    set_values(object, options, option);
    (void)json_object_set_new(object, "may_change",
                              json_boolean((info->flags & OPTION_RUNNING) != 0));
    set_text(object, "type", option_type_name(info->type));
    set_limits(object, info);
    (void)json_object_set_new(object, "flag", json_sprintf("--%s", option_flag(option, flag)));
    set_text(object, "environment", info->environment);
    set_text(object, "group", info->group);
    (void)json_object_set_new(object, "about", json_sprintf("%s.", info->sentence));
    return object;
}

void settings_answer(struct http_request *request, enum option option)
{
    struct api *api = api_of(request);
    struct diag diag = {0};
    json_t *stored = NULL;
    char etag[SETTINGS_ETAG_BYTES];
    enum err e = settings_stored(api->catalog, option, &stored, &diag);
    if (e != OK) {
        api_fail(request, e, &diag);
        return;
    }
    OWNED(options) options = running_options(api->running);
    json_t *shown = show(options, option);
    settings_etag(stored, etag);
    http_response_header_cstr(request->response, "ETag", etag);
    config_answer(request, 200, shown);
    json_decref(shown);
    json_decref(stored);
}

/* ---- Routes ---- */

void api_setting_get(struct http_request *request)
{
    struct diag diag = {0};
    enum option option = OPTION_COUNT;
    enum err e = settings_check_caller(request, &diag);
    e = e == OK ? settings_option(request, &option, &diag) : e;
    if (e == OK) {
        settings_answer(request, option);
    } else {
        api_fail(request, e, &diag);
    }
}

/* All of them are one page, without filters. */
static enum err check_params(const struct http_request *request, struct diag *diag)
{
    static const char *const known[] = {"org", "api_key", "api_version"};
    for (size_t i = 0; i < request->query_count; i++) {
        slice name = request->query[i].name;
        bool is_known = false;
        for (size_t k = 0; k < COUNT_OF(known); k++) {
            is_known = is_known || slice_equal(name, slice_from_cstr(known[k]));
        }
        if (!is_known) {
            return diag_fail(diag, ERR_INVALID, "", "%.*s is no parameter of this list",
                             SLICE_ARG(slice_cut(name, NAME_SHOWN_BYTES)));
        }
    }
    return OK;
}

void api_settings_list(struct http_request *request)
{
    struct diag diag = {0};
    enum err e = settings_check_caller(request, &diag);
    e = e == OK ? check_params(request, &diag) : e;
    if (e != OK) {
        api_fail(request, e, &diag);
        return;
    }
    OWNED(options) options = running_options(api_of(request)->running);
    json_t *data = json_array();
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        (void)json_array_append_new(data, show(options, (enum option)i));
    }
    json_t *answer = json_pack("{s:o, s:{s:i, s:b, s:i}}", "data", data, "page", "limit",
                               (int)OPTION_COUNT, "has_more", 0, "total", (int)OPTION_COUNT);
    config_answer(request, 200, answer);
    json_decref(answer);
}
