/* SPDX-License-Identifier: Apache-2.0 */
/*
 * settings_change - a setting is made, changed, taken back, reverted.
 *
 * The catalog keeps it, with its event, in one transaction, and tells the server behind the commit
 * (server/settings.h): when the answer leaves, the value counts.
 */
#include "config/internal.h"
#include "config/settings.h"
#include "gate/cors.h"

enum { VALUE_BYTES_MAX = 16 * 1024, REVERT_TRIES = 5 };

struct setting_change {
    struct http_request *request;
    struct catalog *catalog;
    enum option option;
    json_t *body;
    struct catalog_author author;
    struct buf value; /* as the file would write it */
    bool is_removal;
    const json_t *expected; /* of a revert: the change that must be the last; NULL: any */
    struct kind_errors errors;
    struct diag diag;
};

static enum err fail_value(struct setting_change *change, const char *sentence)
{
    kind_wrong(&change->errors, "value", "%s", sentence);
    return diag_fail(&change->diag, ERR_INVALID, "/value", "%s", sentence);
}

/* ---- What is sent ---- */

/* `second` is a member beside the reason, or NULL. */
static enum err check_members(struct setting_change *change, const char *second)
{
    const char *name = NULL;
    json_t *value = NULL;
    if (!json_is_object(change->body)) {
        return diag_fail(&change->diag, ERR_INVALID, "", "the body must be a JSON object");
    }
    json_object_foreach(change->body, name, value)
    {
        bool is_known =
            strcmp(name, "reason") == 0 || (second != NULL && strcmp(name, second) == 0);
        if (!is_known) {
            kind_wrong(&change->errors, name, "there is no such member here");
        }
    }
    return change->errors.count == 0
               ? OK
               : diag_fail(&change->diag, ERR_INVALID, change->errors.list[0].pointer, "%s",
                           change->errors.list[0].detail);
}

/* Numbers and booleans may be sent as what they are in JSON too. */
static enum err take_json(struct setting_change *change, struct buf *text)
{
    const json_t *sent = json_object_get(change->body, "value");
    if (json_is_string(sent)) {
        buf_append(text,
                   (slice){(const uint8_t *)json_string_value(sent), json_string_length(sent)});
    } else if (json_is_integer(sent)) {
        buf_append_i64(text, json_integer_value(sent));
    } else if (json_is_boolean(sent)) {
        buf_append_cstr(text, json_is_true(sent) ? "true" : "false");
    } else if (json_is_null(sent)) {
        return fail_value(change, "null is no value; DELETE takes a setting back");
    } else {
        return fail_value(change,
                          sent == NULL ? "is missing" : "must be a text, number or boolean");
    }
    return text->failed ? fail_value(change, "is too long") : OK;
}

/* Some options have a form of their own. */
static enum err check_form(enum option option, slice text, struct diag *diag)
{
    struct cors cors;
    return option == OPTION_CORS_ORIGINS ? cors_parse(text, &cors, diag) : OK;
}

/* `text` is a value of the option, within its limits: it is kept as the file would write it. */
static enum err take_value(struct setting_change *change, slice text)
{
    struct diag why = {0};
    const char *name = option_info(change->option)->name;
    OWNED(options) options = options_new();
    enum err e = options_set(options, change->option, text, OPTION_FROM_SETTING, name, &why);
    e = e == OK ? check_form(change->option, text, &why) : e;
    if (e != OK) {
        return fail_value(change, why.text);
    }
    buf_clear(&change->value);
    (void)options_format_from(options, change->option, OPTION_FROM_SETTING, &change->value);
    return OK;
}

static enum err check_may_change(struct setting_change *change)
{
    char flag[OPTION_FLAG_BYTES_MAX];
    const struct option_info *info = option_info(change->option);
    bool is_in_file = (info->flags & OPTION_START) == 0;
    return (info->flags & OPTION_RUNNING) != 0
               ? OK
               : diag_fail(&change->diag, ERR_INVALID, "",
                           "%s cannot change while the server runs: give it as --%s or %s%s, and "
                           "start the server again",
                           info->name, option_flag(change->option, flag), info->environment,
                           is_in_file ? ", or in the configuration file" : "");
}

/* ---- What is stored ---- */

static enum err check_match(struct setting_change *change, const json_t *stored)
{
    slice asked = {0};
    char etag[SETTINGS_ETAG_BYTES];
    settings_etag(stored, etag);
    if (!http_header(change->request, "if-match", &asked) || slice_equal(asked, SLICE("*"))) {
        return OK;
    }
    (void)slice_take_literal(&asked, SLICE("W/"));
    return slice_equal(asked, slice_from_cstr(etag))
               ? OK
               : diag_fail(&change->diag, ERR_CONFLICT, "If-Match",
                           "it was changed since you read it: its ETag is %s", etag);
}

/* The change that is reverted is the one that made what is stored. */
static enum err check_expected(struct setting_change *change, const json_t *stored)
{
    const json_t *made = json_object_get(change->expected, "new_values");
    bool is_it = change->expected == NULL ||
                 json_equal(json_object_get(made, "value"), json_object_get(stored, "value"));
    is_it = is_it || (stored == NULL && !json_is_object(made));
    return is_it ? OK
                 : diag_fail(&change->diag, ERR_CONFLICT, "",
                             "it is being changed by others; look at it and try again");
}

