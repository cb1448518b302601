/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cairn org, key, rule, target, dev-host, team, schema - configuration objects. One function for
 * all kinds: what a kind has, its description says (kinds/kinds.h).
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "cli/connect.h"
#include "crypto/secret.h"
#include "kinds/kinds.h"
#include "os/terminal.h"
#include "show/show.h"

enum {
    SECRET_LINE_BYTES = 4096,
    VALUE_BYTES_MAX = 256 * 1024,
    TARGET_BYTES_MAX = 8192,
    LIMIT_MAX = 1000
};

struct config_args {
    const char *reason, *org;
    uint64_t limit, grace, days;
};

static const struct config_args defaults = {.limit = 100, .days = 30};

static const struct cli_option options[] = {
    {"reason", CLI_TEXT, offsetof(struct config_args, reason), "TEXT",
     "Why; it is recorded with the change", NULL},
    {"org", CLI_TEXT, offsetof(struct config_args, org), "ID",
     "Another organisation, where the key may; * lists those of all", NULL},
    {"limit", CLI_U64, offsetof(struct config_args, limit), "N", "At most so many; 0: all", NULL},
    {"grace", CLI_U64, offsetof(struct config_args, grace), "SECONDS",
     "How long the old key still works (key rotate)", NULL},
    {"days", CLI_U64, offsetof(struct config_args, days), "N",
     "How many days, with today, are looked at (key usage)", NULL},
};

struct job {
    struct cli *cli;
    const struct config_args *args;
    const struct kind *kind;
    struct cairn_client *client;
    struct buf target;
    char *answer;
    size_t len;
};

/* ---- Words ---- */

/* What must not stand on a command line, where others see it. */
static json_t *read_secret(const struct kind_field *field, char text[SECRET_LINE_BYTES])
{
    char prompt[64];
    (void)snprintf(prompt, sizeof(prompt), "%s: ", field->name);
    return terminal_read_secret(prompt, text, SECRET_LINE_BYTES) ? json_string(text) : NULL;
}

/* NAME=VALUE as the field's type has it; a value that begins with @ names a file, an empty one is
 * null. A new reference; NULL: it was said what is wrong. */
static json_t *value_of(const struct cli *cli, const struct kind_field *field, const char *text)
{
    char secret[SECRET_LINE_BYTES];
    json_t *value = NULL;
    json_error_t error = {0};
    if (text[0] == '\0') {
        return json_null();
    }
    if ((field->flags & (KIND_SECRET | KIND_PASSWORD)) != 0 && strcmp(text, "-") == 0) {
        value = read_secret(field, secret);
        secret_wipe(secret, sizeof(secret));
        if (value == NULL) {
            (void)cli_usage(cli, "%s: no line of it could be read", field->name);
        }
        return value;
    }
    switch (field->type) {
    case KIND_INTEGER:
    case KIND_BOOLEAN:
        value = json_loads(text, JSON_DECODE_ANY, NULL);
        break;
    case KIND_DOCUMENT:
        value = text[0] == '@' ? json_load_file(text + 1, 0, &error) : json_loads(text, 0, &error);
        break;
    case KIND_CHOICES:
    case KIND_NAMES:
        value = json_array();
        while (*text != '\0') {
            size_t len = strcspn(text, ",");
            (void)json_array_append_new(value, json_stringn(text, len));
            text += len + (text[len] == ',' ? 1 : 0);
        }
        break;
    case KIND_TEXT:
    case KIND_NAME:
    case KIND_HOST:
    case KIND_EMAIL:
    case KIND_URL:
    case KIND_CHOICE:
    case KIND_TIME:
    case KIND_FILTER:
    case KIND_REFERENCE:
        value = json_string(text);
        break;
    }
    if (value == NULL) {
        (void)cli_usage(cli, "%s: %s", field->name,
                        error.text[0] != '\0'         ? error.text
                        : field->type == KIND_INTEGER ? "expected a number"
                                                      : "expected true or false");
    }
    return value;
}

static void say_fields(const struct job *job, const char *word)
{
    struct buf names CLEANUP(buf_release) = BUF_INIT(KIB(4));
    for (size_t i = 0; i < job->kind->field_count; i++) {
        if (cli_may_set(&job->kind->fields[i])) {
            buf_append_format(&names, " %s", job->kind->fields[i].name);
        }
    }
    (void)cli_usage(job->cli, "%s: expected NAME=VALUE; the names of %s are%s", word,
                    job->kind->name, buf_cstr(&names));
}

