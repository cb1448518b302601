/* SPDX-License-Identifier: Apache-2.0 */
/* The table of commands: help, completions, exits. */
#include <stdio.h>
#include <stdlib.h>

#include "base/test.h"
#include "cli/completions.h"
#include "cli/connect.h"
#include "options/options.h"

static void assert_has(const char *text, const char *part)
{
    if (strstr(text, part) == NULL) {
        fail_msg("'%s' is not in '%.2000s'", part, text);
    }
}

static void test_help_names_every_command(void **state)
{
    UNUSED(state);
    struct buf help CLEANUP(buf_release) = BUF_INIT(KIB(256));
    cli_write_help(&help);
    for (size_t i = 0; i < cli_command_count; i++) {
        assert_has(buf_cstr(&help), cli_commands[i]->name);
        assert_has(buf_cstr(&help), cli_commands[i]->summary);
        assert_ptr_equal(cli_find(cli_commands[i]->name), cli_commands[i]);
    }
    assert_null(cli_find("nothing"));
}

static void test_help_of_a_command_names_its_options_in_80_columns(void **state)
{
    UNUSED(state);
    for (size_t i = 0; i < cli_command_count; i++) {
        const struct cli_command *command = cli_commands[i];
        struct buf help CLEANUP(buf_release) = BUF_INIT(KIB(256));
        cli_write_command_help(command, &help);
        for (size_t j = 0; j < command->option_count; j++) {
            char flag[64];
            (void)snprintf(flag, sizeof(flag), "--%s", command->options[j].name);
            assert_has(buf_cstr(&help), flag);
        }
        assert_has(buf_cstr(&help), command->run == NULL ? "--listen" : "--json");
        size_t column = 0;
        for (size_t at = 0; at < help.len; at++) {
            column = help.ptr[at] == '\n' ? 0 : column + 1;
            assert_true(column <= 80);
        }
    }
}

static void test_help_of_a_kind_names_its_fields(void **state)
{
    UNUSED(state);
    struct buf help CLEANUP(buf_release) = BUF_INIT(KIB(256));
    cli_write_command_help(&cmd_key, &help);
    assert_has(buf_cstr(&help), "\n  expires_at ");
    assert_has(buf_cstr(&help), "One of: owner admin");
    assert_null(strstr(buf_cstr(&help), "\n  key_prefix "));
    assert_null(cli_kind(&cmd_query));
}

static void test_help_and_completions_name_every_verb(void **state)
{
    UNUSED(state);
    static const char *const shells[] = {"bash", "zsh", "fish"};
    for (size_t i = 0; i < cli_command_count; i++) {
        const struct cli_command *command = cli_commands[i];
        struct buf help CLEANUP(buf_release) = BUF_INIT(KIB(256));
        struct buf words CLEANUP(buf_release) = BUF_INIT(KIB(4));
        cli_write_command_help(command, &help);
        for (size_t v = 0; v < command->verb_count; v++) {
            char entry[64];
            const struct cli_verb *verb = &command->verbs[v];
            (void)snprintf(entry, sizeof(entry), "\n  %s%s%s", verb->name,
                           verb->operands[0] != '\0' ? " " : "", verb->operands);
            assert_has(buf_cstr(&help), entry);
            assert_true(verb->operands_least <= verb->operands_most);
            buf_append_format(&words, "%s%s", v == 0 ? "" : " ", verb->name);
        }
        for (size_t s = 0; s < COUNT_OF(shells); s++) {
            struct buf script CLEANUP(buf_release) = BUF_INIT(KIB(256));
            assert_true(completions_write(shells[s], &script));
            assert_has(buf_cstr(&script), buf_cstr(&words));
        }
    }
}

