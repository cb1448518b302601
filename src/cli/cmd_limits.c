/* SPDX-License-Identifier: Apache-2.0 */
/* cairn limits - what everybody may ask for and has left, who is refused, and a fresh start. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "cli/connect.h"
#include "show/show.h"

enum { TARGET_BYTES_MAX = 4096, PAGE = 1000 };

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

struct job {
    struct cli *cli;
    const struct limits_args *args;
    struct cairn_client *client;
    char target[TARGET_BYTES_MAX];
};

/* ---- Words ---- */

static void append_encoded(struct buf *out, const char *text)
{
    for (; *text != '\0'; text++) {
        buf_append_format(out, "%%%02X", (uint8_t)*text);
    }
}

/* False: the words are too long. */
static bool set_target(struct job *job, const char *id, const char *action, size_t offset)
{
    const struct limits_args *args = job->args;
    struct buf out CLEANUP(buf_release) = BUF_INIT(TARGET_BYTES_MAX - 1);
    uint64_t left = args->limit == 0 ? PAGE : args->limit - offset;
    buf_append_cstr(&out, "/api/v1/limits");
    if (id != NULL) {
        buf_append_byte(&out, '/');
        append_encoded(&out, id);
    }
    buf_append_format(&out, "%s?", action);
    if (strcmp(action, "/analytics") != 0) {
        buf_append_format(&out, "kind=%s&", args->kind);
    }
    if (id == NULL && action[0] == '\0') {
        buf_append_format(&out, "limit=%" PRIu64 "&offset=%zu&", left < PAGE ? left : PAGE, offset);
    }
    if (args->org != NULL) {
        buf_append_cstr(&out, "org=");
        append_encoded(&out, args->org);
    }
    if (out.failed) {
        return false;
    }
    memcpy(job->target, out.ptr, out.len);
    job->target[out.len] = '\0';
    return true;
}

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
        if (strcmp(member_text(window, "window"), name) == 0) {
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

static void write_table(const struct job *job, const json_t *entries, struct buf *out)
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
            (struct table_column){member_text(json_array_get(windows, w), "window"), COLUMN_NUMBER};
    }
    columns[count++] = (struct table_column){"month", COLUMN_NUMBER};
    columns[count++] = (struct table_column){"refused", COLUMN_NUMBER};
    struct table table;
    table_init(&table, &job->cli->screen, columns, count);
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

static void write_lines(const json_t *entries, struct buf *out)
{
    size_t i = 0;
    json_t *entry = NULL;
    json_array_foreach(entries, i, entry)
    {
        char *line = json_dumps(entry, JSON_COMPACT);
        buf_append_format(out, "%s\n", line == NULL ? "" : line);
        free(line);
    }
}

/* One page, added to `entries`. */
static enum cli_exit fetch(struct job *job, json_t *entries, bool *has_more)
{
    char *text = NULL;
    size_t len = 0;
    if (!set_target(job, NULL, "", json_array_size(entries))) {
        return cli_usage(job->cli, "these words are too long");
    }
    enum cairn_result result = cairn_get(job->client, job->target, &text, &len);
    if (result != CAIRN_OK) {
        return cli_fail_client(job->cli, job->client, result);
    }
    json_t *page = json_loadb(text, len, 0, NULL);
    (void)json_array_extend(entries, json_object_get(page, "data"));
    *has_more = json_is_true(json_object_get(json_object_get(page, "page"), "has_more"));
    json_decref(page);
    cairn_free(text);
    return CLI_OK;
}

static enum cli_exit list(struct job *job)
{
    struct buf out CLEANUP(buf_release) = BUF_INIT(MIB(64));
    uint64_t wanted = job->args->limit == 0 ? UINT64_MAX : job->args->limit;
    json_t *entries = json_array();
    bool has_more = true;
    enum cli_exit exit = CLI_OK;
    while (exit == CLI_OK && has_more && json_array_size(entries) < wanted) {
        exit = fetch(job, entries, &has_more);
    }
    if (exit == CLI_OK) {
        (cli_wants_json(job->cli) ? write_lines(entries, &out) : write_table(job, entries, &out));
        (void)screen_write(buf_slice(&out));
    }
    json_decref(entries);
    return exit;
}

