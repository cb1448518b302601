/* SPDX-License-Identifier: Apache-2.0 */
/*
 * contract_tables - a small program that writes what the tables know of the API as JSON: routes,
 * versions, kinds, fields. tools/openapi.py makes docs/openapi.yaml of it; nothing that stands in a
 * table is written down for that document again. Built by docs/meson.build.
 */
#include <stdio.h>
#include <stdlib.h>

#include "access/rights.h"
#include "api/api.h"
#include "api/handlers.h"
#include "config/config.h"
#include "gate/legacy.h"
#include "gate/versions.h"
#include "kinds/kinds.h"
#include "message/words.h"

/* ---- Routes ---- */

static json_t *text_or_null(const char *text)
{
    return text != NULL ? json_string(text) : json_null();
}

static json_t *text_of(slice text)
{
    return json_stringn((const char *)text.ptr, text.len);
}

/* What the handler does with the objects of a kind, for those that any kind has. */
static const char *role_of(const struct http_route *route)
{
    static const struct {
        http_blocking_fn handler;
        const char *role;
    } roles[] = {
        {api_config_list, "list"},       {api_config_get, "get"},     {api_config_create, "create"},
        {api_config_replace, "replace"}, {api_config_patch, "patch"}, {api_config_delete, "delete"},
    };
    for (size_t i = 0; i < COUNT_OF(roles); i++) {
        if (route->blocking == roles[i].handler) {
            return roles[i].role;
        }
    }
    return NULL;
}

static const char *openness_name(enum openness openness)
{
    switch (openness) {
    case OPEN_TO_NONE:
        return "none";
    case OPEN_TO_KNOWN:
        return "known";
    case OPEN_TO_ALL:
        return "all";
    case OPEN_TO_LOOPBACK:
        return "loopback";
    case OPEN_TILES:
        return "tiles";
    }
    return NULL;
}

static bool is_same(const struct http_route *a, const struct http_route *b)
{
    const struct api_route *a_data = a->data;
    const struct api_route *b_data = b->data;
    return a->method == b->method && a->blocking == b->blocking && a->parked == b->parked &&
           a_data->resource == b_data->resource;
}

static json_t *place_of(const struct http_route *route)
{
    return json_sprintf("%s %s", http_method_name(route->method), route->path);
}

/* The first route that the same handler answers. */
static json_t *twin_of(const struct http_route *routes, size_t at)
{
    for (size_t i = 0; i < at; i++) {
        if (is_same(&routes[i], &routes[at])) {
            return place_of(&routes[i]);
        }
    }
    return json_null();
}

static json_t *life_of(const struct version_life *life)
{
    static const struct version_life always = {0};
    life = life != NULL ? life : &always;
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:b, s:b}", "introduced",
                     text_or_null(life->introduced), "deprecated", text_or_null(life->deprecated),
                     "sunset", text_or_null(life->sunset), "removed", text_or_null(life->removed),
                     "successor", text_or_null(life->successor), "is_deprecated",
                     version_is_deprecated(&all_versions, life), "is_removed",
                     version_is_removed(&all_versions, life));
}

static json_t *page_of(const struct query_shape *shape)
{
    CLEANUP(buf_release) struct buf text = BUF_INIT(4096);
    legacy_page_form(shape, &text);
    return json_loadb((const char *)text.ptr, text.len, 0, NULL);
}

static json_t *list_of(const struct query_shape *shape)
{
    if (shape == NULL) {
        return json_null();
    }
    json_t *columns = json_array();
    for (size_t i = 0; i < shape->column_count; i++) {
        const struct render_column *column = &shape->columns[i];
        (void)json_array_append_new(columns, json_pack("{s:s, s:o, s:b}", "name", column->name,
                                                       "field", text_of(fields[column->field].name),
                                                       "is_text", column->is_text));
    }
    return json_pack("{s:s, s:o, s:o}", "name", shape->list, "columns", columns, "page",
                     page_of(shape));
}

static json_t *legacy_shape(const struct legacy *legacy)
{
    static const char *const errors[] = {
        [LEGACY_ERROR] = "error", [LEGACY_DETAIL] = "detail", [LEGACY_STATUS] = "status"};
    if (legacy == NULL) {
        return json_null();
    }
    json_t *params = json_object();
    for (size_t i = 0; i < legacy->param_count; i++) {
        (void)json_object_set_new(params, legacy->params[i].name,
                                  json_string(legacy->params[i].canonical));
    }
    return json_pack("{s:s, s:o, s:o, s:I}", "errors", errors[legacy->errors], "list",
                     list_of(legacy->list), "params", params, "limit_max",
                     (json_int_t)legacy->limit_max);
}

static json_t *routes_json(void)
{
    size_t count = 0;
    const struct http_route *routes = api_routes(&count);
    json_t *out = json_array();
    for (size_t i = 0; i < count; i++) {
        const struct api_route *data = routes[i].data;
        json_t *route =
            json_pack("{s:s, s:s, s:o, s:o, s:o, s:s, s:b, s:o, s:I, s:b, s:o, s:o}", "method",
                      http_method_name(routes[i].method), "path", routes[i].path, "twin",
                      twin_of(routes, i), "role", text_or_null(role_of(&routes[i])), "scope",
                      text_or_null(right_name(data->right)), "open", openness_name(data->openness),
                      "reaches_all", data->reaches_all, "kind",
                      text_or_null(data->resource != NULL ? data->resource->kind->name : NULL),
                      "body_bytes_max", (json_int_t)routes[i].body_bytes_max, "is_stream",
                      routes[i].method == HTTP_POST && routes[i].parked != NULL, "life",
                      life_of(data->life), "legacy", legacy_shape(data->legacy));
        ASSERT(route != NULL);
        (void)json_array_append_new(out, route);
    }
    return out;
}

