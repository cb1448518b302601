/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/completions.h"

#include <stdio.h>

#include "options/options.h"

/* One option of any table, as a shell needs it. */
struct word {
    char flag[OPTION_FLAG_BYTES_MAX];
    const char *help;
    const char *choices; /* NULL: none */
    bool takes_value, is_path;
};

typedef void (*word_fn)(const struct cli_command *command, const struct word *word,
                        struct buf *out);

static void visit_table(const struct cli_command *command, const struct cli_option *options,
                        size_t count, word_fn fn, struct buf *out)
{
    for (size_t i = 0; i < count; i++) {
        struct word word = {.help = options[i].help,
                            .choices = options[i].choices,
                            .takes_value = options[i].kind != CLI_FLAG,
                            .is_path = options[i].kind == CLI_PATH};
        (void)snprintf(word.flag, sizeof(word.flag), "%s", options[i].name);
        fn(command, &word, out);
    }
}

static void visit_serve(const struct cli_command *command, word_fn fn, struct buf *out)
{
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        const struct option_info *info = option_info((enum option)i);
        bool is_boolean = info->type == OPTION_TYPE_BOOLEAN;
        struct word word = {.help = info->sentence,
                            .choices = info->choices[0] != '\0' ? info->choices : NULL,
                            .takes_value = !is_boolean,
                            .is_path =
                                info->type == OPTION_TYPE_PATH || info->type == OPTION_TYPE_FILE};
        (void)option_flag((enum option)i, word.flag);
        fn(command, &word, out);
    }
    struct word help = {.flag = "help", .help = "Says this"};
    fn(command, &help, out);
}

static void visit(const struct cli_command *command, word_fn fn, struct buf *out)
{
    if (command->run == NULL) {
        visit_serve(command, fn, out);
        return;
    }
    visit_table(command, command->options, command->option_count, fn, out);
    if (command->uses_server) {
        visit_table(command, cli_server_options, cli_server_option_count, fn, out);
    }
    visit_table(command, cli_common_options, cli_common_option_count, fn, out);
}

/* For single quotes of a shell, in what zsh takes apart at brackets and colons: those are left out,
 * for they only stand in sentences. */
static void append_quoted(struct buf *out, const char *text)
{
    for (; *text != '\0'; text++) {
        if (*text != '\'' && *text != '[' && *text != ']' && *text != ':') {
            buf_append_byte(out, (uint8_t)*text);
        }
    }
}

static bool takes_files(const struct cli_command *command)
{
    return command == &cmd_ingest || command == &cmd_verify;
}

static void append_command_names(struct buf *out)
{
    for (size_t i = 0; i < cli_command_count; i++) {
        buf_append_format(out, "%s%s", i == 0 ? "" : " ", cli_commands[i]->name);
    }
}

/* What the first operand may be, with spaces between; nothing when it is free. */
static void append_operand_words(const struct cli_command *command, struct buf *out)
{
    if (command == &cmd_completions) {
        buf_append_cstr(out, "bash zsh fish");
    } else if (command == &cmd_help) {
        append_command_names(out);
    }
    for (size_t i = 0; i < command->verb_count; i++) {
        buf_append_format(out, "%s%s", i == 0 ? "" : " ", command->verbs[i].name);
    }
}

static bool has_operand_words(const struct cli_command *command)
{
    return command == &cmd_completions || command == &cmd_help || command->verb_count > 0;
}

/* ---- bash ---- */

static void bash_flag(const struct cli_command *command, const struct word *word, struct buf *out)
{
    UNUSED(command);
    buf_append_format(out, " --%s", word->flag);
}

static void bash_value(const struct cli_command *command, const struct word *word, struct buf *out)
{
    if (word->choices != NULL) {
        buf_append_format(out,
                          "    %s:--%s) COMPREPLY=($(compgen -W '%s' -- \"$word\")); return ;;\n",
                          command->name, word->flag, word->choices);
    } else if (word->is_path) {
        buf_append_format(out, "    %s:--%s) COMPREPLY=($(compgen -f -- \"$word\")); return ;;\n",
                          command->name, word->flag);
    } else if (word->takes_value) {
        buf_append_format(out, "    %s:--%s) return ;;\n", command->name, word->flag);
    }
}

