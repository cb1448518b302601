/* SPDX-License-Identifier: Apache-2.0 */
/* Which server, which key: every way to name one, and every reason to send none. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/test.h"
#include "cli/connect.h"
#include "cli/place.h"
#include "os/file.h"
#include "os/tempdir.h"

struct lock_case {
    const char *text, *expect;
};

static void test_the_lock_file_names_the_address(void **state)
{
    UNUSED(state);
    static const struct lock_case cases[] = {
        {"pid 7 listen 127.0.0.1:8090\n", "127.0.0.1:8090"},
        {"pid 7 listen 0.0.0.0:80", "127.0.0.1:80"},
        {"pid 7 listen :80", "127.0.0.1:80"},
        {"pid 7 listen [::]:80\n", "[::1]:80"},
        {"pid 7 listen host:80 more", "host:80"},
        {"pid 7 listen https://127.0.0.1:8443\n", "https://127.0.0.1:8443"},
        {"pid 7 listen https://0.0.0.0:8443\n", "https://127.0.0.1:8443"},
        {"pid 7 listen https://[::]:8443\n", "https://[::1]:8443"},
        {"pid 7 stopping\nlisten 127.0.0.1:8090\n", NULL}, /* half of it is older */
        {"pid 7", NULL},
        {"", NULL},
        {"listen ", NULL},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char *address = place_address(slice_from_cstr(cases[i].text));
        if (cases[i].expect == NULL) {
            assert_null(address);
        } else {
            assert_non_null(address);
            assert_string_equal(address, cases[i].expect);
        }
        free(address);
    }
}

/* ---- A directory, and what runs on it ---- */

struct fixture {
    struct tempdir temp;
    struct dir *dir; /* DATA, which is ./cairn-data too */
    char data[TEMPDIR_PATH_BYTES + 32];
    char *before; /* the working directory */
    struct file *lock;
};

static int set_up(void **state)
{
    struct fixture *f = mem_zeroed(sizeof(*f));
    tempdir_init(&f->temp);
    (void)snprintf(f->data, sizeof(f->data), "%s/cairn-data", f->temp.path);
    f->before = getcwd(NULL, 0);
    *state = f;
    return chdir(f->temp.path) == 0 && dir_open(f->data, true, &f->dir, NULL) == OK &&
                   file_replace(f->dir, "admin.key", SLICE("found\n"), NULL) == OK
               ? 0
               : -1;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    int done = chdir(f->before);
    file_free(f->lock);
    dir_free(f->dir);
    tempdir_release(&f->temp);
    free(f->before);
    free(f);
    return done;
}

/* As a server that listens there, or as one that has ended, whose words are still there. */
static void run_server(struct fixture *f, const char *address, bool is_alive)
{
    char text[128];
    (void)snprintf(text, sizeof(text), "pid 7 listen %s\n", address);
    file_freep(&f->lock);
    assert_int_equal(dir_lock(f->dir, "LOCK", slice_from_cstr(text), &f->lock, NULL), OK);
    if (!is_alive) {
        file_freep(&f->lock);
    }
}

static const char *server_variable, *key_variable, *data_variable;

static char *fake_environment(const char *name)
{
    static char value[256];
    const char *text = strcmp(name, "CAIRN_SERVER") == 0    ? server_variable
                       : strcmp(name, "CAIRN_API_KEY") == 0 ? key_variable
                       : strcmp(name, "CAIRN_DATA") == 0    ? data_variable
                                                            : NULL;
    (void)snprintf(value, sizeof(value), "%s", text == NULL ? "" : text);
    return text == NULL ? NULL : value;
}

/* What is said; DATA stands for the directory. */
struct said_case {
    const char *server_flag, *key_flag, *data_flag;
    const char *server_variable, *key_variable, *data_variable;
    enum err result;
    const char *server, *key; /* expected; NULL: none */
};

static const char *place_of(const struct fixture *f, const char *text)
{
    return text != NULL && strcmp(text, "DATA") == 0 ? f->data : text;
}

static void check(const struct fixture *f, const struct said_case *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct said_case *c = &cases[i];
        struct cli_common common = {.server = c->server_flag,
                                    .key = c->key_flag,
                                    .data = place_of(f, c->data_flag)};
        struct connection CLEANUP(connection_release) found = {0};
        struct diag diag = {0};
        server_variable = c->server_variable;
        key_variable = c->key_variable;
        data_variable = place_of(f, c->data_variable);
        enum err e = connection_find(&common, fake_environment, &found, &diag);
        const char *server = found.server == NULL ? "-" : found.server;
        const char *key = found.key == NULL ? "-" : found.key;
        if (e != c->result || strcmp(server, c->server == NULL ? "-" : c->server) != 0 ||
            strcmp(key, c->key == NULL ? "-" : c->key) != 0) {
            fail_msg("row %zu: %s to %s, %s (%s: %s)", i, key, server, err_name(e), diag.where,
                     diag.text);
        }
    }
}

