/* SPDX-License-Identifier: Apache-2.0 */
/* cairn limits - what everybody may ask for and has left, who is refused, and a fresh start. */
#include <stdio.h>

#include "cli/answer.h"
#include "show/show.h"

enum { PAGE = 1000 };

struct limits_args {
    const char *org, *kind, *reason;
    uint64_t limit;
};

static const struct limits_args defaults = {.kind = "organization", .limit = 100};

static const struct cli_option options[] = {
    {"org", CLI_TEXT, offsetof(struct limits_args, org), "ID",
     "Another organisation, where the key may; * is all", NULL},
    {"kind", CLI_TEXT, offsetof(struct limits_args, kind), "KIND",
     "Whose limits (organization); keys and addresses are for the first organisation",
     "organization key address"},
    {"limit", CLI_U64, offsetof(struct limits_args, limit), "N", "At most so many; 0: all", NULL},
    {"reason", CLI_TEXT, offsetof(struct limits_args, reason), "TEXT",
     "Why; it is recorded with the reset", NULL},
};

/* ---- list ---- */

/* The windows of the entry that has most: organisations have three, unless one has its own. */
static const json_t *most_windows(const json_t *entries)
{
    const json_t *most = NULL;
    for (size_t i = 0; i < json_array_size(entries); i++) {
        const json_t *windows = json_object_get(json_array_get(entries, i), "windows");
        most = json_array_size(windows) > json_array_size(most) ? windows : most;
    }
    return most;
}

/* "7/10", of the window of that name; "-" where there is none. */
static void add_window(struct table *table, const json_t *entry, const char *name)
{
    char text[64] = "-";
    enum colour colour = COLOUR_PLAIN;
    const json_t *windows = json_object_get(entry, "windows");
    for (size_t i = 0; i < json_array_size(windows); i++) {
        const json_t *window = json_array_get(windows, i);
        if (strcmp(show_member_text(window, "window"), name) == 0) {
            (void)snprintf(text, sizeof(text), "%" JSON_INTEGER_FORMAT "/%" JSON_INTEGER_FORMAT,
                           json_integer_value(json_object_get(window, "used")),
                           json_integer_value(json_object_get(window, "limit")));
            bool is_full = json_integer_value(json_object_get(window, "remaining")) == 0;
            colour = is_full ? COLOUR_RED : COLOUR_PLAIN;
        }
    }
    table_add(table, slice_from_cstr(text), colour);
}

static void add_quota(struct table *table, const json_t *quota)
{
    char text[64] = "-";
    const json_t *limit = json_object_get(quota, "limit");
    if (json_is_object(quota)) {
        int used = snprintf(text, sizeof(text), "%" JSON_INTEGER_FORMAT,
                            json_integer_value(json_object_get(quota, "used")));
        if (json_is_integer(limit)) {
            (void)snprintf(text + used, sizeof(text) - (size_t)used, "/%" JSON_INTEGER_FORMAT,
                           json_integer_value(limit));
        }
    }
    table_add(table, slice_from_cstr(text), COLOUR_PLAIN);
}

static void write_table(const struct cli *cli, const json_t *entries, struct buf *out)
{
    enum { WINDOWS_MAX = 4 };
    struct table_column columns[TABLE_COLUMNS_MAX] = {{"id", COLUMN_WHOLE},
                                                      {"name", COLUMN_TEXT},
                                                      {"tier", COLUMN_TEXT}};
    const json_t *windows = most_windows(entries);
    size_t window_count = json_array_size(windows);
    window_count = window_count < WINDOWS_MAX ? window_count : WINDOWS_MAX;
    size_t count = 3;
    for (size_t w = 0; w < window_count; w++) {
        columns[count++] =
            (struct table_column){show_member_text(json_array_get(windows, w), "window"),
                                  COLUMN_NUMBER};
    }
    columns[count++] = (struct table_column){"month", COLUMN_NUMBER};
    columns[count++] = (struct table_column){"refused", COLUMN_NUMBER};
    struct table table;
    table_init(&table, &cli->screen, columns, count);
    for (size_t i = 0; i < json_array_size(entries); i++) {
        const json_t *entry = json_array_get(entries, i);
        show_cell(&table, json_object_get(entry, "id"));
        show_cell(&table, json_object_get(entry, "name"));
        show_cell(&table, json_object_get(entry, "tier"));
        for (size_t w = 0; w < window_count; w++) {
            add_window(&table, entry, columns[3 + w].title);
        }
        add_quota(&table, json_object_get(entry, "quota"));
        show_cell(&table, json_object_get(entry, "refused"));
    }
    table_write(&table, out);
    table_release(&table);
}

/* One page, added to `entries`. */
static enum cli_exit fetch(const struct cli *cli, struct cairn_client *client, json_t *entries,
                           bool *has_more)
{
    const struct limits_args *args = cli->args;
    struct text target CLEANUP(text_release) = {.max = ANSWER_TARGET_BYTES_MAX};
    struct answer answer CLEANUP(answer_release) = {0};
    const json_t *data = NULL;
    size_t offset = json_array_size(entries);
    uint64_t left = args->limit == 0 ? PAGE : args->limit - offset;
    text_append_cstr(&target, "/api/v1/limits");
    text_append_parameter(&target, "kind", args->kind);
    text_append_parameter_u64(&target, "limit", left < PAGE ? left : PAGE);
    text_append_parameter_u64(&target, "offset", offset);
    text_append_parameter(&target, "org", args->org);
    enum cli_exit exit = answer_get_list(cli, client, &target, "data", &answer, &data);
    if (exit == CLI_OK) {
        const json_t *page = json_object_get(answer.json, "page");
        (void)json_array_extend(entries, (json_t *)(uintptr_t)data);
        *has_more = json_is_true(json_object_get(page, "has_more")) && json_array_size(data) > 0;
    }
    return exit;
}

