/* SPDX-License-Identifier: Apache-2.0 */
/* cairn completions - what a shell needs to complete commands and options, from the tables. */
#include "cli/completions.h"

static enum cli_exit run(struct cli *cli)
{
    struct buf out CLEANUP(buf_release) = BUF_INIT(KIB(256));
    if (!completions_write(cli->operands[0], &out)) {
        return cli_usage(cli, "%s is none of bash, zsh, fish", cli->operands[0]);
    }
    (void)screen_write(buf_slice(&out));
    return CLI_OK;
}

const struct cli_command cmd_completions = {
    .name = "completions",
    .summary = "Writes the completions for a shell",
    .operands = "bash|zsh|fish",
    .details = "For instance: cairn completions bash > "
               "~/.local/share/bash-completion/completions/cairn",
    .operands_least = 1,
    .operands_most = 1,
    .run = run,
};
