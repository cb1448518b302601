/* SPDX-License-Identifier: Apache-2.0 */
/* cairn config - the server's options: what they are, where from, and those that may change. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "cli/connect.h"
#include "options/options.h"
#include "show/show.h"

enum { TARGET_BYTES_MAX = 4096, ANSWER_BYTES_MAX = 16 * 1024 * 1024 };

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

struct job {
    struct cli *cli;
    const struct settings_args *args;
    struct cairn_client *client;
    struct buf target;
    char *answer;
    size_t len;
};

/* "/api/v1/settings/log.level/revert" */
static const char *target_of(struct job *job, const char *name, const char *action)
{
    buf_clear(&job->target);
    buf_append_cstr(&job->target, "/api/v1/settings");
    if (name != NULL) {
        buf_append_byte(&job->target, '/');
        target_append(&job->target, name);
    }
    buf_append_cstr(&job->target, action);
    return buf_cstr(&job->target);
}

static enum cli_exit get(struct job *job, const char *target)
{
    enum cairn_result result = cairn_get(job->client, target, &job->answer, &job->len);
    return result == CAIRN_OK ? CLI_OK : cli_fail_client(job->cli, job->client, result);
}

/* ---- Lists ---- */

static void add_option(struct table *table, const json_t *option)
{
    bool is_changed = strcmp(member_text(option, "source"), "default") != 0;
    const char *value = json_is_true(json_object_get(option, "value_set"))
                            ? "[hidden]"
                            : member_text(option, "value");
    bool may_change = json_is_true(json_object_get(option, "may_change"));
    table_add(table, slice_from_cstr(member_text(option, "name")), COLOUR_PLAIN);
    table_add(table, slice_from_cstr(value), is_changed ? COLOUR_YELLOW : COLOUR_PLAIN);
    table_add(table, slice_from_cstr(member_text(option, "where")), COLOUR_PLAIN);
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
    show_time(&time, member_text(change, "changed_at"));
    table_add(table, slice_from_cstr(member_text(change, "id")), COLOUR_PLAIN);
    table_add(table, buf_slice(&time), COLOUR_PLAIN);
    table_add(table, slice_from_cstr(member_text(change, "changed_by")), COLOUR_PLAIN);
    show_cell(table, json_object_get(json_object_get(change, "old_values"), "value"));
    show_cell(table, json_object_get(json_object_get(change, "new_values"), "value"));
    table_add(table, slice_from_cstr(member_text(change, "reason")), COLOUR_PLAIN);
}

static void write_changes(const struct screen *screen, const json_t *data, struct buf *out)
{
    /* Half an id is no id, and half a value no value to go back to. */
    static const struct table_column columns[] = {{"id", COLUMN_WHOLE},  {"time", COLUMN_WHOLE},
                                                  {"by", COLUMN_WHOLE},  {"old", COLUMN_WHOLE},
                                                  {"new", COLUMN_WHOLE}, {"reason", COLUMN_WHOLE}};
    show_rows(screen, columns, COUNT_OF(columns), data, add_change, out);
}

static enum cli_exit list_of(struct job *job, const char *target,
                             void (*write)(const struct screen *screen, const json_t *data,
                                           struct buf *out))
{
    struct buf out CLEANUP(buf_release) = BUF_INIT(ANSWER_BYTES_MAX);
    enum cli_exit exit = get(job, target);
    if (exit != CLI_OK) {
        return exit;
    }
    json_t *answer = json_loadb(job->answer, job->len, 0, NULL);
    const json_t *data = json_object_get(answer, "data");
    if (cli_wants_json(job->cli)) {
        show_json_lines(data, &out);
    } else {
        write(&job->cli->screen, data, &out);
    }
    (void)screen_write(buf_slice(&out));
    json_decref(answer);
    return CLI_OK;
}

static enum cli_exit list(struct job *job)
{
    return list_of(job, target_of(job, NULL, ""), write_options);
}

static enum cli_exit history(struct job *job)
{
    buf_clear(&job->target);
    buf_append_cstr(&job->target, "/api/v1/audit?table_name=settings&limit=200&record_id=");
    target_append(&job->target, job->cli->operands[1]);
    return list_of(job, buf_cstr(&job->target), write_changes);
}

/* ---- One option ---- */

