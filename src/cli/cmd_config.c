/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cairn org, key, rule, target, dev-host, team, schema - configuration objects. One function for
 * all kinds: what a kind has, its description says (kinds/kinds.h).
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "cli/answer.h"
#include "crypto/secret.h"
#include "kinds/kinds.h"
#include "os/terminal.h"
#include "show/show.h"

enum { SECRET_LINE_BYTES = 4096, LIMIT_MAX = 1000 };

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
    /* OPTIONS_OF_KEYS alone */
    {"grace", CLI_U64, offsetof(struct config_args, grace), "SECONDS",
     "How long the old key still works (rotate)", NULL},
    {"days", CLI_U64, offsetof(struct config_args, days), "N",
     "How many days, with today, are looked at (usage)", NULL},
};

enum { OPTIONS_OF_KEYS = COUNT_OF(options), OPTIONS_OF_ALL = OPTIONS_OF_KEYS - 2 };

/* ---- Words ---- */

/* What must not stand on a command line, where others see it. */
static json_t *read_secret(const struct kind_field *field, char text[SECRET_LINE_BYTES])
{
    char prompt[64];
    (void)snprintf(prompt, sizeof(prompt), "%s: ", field->name);
    return terminal_read_secret(prompt, text, SECRET_LINE_BYTES) ? json_string(text) : NULL;
}

/* "a,b" as an array. NULL: it is not UTF-8. */
static json_t *names_of(const char *text)
{
    json_t *names = json_array();
    while (*text != '\0') {
        size_t len = strcspn(text, ",");
        if (json_array_append_new(names, json_stringn(text, len)) != 0) {
            json_decref(names);
            return NULL;
        }
        text += len + (text[len] == ',' ? 1 : 0);
    }
    return names;
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
        value = names_of(text);
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
                        : field->type == KIND_BOOLEAN ? "expected true or false"
                                                      : "this is not UTF-8");
    }
    return value;
}

static void say_fields(const struct cli *cli, const char *word)
{
    const struct kind *kind = cli_kind(cli->command);
    struct buf names CLEANUP(buf_release) = BUF_INIT(KIB(4));
    for (size_t i = 0; i < kind->field_count; i++) {
        if (cli_may_set(&kind->fields[i])) {
            buf_append_format(&names, " %s", kind->fields[i].name);
        }
    }
    char name[CLI_NAME_BYTES];
    bool has_name = strchr(word, '=') != NULL; /* else it may be the value, behind `secret= ` */
    (void)cli_usage(cli, "%s%sexpected NAME=VALUE; the names of %s are%s",
                    has_name ? cli_name_of(word, name) : "", has_name ? ": " : "", kind->name,
                    buf_cstr(&names));
}

/* Adds NAME=VALUE. False: it was said what is wrong. */
static bool add_value(const struct cli *cli, const char *word, json_t *body)
{
    const char *equals = strchr(word, '=');
    slice name = {(const uint8_t *)word, equals != NULL ? (size_t)(equals - word) : 0};
    const struct kind_field *field = kind_field(cli_kind(cli->command), name);
    if (field == NULL) {
        say_fields(cli, word);
        return false;
    }
    ASSERT(equals != NULL); /* no field has an empty name */
    json_t *value = value_of(cli, field, equals + 1);
    if (value != NULL) {
        (void)json_object_set_new(body, field->name, value);
    }
    return value != NULL;
}

/* The values from operand `first` on, and the reason. A new reference; NULL: it was said what is
 * wrong. */
static json_t *body_of(const struct cli *cli, size_t first)
{
    const struct config_args *args = cli->args;
    json_t *body = json_object();
    bool ok = true;
    for (size_t i = first; ok && i < cli->operand_count; i++) {
        ok = add_value(cli, cli->operands[i], body);
    }
    if (ok && args->reason != NULL &&
        json_object_set_new(body, "reason", json_string(args->reason)) != 0) {
        (void)cli_usage(cli, "--reason: this is not UTF-8");
        ok = false;
    }
    if (!ok) {
        json_decref(body);
        return NULL;
    }
    return body;
}

/* ---- Requests ---- */

/* "/api/v1/rules", "/api/v1/rules/ID", "/api/v1/api-keys/ID/rotate"; the organisation; and as
 * many parameters as the caller appends. */
static void append_target(const struct cli *cli, const char *id, const char *action,
                          struct text *target)
{
    const struct config_args *args = cli->args;
    text_append_cstr(target, "/api/v1/");
    text_append_cstr(target, cli_kind(cli->command)->name);
    if (id != NULL) {
        text_append_cstr(target, "/");
        text_append_encoded(target, id);
    }
    text_append_cstr(target, action);
    text_append_parameter(target, "org", args->org);
}