/* ---- The rule ---- */

static void test_with_a_server_on_the_directory(void **state)
{
    struct fixture *f = *state;
    static const struct said_case cases[] = {
        /* It lies there: what one types beside `cairn serve` */
        {.server = "127.0.0.1:77", .key = "found"},
        {.key_flag = "k", .server = "127.0.0.1:77", .key = "k"},
        {.key_variable = "vk", .server = "127.0.0.1:77", .key = "vk"},
        /* Named by its directory */
        {.data_flag = "DATA", .server = "127.0.0.1:77", .key = "found"},
        {.data_variable = "DATA", .server = "127.0.0.1:77", .key = "found"},
        {.key_flag = "k",
         .data_flag = "DATA",
         .key_variable = "vk",
         .server = "127.0.0.1:77",
         .key = "k"},
        {.data_flag = "DATA", .key_variable = "vk", .server = "127.0.0.1:77", .key = "vk"},
        /* Its key goes to no other server, and that one's key not to it */
        {.data_flag = "DATA", .server_variable = "v:1", .server = "127.0.0.1:77", .key = "found"},
        {.data_flag = "DATA",
         .server_variable = "v:1",
         .key_variable = "vk",
         .server = "127.0.0.1:77",
         .key = "found"},
        {.key_flag = "k",
         .data_flag = "DATA",
         .server_variable = "v:1",
         .key_variable = "vk",
         .server = "127.0.0.1:77",
         .key = "k"},
        {.server_flag = "h:1", .data_flag = "DATA", .result = ERR_DENIED},
        {.server_flag = "127.0.0.1:78", .data_flag = "DATA", .result = ERR_DENIED},
        {.server_flag = "https://127.0.0.1:77", .data_flag = "DATA", .result = ERR_DENIED},
        {.server_flag = "http://localhost:77/",
         .data_flag = "DATA",
         .server = "127.0.0.1:77",
         .key = "found"},
        {.server_flag = "http://",
         .data_flag = "DATA",
         .server = "http://"}, /* refused where it is used */
        {.server_flag = "h:1",
         .key_flag = "k",
         .data_flag = "DATA",
         .server_variable = "v:1",
         .key_variable = "vk",
         .server = "h:1",
         .key = "k"},
        {.server_flag = "h:1",
         .data_flag = "DATA",
         .key_variable = "vk",
         .server = "h:1",
         .key = "vk"},
        /* A server that is named itself */
        {.server_flag = "h:1", .server = "h:1"},
        {.server_flag = "h:1", .data_variable = "DATA", .server = "h:1"},
        {.server_variable = "v:1", .server = "v:1"},
        {.server_variable = "v:1", .data_variable = "DATA", .server = "v:1"},
        {.server_variable = "v:1", .key_variable = "vk", .server = "v:1", .key = "vk"},
        {.server_flag = "h:1",
         .server_variable = "v:1",
         .key_variable = "vk",
         .server = "h:1",
         .key = "vk"},
        {.server_flag = "", .server_variable = "v:1", .server = "127.0.0.1:77", .key = "found"},
        {.key_flag = "a b", .server_variable = "v:1", .result = ERR_INVALID},
    };
    run_server(f, "127.0.0.1:77", true);
    check(f, cases, COUNT_OF(cases));
}

/* Anybody may listen now where its LOCK says. */
static void test_when_the_server_has_ended(void **state)
{
    struct fixture *f = *state;
    static const struct said_case cases[] = {
        {0}, /* 127.0.0.1:8090, without a key */
        {.key_flag = "k", .result = ERR_BUSY},
        {.key_variable = "vk", .result = ERR_BUSY},
        {.data_flag = "DATA", .result = ERR_BUSY},
        {.key_flag = "k", .data_flag = "DATA", .result = ERR_BUSY},
        {.data_flag = "DATA", .server_variable = "v:1", .result = ERR_BUSY},
        {.key_variable = "vk", .data_variable = "DATA", .result = ERR_BUSY},
        {.server_flag = "127.0.0.1:77", .data_flag = "DATA", .result = ERR_BUSY},
        {.server_flag = "127.0.0.1:77",
         .key_flag = "k",
         .data_flag = "DATA",
         .server = "127.0.0.1:77",
         .key = "k"},
        {.server_variable = "v:1",
         .key_variable = "vk",
         .data_variable = "DATA",
         .server = "v:1",
         .key = "vk"},
    };
    check(f, cases, COUNT_OF(cases)); /* there is no LOCK yet */
    run_server(f, "127.0.0.1:77", false);
    check(f, cases, COUNT_OF(cases));
}

