/* SPDX-License-Identifier: Apache-2.0 */
/* The manual pages say what the tables say: every command, every option, every value's limits.
 * Built by docs/meson.build, which knows where the pages are (MAN_DIR). */
#include <stdio.h>
#include <stdlib.h>

#include "base/test.h"
#include "cli/cli.h"
#include "options/options.h"

#define PAGE_BYTES_MAX (1024 * 1024)

static char *read_page(const char *name)
{
    char path[4096];
    (void)snprintf(path, sizeof(path), "%s/%s.scd", MAN_DIR, name);
    FILE *file = fopen(path, "r");
    if (file == NULL) {
        fail_msg("%s is missing", path);
    }
    char *text = calloc(1, PAGE_BYTES_MAX);
    size_t len = fread(text, 1, PAGE_BYTES_MAX - 1, file);
    assert_true(len > 0);
    assert_int_equal(fclose(file), 0);
    return text;
}

static void assert_says(const char *page, const char *text, const char *part)
{
    if (strstr(text, part) == NULL) {
        fail_msg("%s does not say: %s", page, part);
    }
}

/* What stands between the heading of a command and the next one. */
static char *section_of(const char *page, const char *command)
{
    char heading[64];
    (void)snprintf(heading, sizeof(heading), "\n## %s\n", command);
    assert_says("cairn.1", page, heading);
    const char *begin = strstr(page, heading) + strlen(heading);
    const char *end = strstr(begin, "\n#");
    assert_non_null(end);
    return strndup(begin, (size_t)(end - begin));
}

static void assert_options(const char *text, const struct cli_option *options, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char entry[128];
        bool is_flag = options[i].kind == CLI_FLAG;
        (void)snprintf(entry, sizeof(entry), is_flag ? "*--%s*\n\t" : "*--%s* _%s_\n\t",
                       options[i].name, options[i].placeholder);
        assert_says("cairn.1", text, entry);
    }
}

/* "show ID", "set ID NAME=VALUE.."; scdoc has two dots where the help has three. */
static void assert_verbs(const char *section, const struct cli_command *command)
{
    for (size_t i = 0; i < command->verb_count; i++) {
        const struct cli_verb *verb = &command->verbs[i];
        char entry[64];
        int len = snprintf(entry, sizeof(entry), "%s%s%s", verb->name,
                           verb->operands[0] != '\0' ? " " : "", verb->operands);
        bool has_dots = strstr(entry, "...") != NULL;
        entry[has_dots ? len - 1 : len] = '\0';
        assert_says("cairn.1", section, entry);
    }
}

static void test_commands(void **state)
{
    UNUSED(state);
    char *page = read_page("cairn.1");
    for (size_t i = 0; i < cli_command_count; i++) {
        const struct cli_command *command = cli_commands[i];
        if (command->run == NULL) {
            assert_says("cairn.1", page, "*cairn serve*");
            continue;
        }
        char *section = section_of(page, command->name);
        assert_options(section, command->options, command->option_count);
        assert_verbs(section, command);
        free(section);
    }
    assert_options(page, cli_server_options, cli_server_option_count);
    assert_options(page, cli_common_options, cli_common_option_count);
    free(page);
}

static void test_options(void **state)
{
    UNUSED(state);
    static const struct {
        const char *page;
        void (*write)(struct buf *out);
    } pages[] = {{"cairn.conf.5", options_write_conf_page},
                 {"cairn-serve.8", options_write_serve_page}};
    for (size_t i = 0; i < COUNT_OF(pages); i++) {
        char *page = read_page(pages[i].page);
        struct buf text CLEANUP(buf_release) = BUF_INIT(PAGE_BYTES_MAX);
        pages[i].write(&text);
        assert_says(pages[i].page, page, buf_cstr(&text));
        free(page);
    }
}

static void test_every_page_is_there(void **state)
{
    UNUSED(state);
    static const char *const pages[] = {"cairn-ledger.5", "cairn-api.7", "libcairn.3"};
    for (size_t i = 0; i < COUNT_OF(pages); i++) {
        char *page = read_page(pages[i]);
        assert_says(pages[i], page, "# NAME\n");
        free(page);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_commands),
        cmocka_unit_test(test_options),
        cmocka_unit_test(test_every_page_is_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