static void write_bash(struct buf *out)
{
    buf_append_cstr(out,
                    "# bash completion for cairn\n"
                    "_cairn() {\n"
                    "    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]}\n"
                    "    local command=${COMP_WORDS[1]}\n"
                    "    COMPREPLY=()\n"
                    "    if [ \"$COMP_CWORD\" -eq 1 ]; then\n"
                    "        COMPREPLY=($(compgen -W '");
    append_command_names(out);
    buf_append_cstr(out, "' -- \"$word\"))\n        return\n    fi\n"
                         "    case \"$command:$before\" in\n");
    for (size_t i = 0; i < cli_command_count; i++) {
        visit(cli_commands[i], bash_value, out);
    }
    buf_append_cstr(out, "    esac\n    case \"$command\" in\n");
    for (size_t i = 0; i < cli_command_count; i++) {
        const struct cli_command *command = cli_commands[i];
        buf_append_format(out, "    %s) COMPREPLY=($(compgen -W '", command->name);
        append_operand_words(command, out);
        visit(command, bash_flag, out);
        buf_append_cstr(out, "' -- \"$word\")");
        buf_append_cstr(out, takes_files(command) ? " $(compgen -f -- \"$word\")" : "");
        buf_append_cstr(out, ") ;;\n");
    }
    buf_append_cstr(out, "    esac\n}\ncomplete -o filenames -F _cairn cairn\n");
}

/* ---- zsh ---- */

static void zsh_flag(const struct cli_command *command, const struct word *word, struct buf *out)
{
    UNUSED(command);
    buf_append_format(out, " \\\n            '--%s%s[", word->flag, word->takes_value ? "=" : "");
    append_quoted(out, word->help);
    buf_append_byte(out, ']');
    if (word->choices != NULL) {
        buf_append_format(out, ":value:(%s)", word->choices);
    } else if (word->takes_value) {
        buf_append_cstr(out, word->is_path ? ":file:_files" : ":value:");
    }
    buf_append_byte(out, '\'');
}

static void write_zsh(struct buf *out)
{
    buf_append_cstr(out, "#compdef cairn\n"
                         "_cairn() {\n"
                         "    local -a commands\n"
                         "    commands=(\n");
    for (size_t i = 0; i < cli_command_count; i++) {
        buf_append_format(out, "        '%s:", cli_commands[i]->name);
        append_quoted(out, cli_commands[i]->summary);
        buf_append_cstr(out, "'\n");
    }
    buf_append_cstr(out, "    )\n"
                         "    if (( CURRENT == 2 )); then\n"
                         "        _describe command commands\n"
                         "        return\n"
                         "    fi\n"
                         "    local command=$words[2]\n"
                         "    shift words\n"
                         "    (( CURRENT-- ))\n"
                         "    case $command in\n");
    for (size_t i = 0; i < cli_command_count; i++) {
        const struct cli_command *command = cli_commands[i];
        buf_append_format(out, "        %s) _arguments", command->name);
        visit(command, zsh_flag, out);
        if (takes_files(command)) {
            buf_append_cstr(out, " \\\n            '*:file:_files'");
        } else if (has_operand_words(command)) {
            buf_append_cstr(out, " \\\n            '1:word:(");
            append_operand_words(command, out);
            buf_append_cstr(out, ")'");
        }
        buf_append_cstr(out, " ;;\n");
    }
    buf_append_cstr(out, "    esac\n}\nif [ \"$funcstack[1]\" = _cairn ]; then\n    _cairn \"$@\"\n"
                         "else\n    compdef _cairn cairn\nfi\n");
}

/* ---- fish ---- */

static void fish_flag(const struct cli_command *command, const struct word *word, struct buf *out)
{
    buf_append_format(out, "complete -c cairn -n '__fish_seen_subcommand_from %s' -l %s",
                      command->name, word->flag);
    if (word->choices != NULL) {
        buf_append_format(out, " -x -a '%s'", word->choices);
    } else if (word->takes_value) {
        buf_append_cstr(out, word->is_path ? " -r -F" : " -x");
    }
    buf_append_cstr(out, " -d '");
    append_quoted(out, word->help);
    buf_append_cstr(out, "'\n");
}

static void write_fish(struct buf *out)
{
    buf_append_cstr(out, "# fish completion for cairn\ncomplete -c cairn -f\n");
    for (size_t i = 0; i < cli_command_count; i++) {
        const struct cli_command *command = cli_commands[i];
        buf_append_format(out, "complete -c cairn -n __fish_use_subcommand -a %s -d '",
                          command->name);
        append_quoted(out, command->summary);
        buf_append_cstr(out, "'\n");
        if (takes_files(command)) {
            buf_append_format(out, "complete -c cairn -n '__fish_seen_subcommand_from %s' -F\n",
                              command->name);
        }
        if (has_operand_words(command)) {
            buf_append_format(out, "complete -c cairn -n '__fish_seen_subcommand_from %s' -a '",
                              command->name);
            append_operand_words(command, out);
            buf_append_cstr(out, "'\n");
        }
        visit(command, fish_flag, out);
    }
}

bool completions_write(const char *shell, struct buf *out)
{
    static const struct {
        const char *shell;
        void (*write)(struct buf *out);
    } shells[] = {{"bash", write_bash}, {"zsh", write_zsh}, {"fish", write_fish}};
    for (size_t i = 0; i < COUNT_OF(shells); i++) {
        if (strcmp(shell, shells[i].shell) == 0) {
            shells[i].write(out);
            return true;
        }
    }
    return false;
}