/* ---- Versions, kinds, fields ---- */

static json_t *versions_json(void)
{
    json_t *out = json_array();
    for (size_t i = 0; i < all_versions.count; i++) {
        const struct version_entry *entry = &all_versions.entries[i];
        (void)json_array_append_new(out, json_pack("{s:s, s:s, s:o}", "name", entry->name, "status",
                                                   version_status_name(
                                                       version_status(&all_versions, entry)),
                                                   "life", life_of(&entry->life)));
    }
    return out;
}

static json_t *words_of(const char *words)
{
    json_t *out = json_array();
    slice rest = slice_from_cstr(words != NULL ? words : "");
    while (rest.len > 0) {
        const uint8_t *space = memchr(rest.ptr, ' ', rest.len);
        slice word = slice_take(&rest, space != NULL ? (size_t)(space - rest.ptr) : rest.len);
        (void)slice_take(&rest, space != NULL ? 1 : 0);
        (void)json_array_append_new(out, text_of(word));
    }
    return out;
}

static const char *kind_type_name(enum kind_type type)
{
    static const char *const names[] = {
        [KIND_TEXT] = "text",         [KIND_NAME] = "name",
        [KIND_HOST] = "host",         [KIND_EMAIL] = "email",
        [KIND_URL] = "url",           [KIND_INTEGER] = "integer",
        [KIND_BOOLEAN] = "boolean",   [KIND_CHOICE] = "choice",
        [KIND_CHOICES] = "choices",   [KIND_NAMES] = "names",
        [KIND_TIME] = "time",         [KIND_FILTER] = "filter",
        [KIND_DOCUMENT] = "document", [KIND_REFERENCE] = "reference"};
    return names[type];
}

static json_t *flags_of(unsigned flags)
{
    static const struct {
        unsigned flag;
        const char *name;
    } names[] = {
        {KIND_REQUIRED, "required"},
        {KIND_IMMUTABLE, "immutable"},
        {KIND_READ_ONLY, "read_only"},
        {KIND_SECRET, "secret"},
        {KIND_PASSWORD, "secret"},
        {KIND_UNIQUE, "unique"},
        {KIND_UNIQUE_EVERYWHERE, "unique"},
        {KIND_SEARCHED, "searched"},
        {KIND_HIDDEN, "hidden"},
    };
    json_t *out = json_array();
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        if ((flags & names[i].flag) != 0) {
            (void)json_array_append_new(out, json_string(names[i].name));
        }
    }
    return out;
}

static json_t *kind_fields_json(const struct kind *kind)
{
    json_t *out = json_array();
    for (size_t i = 0; i < kind->field_count; i++) {
        const struct kind_field *field = &kind->fields[i];
        json_t *fallback = field->fallback != NULL
                               ? json_loads(field->fallback, JSON_DECODE_ANY, NULL)
                               : json_null();
        (void)json_array_append_new(out,
                                    json_pack("{s:s, s:s, s:o, s:o, s:I, s:I, s:o, s:s}", "name",
                                              field->name, "type", kind_type_name(field->type),
                                              "flags", flags_of(field->flags), "fallback", fallback,
                                              "least", (json_int_t)field->least, "most",
                                              (json_int_t)field->most, "choices",
                                              words_of(field->choices), "about", field->about));
    }
    return out;
}

static json_t *kinds_json(void)
{
    size_t count = 0;
    const struct kind *const *kinds = kinds_all(&count);
    json_t *out = json_array();
    for (size_t i = 0; i < count; i++) {
        const struct kind *kind = kinds[i];
        (void)json_array_append_new(out, json_pack("{s:s, s:s, s:s, s:o, s:o}", "name", kind->name,
                                                   "singular", kind->singular, "about", kind->about,
                                                   "key", text_or_null(kind->key), "fields",
                                                   kind_fields_json(kind)));
    }
    return out;
}

static json_t *choices_of(enum field field)
{
    json_t *out = json_array();
    slice name = {0};
    for (size_t i = 0; fields[field].type == TYPE_CHOICE && choice_at(field, i, &name); i++) {
        (void)json_array_append_new(out, text_of(name));
    }
    return out;
}

static json_t *fields_json(void)
{
    static const char *const types[] = {
        [TYPE_UUID] = "uuid",       [TYPE_TIME] = "time",     [TYPE_TEXT] = "text",
        [TYPE_ADDRESS] = "address", [TYPE_CHOICE] = "choice", [TYPE_INTEGER] = "integer",
        [TYPE_BOOLEAN] = "boolean", [TYPE_JSON] = "json"};
    json_t *out = json_array();
    for (enum field field = 0; field < FIELD_COUNT; field++) {
        const struct field_info *info = &fields[field];
        (void)json_array_append_new(out, json_pack("{s:o, s:o, s:s, s:I, s:b, s:o}", "name",
                                                   text_of(info->name), "other_names",
                                                   text_of(info->other_names), "type",
                                                   types[info->type], "max", (json_int_t)info->max,
                                                   "server", (info->flags & FIELD_SERVER) != 0,
                                                   "choices", choices_of(field)));
    }
    return out;
}

int main(void)
{
    json_t *tables = json_pack("{s:o, s:o, s:o, s:o}", "versions", versions_json(), "routes",
                               routes_json(), "kinds", kinds_json(), "fields", fields_json());
    ASSERT(tables != NULL);
    bool is_written = json_dumpf(tables, stdout, JSON_INDENT(1)) == 0 && fflush(stdout) == 0;
    json_decref(tables);
    return is_written ? EXIT_SUCCESS : EXIT_FAILURE;
}
