/* SPDX-License-Identifier: Apache-2.0 */
/* parse - the words of a command into its arguments, by its table of options. */
#include <stdio.h>

#include "cli/cli.h"

const struct cli_option cli_server_options[] = {
    {"server", CLI_TEXT, offsetof(struct cli_common, server), "URL",
     "The server; else the one of --data, else CAIRN_SERVER, else the one of CAIRN_DATA or of "
     "./cairn-data, else 127.0.0.1:8090",
     NULL},
    {"key", CLI_SECRET, offsetof(struct cli_common, key), "KEY",
     "The API key; else CAIRN_API_KEY, else, for the server of a data directory alone, its "
     "admin.key. Without a server that was named or found no key is sent",
     NULL},
    {"ca", CLI_PATH, offsetof(struct cli_common, ca), "FILE",
     "The CAs in PEM that may vouch for an https server; else CAIRN_CA, else the system's", NULL},
    {"data", CLI_PATH, offsetof(struct cli_common, data), "DIR",
     "The data directory of a server that runs on this machine, which is found by it; else "
     "CAIRN_DATA, else ./cairn-data if it is the same user's",
     NULL},
};
const size_t cli_server_option_count = COUNT_OF(cli_server_options);

const struct cli_option cli_common_options[] = {
    {"json", CLI_FLAG, offsetof(struct cli_common, json), "",
     "Writes NDJSON, as in a pipe, also on a terminal", NULL},
    {"help", CLI_FLAG, offsetof(struct cli_common, help), "", "Says this", NULL},
};
const size_t cli_common_option_count = COUNT_OF(cli_common_options);

static const struct cli_option *find_in(const struct cli_option *options, size_t count, slice name)
{
    for (size_t i = 0; i < count; i++) {
        if (slice_equal(name, slice_from_cstr(options[i].name))) {
            return &options[i];
        }
    }
    return NULL;
}

struct found {
    const struct cli_option *option;
    uint8_t *base; /* what the offset counts from */
};

static struct found find_option(struct cli *cli, void *args, slice name)
{
    const struct cli_command *command = cli->command;
    struct found found = {.base = args};
    found.option = find_in(command->options, command->option_count, name);
    if (found.option == NULL) {
        found.base = (uint8_t *)&cli->common;
        found.option = find_in(cli_common_options, cli_common_option_count, name);
    }
    if (found.option == NULL && command->uses_server) {
        found.option = find_in(cli_server_options, cli_server_option_count, name);
    }
    return found;
}

const char *cli_name_of(const char *word, char out[CLI_NAME_BYTES])
{
    (void)snprintf(out, CLI_NAME_BYTES, "%.*s", (int)strcspn(word, "="), word);
    return out;
}

static bool is_choice(const char *choices, const char *value)
{
    slice rest = slice_from_cstr(choices);
    while (rest.len > 0) {
        const uint8_t *space = memchr(rest.ptr, ' ', rest.len);
        slice word = slice_take(&rest, space == NULL ? rest.len : (size_t)(space - rest.ptr));
        if (slice_equal(word, slice_from_cstr(value))) {
            return true;
        }
        slice_skip_spaces(&rest);
    }
    return false;
}

static bool parse_u64(const char *text, uint64_t *out)
{
    uint64_t number = 0;
    for (const char *p = text; *p != '\0'; p++) {
        if (*p < '0' || *p > '9' || __builtin_mul_overflow(number, 10, &number) ||
            __builtin_add_overflow(number, (uint64_t)(*p - '0'), &number)) {
            return false;
        }
    }
    *out = number;
    return text[0] != '\0';
}

static enum err set_option(const struct found *found, const char *where, const char *value,
                           struct diag *diag)
{
    const struct cli_option *option = found->option;
    void *target = found->base + option->offset;
    if (option->choices != NULL && !is_choice(option->choices, value)) {
        return diag_fail(diag, ERR_INVALID, where, "must be one of: %s", option->choices);
    }
    switch (option->kind) {
    case CLI_FLAG:
        *(bool *)target = true;
        return OK;
    case CLI_SECRET:
        if (value[0] == '\0') { /* in `--key= VALUE` it is the next word, which may be shown */
            return diag_fail(diag, ERR_INVALID, where, "is empty: write %s=%s without a space",
                             where, option->placeholder);
        }
        *(const char **)target = value;
        return OK;
    case CLI_TEXT:
    case CLI_PATH:
        *(const char **)target = value;
        return OK;
    case CLI_U64:
        if (!parse_u64(value, target)) {
            return diag_fail(diag, ERR_INVALID, where, "must be a whole number, 0 or more");
        }
        return OK;
    }
    return OK;
}

/* Of a word that is not understood its name is shown alone: behind the '=' there may be a key. */
static enum err refuse(const char *word, const char *why, struct diag *diag)
{
    char name[CLI_NAME_BYTES];
    return diag_fail(diag, ERR_INVALID, cli_name_of(word, name), "%s", why);
}

static enum err parse_option(struct cli *cli, int argc, char **argv, int *at, void *args,
                             struct diag *diag)
{
    const char *word = argv[*at];
    const char *equals = strchr(word, '=');
    slice name = {(const uint8_t *)word + 2,
                  (equals == NULL ? strlen(word) : (size_t)(equals - word)) - 2};
    if (strcmp(word, "-h") == 0) {
        name = SLICE("help");
    }
    struct found found = find_option(cli, args, name);
    if (found.option == NULL) {
        return refuse(word, "is no option of this command", diag);
    }
    char where[CLI_NAME_BYTES];
    (void)snprintf(where, sizeof(where), "--%s", found.option->name);
    if (found.option->kind == CLI_FLAG) {
        if (equals != NULL) {
            return diag_fail(diag, ERR_INVALID, where, "takes no value");
        }
        return set_option(&found, where, NULL, diag);
    }
    if (equals == NULL && *at + 1 == argc) {
        return diag_fail(diag, ERR_INVALID, where, "needs a value: %s %s", where,
                         found.option->placeholder);
    }
    const char *value = equals == NULL ? argv[++*at] : equals + 1;
    return set_option(&found, where, value, diag);
}

static enum err check_operands(const struct cli *cli, struct diag *diag)
{
    const struct cli_command *command = cli->command;
    if (cli->common.help) {
        return OK;
    }
    if (cli->operand_count < command->operands_least) {
        return diag_fail(diag, ERR_INVALID, command->operands, "is missing");
    }
    if (cli->operand_count > command->operands_most) {
        return refuse(cli->operands[command->operands_most], "is one word too many", diag);
    }
    return OK;
}

enum err cli_parse(struct cli *cli, int argc, char **argv, void *args, struct diag *diag)
{
    ASSERT(cli != NULL);
    bool only_operands = false;
    cli->operand_count = 0;
    for (int at = 0; at < argc; at++) {
        const char *word = argv[at];
        bool is_option = word[0] == '-' && word[1] != '\0' && !only_operands;
        if (!is_option) {
            cli->operands[cli->operand_count++] = word;
        } else if (strcmp(word, "--") == 0) {
            only_operands = true;
        } else if (word[1] != '-' && strcmp(word, "-h") != 0) {
            return refuse(word, "is no option of this command; write -- before words with a dash",
                          diag);
        } else {
            TRY(parse_option(cli, argc, argv, &at, args, diag));
        }
    }
    return check_operands(cli, diag);
}