/* With no body there is nothing to send, and it was said why. */
static enum cli_exit change(const struct cli *cli, struct cairn_client *client, const char *method,
                            const char *id, const char *action, json_t *body)
{
    struct text target CLEANUP(text_release) = {.max = ANSWER_TARGET_BYTES_MAX};
    struct answer answer CLEANUP(answer_release) = {0};
    if (body == NULL) {
        return CLI_USAGE;
    }
    append_target(cli, id, action, &target);
    enum cli_exit exit = answer_change(cli, client, method, &target, body, &answer);
    if (answer.json != NULL) {
        answer_write(cli, &answer);
    }
    return exit;
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

static void write_table(const struct cli *cli, const json_t *objects, struct buf *out)
{
    const char *names[TABLE_COLUMNS_MAX];
    struct table_column columns[TABLE_COLUMNS_MAX] = {{0}};
    struct table table;
    size_t count = choose_columns(cli_kind(cli->command), cli->screen.width, names);
    size_t i = 0;
    json_t *object = NULL;
    for (size_t c = 0; c < count; c++) {
        columns[c].title = names[c];
    }
    columns[0].form = COLUMN_WHOLE;
    table_init(&table, &cli->screen, columns, count);
    json_array_foreach(objects, i, object)
    {
        for (size_t c = 0; c < count; c++) {
            show_cell(&table, json_object_get(object, names[c]));
        }
    }
    table_write(&table, out);
    table_release(&table);
}

/* Adds the page behind `cursor` (owned, NULL: the first), and puts the next page's there. */
static enum cli_exit fetch_page(const struct cli *cli, struct cairn_client *client, uint64_t limit,
                                char **cursor, json_t *objects)
{
    struct text target CLEANUP(text_release) = {.max = ANSWER_TARGET_BYTES_MAX};
    struct answer answer CLEANUP(answer_release) = {0};
    const json_t *data = NULL;
    append_target(cli, NULL, "", &target);
    text_append_parameter_u64(&target, "limit", limit < LIMIT_MAX ? limit : LIMIT_MAX);
    text_append_parameter(&target, "cursor", *cursor);
    free(*cursor);
    *cursor = NULL;
    enum cli_exit exit = answer_get_list(cli, client, &target, "data", &answer, &data);
    if (exit == CLI_OK) {
        const json_t *page = json_object_get(answer.json, "page");
        const char *next = json_string_value(json_object_get(page, "next_cursor"));
        *cursor = next != NULL ? mem_text(next, strlen(next)) : NULL;
        (void)json_array_extend(objects, (json_t *)(uintptr_t)data);
    }
    return exit;
}

/* All pages, as far as --limit asks for them. */
static enum cli_exit fetch(const struct cli *cli, struct cairn_client *client, json_t *objects)
{
    const struct config_args *args = cli->args;
    char *cursor CLEANUP(mem_freep) = NULL;
    uint64_t wanted = args->limit == 0 ? UINT64_MAX : args->limit;
    enum cli_exit exit = CLI_OK;
    do {
        exit = fetch_page(cli, client, wanted - json_array_size(objects), &cursor, objects);
    } while (exit == CLI_OK && cursor != NULL && json_array_size(objects) < wanted);
    return exit;
}

static enum cli_exit list(const struct cli *cli, struct cairn_client *client)
{
    struct buf out CLEANUP(buf_release) = BUF_INIT(MIB(256));
    json_t *objects = json_array();
    enum cli_exit exit = fetch(cli, client, objects);
    if (exit == CLI_OK && cli_wants_json(cli)) {
        show_json_lines(&cli->screen, objects, &out);
    } else if (exit == CLI_OK) {
        write_table(cli, objects, &out);
    }
    (void)screen_write(buf_slice(&out));
    json_decref(objects);
    return exit;
}

/* ---- The verbs ---- */

static enum cli_exit show(const struct cli *cli, struct cairn_client *client)
{
    struct text target CLEANUP(text_release) = {.max = ANSWER_TARGET_BYTES_MAX};
    struct answer answer CLEANUP(answer_release) = {0};
    append_target(cli, cli->operands[0], "", &target);
    enum cli_exit exit = answer_get(cli, client, &target, &answer);
    if (exit == CLI_OK) {
        answer_write(cli, &answer);
    }
    return exit;
}

static enum cli_exit create(const struct cli *cli, struct cairn_client *client)
{
    return change(cli, client, "POST", NULL, "", body_of(cli, 0));
}

static enum cli_exit set(const struct cli *cli, struct cairn_client *client)
{
    return change(cli, client, "PATCH", cli->operands[0], "", body_of(cli, 1));
}

static enum cli_exit remove_one(const struct cli *cli, struct cairn_client *client)
{
    return change(cli, client, "DELETE", cli->operands[0], "", body_of(cli, 1));
}

static enum cli_exit rotate(const struct cli *cli, struct cairn_client *client)
{
    const struct config_args *args = cli->args;
    json_t *body = body_of(cli, 1);
    (void)json_object_set_new(body, "grace_seconds", json_integer((json_int_t)args->grace));
    return change(cli, client, "POST", cli->operands[0], "/rotate", body);
}

/* One line for each day, then for each route, where a program reads. */
static void write_usage(const struct cli *cli, const json_t *usage, struct buf *out)
{
    if (cli_wants_json(cli)) {
        show_json_lines(&cli->screen, json_object_get(usage, "by_day"), out);
        show_json_lines(&cli->screen, json_object_get(usage, "by_route"), out);
    } else {
        show_usage(&cli->screen, usage, out);
    }
}

static enum cli_exit usage(const struct cli *cli, struct cairn_client *client)
{
    const struct config_args *args = cli->args;
    struct buf out CLEANUP(buf_release) = BUF_INIT(MIB(16));
    struct text target CLEANUP(text_release) = {.max = ANSWER_TARGET_BYTES_MAX};
    struct answer answer CLEANUP(answer_release) = {0};
    const json_t *days = NULL;
    append_target(cli, cli->operands[0], "/usage", &target);
    text_append_parameter_u64(&target, "days", args->days);
    enum cli_exit exit = answer_get_list(cli, client, &target, "by_day", &answer, &days);
    if (exit == CLI_OK) {
        write_usage(cli, answer.json, &out);
        (void)screen_write(buf_slice(&out));
    }
    return exit;
}

/* clang-format off */
#define VERBS                                                                                      \
    {"list", "", 0, 0, list, "Those that there are"},                                              \
    {"show", "ID", 1, 1, show, "One of them, with all that is known of it"},                       \
    {"create", "NAME=VALUE...", 1, SIZE_MAX, create, "Makes one"},                                 \
    {"set", "ID NAME=VALUE...", 2, SIZE_MAX, set, "Changes these values of one"}
/* clang-format on */

static const struct cli_verb verbs[] = {
    VERBS,
    {"remove", "ID", 1, 1, remove_one, "Removes one"},
};

static const struct cli_verb verbs_of_keys[] = {
    VERBS,
    {"revoke", "ID", 1, 1, remove_one, "Lets it work no more"},
    {"rotate", "ID", 1, 1, rotate, "Makes another in its place, and prints it"},
    {"usage", "ID", 1, 1, usage, "How much it was used, by day and by route"},
};

#define CONFIG_COMMAND(variable, word, line, verb_table, option_most)                              \
    const struct cli_command variable = {                                                          \
        .name = (word),                                                                            \
        .summary = (line),                                                                         \
        .operands = "VERB [ID] [NAME=VALUE...]",                                                   \
        .details = "A value that begins with @ names a file of a JSON document; an empty one "     \
                   "takes the default, and of a secret - is a line of standard input.",            \
        .verbs = (verb_table),                                                                     \
        .verb_count = COUNT_OF(verb_table),                                                        \
        .options = options,                                                                        \
        .option_count = (option_most),                                                             \
        .defaults = &defaults,                                                                     \
        .args_bytes = sizeof(defaults),                                                            \
        .operands_most = SIZE_MAX,                                                                 \
        .uses_server = true,                                                                       \
        .run = cli_run_verb,                                                                       \
    }

CONFIG_COMMAND(cmd_org, "org", "Organisations, which see nothing of each other", verbs,
               OPTIONS_OF_ALL);
CONFIG_COMMAND(cmd_user, "user", "People who log in", verbs, OPTIONS_OF_ALL);
CONFIG_COMMAND(cmd_key, "key", "Keys of programs", verbs_of_keys, OPTIONS_OF_KEYS);
CONFIG_COMMAND(cmd_rule, "rule", "Rules for events that match", verbs, OPTIONS_OF_ALL);
CONFIG_COMMAND(cmd_target, "target", "Where events and alerts are sent", verbs, OPTIONS_OF_ALL);
CONFIG_COMMAND(cmd_schema, "schema", "What the data of an event type must look like", verbs,
               OPTIONS_OF_ALL);
CONFIG_COMMAND(cmd_dev_host, "dev-host", "Hosts that are not in production", verbs, OPTIONS_OF_ALL);
CONFIG_COMMAND(cmd_team, "team", "Which team a host belongs to", verbs, OPTIONS_OF_ALL);
