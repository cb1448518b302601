/* SPDX-License-Identifier: Apache-2.0 */
/* cairn query - the events that a filter selects. */
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "cli/connect.h"
#include "show/show.h"

struct query_args {
    const char *since, *until, *order, *fields;
    uint64_t limit;
    bool total;
};

static const struct query_args defaults = {.limit = 100};

static const struct cli_option options[] = {
    {"since", CLI_TEXT, offsetof(struct query_args, since), "TIME",
     "From this time on: 24h, 7d, today, 2026-01-15, RFC 3339", NULL},
    {"until", CLI_TEXT, offsetof(struct query_args, until), "TIME", "Up to this time", NULL},
    {"limit", CLI_U64, offsetof(struct query_args, limit), "N",
     "How many events, 0 for all (100); pages are followed", NULL},
    {"order", CLI_TEXT, offsetof(struct query_args, order), "ORDER",
     "Newest first, oldest first, or in the order of the log (desc)", "asc desc seq"},
    {"fields", CLI_TEXT, offsetof(struct query_args, fields), "NAMES",
     "Only these fields, separated by commas; as NDJSON", NULL},
    {"total", CLI_FLAG, offsetof(struct query_args, total), "",
     "Counts how many match in all, and says so on stderr", NULL},
};

struct output {
    const struct screen *screen;
    bool as_json;
    struct table table;
    struct buf text;
};

static bool write_text(struct output *output)
{
    bool ok = screen_write(buf_slice(&output->text));
    buf_clear(&output->text);
    return ok;
}

static int on_event(void *context, const char *json, size_t len)
{
    struct output *output = context;
    slice event = {(const uint8_t *)json, len};
    if (output->as_json) {
        screen_json_line(output->screen, &output->text, event);
        return output->text.len >= KIB(256) && !write_text(output);
    }
    show_events_add(&output->table, event);
    if (table_rows(&output->table) < SHOW_EVENTS_BATCH) {
        return 0;
    }
    table_write(&output->table, &output->text);
    return !write_text(output);
}

static void finish(struct output *output, const uint64_t *total)
{
    if (!output->as_json && table_rows(&output->table) > 0) {
        table_write(&output->table, &output->text);
    }
    (void)write_text(output);
    if (total != NULL) {
        (void)fprintf(stderr, "%llu events match\n", (unsigned long long)*total);
    }
}

static enum cli_exit ask(const struct cli *cli, struct cairn_client *client)
{
    const struct query_args *args = cli->args;
    char *filter CLEANUP(mem_freep) = cli_join_operands(cli);
    struct cairn_query query = {.filter = filter,
                                .since = args->since,
                                .until = args->until,
                                .order = args->order,
                                .fields = args->fields,
                                .limit = args->limit,
                                .want_total = args->total};
    struct output output = {.screen = &cli->screen,
                            .as_json = cli_wants_json(cli) || args->fields != NULL,
                            .text = BUF_INIT(MIB(64))};
    uint64_t total = 0;
    show_events_init(&output.table, &cli->screen);
    enum cairn_result result = cairn_query(client, &query, on_event, &output, &total);
    finish(&output, result == CAIRN_OK && args->total ? &total : NULL);
    table_release(&output.table);
    buf_release(&output.text);
    return result == CAIRN_OK ? CLI_OK : cli_fail_client(cli, client, result);
}

static enum cli_exit run(struct cli *cli)
{
    return cli_ask(cli, ask);
}

const struct cli_command cmd_query = {
    .name = "query",
    .summary = "Finds events",
    .operands = "[FILTER...]",
    .details =
        "The words together are one filter: actor_id=alice event_outcome:failure severity>=warning "
        "data.amount>1000 \"free text\" NOT (namespace:kube-system OR event_type:auth.*). Without "
        "words every event matches.",
    .options = options,
    .option_count = COUNT_OF(options),
    .defaults = &defaults,
    .args_bytes = sizeof(defaults),
    .operands_most = SIZE_MAX,
    .uses_server = true,
    .run = run,
};