/* A new reference; NULL: it was said what is wrong. */
static json_t *body_of(const struct job *job, size_t first)
{
    json_t *body = json_object();
    for (size_t i = first; i < job->cli->operand_count; i++) {
        const char *word = job->cli->operands[i];
        const char *equals = strchr(word, '=');
        slice name = {(const uint8_t *)word, equals != NULL ? (size_t)(equals - word) : 0};
        const struct kind_field *field = kind_field(job->kind, name);
        if (field == NULL) {
            say_fields(job, word);
            json_decref(body);
            return NULL;
        }
        ASSERT(equals != NULL); /* no field has an empty name */
        json_t *value = value_of(job->cli, field, equals + 1);
        if (value == NULL) {
            json_decref(body);
            return NULL;
        }
        (void)json_object_set_new(body, field->name, value);
    }
    if (job->args->reason != NULL) {
        (void)json_object_set_new(body, "reason", json_string(job->args->reason));
    }
    return body;
}

/* ---- Requests ---- */

/* "/api/v1/rules", "/api/v1/rules/ID", "/api/v1/api-keys/ID/rotate"; and the organisation. */
static const char *target_of(struct job *job, const char *id, const char *action)
{
    buf_clear(&job->target);
    buf_append_format(&job->target, "/api/v1/%s", job->kind->name);
    if (id != NULL) {
        buf_append_byte(&job->target, '/');
        target_append(&job->target, id);
    }
    buf_append_cstr(&job->target, action);
    if (job->args->org != NULL) {
        buf_append_cstr(&job->target, "?org=");
        target_append(&job->target, job->args->org);
    }
    buf_append_byte(&job->target, '\0');
    return job->target.failed ? "/" : (const char *)job->target.ptr;
}

static void print_object(struct job *job)
{
    struct buf out CLEANUP(buf_release) = BUF_INIT(MIB(16));
    json_t *object = json_loadb(job->answer, job->len, 0, NULL);
    if (cli_wants_json(job->cli) || !json_is_object(object)) {
        show_json_line((slice){(const uint8_t *)job->answer, job->len}, &out);
    } else {
        show_object(&job->cli->screen, object, &out);
    }
    json_decref(object);
    (void)screen_write(buf_slice(&out));
}

static enum cli_exit change(struct job *job, const char *method, const char *target, json_t *body)
{
    char *text = body != NULL ? json_dumps(body, KIND_JSON) : NULL;
    enum cairn_result result =
        cairn_change(job->client, method, target, text, &job->answer, &job->len);
    free(text);
    json_decref(body);
    if (result != CAIRN_OK) {
        return cli_fail_client(job->cli, job->client, result);
    }
    if (job->len > 0) {
        print_object(job);
    }
    return CLI_OK;
}

/* ---- Lists ---- */

/* The id, and as many fields as there is room for, those first that an object must have. */
static size_t choose_columns(const struct kind *kind, size_t width,
                             const char *names[TABLE_COLUMNS_MAX])
{
    enum { WIDE = 120, SHOWN_WIDE = 7, SHOWN = 5 };
    size_t most = width >= WIDE ? SHOWN_WIDE : SHOWN;
    size_t count = 0;
    names[count++] = "id";
    for (int must = 1; must >= 0; must--) {
        for (size_t i = 0; i < kind->field_count && count < most; i++) {
            const struct kind_field *field = &kind->fields[i];
            unsigned unshown = KIND_HIDDEN | KIND_SECRET | KIND_PASSWORD;
            bool is_required = (field->flags & (KIND_REQUIRED | KIND_SEARCHED)) != 0;
            bool is_key = kind->key != NULL && strcmp(kind->key, field->name) == 0;
            if (is_required == (must == 1) && (field->flags & unshown) == 0 && !is_key &&
                field->type != KIND_DOCUMENT) {
                names[count++] = field->name;
            }
        }
    }
    return count;
}

static void write_table(const struct job *job, const json_t *objects, struct buf *out)
{
    const char *names[TABLE_COLUMNS_MAX];
    struct table_column columns[TABLE_COLUMNS_MAX] = {{0}};
    struct table table;
    size_t count = choose_columns(job->kind, job->cli->screen.width, names);
    size_t i = 0;
    json_t *object = NULL;
    for (size_t c = 0; c < count; c++) {
        columns[c].title = names[c];
    }
    columns[0].form = COLUMN_WHOLE;
    table_init(&table, &job->cli->screen, columns, count);
    json_array_foreach(objects, i, object)
    {
        for (size_t c = 0; c < count; c++) {
            show_cell(&table, json_object_get(object, names[c]));
        }
    }
    table_write(&table, out);
    table_release(&table);
}