static void test_a_verb_is_taken_with_as_many_operands_as_it_needs(void **state)
{
    UNUSED(state);
    static const struct {
        const struct cli_command *command;
        const char *operands[3];
        const char *verb, *text; /* what it says when it does not know it */
    } cases[] = {
        {&cmd_rule, {"show", "x"}, "show", NULL},
        {&cmd_rule, {"create", "a=b"}, "create", NULL},
        {&cmd_rule, {"create"}, NULL, "expected NAME=VALUE... behind it"},
        {&cmd_key, {"revoke", "x"}, "revoke", NULL},
        {&cmd_limits, {NULL}, NULL, NULL},
        {&cmd_query, {"show"}, NULL, NULL},
        {&cmd_rule, {NULL}, NULL, "a verb is missing: expected list, show, create, set or remove"},
        {&cmd_rule, {"revoke", "x"}, NULL, "expected list, show, create, set or remove"},
        {&cmd_key,
         {"remove", "x"},
         NULL,
         "expected list, show, create, set, revoke, rotate or usage"},
        {&cmd_rule, {"show"}, NULL, "expected ID behind it"},
        {&cmd_rule, {"show", "x", "y"}, NULL, "expected ID behind it"},
        {&cmd_rule, {"list", "x"}, NULL, "expected nothing behind it"},
        {&cmd_limits, {"analytics", "x"}, NULL, "expected nothing behind it"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const char *operands[3];
        struct cli cli = {.command = cases[i].command, .operands = operands};
        struct diag diag = {0};
        while (cli.operand_count < 3 && cases[i].operands[cli.operand_count] != NULL) {
            operands[cli.operand_count] = cases[i].operands[cli.operand_count];
            cli.operand_count++;
        }
        enum err e = cli_take_verb(&cli, &diag);
        assert_int_equal(e, cases[i].text == NULL ? OK : ERR_INVALID);
        assert_string_equal(diag.text, cases[i].text == NULL ? "" : cases[i].text);
        assert_string_equal(cli.verb == NULL ? "" : cli.verb->name,
                            cases[i].verb == NULL ? "" : cases[i].verb);
    }
}

static void test_completions_hold_every_command_and_option(void **state)
{
    UNUSED(state);
    static const char *const shells[] = {"bash", "zsh", "fish"};
    for (size_t s = 0; s < COUNT_OF(shells); s++) {
        struct buf script CLEANUP(buf_release) = BUF_INIT(KIB(256));
        assert_true(completions_write(shells[s], &script));
        assert_int_equal(buf_check(&script), OK);
        const char *dashes = strcmp(shells[s], "fish") == 0 ? " -l " : "--";
        for (size_t i = 0; i < cli_command_count; i++) {
            const struct cli_command *command = cli_commands[i];
            assert_has(buf_cstr(&script), command->name);
            for (size_t j = 0; j < command->option_count; j++) {
                char flag[64];
                (void)snprintf(flag, sizeof(flag), "%s%s", dashes, command->options[j].name);
                assert_has(buf_cstr(&script), flag);
            }
        }
        for (size_t i = 0; i < OPTION_COUNT; i++) {
            char own[OPTION_FLAG_BYTES_MAX], flag[64];
            (void)snprintf(flag, sizeof(flag), "%s%s", dashes, option_flag((enum option)i, own));
            assert_has(buf_cstr(&script), flag);
        }
    }
    struct buf script CLEANUP(buf_release) = BUF_INIT(KIB(1));
    assert_false(completions_write("tcsh", &script));
}

static void test_errors_become_exits(void **state)
{
    UNUSED(state);
    assert_int_equal(cli_exit_of(OK), 0);
    assert_int_equal(cli_exit_of(ERR_CORRUPT), 1);
    assert_int_equal(cli_exit_of(ERR_INVALID), 1);
    assert_int_equal(cli_exit_of(ERR_IO), 3);
    assert_int_equal(cli_exit_of_result(CAIRN_OK), 0);
    assert_int_equal(cli_exit_of_result(CAIRN_CONFLICT), 1);
    assert_int_equal(cli_exit_of_result(CAIRN_DENIED), 1);
    assert_int_equal(cli_exit_of_result(CAIRN_UNREACHABLE), 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_help_names_every_command),
        cmocka_unit_test(test_help_of_a_command_names_its_options_in_80_columns),
        cmocka_unit_test(test_help_of_a_kind_names_its_fields),
        cmocka_unit_test(test_completions_hold_every_command_and_option),
        cmocka_unit_test(test_help_and_completions_name_every_verb),
        cmocka_unit_test(test_a_verb_is_taken_with_as_many_operands_as_it_needs),
        cmocka_unit_test(test_errors_become_exits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
