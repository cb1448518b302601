/* SPDX-License-Identifier: Apache-2.0 */
/* cairn stats - how many events, by what. */

#include "base/mem.h"
#include "cli/answer.h"
#include "show/show.h"

enum { BAR_COLUMNS = 30, KEYS_MAX = 4 };

struct stats_args {
    const char *by, *interval, *since, *until;
    uint64_t top;
};

static const struct stats_args defaults = {0};

static const struct cli_option options[] = {
    {"by", CLI_TEXT, offsetof(struct stats_args, by), "FIELDS",
     "Counts by one field, or by two with a comma between", NULL},
    {"interval", CLI_TEXT, offsetof(struct stats_args, interval), "TIME",
     "Counts by stretches of time: 1h, 1d", NULL},
    {"since", CLI_TEXT, offsetof(struct stats_args, since), "TIME", "From this time on", NULL},
    {"until", CLI_TEXT, offsetof(struct stats_args, until), "TIME", "Up to this time", NULL},
    {"top", CLI_U64, offsetof(struct stats_args, top), "N",
     "Only the largest groups (the server's default)", NULL},
};

/* The names of a group's members but its count: the columns of the table. */
static size_t find_keys(const json_t *groups, const char *keys[KEYS_MAX])
{
    size_t count = 0;
    json_t *first = json_array_get(groups, 0);
    const char *key = NULL;
    json_t *value = NULL;
    json_object_foreach(first, key, value)
    {
        bool is_key = strcmp(key, "count") != 0 && count < KEYS_MAX;
        if (is_key) {
            keys[count++] = key;
        }
    }
    return count;
}

static json_int_t count_of(const json_t *group)
{
    return json_integer_value(json_object_get(group, "count"));
}

static void add_bar(struct table *table, json_int_t count, json_int_t most)
{
    struct buf text CLEANUP(buf_release) = BUF_INIT(KIB(1));
    screen_count(&text, count < 0 ? 0 : (uint64_t)count);
    table_add(table, buf_slice(&text), COLOUR_BOLD);
    buf_clear(&text);
    size_t eighths =
        most <= 0 || count <= 0 ? 0 : (size_t)((double)count / (double)most * BAR_COLUMNS * 8);
    for (; eighths >= 8; eighths -= 8) {
        buf_append_cstr(&text, "█");
    }
    static const char *const parts[] = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
    buf_append_cstr(&text, parts[eighths]);
    table_add(table, buf_slice(&text), COLOUR_CYAN);
}

static void write_groups(const struct screen *screen, const json_t *groups, struct buf *out)
{
    const char *keys[KEYS_MAX] = {0};
    struct table_column columns[KEYS_MAX + 2] = {{0}};
    size_t key_count = find_keys(groups, keys);
    json_int_t most = 0;
    for (size_t i = 0; i < json_array_size(groups); i++) {
        json_int_t count = count_of(json_array_get(groups, i));
        most = count > most ? count : most;
    }
    for (size_t k = 0; k < key_count; k++) {
        columns[k].title = keys[k];
    }
    columns[key_count] = (struct table_column){"count", COLUMN_NUMBER};
    columns[key_count + 1] = (struct table_column){"", COLUMN_TEXT};
    struct table table;
    table_init(&table, screen, columns, key_count + 2);
    for (size_t i = 0; i < json_array_size(groups); i++) {
        const json_t *group = json_array_get(groups, i);
        for (size_t k = 0; k < key_count; k++) {
            show_cell(&table, json_object_get(group, keys[k]));
        }
        add_bar(&table, count_of(group), most);
    }
    table_write(&table, out);
    table_release(&table);
}

static void write_answer(const struct cli *cli, const struct answer *answer)
{
    const json_t *groups = json_object_get(answer->json, "data");
    struct buf out CLEANUP(buf_release) = BUF_INIT(MIB(256));
    if (json_array_size(groups) == 0 && !(cli_wants_json(cli) && json_is_array(groups))) {
        answer_write(cli, answer);
        return;
    }
    if (cli_wants_json(cli)) {
        show_json_lines(&cli->screen, groups, &out);
    } else {
        write_groups(&cli->screen, groups, &out);
    }
    (void)screen_write(buf_slice(&out));
}

static enum cli_exit ask(const struct cli *cli, struct cairn_client *client)
{
    const struct stats_args *args = cli->args;
    struct answer answer CLEANUP(answer_release) = {0};
    char *filter CLEANUP(mem_freep) = cli_join_operands(cli);
    struct cairn_stats_query query = {.filter = filter,
                                      .since = args->since,
                                      .until = args->until,
                                      .group_by = args->by,
                                      .interval = args->interval,
                                      .top = args->top > UINT32_MAX ? UINT32_MAX
                                                                    : (unsigned)args->top};
    char *text = NULL;
    size_t len = 0;
    enum cairn_result result = cairn_stats(client, &query, &text, &len);
    enum cli_exit exit = answer_take(cli, client, result, text, len, &answer);
    if (exit == CLI_OK) {
        write_answer(cli, &answer);
    }
    return exit;
}

static enum cli_exit run(struct cli *cli)
{
    return cli_ask(cli, ask);
}

const struct cli_command cmd_stats = {
    .name = "stats",
    .summary = "Counts events",
    .operands = "[FILTER...]",
    .details = "",
    .options = options,
    .option_count = COUNT_OF(options),
    .defaults = &defaults,
    .args_bytes = sizeof(defaults),
    .operands_most = SIZE_MAX,
    .uses_server = true,
    .run = run,
};
