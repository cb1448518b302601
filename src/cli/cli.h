/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * cli - the command line: a table of commands, and what each of them gets.
 *
 * A command is a row: its name, one line about it, a table of options, a function. The row feeds
 * the parser, --help on every level, the shell completions and the test of the manual pages.
 *
 * Results go to stdout: a table on a terminal, NDJSON in a pipe or with --json. Complaints go to
 * stderr, one sentence each. Nothing that came from outside reaches a terminal unescaped.
 *
 * Threads: one; `bench` starts its own and joins them.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "show/screen.h"

/* The contract with shell scripts; documented in cairn(1), never renumbered. */
enum cli_exit {
    CLI_OK = 0,          /* done; duplicates included */
    CLI_REFUSED = 1,     /* refused, or found wanting */
    CLI_USAGE = 2,       /* the command's own words are wrong */
    CLI_UNREACHABLE = 3, /* no server, or the system failed */
};

enum cli_kind {
    CLI_FLAG,   /* bool */
    CLI_TEXT,   /* const char * */
    CLI_SECRET, /* const char *; never shown, and never empty */
    CLI_PATH,   /* const char *; shells complete file names */
    CLI_U64,    /* uint64_t */
};

struct cli_option {
    const char *name; /* without dashes */
    enum cli_kind kind;
    size_t offset;           /* of the target in the command's arguments */
    const char *placeholder; /* "TIME"; of a flag "" */
    const char *help;        /* a sentence without its full stop */
    const char *choices;     /* separated by spaces; NULL: anything */
};

struct cairn_client;
struct cli;

/* What a command does, where it does several things: its first operand. */
struct cli_verb {
    const char *name;
    const char *operands; /* behind it: "ID NAME=VALUE..."; "" when there are none */
    size_t operands_least, operands_most;
    enum cli_exit (*run)(const struct cli *cli, struct cairn_client *client);
    const char *help; /* a sentence without its full stop */
};

struct cli_command {
    const char *name;
    const char *summary;          /* what follows the name in the list of commands */
    const char *operands;         /* "FILE..."; "" when there are none */
    const char *details;          /* paragraphs for --help, or "" */
    const struct cli_verb *verbs; /* NULL: none */
    size_t verb_count;
    bool may_lack_verb;
    const struct cli_option *options;
    size_t option_count;
    const void *defaults; /* the arguments before parsing; NULL: the command has none */
    size_t args_bytes;
    size_t operands_least, operands_most;  /* of a command without verbs */
    bool uses_server;                      /* takes --server, --key, --ca, --data */
    enum cli_exit (*run)(struct cli *cli); /* NULL: serve, which main.c runs */
};

struct kind;
struct kind_field;
/* The kind of objects that a command is about; NULL: it is about none. */
const struct kind *cli_kind(const struct cli_command *command);
/* Whether a client gives that field a value. */
bool cli_may_set(const struct kind_field *field);

/* All commands in the order of the help, and how many. */
extern const struct cli_command *const cli_commands[];
extern const size_t cli_command_count;
const struct cli_command *cli_find(const char *name); /* NULL: none */

/* What the commands that talk to a server take too, and what every command takes. */
extern const struct cli_option cli_server_options[];
extern const size_t cli_server_option_count;
extern const struct cli_option cli_common_options[];
extern const size_t cli_common_option_count;

struct cli_common {
    const char *server, *key, *ca, *data; /* NULL when not given */
    bool json, help;
};

struct cli {
    const struct cli_command *command;
    struct cli_common common;
    const void *args;            /* the command's own struct, filled by cli_parse() */
    const struct cli_verb *verb; /* NULL: none was given */
    const char **operands;       /* behind the verb */
    size_t operand_count;
    struct screen screen;
};

/* --json, or nobody reads it. */
static inline bool cli_wants_json(const struct cli *cli)
{
    return cli->common.json || !cli->screen.is_terminal;
}

/* Everything but `serve`. `argv` as main() got it. Returns an enum cli_exit. */
int cli_main(int argc, char **argv);

/* What stands before the '=' of a word, or all of it. No message shows more of a word that was not
 * understood: behind it may stand a secret, of an option that was mistyped or is another command's.
 */
#define CLI_NAME_BYTES 80
const char *cli_name_of(const char *word, char out[CLI_NAME_BYTES]);

/*
 * Parses argv[0..argc) (behind the command's name) into *args and cli->common; operands, which may
 * stand between options, into cli->operands (room for argc). INVALID, diag->where is the option.
 */
enum err cli_parse(struct cli *cli, int argc, char **argv, void *args, struct diag *diag);

/* ---- Words and exits ---- */

/* The table of codes: what an error means to a shell. */
enum cli_exit cli_exit_of(enum err code);
/* Prints `cairn verify: <where>: <text>` on stderr and returns the fitting exit code. */
enum cli_exit cli_fail(const struct cli *cli, enum err code, const struct diag *diag);
/* Prints `cairn verify: <text>` on stderr, made safe for a terminal. */
void cli_say(const struct cli *cli, const char *format, ...) PRINTF_LIKE(2, 3);
/* A mistake in the command's words: says so, points to --help, returns CLI_USAGE. */
enum cli_exit cli_usage(const struct cli *cli, const char *format, ...) PRINTF_LIKE(2, 3);
enum cli_exit cli_usage_diag(const struct cli *cli, const struct diag *diag);
/* Takes the verb from the operands, and whether it has as many of them as it needs. INVALID. */
enum err cli_take_verb(struct cli *cli, struct diag *diag);
/* Connects and runs the verb: the `run` of commands that do nothing else. */
enum cli_exit cli_run_verb(struct cli *cli);
/* The operands with spaces between: a filter. Owned by the caller; end with free(). */
char *cli_join_operands(const struct cli *cli);

/* The lists of --help: all commands, or one. */
void cli_write_help(struct buf *out);
void cli_write_command_help(const struct cli_command *command, struct buf *out);

/* ---- The commands ---- */

extern const struct cli_command cmd_audit, cmd_config, cmd_dev_host, cmd_key, cmd_limits, cmd_org,
    cmd_rule, cmd_schema, cmd_target, cmd_team, cmd_user;
extern const struct cli_command cmd_bench, cmd_completions, cmd_health, cmd_help, cmd_ingest,
    cmd_log, cmd_proof, cmd_query, cmd_serve, cmd_stats, cmd_tail, cmd_timeline, cmd_verify,
    cmd_version;