static void test_when_nothing_is_named_and_nothing_lies_there(void **state)
{
    struct fixture *f = *state;
    static const struct said_case cases[] = {
        {0},
        {.key_flag = "k", .result = ERR_INVALID},
        {.key_variable = "vk", .result = ERR_INVALID},
        {.server_variable = "v:1", .key_variable = "vk", .server = "v:1", .key = "vk"},
        {.data_flag = "/nowhere/at/all", .result = ERR_NOT_FOUND},
        {.data_variable = "/nowhere/at/all", .result = ERR_NOT_FOUND},
    };
    assert_int_equal(chdir("/"), 0);
    check(f, cases, COUNT_OF(cases));
}

static void test_when_the_server_is_not_only_on_this_machine(void **state)
{
    struct fixture *f = *state;
    static const char *const addresses[] = {"10.0.0.1:77", "localhost.example.com:77", "h:77",
                                            "127.example.com:77", "https://192.0.2.1:77"};
    static const struct said_case cases[] = {
        {.result = ERR_DENIED},
        {.key_flag = "k", .result = ERR_DENIED},
        {.data_flag = "DATA", .result = ERR_DENIED},
        {.key_flag = "k", .data_flag = "DATA", .result = ERR_DENIED},
        {.server_flag = "10.0.0.1:77", .data_flag = "DATA", .result = ERR_DENIED},
        {.server_flag = "10.0.0.1:77",
         .key_flag = "k",
         .data_flag = "DATA",
         .server = "10.0.0.1:77",
         .key = "k"},
    };
    for (size_t i = 0; i < COUNT_OF(addresses); i++) {
        run_server(f, addresses[i], true);
        check(f, cases, COUNT_OF(cases));
    }
}

/* Who may open LOCK can hold it, and so look like the server whose address it still tells. */
static void test_when_others_may_open_the_lock(void **state)
{
    struct fixture *f = *state;
    static const struct said_case cases[] = {
        {.result = ERR_DENIED},
        {.key_flag = "k", .result = ERR_DENIED},
        {.data_flag = "DATA", .server = "127.0.0.1:77", .key = "found"}, /* it was named */
    };
    run_server(f, "127.0.0.1:77", true);
    assert_int_equal(chmod("cairn-data/LOCK", 0644), 0);
    check(f, cases, COUNT_OF(cases));
}

static void test_when_the_directory_is_another_users(void **state)
{
    struct fixture *f = *state;
    static const struct said_case cases[] = {
        {.result = ERR_DENIED},
        {.key_flag = "k", .result = ERR_DENIED},
        /* It was named; but the key is not theirs, so it may be a link to anything. */
        {.data_flag = "DATA", .server = "127.0.0.1:77"},
        {.key_flag = "k", .data_flag = "DATA", .server = "127.0.0.1:77", .key = "k"},
    };
    run_server(f, "127.0.0.1:77", true);
    if (chown("cairn-data/LOCK", 12345, (gid_t)-1) != 0) {
        skip(); /* only root gives files away */
    }
    check(f, cases, COUNT_OF(cases));
}

static void test_a_server_that_starts_or_stops_tells_no_address(void **state)
{
    struct fixture *f = *state;
    static const struct said_case cases[] = {
        {0},
        {.key_variable = "vk", .result = ERR_BUSY},
        {.data_flag = "DATA", .result = ERR_BUSY},
    };
    assert_int_equal(dir_lock(f->dir, "LOCK", SLICE("starting\n"), &f->lock, NULL), OK);
    check(f, cases, COUNT_OF(cases));
}

#define WITH_FIXTURE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_lock_file_names_the_address),
        WITH_FIXTURE(test_with_a_server_on_the_directory),
        WITH_FIXTURE(test_when_the_server_has_ended),
        WITH_FIXTURE(test_when_nothing_is_named_and_nothing_lies_there),
        WITH_FIXTURE(test_when_the_server_is_not_only_on_this_machine),
        WITH_FIXTURE(test_when_others_may_open_the_lock),
        WITH_FIXTURE(test_when_the_directory_is_another_users),
        WITH_FIXTURE(test_a_server_that_starts_or_stops_tells_no_address),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
