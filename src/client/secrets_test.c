/* SPDX-License-Identifier: Apache-2.0 */
/* What the library hands back to curl's memory is looked at, before it is freed. */
#include <malloc.h>

#include "client/request.h"
#include "client/test_server.h"

static const char key_line[] = "Authorization: Bearer k-secret";
static unsigned lines_made, lines_left;

static bool holds_key(const void *memory)
{
    return memory != NULL && malloc_usable_size((void *)(uintptr_t)memory) >= sizeof(key_line) &&
           memcmp(memory, key_line, sizeof(key_line)) == 0;
}

static char *copy_text(const char *text)
{
    char *copy = strdup(text);
    lines_made += holds_key(copy) ? 1 : 0;
    return copy;
}

static void free_looked_at(void *memory)
{
    lines_left += holds_key(memory) ? 1 : 0;
    free(memory);
}

static void test_the_header_with_the_key_is_wiped(void **state)
{
    UNUSED(state);
    const char *answers[] = {ANSWER("200 OK", "application/json", "{}")};
    struct test_server server;
    struct cairn_client *client = NULL;
    char *text = NULL;
    assert_int_equal(curl_global_init_mem(CURL_GLOBAL_DEFAULT, malloc, free_looked_at, realloc,
                                          copy_text, calloc),
                     CURLE_OK);
    test_server_start(&server, answers, COUNT_OF(answers));
    struct cairn_options options = {.server = server.address, .key = "k-secret"};
    assert_int_equal(cairn_client_new(&options, &client), CAIRN_OK);
    assert_int_equal(cairn_log(client, &text, NULL), CAIRN_OK);
    assert_true(lines_made > 0); /* or this looks at nothing */
    assert_int_equal(lines_left, 0);
    cairn_free(text);
    cairn_client_free(client);
    test_server_stop(&server);
    curl_global_cleanup();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_header_with_the_key_is_wiped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