static enum err store_over(struct setting_change *change, const json_t *stored)
{
    const char *name = option_info(change->option)->name;
    struct catalog_change put = {.kind = &kind_settings,
                                 .author = &change->author,
                                 .id = slice_from_cstr(name),
                                 .how = KIND_REPLACE};
    TRY(check_match(change, stored));
    TRY(check_expected(change, stored));
    if (change->is_removal) {
        return stored != NULL
                   ? catalog_delete(change->catalog, &put, &change->errors, &change->diag)
                   : diag_fail(&change->diag, ERR_NOT_FOUND, "", "%s has no setting", name);
    }
    json_t *sent = json_pack("{s:s, s:s}", "name", name, "value", buf_cstr(&change->value));
    put.sent = sent;
    enum err e = stored != NULL
                     ? catalog_update(change->catalog, &put, NULL, &change->errors, &change->diag)
                     : catalog_insert(change->catalog, &put, NULL, &change->errors, &change->diag);
    json_decref(sent);
    return e;
}

/* The transaction keeps others out, so what is read here is what there is. */
static enum err store(struct setting_change *change)
{
    json_t *stored = NULL;
    TRY(catalog_begin(change->catalog, &change->diag));
    enum err e = settings_stored(change->catalog, change->option, &stored, &change->diag);
    e = e == OK ? store_over(change, stored) : e;
    json_decref(stored);
    return catalog_end(change->catalog, e, &change->diag);
}

/* ---- Routes ---- */

static enum err take(struct setting_change *change, const char *second)
{
    TRY(settings_check_caller(change->request, &change->diag));
    TRY(settings_option(change->request, &change->option, &change->diag));
    TRY(config_body(change->request, &change->body, &change->diag));
    TRY(check_members(change, second));
    change->author = config_author(change->request, change->body);
    return check_may_change(change);
}

static void run(struct http_request *request, const char *second,
                enum err (*fn)(struct setting_change *change))
{
    struct setting_change change = {
        .request = request,
        .catalog = api_of(request)->catalog,
        .value = BUF_INIT(VALUE_BYTES_MAX),
    };
    enum err e = take(&change, second);
    e = e == OK ? fn(&change) : e;
    if (e == OK) {
        settings_answer(request, change.option);
    } else {
        config_fail(request, e, &change.diag, &change.errors);
    }
    buf_release(&change.value);
    json_decref(change.body);
}

static enum err put(struct setting_change *change)
{
    struct buf text CLEANUP(buf_release) = BUF_INIT(VALUE_BYTES_MAX);
    TRY(take_json(change, &text));
    TRY(take_value(change, buf_slice(&text)));
    return store(change);
}

void api_setting_put(struct http_request *request)
{
    run(request, "value", put);
}

static enum err take_back(struct setting_change *change)
{
    change->is_removal = true;
    return store(change);
}

void api_setting_delete(struct http_request *request)
{
    run(request, NULL, take_back);
}

/* What `values` of a change in the history say: a value, or that there was no setting. */
static enum err take_old(struct setting_change *change, const json_t *values)
{
    const json_t *value = json_object_get(values, "value");
    change->is_removal = !json_is_string(value);
    return change->is_removal
               ? OK
               : take_value(change, (slice){(const uint8_t *)json_string_value(value),
                                            json_string_length(value)});
}

/* To what a change made it (`to` names its event), or to what it was before the last one. */
static enum err revert_once(struct setting_change *change)
{
    const json_t *to = json_object_get(change->body, "to");
    const char *name = option_info(change->option)->name;
    json_t *row = NULL;
    enum err e =
        config_find_change(change->request, &kind_settings, slice_from_cstr(name),
                           to != NULL ? slice_from_cstr(json_string_value(to)) : (slice){0}, &row,
                           &change->diag);
    if (e == ERR_INVALID && to != NULL) {
        kind_wrong(&change->errors, "to", "%s", change->diag.text);
    }
    TRY(e);
    change->expected = to != NULL ? NULL : row;
    e = take_old(change, json_object_get(row, to != NULL ? "new_values" : "old_values"));
    e = e == OK ? store(change) : e;
    json_decref(row);
    return e;
}

static enum err revert(struct setting_change *change)
{
    const json_t *to = json_object_get(change->body, "to");
    if (to != NULL && (!json_is_string(to) || json_string_length(to) == 0)) {
        kind_wrong(&change->errors, "to", "expected the id of a change, as the history has it");
        return diag_fail(&change->diag, ERR_INVALID, "/to", "%s", change->errors.list[0].detail);
    }
    enum err e = revert_once(change);
    for (int i = 1; i < REVERT_TRIES && e == ERR_CONFLICT && change->diag.where[0] == '\0'; i++) {
        e = revert_once(change);
    }
    return e;
}

void api_setting_revert(struct http_request *request)
{
    run(request, "to", revert);
}
