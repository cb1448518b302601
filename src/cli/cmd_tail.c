/* SPDX-License-Identifier: Apache-2.0 */
/* cairn tail - events as they are recorded. */
#include <stdlib.h>

#include "base/mem.h"
#include "cli/connect.h"
#include "show/show.h"

struct tail_args {
    const char *after;
};

static const struct tail_args defaults = {0};

static const struct cli_option options[] = {
    {"after", CLI_TEXT, offsetof(struct tail_args, after), "ID",
     "Begins behind this id of the stream, so that nothing is missed; ids are seq numbers", NULL},
};

struct output {
    const struct screen *screen;
    bool as_json;
    struct buf text;
};

static void append_padded(struct buf *out, slice text, size_t columns)
{
    size_t used = screen_text(out, text, columns);
    screen_spaces(out, columns - used + 2);
}

/* One line each: nobody knows yet how wide the next event is. */
static void append_event(struct output *output, slice json)
{
    struct buf *out = &output->text;
    json_t *event = show_event(json);
    struct buf text CLEANUP(buf_release) = BUF_INIT(KIB(64));
    show_time(&text, show_member_text(event, "event_timestamp"));
    screen_colour(output->screen, out, COLOUR_DIM);
    append_padded(out, buf_slice(&text), 23);
    screen_colour(output->screen, out, show_colour_of(event));
    append_padded(out, slice_from_cstr(show_member_text(event, "event_outcome")), 8);
    screen_colour(output->screen, out, COLOUR_PLAIN);
    append_padded(out, slice_from_cstr(show_member_text(event, "event_type")), 24);
    append_padded(out, slice_from_cstr(show_actor_of(event)), 20);
    buf_clear(&text);
    show_resource(&text, event);
    size_t taken = 23 + 8 + 24 + 20 + 4 * 2;
    size_t width = output->screen->width > taken + 12 ? output->screen->width - taken : 12;
    (void)screen_text(out, buf_slice(&text), width);
    buf_append_byte(out, '\n');
    json_decref(event);
}

static int on_event(void *context, const char *id, const char *json, size_t len)
{
    struct output *output = context;
    slice event = {(const uint8_t *)json, len};
    UNUSED(id);
    buf_clear(&output->text);
    if (output->as_json) {
        screen_json_line(output->screen, &output->text, event);
    } else {
        append_event(output, event);
    }
    return !screen_write(buf_slice(&output->text));
}

static enum cli_exit ask(const struct cli *cli, struct cairn_client *client)
{
    const struct tail_args *args = cli->args;
    char *filter CLEANUP(mem_freep) = cli_join_operands(cli);
    struct output output = {.screen = &cli->screen,
                            .as_json = cli_wants_json(cli),
                            .text = BUF_INIT(MIB(8))};
    enum cairn_result result = cairn_tail(client, filter, args->after, on_event, &output);
    buf_release(&output.text);
    return cli_fail_client(cli, client, result);
}

static enum cli_exit run(struct cli *cli)
{
    return cli_ask(cli, ask);
}

const struct cli_command cmd_tail = {
    .name = "tail",
    .summary = "Follows events as they are recorded",
    .operands = "[FILTER...]",
    .details = "Runs until it is interrupted. A broken connection is taken up where it ended.",
    .options = options,
    .option_count = COUNT_OF(options),
    .defaults = &defaults,
    .args_bytes = sizeof(defaults),
    .operands_most = SIZE_MAX,
    .uses_server = true,
    .run = run,
};
