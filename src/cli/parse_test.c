/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "base/test.h"
#include "cli/cli.h"

struct args {
    uint64_t limit;
    const char *order;
    bool total;
};

static const struct cli_option options[] = {
    {"limit", CLI_U64, offsetof(struct args, limit), "N", "how many", NULL},
    {"order", CLI_TEXT, offsetof(struct args, order), "ORDER", "which way", "asc desc"},
    {"total", CLI_FLAG, offsetof(struct args, total), "", "counts", NULL},
};

static const struct cli_command command = {
    .name = "try",
    .operands = "WORD...",
    .options = options,
    .option_count = COUNT_OF(options),
    .operands_least = 1,
    .operands_most = 2,
    .uses_server = true,
};

/* `expect`: limit/order/total/server/json/help and the operands; or where, and what it says. */
struct parse_case {
    const char *name;
    const char *words[6];
    enum err result;
    const char *expect, *says;
};

static struct parse_case cases[] = {
    {"operand", {"a"}, OK, "100/-/0/-/0/0 a", NULL},
    {"two operands", {"a", "b"}, OK, "100/-/0/-/0/0 a b", NULL},
    {"options first", {"--limit", "5", "--total", "a"}, OK, "5/-/1/-/0/0 a", NULL},
    {"options last", {"a", "--limit=0", "--json"}, OK, "0/-/0/-/1/0 a", NULL},
    {"mixed", {"a", "--order", "asc", "b"}, OK, "100/asc/0/-/0/0 a b", NULL},
    {"server", {"--server=h:1", "a"}, OK, "100/-/0/h:1/0/0 a", NULL},
    {"value with a dash", {"--server", "-x", "a"}, OK, "100/-/0/-x/0/0 a", NULL},
    {"dash is an operand", {"-"}, OK, "100/-/0/-/0/0 -", NULL},
    {"end of options", {"--", "--limit", "-x"}, OK, "100/-/0/-/0/0 --limit -x", NULL},
    {"help needs nothing else", {"-h"}, OK, "100/-/0/-/0/1", NULL},
    {"empty value", {"--server=", "a"}, OK, "100/-/0//0/0 a", NULL},

    {"nothing", {0}, ERR_INVALID, "WORD...", "is missing"},
    {"too many", {"a", "b", "c"}, ERR_INVALID, "c", "too many"},
    {"unknown option", {"a", "--limt", "5"}, ERR_INVALID, "--limt", "no option"},
    {"short option", {"a", "-n"}, ERR_INVALID, "-n", "write --"},
    {"no value", {"a", "--limit"}, ERR_INVALID, "--limit", "--limit N"},
    {"no number", {"a", "--limit", "x"}, ERR_INVALID, "--limit", "whole number"},
    {"negative", {"a", "--limit=-1"}, ERR_INVALID, "--limit", "whole number"},
    {"empty number", {"a", "--limit="}, ERR_INVALID, "--limit", "whole number"},
    {"too large", {"a", "--limit", "18446744073709551616"}, ERR_INVALID, "--limit", "whole"},
    {"no such choice", {"a", "--order", "up"}, ERR_INVALID, "--order", "asc desc"},
    {"a key of a command without", {"--kye=SECRET"}, ERR_INVALID, "--kye", "no option"},
    {"a key behind one dash", {"-key=SECRET"}, ERR_INVALID, "-key", "no option"},
    {"a key behind a space", {"--key=", "SECRET", "a", "b"}, ERR_INVALID, "--key", "is empty"},
    {"a key as a word", {"a", "b", "key=SECRET"}, ERR_INVALID, "key", "too many"},
    {"a flag with a key", {"a", "--json=SECRET"}, ERR_INVALID, "--json", "takes no value"},
    {"flag with a value", {"a", "--total=1"}, ERR_INVALID, "--total", "takes no value"},
};

static void test_parse(void **state)
{
    const struct parse_case *c = *state;
    const char *operands[8] = {0};
    char *argv[8] = {0};
    int argc = 0;
    for (; argc < 6 && c->words[argc] != NULL; argc++) {
        memcpy(&argv[argc], &c->words[argc], sizeof(argv[0]));
    }
    struct args args = {.limit = 100};
    struct cli cli = {.command = &command, .operands = operands};
    struct diag diag = {0};
    assert_int_equal(cli_parse(&cli, argc, argv, &args, &diag), c->result);
    if (c->result != OK) {
        assert_string_equal(diag.where, c->expect);
        assert_null(strstr(diag.text, "SECRET"));
        if (strstr(diag.text, c->says) == NULL) {
            fail_msg("'%s' does not say '%s'", diag.text, c->says);
        }
        return;
    }
    char got[256];
    int n = snprintf(got, sizeof(got), "%d/%s/%d/%s/%d/%d", (int)args.limit,
                     args.order == NULL ? "-" : args.order, args.total,
                     cli.common.server == NULL ? "-" : cli.common.server, cli.common.json,
                     cli.common.help);
    for (size_t i = 0; i < cli.operand_count; i++) {
        n += snprintf(got + n, sizeof(got) - (size_t)n, " %s", operands[i]);
    }
    assert_string_equal(got, c->expect);
}

TEST_TABLE(test_parse, cases)
