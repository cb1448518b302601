/* SPDX-License-Identifier: Apache-2.0 */
/* cairn audit - who changed the configuration, and from what to what. */
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "cli/connect.h"
#include "kinds/kinds.h"
#include "show/show.h"

struct audit_args {
    const char *by, *operation, *table, *record, *since, *until, *org;
    uint64_t page;
};

static const struct audit_args defaults = {.page = 1};

static const struct cli_option options[] = {
    {"by", CLI_TEXT, offsetof(struct audit_args, by), "TEXT",
     "Only changes by those whose key or name has this in it", NULL},
    {"operation", CLI_TEXT, offsetof(struct audit_args, operation), "NAME",
     "Only these: create, update or delete", "create update delete"},
    {"table", CLI_TEXT, offsetof(struct audit_args, table), "KIND",
     "Only changes of this kind: rules, api-keys", NULL},
    {"record", CLI_TEXT, offsetof(struct audit_args, record), "ID", "Only changes of this object",
     NULL},
    {"since", CLI_TEXT, offsetof(struct audit_args, since), "TIME", "From this time on", NULL},
    {"until", CLI_TEXT, offsetof(struct audit_args, until), "TIME", "Up to this time", NULL},
    {"org", CLI_TEXT, offsetof(struct audit_args, org), "ID",
     "Another organisation, where the key may; * is all", NULL},
    {"page", CLI_U64, offsetof(struct audit_args, page), "N", "Which 50 of them, newest first",
     NULL},
};

static void append_parameter(struct buf *target, const char *name, const char *value)
{
    if (value == NULL) {
        return;
    }
    buf_append_format(target, "&%s=", name);
    target_append(target, value);
}

/* "priority 100 -> 7": each member that differs. */
static void show_difference(const json_t *old, const json_t *new, struct buf *out)
{
    const char *name = NULL;
    json_t *value = NULL;
    const json_t *members = json_is_object(new) ? new : old;
    json_object_foreach((json_t *)(uintptr_t)members, name, value)
    {
        const json_t *before = json_object_get(old, name);
        const json_t *after = json_object_get(new, name);
        bool is_noise = strcmp(name, "id") == 0 || json_equal(before, after) ||
                        (!json_is_object(old) && json_is_null(after)) ||
                        (!json_is_object(new) && json_is_null(before));
        if (is_noise) {
            continue;
        }
        char *was = json_dumps(before, KIND_JSON);
        char *is = json_dumps(after, KIND_JSON);
        buf_append_format(out, "%s%s ", out->len > 0 ? ", " : "", name);
        buf_append_format(out, "%s%s%s", was != NULL ? was : "",
                          was != NULL && is != NULL ? " → " : "", is != NULL ? is : "");
        free(was);
        free(is);
    }
}

static void add_row(struct table *table, const json_t *row)
{
    static const char *const plain[] = {"changed_by", "operation", "table_name", "record_id"};
    struct buf text CLEANUP(buf_release) = BUF_INIT(KIB(512));
    show_time(&text, member_text(row, "changed_at"));
    table_add(table, buf_slice(&text), COLOUR_PLAIN);
    for (size_t i = 0; i < COUNT_OF(plain); i++) {
        const char *value = member_text(row, plain[i]);
        enum colour colour = i != 1            ? COLOUR_PLAIN
                             : value[0] == 'D' ? COLOUR_RED
                             : value[0] == 'C' ? COLOUR_GREEN
                                               : COLOUR_YELLOW;
        table_add(table, slice_from_cstr(value), colour);
    }
    buf_clear(&text);
    show_difference(json_object_get(row, "old_values"), json_object_get(row, "new_values"), &text);
    table_add(table, slice_from_cstr(member_text(row, "reason")), COLOUR_PLAIN);
    table_add(table, buf_slice(&text), COLOUR_PLAIN);
}

static void write_answer(const struct cli *cli, const json_t *rows, struct buf *out)
{
    static const struct table_column columns[] = {{"time", COLUMN_WHOLE},   {"by", COLUMN_TEXT},
                                                  {"did", COLUMN_TEXT},     {"kind", COLUMN_TEXT},
                                                  {"object", COLUMN_WHOLE}, {"reason", COLUMN_TEXT},
                                                  {"change", COLUMN_WHOLE}};
    if (cli_wants_json(cli)) {
        show_json_lines(rows, out);
    } else {
        show_rows(&cli->screen, columns, COUNT_OF(columns), rows, add_row, out);
    }
}

static enum cli_exit ask(const struct cli *cli, struct cairn_client *client)
{
    const struct audit_args *args = cli->args;
    struct buf target CLEANUP(buf_release) = BUF_INIT(KIB(64));
    char *text = NULL;
    size_t len = 0;
    buf_append_format(&target, "/api/v1/audit?page=%llu", (unsigned long long)args->page);
    append_parameter(&target, "changed_by", args->by);
    append_parameter(&target, "operation", args->operation);
    append_parameter(&target, "table_name", args->table);
    append_parameter(&target, "record_id", args->record);
    append_parameter(&target, "start_date", args->since);
    append_parameter(&target, "end_date", args->until);
    append_parameter(&target, "org", args->org);
    buf_append_byte(&target, '\0');
    if (target.failed) {
        return cli_usage(cli, "these words are too long");
    }
    enum cairn_result result = cairn_get(client, (const char *)target.ptr, &text, &len);
    if (result != CAIRN_OK) {
        return cli_fail_client(cli, client, result);
    }
    struct buf out CLEANUP(buf_release) = BUF_INIT(MIB(64));
    json_t *answer = json_loadb(text, len, 0, NULL);
    write_answer(cli, json_object_get(answer, "data"), &out);
    (void)screen_write(buf_slice(&out));
    json_decref(answer);
    cairn_free(text);
    return CLI_OK;
}

static enum cli_exit run(struct cli *cli)
{
    if (strcmp(cli->operands[0], "changes") != 0) {
        return cli_usage(cli, "%s: expected changes", cli->operands[0]);
    }
    return cli_ask(cli, ask);
}

const struct cli_command cmd_audit = {
    .name = "audit",
    .summary = "Who changed the configuration, and from what to what",
    .operands = "changes",
    .details = "",
    .options = options,
    .option_count = COUNT_OF(options),
    .defaults = &defaults,
    .args_bytes = sizeof(defaults),
    .operands_least = 1,
    .operands_most = 1,
    .uses_server = true,
    .run = run,
};