static enum cli_exit list(const struct cli *cli, struct cairn_client *client)
{
    const struct limits_args *args = cli->args;
    struct buf out CLEANUP(buf_release) = BUF_INIT(MIB(64));
    uint64_t wanted = args->limit == 0 ? UINT64_MAX : args->limit;
    json_t *entries = json_array();
    bool has_more = true;
    enum cli_exit exit = CLI_OK;
    while (exit == CLI_OK && has_more && json_array_size(entries) < wanted) {
        exit = fetch(cli, client, entries, &has_more);
    }
    if (exit == CLI_OK && cli_wants_json(cli)) {
        show_json_lines(&cli->screen, entries, &out);
    } else if (exit == CLI_OK) {
        write_table(cli, entries, &out);
    }
    (void)screen_write(buf_slice(&out));
    json_decref(entries);
    return exit;
}

/* ---- analytics and reset ---- */

static void write_columns(const struct screen *screen, const json_t *rows, const char *const *names,
                          size_t count, struct buf *out)
{
    struct table_column columns[TABLE_COLUMNS_MAX] = {{0}};
    struct table table;
    for (size_t c = 0; c < count; c++) {
        columns[c] = (struct table_column){names[c], c > 0 ? COLUMN_NUMBER : COLUMN_WHOLE};
    }
    table_init(&table, screen, columns, count);
    for (size_t i = 0; i < json_array_size(rows); i++) {
        for (size_t c = 0; c < count; c++) {
            show_cell(&table, json_object_get(json_array_get(rows, i), names[c]));
        }
    }
    buf_append_byte(out, '\n');
    table_write(&table, out);
    table_release(&table);
}

/* Lists of the analytics become tables of their own, behind all else. */
static void write_analytics(const struct cli *cli, const struct answer *answer)
{
    static const char *const tier[] = {"tier", "organizations", "allowed", "refused", "quota_used"};
    static const char *const top[] = {"id", "allowed", "refused"};
    struct buf out CLEANUP(buf_release) = BUF_INIT(MIB(16));
    if (cli_wants_json(cli)) {
        answer_write(cli, answer);
        return;
    }
    json_t *rest = json_copy(answer->json);
    (void)json_object_del(rest, "by_tier");
    (void)json_object_del(rest, "top");
    show_object(&cli->screen, rest, &out);
    write_columns(&cli->screen, json_object_get(answer->json, "by_tier"), tier, COUNT_OF(tier),
                  &out);
    write_columns(&cli->screen, json_object_get(answer->json, "top"), top, COUNT_OF(top), &out);
    (void)screen_write(buf_slice(&out));
    json_decref(rest);
}

static void write_entry(const struct cli *cli, const struct answer *answer)
{
    struct buf out CLEANUP(buf_release) = BUF_INIT(MIB(16));
    if (cli_wants_json(cli)) {
        answer_write(cli, answer);
        return;
    }
    json_t *entries = json_pack("[O]", answer->json);
    write_table(cli, entries, &out);
    (void)screen_write(buf_slice(&out));
    json_decref(entries);
}

static enum cli_exit analytics(const struct cli *cli, struct cairn_client *client)
{
    const struct limits_args *args = cli->args;
    struct text target CLEANUP(text_release) = {.max = ANSWER_TARGET_BYTES_MAX};
    struct answer answer CLEANUP(answer_release) = {0};
    text_append_cstr(&target, "/api/v1/limits/analytics");
    text_append_parameter(&target, "org", args->org);
    enum cli_exit exit = answer_get(cli, client, &target, &answer);
    if (exit == CLI_OK) {
        write_analytics(cli, &answer);
    }
    return exit;
}

static enum cli_exit reset(const struct cli *cli, struct cairn_client *client)
{
    const struct limits_args *args = cli->args;
    struct text target CLEANUP(text_release) = {.max = ANSWER_TARGET_BYTES_MAX};
    struct answer answer CLEANUP(answer_release) = {0};
    text_append_cstr(&target, "/api/v1/limits/");
    text_append_encoded(&target, cli->operands[0]);
    text_append_cstr(&target, "/reset");
    text_append_parameter(&target, "kind", args->kind);
    text_append_parameter(&target, "org", args->org);
    json_t *body = json_pack("{s:s*}", "reason", args->reason);
    enum cli_exit exit = answer_change(cli, client, "POST", &target, body, &answer);
    if (answer.json != NULL) {
        write_entry(cli, &answer);
    }
    return exit;
}

static const struct cli_verb verbs[] = {
    {"list", "", 0, 0, list, "Those that there are (also without a word)"},
    {"reset", "ID", 1, 1, reset, "Empties the windows of one, not its month"},
    {"analytics", "", 0, 0, analytics, "By tier, and who is refused most"},
};

static enum cli_exit run(struct cli *cli)
{
    return cli->verb != NULL ? cli_run_verb(cli) : cli_ask(cli, list);
}

const struct cli_command cmd_limits = {
    .name = "limits",
    .summary = "What everybody may ask for and has left",
    .operands = "[VERB [ID]]",
    .details =
        "A table of used/limit, in the minute, hour and day that end now and in the calendar "
        "month (validations).",
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
