/* SPDX-License-Identifier: Apache-2.0 */
/* cairn config - the server's options: what they are, where from, and those that may change. */
#include <stdlib.h>
#include <unistd.h>

#include "cli/answer.h"
#include "options/options.h"
#include "show/show.h"

enum { ANSWER_BYTES_MAX = 16 * 1024 * 1024 };

struct settings_args {
    const char *reason, *to, *config;
    bool offline;
};

static const struct settings_args defaults = {0};

static const struct cli_option options[] = {
    {"reason", CLI_TEXT, offsetof(struct settings_args, reason), "TEXT",
     "Why; it is recorded with the change", NULL},
    {"to", CLI_TEXT, offsetof(struct settings_args, to), "ID",
     "What this change made of it (revert); ids are in the history", NULL},
    {"offline", CLI_FLAG, offsetof(struct settings_args, offline), "",
     "What a server would start with here: environment, file, defaults (list)", NULL},
    {"config", CLI_PATH, offsetof(struct settings_args, config), "FILE",
     "The configuration file that --offline reads; else CAIRN_CONFIG", NULL},
};

/* "/api/v1/settings/log.level/revert" */
static void append_target(const char *name, const char *action, struct text *target)
{
    text_append_cstr(target, "/api/v1/settings");
    if (name != NULL) {
        text_append_cstr(target, "/");
        text_append_encoded(target, name);
    }
    text_append_cstr(target, action);
}

/* ---- Lists ---- */

static void add_option(struct table *table, const json_t *option)
{
    bool is_changed = strcmp(show_member_text(option, "source"), "default") != 0;
    const char *value = json_is_true(json_object_get(option, "value_set"))
                            ? "[hidden]"
                            : show_member_text(option, "value");
    bool may_change = json_is_true(json_object_get(option, "may_change"));
    table_add(table, slice_from_cstr(show_member_text(option, "name")), COLOUR_PLAIN);
    table_add(table, slice_from_cstr(value), is_changed ? COLOUR_YELLOW : COLOUR_PLAIN);
    table_add(table, slice_from_cstr(show_member_text(option, "where")), COLOUR_PLAIN);
    show_cell(table, json_object_get(option, "setting"));
    table_add(table, may_change ? SLICE("yes") : SLICE("no"), COLOUR_PLAIN);
}

static void write_options(const struct screen *screen, const json_t *data, struct buf *out)
{
    static const struct table_column columns[] = {{"name", COLUMN_WHOLE},
                                                  {"value", COLUMN_TEXT},
                                                  {"from", COLUMN_TEXT},
                                                  {"setting", COLUMN_TEXT},
                                                  {"may change", COLUMN_TEXT}};
    show_rows(screen, columns, COUNT_OF(columns), data, add_option, out);
}

static void add_change(struct table *table, const json_t *change)
{
    struct buf time CLEANUP(buf_release) = BUF_INIT(KIB(1));
    show_time(&time, show_member_text(change, "changed_at"));
    table_add(table, slice_from_cstr(show_member_text(change, "id")), COLOUR_PLAIN);
    table_add(table, buf_slice(&time), COLOUR_PLAIN);
    table_add(table, slice_from_cstr(show_member_text(change, "changed_by")), COLOUR_PLAIN);
    show_cell(table, json_object_get(json_object_get(change, "old_values"), "value"));
    show_cell(table, json_object_get(json_object_get(change, "new_values"), "value"));
    table_add(table, slice_from_cstr(show_member_text(change, "reason")), COLOUR_PLAIN);
}

static void write_changes(const struct screen *screen, const json_t *data, struct buf *out)
{
    /* Half an id is no id, and half a value no value to go back to. */
    static const struct table_column columns[] = {{"id", COLUMN_WHOLE},  {"time", COLUMN_WHOLE},
                                                  {"by", COLUMN_WHOLE},  {"old", COLUMN_WHOLE},
                                                  {"new", COLUMN_WHOLE}, {"reason", COLUMN_WHOLE}};
    show_rows(screen, columns, COUNT_OF(columns), data, add_change, out);
}

static enum cli_exit list_of(const struct cli *cli, struct cairn_client *client,
                             struct text *target,
                             void (*write)(const struct screen *screen, const json_t *data,
                                           struct buf *out))
{
    struct buf out CLEANUP(buf_release) = BUF_INIT(ANSWER_BYTES_MAX);
    struct answer answer CLEANUP(answer_release) = {0};
    const json_t *data = NULL;
    enum cli_exit exit = answer_get_list(cli, client, target, "data", &answer, &data);
    if (exit != CLI_OK) {
        return exit;
    }
    if (cli_wants_json(cli)) {
        show_json_lines(&cli->screen, data, &out);
    } else {
        write(&cli->screen, data, &out);
    }
    (void)screen_write(buf_slice(&out));
    return CLI_OK;
}

static enum cli_exit list(const struct cli *cli, struct cairn_client *client)
{
    struct text target CLEANUP(text_release) = {.max = ANSWER_TARGET_BYTES_MAX};
    append_target(NULL, "", &target);
    return list_of(cli, client, &target, write_options);
}

