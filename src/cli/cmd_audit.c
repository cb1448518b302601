/* SPDX-License-Identifier: Apache-2.0 */
/* cairn audit - who changed the configuration, and from what to what. */
#include <stdlib.h>

#include "base/mem.h"
#include "cli/answer.h"
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

static void append_difference(const char *name, const json_t *before, const json_t *after,
                              struct buf *out)
{
    char *was = json_dumps(before, KIND_JSON);
    char *is = json_dumps(after, KIND_JSON);
    buf_append_format(out, "%s%s ", out->len > 0 ? ", " : "", name);
    buf_append_format(out, "%s%s%s", was != NULL ? was : "", was != NULL && is != NULL ? " → " : "",
                      is != NULL ? is : "");
    free(was);
    free(is);
}

/* "priority 100 -> 7": each member that differs; the whole object when there is one of them only.
 */
static void show_difference(const json_t *old, const json_t *new, struct buf *out)
{
    const char *name = NULL;
    json_t *value = NULL;
    json_t *members = json_object();
    (void)json_object_update(members, (json_t *)(uintptr_t)old);
    (void)json_object_update(members, (json_t *)(uintptr_t) new);
    json_object_foreach(members, name, value)
    {
        const json_t *before = json_object_get(old, name);
        const json_t *after = json_object_get(new, name);
        bool is_noise = strcmp(name, "id") == 0 || json_equal(before, after) ||
                        (before == NULL && json_is_null(after)) ||
                        (after == NULL && json_is_null(before));
        if (!is_noise) {
            append_difference(name, before, after, out);
        }
    }
    json_decref(members);
}

static void add_row(struct table *table, const json_t *row)
{
    static const char *const plain[] = {"changed_by", "operation", "table_name", "record_id"};
    struct buf text CLEANUP(buf_release) = BUF_INIT(KIB(512));
    show_time(&text, show_member_text(row, "changed_at"));
    table_add(table, buf_slice(&text), COLOUR_PLAIN);
    for (size_t i = 0; i < COUNT_OF(plain); i++) {
        const char *value = show_member_text(row, plain[i]);
        enum colour colour = i != 1            ? COLOUR_PLAIN
                             : value[0] == 'D' ? COLOUR_RED
                             : value[0] == 'C' ? COLOUR_GREEN
                                               : COLOUR_YELLOW;
        table_add(table, slice_from_cstr(value), colour);
    }
    buf_clear(&text);
    show_difference(json_object_get(row, "old_values"), json_object_get(row, "new_values"), &text);
    table_add(table, slice_from_cstr(show_member_text(row, "reason")), COLOUR_PLAIN);
    table_add(table, buf_slice(&text), COLOUR_PLAIN);
}

static void write_rows(const struct cli *cli, const json_t *rows, struct buf *out)
{
    static const struct table_column columns[] = {{"time", COLUMN_WHOLE},   {"by", COLUMN_TEXT},
                                                  {"did", COLUMN_TEXT},     {"kind", COLUMN_TEXT},
                                                  {"object", COLUMN_WHOLE}, {"reason", COLUMN_TEXT},
                                                  {"change", COLUMN_WHOLE}};
    if (cli_wants_json(cli)) {
        show_json_lines(&cli->screen, rows, out);
    } else {
        show_rows(&cli->screen, columns, COUNT_OF(columns), rows, add_row, out);
    }
}

static enum cli_exit changes(const struct cli *cli, struct cairn_client *client)
{
    const struct audit_args *args = cli->args;
    struct text target CLEANUP(text_release) = {.max = ANSWER_TARGET_BYTES_MAX};
    struct answer answer CLEANUP(answer_release) = {0};
    const json_t *rows = NULL;
    text_append_cstr(&target, "/api/v1/audit");
    text_append_parameter_u64(&target, "page", args->page);
    text_append_parameter(&target, "changed_by", args->by);
    text_append_parameter(&target, "operation", args->operation);
    text_append_parameter(&target, "table_name", args->table);
    text_append_parameter(&target, "record_id", args->record);
    text_append_parameter(&target, "start_date", args->since);
    text_append_parameter(&target, "end_date", args->until);
    text_append_parameter(&target, "org", args->org);
    enum cli_exit exit = answer_get_list(cli, client, &target, "data", &answer, &rows);
    if (exit == CLI_OK) {
        struct buf out CLEANUP(buf_release) = BUF_INIT(MIB(64));
        write_rows(cli, rows, &out);
        (void)screen_write(buf_slice(&out));
    }
    return exit;
}

static const struct cli_verb verbs[] = {
    {"changes", "", 0, 0, changes, "The changes, newest first"},
};

const struct cli_command cmd_audit = {
    .name = "audit",
    .summary = "Who changed the configuration, and from what to what",
    .operands = "VERB",
    .details = "",
    .verbs = verbs,
    .verb_count = COUNT_OF(verbs),
    .options = options,
    .option_count = COUNT_OF(options),
    .defaults = &defaults,
    .args_bytes = sizeof(defaults),
    .operands_most = SIZE_MAX,
    .uses_server = true,
    .run = cli_run_verb,
};
