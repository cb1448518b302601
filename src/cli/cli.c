/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cli.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "cli/connect.h"

const struct cli_command *const cli_commands[] = {
    &cmd_serve,  &cmd_ingest, &cmd_query,       &cmd_tail,     &cmd_timeline,
    &cmd_stats,  &cmd_proof,  &cmd_org,         &cmd_user,     &cmd_key,
    &cmd_rule,   &cmd_target, &cmd_schema,      &cmd_dev_host, &cmd_team,
    &cmd_audit,  &cmd_config, &cmd_limits,      &cmd_log,      &cmd_verify,
    &cmd_health, &cmd_bench,  &cmd_completions, &cmd_version,  &cmd_help,
};
const size_t cli_command_count = COUNT_OF(cli_commands);

const struct cli_command *cli_find(const char *name)
{
    for (size_t i = 0; i < cli_command_count; i++) {
        if (strcmp(cli_commands[i]->name, name) == 0) {
            return cli_commands[i];
        }
    }
    return NULL;
}

/* ---- Failures ---- */

enum cli_exit cli_exit_of(enum err code)
{
    switch (code) {
    case OK:
        return CLI_OK;
    case ERR_INVALID:
    case ERR_NOT_FOUND:
    case ERR_DENIED:
    case ERR_CONFLICT:
    case ERR_LIMIT:
    case ERR_FULL:
    case ERR_GONE:
    case ERR_CORRUPT:
        return CLI_REFUSED;
    case ERR_BUSY:
    case ERR_IO:
        return CLI_UNREACHABLE;
    }
    return CLI_UNREACHABLE;
}

static void complain(const char *name, slice where, slice text)
{
    struct buf line = BUF_INIT(KIB(64));
    buf_append_format(&line, "cairn %s: ", name);
    (void)screen_text(&line, where, SIZE_MAX);
    buf_append_cstr(&line, where.len > 0 ? ": " : "");
    (void)screen_text(&line, text, SIZE_MAX);
    (void)fprintf(stderr, "%s\n", buf_cstr(&line));
    buf_release(&line);
}

enum cli_exit cli_fail(const struct cli *cli, enum err code, const struct diag *diag)
{
    ASSERT(code != OK);
    const char *text = diag->text[0] != '\0' ? diag->text : err_name(code);
    complain(cli->command->name, slice_from_cstr(diag->where), slice_from_cstr(text));
    return cli_exit_of(code);
}

static void say(const struct cli *cli, const char *format, va_list args) PRINTF_LIKE(2, 0);

static void say(const struct cli *cli, const char *format, va_list args)
{
    char text[512];
    (void)vsnprintf(text, sizeof(text), format, args);
    complain(cli->command->name, (slice){0}, slice_from_cstr(text));
}

void cli_say(const struct cli *cli, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    say(cli, format, args);
    va_end(args);
}

enum cli_exit cli_usage(const struct cli *cli, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    say(cli, format, args);
    va_end(args);
    (void)fprintf(stderr, "Try: cairn %s --help\n", cli->command->name);
    return CLI_USAGE;
}

enum cli_exit cli_usage_diag(const struct cli *cli, const struct diag *diag)
{
    return cli_usage(cli, "%s%s%s", diag->where, diag->where[0] == '\0' ? "" : ": ", diag->text);
}

char *cli_join_operands(const struct cli *cli)
{
    struct buf joined = BUF_INIT(MIB(16));
    for (size_t i = 0; i < cli->operand_count; i++) {
        buf_append_cstr(&joined, i == 0 ? "" : " ");
        buf_append_cstr(&joined, cli->operands[i]);
    }
    char *text = mem_text(buf_cstr(&joined), joined.len);
    buf_release(&joined);
    return text;
}

/* ---- Verbs ---- */

/* "list, show or create" */
static void append_verbs(const struct cli_command *command, struct buf *out)
{
    for (size_t i = 0; i < command->verb_count; i++) {
        buf_append_cstr(out, i == 0 ? "" : i + 1 < command->verb_count ? ", " : " or ");
        buf_append_cstr(out, command->verbs[i].name);
    }
}