/* The page behind `cursor` (NULL: the first), of at most so many. A new reference; NULL: it was
 * said why. */
static json_t *fetch_page(struct job *job, const char *cursor, uint64_t limit, enum cli_exit *exit)
{
    char target[TARGET_BYTES_MAX];
    (void)snprintf(target, sizeof(target), "%s%climit=%llu%s%s", target_of(job, NULL, ""),
                   job->args->org != NULL ? '&' : '?',
                   (unsigned long long)(limit < LIMIT_MAX ? limit : LIMIT_MAX),
                   cursor != NULL ? "&cursor=" : "", cursor != NULL ? cursor : "");
    enum cairn_result result = cairn_get(job->client, target, &job->answer, &job->len);
    if (result != CAIRN_OK) {
        *exit = cli_fail_client(job->cli, job->client, result);
        return NULL;
    }
    json_t *page = json_loadb(job->answer, job->len, 0, NULL);
    cairn_free(job->answer);
    job->answer = NULL;
    return page != NULL ? page : json_null();
}

/* All pages, as far as --limit asks for them. A new reference; NULL: it was said why. */
static json_t *fetch(struct job *job, enum cli_exit *exit)
{
    json_t *objects = json_array();
    json_t *page = NULL;
    const char *cursor = NULL; /* lives with the page */
    uint64_t wanted = job->args->limit == 0 ? UINT64_MAX : job->args->limit;
    do {
        json_t *next = fetch_page(job, cursor, wanted - json_array_size(objects), exit);
        json_decref(page);
        page = next;
        if (page == NULL) {
            json_decref(objects);
            return NULL;
        }
        (void)json_array_extend(objects, json_object_get(page, "data"));
        cursor = json_string_value(json_object_get(json_object_get(page, "page"), "next_cursor"));
    } while (cursor != NULL && json_array_size(objects) < wanted);
    json_decref(page);
    return objects;
}

static enum cli_exit list(struct job *job)
{
    struct buf out CLEANUP(buf_release) = BUF_INIT(MIB(256));
    enum cli_exit exit = CLI_OK;
    json_t *objects = fetch(job, &exit);
    if (objects == NULL) {
        return exit;
    }
    if (cli_wants_json(job->cli)) {
        show_json_lines(objects, &out);
    } else {
        write_table(job, objects, &out);
    }
    json_decref(objects);
    (void)screen_write(buf_slice(&out));
    return CLI_OK;
}

/* ---- The verbs ---- */

static enum cli_exit show(struct job *job)
{
    enum cairn_result result =
        cairn_get(job->client, target_of(job, job->cli->operands[1], ""), &job->answer, &job->len);
    if (result != CAIRN_OK) {
        return cli_fail_client(job->cli, job->client, result);
    }
    print_object(job);
    return CLI_OK;
}

static enum cli_exit create(struct job *job)
{
    json_t *body = body_of(job, 1);
    return body != NULL ? change(job, "POST", target_of(job, NULL, ""), body) : CLI_USAGE;
}

static enum cli_exit set(struct job *job)
{
    json_t *body = body_of(job, 2);
    return body != NULL ? change(job, "PATCH", target_of(job, job->cli->operands[1], ""), body)
                        : CLI_USAGE;
}

static enum cli_exit remove_one(struct job *job)
{
    json_t *body = body_of(job, 2);
    return body != NULL ? change(job, "DELETE", target_of(job, job->cli->operands[1], ""), body)
                        : CLI_USAGE;
}

static enum cli_exit rotate(struct job *job)
{
    json_t *body = body_of(job, 2);
    if (body == NULL) {
        return CLI_USAGE;
    }
    (void)json_object_set_new(body, "grace_seconds", json_integer((json_int_t)job->args->grace));
    return change(job, "POST", target_of(job, job->cli->operands[1], "/rotate"), body);
}

/* One line for each day, then for each route, where a program reads. */
static void write_usage(const struct job *job, struct buf *out)
{
    json_t *usage = json_loadb(job->answer, job->len, 0, NULL);
    if (cli_wants_json(job->cli)) {
        show_json_lines(json_object_get(usage, "by_day"), out);
        show_json_lines(json_object_get(usage, "by_route"), out);
    } else {
        show_usage(&job->cli->screen, usage, out);
    }
    json_decref(usage);
}

