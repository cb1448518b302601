/* SPDX-License-Identifier: Apache-2.0 */
/* help - what the tables say about themselves; and the commands serve and help. */
#include <stdio.h>

#include "cli/cli.h"
#include "kinds/kinds.h"
#include "options/options.h"

enum { COLUMN = 16, ENTRY_COLUMN = 24, COLUMNS_MAX = 80 };

static bool byte_is_not_space(uint8_t byte)
{
    return byte != ' ';
}

static bool byte_is_not_feed(uint8_t byte)
{
    return byte != '\n';
}

/* Appends words in lines; the first begins at `column`, the others are indented to `indent`. */
static void append_wrapped(struct buf *out, const char *text, size_t column, size_t indent)
{
    slice rest = slice_from_cstr(text);
    bool is_first = true;
    while (rest.len > 0) {
        slice word = slice_take_while(&rest, byte_is_not_space);
        slice_skip_spaces(&rest);
        if (!is_first && column + 1 + word.len > COLUMNS_MAX) {
            buf_append_byte(out, '\n');
            screen_spaces(out, indent);
            column = indent;
        } else if (!is_first) {
            buf_append_byte(out, ' ');
            column++;
        }
        buf_append(out, word);
        column += word.len;
        is_first = false;
    }
    buf_append_byte(out, '\n');
}

void cli_write_help(struct buf *out)
{
    buf_append_cstr(out, "cairn - an audit trail that proves itself\n\n"
                         "Usage: cairn COMMAND [OPTIONS] [WORDS]\n\nCommands:\n");
    for (size_t i = 0; i < cli_command_count; i++) {
        buf_append_format(out, "  %-*s", COLUMN - 2, cli_commands[i]->name);
        append_wrapped(out, cli_commands[i]->summary, COLUMN, COLUMN);
    }
    buf_append_cstr(
        out, "\ncairn COMMAND --help says more about one; cairn(1) says all.\n"
             "Exit status: 0 done, 1 refused or found wanting, 2 wrong words, 3 no server.\n");
}

const struct kind *cli_kind(const struct cli_command *command)
{
    size_t count = 0;
    const struct kind *const *kinds = kinds_all(&count);
    for (size_t i = 0; i < count; i++) {
        if (strcmp(kinds[i]->command, command->name) == 0) {
            return kinds[i];
        }
    }
    return NULL;
}

bool cli_may_set(const struct kind_field *field)
{
    return (field->flags & (KIND_READ_ONLY | KIND_HIDDEN)) == 0;
}

/* "  --name VALUE     What it is." */
static void append_entry(struct buf *out, const char *dashes, const char *name, const char *value,
                         const char *text)
{
    size_t before = out->len;
    buf_append_format(out, "  %s%s%s%s", dashes, name, value[0] != '\0' ? " " : "", value);
    size_t used = out->len - before;
    if (used + 2 > ENTRY_COLUMN) {
        buf_append_byte(out, '\n');
        used = 0;
    }
    screen_spaces(out, ENTRY_COLUMN - used);
    append_wrapped(out, text, ENTRY_COLUMN, ENTRY_COLUMN);
}

static void append_fields(struct buf *out, const struct kind *kind)
{
    buf_append_cstr(out, "\nNAME=VALUE:\n");
    for (size_t i = 0; i < kind->field_count; i++) {
        const struct kind_field *field = &kind->fields[i];
        if (!cli_may_set(field)) {
            continue;
        }
        struct buf text CLEANUP(buf_release) = BUF_INIT(KIB(4));
        buf_append_format(&text, "%s.", field->about);
        buf_append_cstr(&text, (field->flags & KIND_REQUIRED) != 0 ? " Needed." : "");
        if (field->type == KIND_CHOICE || field->type == KIND_CHOICES) {
            buf_append_format(&text, " %s: %s.",
                              field->type == KIND_CHOICE ? "One of" : "Some of, with commas",
                              field->choices);
        }
        append_entry(out, "", field->name, "", buf_cstr(&text));
    }
}

static void append_verbs(struct buf *out, const struct cli_command *command)
{
    buf_append_cstr(out, "\nVERB:\n");
    for (size_t i = 0; i < command->verb_count; i++) {
        const struct cli_verb *verb = &command->verbs[i];
        struct buf text CLEANUP(buf_release) = BUF_INIT(KIB(4));
        buf_append_format(&text, "%s.", verb->help);
        append_entry(out, "", verb->name, verb->operands, buf_cstr(&text));
    }
}

static void append_options(struct buf *out, const char *title, const struct cli_option *options,
                           size_t count)
{
    if (count == 0) {
        return;
    }
    buf_append_format(out, "\n%s:\n", title);
    for (size_t i = 0; i < count; i++) {
        const struct cli_option *option = &options[i];
        struct buf text CLEANUP(buf_release) = BUF_INIT(KIB(4));
        buf_append_format(&text, "%s.", option->help);
        if (option->choices != NULL) {
            buf_append_format(&text, " One of: %s.", option->choices);
        }
        append_entry(out, "--", option->name, option->placeholder, buf_cstr(&text));
    }
}

void cli_write_command_help(const struct cli_command *command, struct buf *out)
{
    buf_append_format(out, "cairn %s - %s\n\nUsage: cairn %s [OPTIONS]%s%s\n", command->name,
                      command->summary, command->name, command->operands[0] != '\0' ? " " : "",
                      command->operands);
    slice details = slice_from_cstr(command->details);
    while (details.len > 0) {
        slice paragraph = slice_take_while(&details, byte_is_not_feed);
        (void)slice_take_literal(&details, SLICE("\n"));
        struct buf text CLEANUP(buf_release) = BUF_INIT(KIB(16));
        buf_append(&text, paragraph);
        buf_append_byte(out, '\n');
        append_wrapped(out, buf_cstr(&text), 0, 0);
    }
    if (command->run == NULL) {
        buf_append_byte(out, '\n');
        options_write_help(out);
        return;
    }
    if (command->verb_count > 0) {
        append_verbs(out, command);
    }
    if (cli_kind(command) != NULL) {
        append_fields(out, cli_kind(command));
    }
    append_options(out, "Options", command->options, command->option_count);
    if (command->uses_server) {
        append_options(out, "Server", cli_server_options, cli_server_option_count);
    }
    append_options(out, "Common", cli_common_options, cli_common_option_count);
}

/* ---- serve ---- */

const struct cli_command cmd_serve = {
    .name = "serve",
    .summary = "Runs the server",
    .operands = "",
    .details =
        "Each option can also be set by an environment variable (CAIRN_ and its name) and in "
        "the file that --config names; the flag is the strongest, then the variable.",
};

/* ---- help ---- */

static enum cli_exit run_help(struct cli *cli)
{
    struct buf help CLEANUP(buf_release) = BUF_INIT(KIB(256));
    if (cli->operand_count == 0) {
        cli_write_help(&help);
    } else {
        const struct cli_command *command = cli_find(cli->operands[0]);
        if (command == NULL) {
            return cli_usage(cli, "%s is no command of cairn", cli->operands[0]);
        }
        cli_write_command_help(command, &help);
    }
    (void)screen_write(buf_slice(&help));
    return CLI_OK;
}

const struct cli_command cmd_help = {
    .name = "help",
    .summary = "Says what the commands do",
    .operands = "[COMMAND]",
    .details = "",
    .operands_most = 1,
    .run = run_help,
};