static enum cli_exit history(const struct cli *cli, struct cairn_client *client)
{
    struct text target CLEANUP(text_release) = {.max = ANSWER_TARGET_BYTES_MAX};
    text_append_cstr(&target, "/api/v1/audit?table_name=settings&limit=200");
    text_append_parameter(&target, "record_id", cli->operands[0]);
    return list_of(cli, client, &target, write_changes);
}

/* ---- One option ---- */

static void write_option(const struct cli *cli, const struct answer *answer)
{
    const char *overridden_by = show_member_text(answer->json, "overridden_by");
    answer_write(cli, answer);
    if (overridden_by[0] != '\0') {
        cli_say(cli, "a setting does not count here: %s overrides it", overridden_by);
    }
}

static enum cli_exit show(const struct cli *cli, struct cairn_client *client)
{
    struct text target CLEANUP(text_release) = {.max = ANSWER_TARGET_BYTES_MAX};
    struct answer answer CLEANUP(answer_release) = {0};
    append_target(cli->operands[0], "", &target);
    enum cli_exit exit = answer_get(cli, client, &target, &answer);
    if (exit == CLI_OK) {
        write_option(cli, &answer);
    }
    return exit;
}

/* With {`member`: `value`} and the reason; `value` may be NULL. */
static enum cli_exit change(const struct cli *cli, struct cairn_client *client, const char *method,
                            const char *action, const char *member, const char *value)
{
    const struct settings_args *args = cli->args;
    struct text target CLEANUP(text_release) = {.max = ANSWER_TARGET_BYTES_MAX};
    struct answer answer CLEANUP(answer_release) = {0};
    append_target(cli->operands[0], action, &target);
    json_t *body = json_pack("{s:s*, s:s*}", member, value, "reason", args->reason);
    enum cli_exit exit = answer_change(cli, client, method, &target, body, &answer);
    if (answer.json != NULL) {
        write_option(cli, &answer);
    }
    return exit;
}

static enum cli_exit set(const struct cli *cli, struct cairn_client *client)
{
    return change(cli, client, "PUT", "", "value", cli->operands[1]);
}

static enum cli_exit unset(const struct cli *cli, struct cairn_client *client)
{
    return change(cli, client, "DELETE", "", "value", NULL);
}

static enum cli_exit revert(const struct cli *cli, struct cairn_client *client)
{
    const struct settings_args *args = cli->args;
    return change(cli, client, "POST", "/revert", "to", args->to);
}

/* ---- Without a server ---- */

static enum cli_exit list_offline(const struct cli *cli)
{
    const struct settings_args *args = cli->args;
    struct buf out CLEANUP(buf_release) = BUF_INIT(ANSWER_BYTES_MAX);
    struct diag diag = {0};
    char flag[] = "--config";
    char *const argv[] = {flag, (char *)(uintptr_t)args->config};
    OWNED(options) loaded = NULL;
    enum err e = options_load(args->config != NULL ? 2 : 0, argv, environ, &loaded, &diag);
    if (e != OK) {
        return cli_fail(cli, e, &diag);
    }
    struct buf lines CLEANUP(buf_release) = BUF_INIT(ANSWER_BYTES_MAX);
    options_write_list(loaded, cli_wants_json(cli), &lines);
    screen_lines(&cli->screen, &out, buf_slice(&lines));
    (void)screen_write(buf_slice(&out));
    return CLI_OK;
}

/* ---- The verbs ---- */

static const struct cli_verb verbs[] = {
    {"list", "", 0, 0, list, "All of them: what they are, and where from"},
    {"get", "NAME", 1, 1, show, "One of them"},
    {"set", "NAME VALUE", 2, 2, set, "Changes it, at once"},
    {"unset", "NAME", 1, 1, unset, "Goes back to the file or the default"},
    {"revert", "NAME", 1, 1, revert,
     "Goes back to what was before the last change, or with --to to what that change made of it"},
    {"history", "NAME", 1, 1, history, "Its changes, newest first"},
};

static enum cli_exit run(struct cli *cli)
{
    const struct settings_args *args = cli->args;
    if (args->offline && cli->verb->run != list) {
        return cli_usage(cli, "--offline is for list");
    }
    return args->offline ? list_offline(cli) : cli_run_verb(cli);
}

const struct cli_command cmd_config = {
    .name = "config",
    .summary = "The server's options, and changing them",
    .operands = "VERB [NAME] [VALUE]",
    .details =
        "A setting counts at once and stays over restarts. It is stronger than the configuration "
        "file and weaker than the environment and flags.",
    .verbs = verbs,
    .verb_count = COUNT_OF(verbs),
    .options = options,
    .option_count = COUNT_OF(options),
    .defaults = &defaults,
    .args_bytes = sizeof(defaults),
    .operands_most = SIZE_MAX,
    .uses_server = true,
    .run = run,
};