/* ---- analytics and reset ---- */

static void write_rows(const struct screen *screen, const json_t *rows, const char *const *names,
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
static void write_analytics(const struct screen *screen, json_t *analytics, struct buf *out)
{
    static const char *const tier[] = {"tier", "organizations", "allowed", "refused", "quota_used"};
    static const char *const top[] = {"id", "allowed", "refused"};
    json_t *tiers = json_incref(json_object_get(analytics, "by_tier"));
    json_t *tops = json_incref(json_object_get(analytics, "top"));
    (void)json_object_del(analytics, "by_tier");
    (void)json_object_del(analytics, "top");
    show_object(screen, analytics, out);
    write_rows(screen, tiers, tier, COUNT_OF(tier), out);
    write_rows(screen, tops, top, COUNT_OF(top), out);
    json_decref(tiers);
    json_decref(tops);
}

static void write_object(const struct job *job, json_t *object, struct buf *out)
{
    if (json_object_get(object, "windows") == NULL) {
        write_analytics(&job->cli->screen, object, out);
        return;
    }
    json_t *one = json_pack("[O]", object);
    write_table(job, one, out);
    json_decref(one);
}

static enum cli_exit show(struct job *job, enum cairn_result result, char *text, size_t len)
{
    struct buf out CLEANUP(buf_release) = BUF_INIT(MIB(16));
    if (result != CAIRN_OK) {
        return cli_fail_client(job->cli, job->client, result);
    }
    json_t *object = json_loadb(text, len, 0, NULL);
    if (!cli_wants_json(job->cli) && json_is_object(object)) {
        write_object(job, object, &out);
    } else {
        show_json_line((slice){(const uint8_t *)text, len}, &out);
    }
    (void)screen_write(buf_slice(&out));
    json_decref(object);
    cairn_free(text);
    return CLI_OK;
}

static enum cli_exit analytics(struct job *job)
{
    char *text = NULL;
    size_t len = 0;
    if (!set_target(job, NULL, "/analytics", 0)) {
        return cli_usage(job->cli, "these words are too long");
    }
    enum cairn_result result = cairn_get(job->client, job->target, &text, &len);
    return show(job, result, text, len);
}

static enum cli_exit reset(struct job *job)
{
    char *text = NULL;
    size_t len = 0;
    if (job->cli->operand_count != 2) {
        return cli_usage(job->cli, "reset: name one organisation, key or address");
    }
    if (!set_target(job, job->cli->operands[1], "/reset", 0)) {
        return cli_usage(job->cli, "these words are too long");
    }
    json_t *body = json_object();
    if (job->args->reason != NULL) {
        (void)json_object_set_new(body, "reason", json_string(job->args->reason));
    }
    char *json = json_dumps(body, JSON_COMPACT);
    enum cairn_result result = cairn_change(job->client, "POST", job->target, json, &text, &len);
    free(json);
    json_decref(body);
    return show(job, result, text, len);
}

static enum cli_exit run(struct cli *cli)
{
    static const struct {
        const char *name;
        enum cli_exit (*run)(struct job *job);
    } verbs[] = {{"list", list}, {"reset", reset}, {"analytics", analytics}};
    struct job job = {.cli = cli, .args = cli->args};
    const char *verb = cli->operand_count > 0 ? cli->operands[0] : "list";
    for (size_t i = 0; i < COUNT_OF(verbs); i++) {
        if (strcmp(verb, verbs[i].name) == 0) {
            enum cli_exit exit = cli_connect(cli, &job.client);
            exit = exit == CLI_OK ? verbs[i].run(&job) : exit;
            cairn_client_free(job.client);
            return exit;
        }
    }
    return cli_usage(cli, "%s: expected list, reset or analytics", verb);
}

const struct cli_command cmd_limits = {
    .name = "limits",
    .summary = "What everybody may ask for and has left",
    .operands = "[list | reset ID | analytics]",
    .details =
        "A table of used/limit, in the minute, hour and day that end now and in the calendar "
        "month (validations). reset empties the windows, not the month.",
    .options = options,
    .option_count = COUNT_OF(options),
    .defaults = &defaults,
    .args_bytes = sizeof(defaults),
    .operands_most = 2,
    .uses_server = true,
    .run = run,
};