static enum cli_exit usage(struct job *job)
{
    struct buf out CLEANUP(buf_release) = BUF_INIT(MIB(16));
    char target[TARGET_BYTES_MAX];
    (void)snprintf(target, sizeof(target), "%s%cdays=%llu",
                   target_of(job, job->cli->operands[1], "/usage"),
                   job->args->org != NULL ? '&' : '?', (unsigned long long)job->args->days);
    enum cairn_result result = cairn_get(job->client, target, &job->answer, &job->len);
    if (result != CAIRN_OK) {
        return cli_fail_client(job->cli, job->client, result);
    }
    write_usage(job, &out);
    (void)screen_write(buf_slice(&out));
    return CLI_OK;
}

static const struct {
    const char *name;
    size_t operands_least; /* the verb included */
    bool is_of_keys;
    enum cli_exit (*run)(struct job *job);
    const char *operands;
} verbs[] = {
    {"list", 1, false, list, ""},
    {"show", 2, false, show, "ID"},
    {"create", 2, false, create, "NAME=VALUE"},
    {"set", 3, false, set, "ID NAME=VALUE"},
    {"remove", 2, false, remove_one, "ID"},
    {"revoke", 2, true, remove_one, "ID"},
    {"rotate", 2, true, rotate, "ID"},
    {"usage", 2, true, usage, "ID"},
};

static enum cli_exit run(struct cli *cli)
{
    struct job job = {.cli = cli, .args = cli->args, .kind = cli_kind(cli->command)};
    ASSERT(job.kind != NULL);
    const char *verb = cli->operand_count > 0 ? cli->operands[0] : "a verb is missing";
    for (size_t i = 0; i < COUNT_OF(verbs) && cli->operand_count > 0; i++) {
        bool is_known = strcmp(verb, verbs[i].name) == 0 &&
                        (!verbs[i].is_of_keys || job.kind == &kind_api_keys);
        if (!is_known) {
            continue;
        }
        if (cli->operand_count < verbs[i].operands_least) {
            return cli_usage(cli, "%s: expected %s behind it", verb, verbs[i].operands);
        }
        enum cli_exit exit = cli_connect(cli, &job.client);
        if (exit != CLI_OK) {
            return exit;
        }
        buf_init(&job.target, TARGET_BYTES_MAX);
        exit = verbs[i].run(&job);
        buf_release(&job.target);
        cairn_free(job.answer);
        cairn_client_free(job.client);
        return exit;
    }
    return cli_usage(cli, "%s: expected list, show, create, set%s", verb,
                     job.kind == &kind_api_keys ? ", revoke, rotate or usage" : " or remove");
}

#define VERBS "The verbs are list, show ID, create NAME=VALUE..., set ID NAME=VALUE..., and "
#define VALUES                                                                                     \
    ". A value that begins with @ names a file of a JSON document; an empty one takes the "        \
    "default, and of a secret - is a line of standard input."
#define CONFIG_COMMAND(variable, word, line, more)                                                 \
    const struct cli_command variable = {                                                          \
        .name = (word),                                                                            \
        .summary = (line),                                                                         \
        .operands = "VERB [ID] [NAME=VALUE...]",                                                   \
        .details = VERBS more VALUES,                                                              \
        .options = options,                                                                        \
        .option_count = COUNT_OF(options),                                                         \
        .defaults = &defaults,                                                                     \
        .args_bytes = sizeof(defaults),                                                            \
        .operands_most = SIZE_MAX,                                                                 \
        .uses_server = true,                                                                       \
        .run = run,                                                                                \
    }

CONFIG_COMMAND(cmd_org, "org", "Organisations, which see nothing of each other", "remove ID");
CONFIG_COMMAND(cmd_user, "user", "People who log in", "remove ID");
CONFIG_COMMAND(cmd_key, "key", "Keys of programs", "revoke ID, rotate ID, usage ID");
CONFIG_COMMAND(cmd_rule, "rule", "Rules for events that match", "remove ID");
CONFIG_COMMAND(cmd_target, "target", "Where events and alerts are sent", "remove ID");
CONFIG_COMMAND(cmd_schema, "schema", "What the data of an event type must look like", "remove ID");
CONFIG_COMMAND(cmd_dev_host, "dev-host", "Hosts that are not in production", "remove ID");
CONFIG_COMMAND(cmd_team, "team", "Which team a host belongs to", "remove ID");