static const struct cli_verb *find_verb(const struct cli_command *command, const char *name)
{
    for (size_t i = 0; i < command->verb_count; i++) {
        if (strcmp(command->verbs[i].name, name) == 0) {
            return &command->verbs[i];
        }
    }
    return NULL;
}

enum err cli_take_verb(struct cli *cli, struct diag *diag)
{
    const struct cli_command *command = cli->command;
    struct buf verbs CLEANUP(buf_release) = BUF_INIT(KIB(1));
    if (command->verb_count == 0 || (command->may_lack_verb && cli->operand_count == 0)) {
        return OK;
    }
    append_verbs(command, &verbs);
    if (cli->operand_count == 0) {
        return diag_fail(diag, ERR_INVALID, "", "a verb is missing: expected %s", buf_cstr(&verbs));
    }
    const char *word = cli->operands[0];
    const struct cli_verb *verb = find_verb(command, word);
    if (verb == NULL) {
        return diag_fail(diag, ERR_INVALID, word, "expected %s", buf_cstr(&verbs));
    }
    size_t count = cli->operand_count - 1;
    if (count < verb->operands_least || count > verb->operands_most) {
        return diag_fail(diag, ERR_INVALID, word, "expected %s behind it",
                         verb->operands[0] == '\0' ? "nothing" : verb->operands);
    }
    cli->verb = verb;
    cli->operands++;
    cli->operand_count = count;
    return OK;
}

enum cli_exit cli_run_verb(struct cli *cli)
{
    return cli_ask(cli, cli->verb->run);
}

/* ---- main ---- */

static enum cli_exit print_help(const struct cli_command *command)
{
    struct buf help CLEANUP(buf_release) = BUF_INIT(KIB(256));
    if (command == NULL) {
        cli_write_help(&help);
    } else {
        cli_write_command_help(command, &help);
    }
    (void)screen_write(buf_slice(&help));
    return CLI_OK;
}

/* What could not be written was not done. A reader that went away has what it wanted. */
static enum cli_exit end_output(const struct cli *cli, enum cli_exit exit)
{
    int error = screen_end();
    if (error == 0 || error == EPIPE) {
        return exit;
    }
    cli_say(cli, "the output cannot be written: %s", strerror(error));
    return exit == CLI_OK ? CLI_UNREACHABLE : exit;
}

static enum cli_exit run(struct cli *cli, int argc, char **argv)
{
    struct diag diag = {0};
    void *args CLEANUP(mem_freep) = mem_zeroed(cli->command->args_bytes + 1);
    if (cli->command->args_bytes > 0) {
        memcpy(args, cli->command->defaults, cli->command->args_bytes);
    }
    enum err e = cli_parse(cli, argc, argv, args, &diag);
    if (e == OK && cli->common.help) {
        return print_help(cli->command);
    }
    e = e == OK ? cli_take_verb(cli, &diag) : e;
    if (e != OK) {
        return cli_usage_diag(cli, &diag);
    }
    cli->args = args;
    screen_init(&cli->screen);
    return end_output(cli, cli->command->run(cli));
}

static bool is_help(const char *word)
{
    return strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0;
}

int cli_main(int argc, char **argv)
{
    /* Writing to a pipe that nobody reads is an error to look at, not the end of the process. */
    (void)signal(SIGPIPE, SIG_IGN);
    if (argc < 2) {
        struct buf help CLEANUP(buf_release) = BUF_INIT(KIB(64));
        cli_write_help(&help);
        (void)fputs(buf_cstr(&help), stderr);
        return CLI_USAGE;
    }
    const char *word = strcmp(argv[1], "--version") == 0 ? "version" : argv[1];
    if (is_help(word)) {
        return (int)print_help(NULL);
    }
    const struct cli_command *command = cli_find(word);
    if (command == NULL || command->run == NULL) {
        char name[CLI_NAME_BYTES];
        complain("help", slice_from_cstr(cli_name_of(word, name)), SLICE("is no command of cairn"));
        (void)fputs("Try: cairn help\n", stderr);
        return CLI_USAGE;
    }
    const char **operands CLEANUP(mem_freep) = mem_array((size_t)argc, sizeof(operands[0]));
    struct cli cli = {.command = command, .operands = operands};
    return (int)run(&cli, argc - 2, argv + 2);
}
