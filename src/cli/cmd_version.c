/* SPDX-License-Identifier: Apache-2.0 */
/* cairn version - which version this is, and who still uses which of the API. */
#include <stdio.h>

#include "cli/answer.h"
#include "show/show.h"

struct version_args {
    uint64_t days;
};

static const struct version_args defaults = {.days = 30};

static const struct cli_option options[] = {
    {"days", CLI_U64, offsetof(struct version_args, days), "N", "Of the last N days, up to 366",
     NULL},
};

static void add_name(struct table *table, const json_t *row)
{
    const char *version = show_member_text(row, "version");
    const char *name = version[0] != '\0' ? version : show_member_text(row, "route");
    table_add(table, slice_from_cstr(name), COLOUR_BOLD);
}

static void add_subject(struct table *table, const json_t *subject)
{
    static const char *const names[] = {"status", "requests", "last_used_at", "last_used_by",
                                        "unused_days"};
    bool is_unused = json_is_true(json_object_get(subject, "is_unused"));
    add_name(table, subject);
    for (size_t c = 0; c < COUNT_OF(names); c++) {
        show_cell(table, json_object_get(subject, names[c]));
    }
    table_add(table, is_unused ? SLICE("yes") : SLICE("no"), COLOUR_PLAIN);
}

static void add_client(struct table *table, const json_t *client)
{
    add_name(table, client);
    show_cell(table, json_object_get(client, "key_id"));
    show_cell(table, json_object_get(client, "requests"));
    show_cell(table, json_object_get(client, "last_used_at"));
}

/* Versions and routes, then who asked for which. */
static void write_tables(const struct screen *screen, const json_t *subjects, const json_t *clients,
                         struct buf *out)
{
    static const struct table_column of_subjects[] = {
        {"version", COLUMN_TEXT},   {"status", COLUMN_TEXT}, {"requests", COLUMN_NUMBER},
        {"last used", COLUMN_TEXT}, {"by", COLUMN_TEXT},     {"days unused", COLUMN_NUMBER},
        {"is unused", COLUMN_TEXT}};
    static const struct table_column of_clients[] = {{"version", COLUMN_TEXT},
                                                     {"key", COLUMN_TEXT},
                                                     {"requests", COLUMN_NUMBER},
                                                     {"last used", COLUMN_TEXT}};
    show_rows(screen, of_subjects, COUNT_OF(of_subjects), subjects, add_subject, out);
    buf_append_byte(out, '\n');
    show_rows(screen, of_clients, COUNT_OF(of_clients), clients, add_client, out);
}

static void write_usage(const struct cli *cli, const json_t *usage, struct buf *out)
{
    json_t *subjects = json_array();
    (void)json_array_extend(subjects, json_object_get(usage, "versions"));
    (void)json_array_extend(subjects, json_object_get(usage, "routes"));
    if (cli_wants_json(cli)) {
        (void)json_array_extend(subjects, json_object_get(usage, "clients"));
        show_json_lines(&cli->screen, subjects, out);
    } else {
        write_tables(&cli->screen, subjects, json_object_get(usage, "clients"), out);
    }
    json_decref(subjects);
}

static enum cli_exit usage(const struct cli *cli, struct cairn_client *client)
{
    const struct version_args *args = cli->args;
    struct buf out CLEANUP(buf_release) = BUF_INIT(MIB(16));
    struct text target CLEANUP(text_release) = {.max = ANSWER_TARGET_BYTES_MAX};
    struct answer answer CLEANUP(answer_release) = {0};
    const json_t *versions = NULL;
    text_append_cstr(&target, "/api/v1/version/usage");
    text_append_parameter_u64(&target, "days", args->days);
    enum cli_exit exit = answer_get_list(cli, client, &target, "versions", &answer, &versions);
    if (exit == CLI_OK) {
        write_usage(cli, answer.json, &out);
        (void)screen_write(buf_slice(&out));
    }
    return exit;
}

static const struct cli_verb verbs[] = {
    {"usage", "", 0, 0, usage,
     "Asks the server which key asked for which version of the API, or for a route that goes, when "
     "last, and whether one is unused, so that it may go"},
};

static enum cli_exit run(struct cli *cli)
{
    if (cli->verb != NULL) {
        return cli_run_verb(cli);
    }
    (void)printf(cli_wants_json(cli) ? "{\"version\":\"%s\"}\n" : "cairn %s\n", cairn_version());
    return CLI_OK;
}

const struct cli_command cmd_version = {
    .name = "version",
    .summary = "Says which version this is, and who uses which of the API",
    .operands = "[VERB]",
    .details = "",
    .verbs = verbs,
    .verb_count = COUNT_OF(verbs),
    .may_lack_verb = true,
    .options = options,
    .option_count = COUNT_OF(options),
    .defaults = &defaults,
    .args_bytes = sizeof(defaults),
    .operands_most = SIZE_MAX,
    .uses_server = true,
    .run = run,
};
