/* SPDX-License-Identifier: Apache-2.0 */
/* cairn timeline - everything that belongs together, as a tree of what caused what. */
#include <stdlib.h>

#include "base/mem.h"
#include "cli/connect.h"
#include "show/tree.h"

struct output {
    const struct screen *screen;
    bool as_json;
    struct tree tree;
    struct buf text;
};

static int on_event(void *context, const char *json, size_t len)
{
    struct output *output = context;
    slice event = {(const uint8_t *)json, len};
    if (!output->as_json) {
        tree_add(&output->tree, event);
        return 0;
    }
    buf_clear(&output->text);
    screen_json_line(output->screen, &output->text, event);
    return !screen_write(buf_slice(&output->text));
}

static enum cli_exit ask(const struct cli *cli, struct cairn_client *client)
{
    enum cli_exit exit = CLI_OK;
    struct output output = {.screen = &cli->screen,
                            .as_json = cli_wants_json(cli),
                            .text = BUF_INIT(MIB(256))};
    enum cairn_result result = cairn_timeline(client, cli->operands[0], on_event, &output);
    if (result != CAIRN_OK) {
        exit = cli_fail_client(cli, client, result);
    } else if (!output.as_json) {
        buf_clear(&output.text);
        tree_write(&output.tree, output.screen, &output.text);
        (void)screen_write(buf_slice(&output.text));
    }
    tree_release(&output.tree);
    buf_release(&output.text);
    return exit;
}

static enum cli_exit run(struct cli *cli)
{
    return cli_ask(cli, ask);
}

const struct cli_command cmd_timeline = {
    .name = "timeline",
    .summary = "Shows all events of a correlation, oldest first",
    .operands = "CORRELATION_ID",
    .details =
        "On a terminal a tree by parent links, each service in its colour, with the time since "
        "the first event.",
    .operands_least = 1,
    .operands_most = 1,
    .uses_server = true,
    .run = run,
};
