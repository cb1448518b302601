/* SPDX-License-Identifier: Apache-2.0 */
/* cairn version - which version this is, and who still uses which of the API. */
#include <inttypes.h>
#include <stdio.h>

#include "cli/connect.h"
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
    const char *version = member_text(row, "version");
    const char *name = version[0] != '\0' ? version : member_text(row, "route");
    table_add(table, slice_from_cstr(name), COLOUR_BOLD);
}

static void write_subjects(const struct screen *screen, const json_t *subjects, struct buf *out)
{
    static const char *const names[] = {"status", "requests", "last_used_at", "last_used_by"};
    const struct table_column columns[] = {
        {"version", COLUMN_TEXT},   {"status", COLUMN_TEXT}, {"requests", COLUMN_NUMBER},
        {"last used", COLUMN_TEXT}, {"by", COLUMN_TEXT},     {"days unused", COLUMN_NUMBER},
        {"is unused", COLUMN_TEXT}};
    struct table table;
    table_init(&table, screen, columns, COUNT_OF(columns));
    for (size_t i = 0; i < json_array_size(subjects); i++) {
        const json_t *subject = json_array_get(subjects, i);
        bool is_unused = json_is_true(json_object_get(subject, "is_unused"));
        add_name(&table, subject);
        for (size_t c = 0; c < COUNT_OF(names); c++) {
            show_cell(&table, json_object_get(subject, names[c]));
        }
        show_cell(&table, json_object_get(subject, "unused_days"));
        table_add(&table, is_unused ? SLICE("yes") : SLICE("no"), COLOUR_PLAIN);
    }
    table_write(&table, out);
    table_release(&table);
}

static void write_clients(const struct screen *screen, const json_t *clients, struct buf *out)
{
    const struct table_column columns[] = {{"version", COLUMN_TEXT},
                                           {"key", COLUMN_TEXT},
                                           {"requests", COLUMN_NUMBER},
                                           {"last used", COLUMN_TEXT}};
    struct table table;
    table_init(&table, screen, columns, COUNT_OF(columns));
    for (size_t i = 0; i < json_array_size(clients); i++) {
        const json_t *client = json_array_get(clients, i);
        add_name(&table, client);
        show_cell(&table, json_object_get(client, "key_id"));
        show_cell(&table, json_object_get(client, "requests"));
        show_cell(&table, json_object_get(client, "last_used_at"));
    }
    buf_append_byte(out, '\n');
    table_write(&table, out);
    table_release(&table);
}

static void write_usage(const struct cli *cli, const json_t *usage, struct buf *out)
{
    json_t *subjects = json_array();
    (void)json_array_extend(subjects, json_object_get(usage, "versions"));
    (void)json_array_extend(subjects, json_object_get(usage, "routes"));
    if (cli_wants_json(cli)) {
        (void)json_array_extend(subjects, json_object_get(usage, "clients"));
        show_json_lines(subjects, out);
    } else {
        write_subjects(&cli->screen, subjects, out);
        write_clients(&cli->screen, json_object_get(usage, "clients"), out);
    }
    json_decref(subjects);
}

static enum cli_exit ask_usage(const struct cli *cli, struct cairn_client *client)
{
    const struct version_args *args = cli->args;
    struct buf out CLEANUP(buf_release) = BUF_INIT(MIB(16));
    char target[64];
    char *text = NULL;
    size_t len = 0;
    enum cli_exit exit = CLI_OK;
    (void)snprintf(target, sizeof(target), "/api/v1/version/usage?days=%" PRIu64, args->days);
    enum cairn_result result = cairn_get(client, target, &text, &len);
    if (result == CAIRN_OK) {
        json_t *usage = json_loadb(text, len, 0, NULL);
        write_usage(cli, usage, &out);
        (void)screen_write(buf_slice(&out));
        json_decref(usage);
    } else {
        exit = cli_fail_client(cli, client, result);
    }
    cairn_free(text);
    return exit;
}

static enum cli_exit run(struct cli *cli)
{
    if (cli->operand_count > 0) {
        return strcmp(cli->operands[0], "usage") == 0
                   ? cli_ask(cli, ask_usage)
                   : cli_usage(cli, "%s: expected usage", cli->operands[0]);
    }
    bool as_json = cli_wants_json(cli);
    int n = printf(as_json ? "{\"version\":\"%s\"}\n" : "cairn %s\n", cairn_version());
    return n > 0 ? CLI_OK : CLI_UNREACHABLE;
}

const struct cli_command cmd_version = {
    .name = "version",
    .summary = "Says which version this is, and who uses which of the API",
    .operands = "[usage]",
    .details = "usage asks the server which key asked for which version of the API, or for a "
               "route that goes, when last, and whether one is unused, so that it may go.",
    .options = options,
    .option_count = COUNT_OF(options),
    .defaults = &defaults,
    .args_bytes = sizeof(defaults),
    .operands_most = 1,
    .uses_server = true,
    .run = run,
};