static enum cli_exit print_option(struct job *job)
{
    struct buf out CLEANUP(buf_release) = BUF_INIT(ANSWER_BYTES_MAX);
    json_t *option = json_loadb(job->answer, job->len, 0, NULL);
    const char *overridden_by = member_text(option, "overridden_by");
    if (cli_wants_json(job->cli) || option == NULL) {
        show_json_line((slice){(const uint8_t *)job->answer, job->len}, &out);
    } else {
        show_object(&job->cli->screen, option, &out);
    }
    (void)screen_write(buf_slice(&out));
    if (overridden_by[0] != '\0') {
        (void)fprintf(stderr, "cairn config: a setting does not count here: %s overrides it\n",
                      overridden_by);
    }
    json_decref(option);
    return CLI_OK;
}

static enum cli_exit show(struct job *job)
{
    enum cli_exit exit = get(job, target_of(job, job->cli->operands[1], ""));
    return exit == CLI_OK ? print_option(job) : exit;
}

/* With {`member`: `value`} and the reason; `value` may be NULL. */
static enum cli_exit change(struct job *job, const char *method, const char *action,
                            const char *member, const char *value)
{
    json_t *body = json_pack("{s:s*, s:s*}", member, value, "reason", job->args->reason);
    char *text = body != NULL ? json_dumps(body, JSON_COMPACT) : NULL;
    json_decref(body);
    if (text == NULL) {
        return cli_usage(job->cli, "these words are not UTF-8");
    }
    enum cairn_result result =
        cairn_change(job->client, method, target_of(job, job->cli->operands[1], action), text,
                     &job->answer, &job->len);
    free(text);
    return result == CAIRN_OK ? print_option(job) : cli_fail_client(job->cli, job->client, result);
}

static enum cli_exit set(struct job *job)
{
    return change(job, "PUT", "", "value", job->cli->operands[2]);
}

static enum cli_exit unset(struct job *job)
{
    return change(job, "DELETE", "", "value", NULL);
}

static enum cli_exit revert(struct job *job)
{
    return change(job, "POST", "/revert", "to", job->args->to);
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
    options_write_list(loaded, cli_wants_json(cli), &out);
    (void)screen_write(buf_slice(&out));
    return CLI_OK;
}

/* ---- The verbs ---- */

static const struct {
    const char *name;
    size_t operands; /* the verb included */
    enum cli_exit (*run)(struct job *job);
    const char *words; /* behind it */
} verbs[] = {
    {"list", 1, list, "nothing"}, {"get", 2, show, "NAME"},      {"set", 3, set, "NAME VALUE"},
    {"unset", 2, unset, "NAME"},  {"revert", 2, revert, "NAME"}, {"history", 2, history, "NAME"},
};

static enum cli_exit run_verb(struct cli *cli, enum cli_exit (*run)(struct job *job))
{
    struct job job = {.cli = cli, .args = cli->args, .target = BUF_INIT(TARGET_BYTES_MAX)};
    enum cli_exit exit = cli_connect(cli, &job.client);
    if (exit == CLI_OK) {
        exit = run(&job);
    }
    buf_release(&job.target);
    cairn_free(job.answer);
    cairn_client_free(job.client);
    return exit;
}

static enum cli_exit run(struct cli *cli)
{
    const struct settings_args *args = cli->args;
    const char *verb = cli->operand_count > 0 ? cli->operands[0] : "a verb is missing";
    if (args->offline && strcmp(verb, "list") != 0) {
        return cli_usage(cli, "--offline is for list");
    }
    for (size_t i = 0; i < COUNT_OF(verbs); i++) {
        if (strcmp(verb, verbs[i].name) != 0) {
            continue;
        }
        if (cli->operand_count != verbs[i].operands) {
            return cli_usage(cli, "%s: expected %s behind it", verb, verbs[i].words);
        }
        return args->offline ? list_offline(cli) : run_verb(cli, verbs[i].run);
    }
    return cli_usage(cli, "%s: expected list, get, set, unset, revert or history", verb);
}

const struct cli_command cmd_config = {
    .name = "config",
    .summary = "The server's options, and changing them",
    .operands = "VERB [NAME] [VALUE]",
    .details =
        "The verbs are list, get NAME, set NAME VALUE, unset NAME, revert NAME, and history NAME. "
        "A setting counts at once and stays over restarts. It is stronger than the configuration "
        "file and weaker than the environment and flags. unset goes back to the file or the "
        "default, revert to what was before the last change, or with --to to what that change "
        "made of it.",
    .options = options,
    .option_count = COUNT_OF(options),
    .defaults = &defaults,
    .args_bytes = sizeof(defaults),
    .operands_most = 3,
    .uses_server = true,
    .run = run,
};
