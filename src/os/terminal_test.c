/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/test.h"
#include "os/terminal.h"

static void test_a_pipe_is_no_terminal(void **state)
{
    UNUSED(state);
    int fds[2];
    assert_int_equal(pipe(fds), 0);
    assert_int_equal(setenv("TERM", "xterm", 1), 0);
    assert_int_equal(unsetenv("NO_COLOR"), 0);
    assert_false(terminal_is(fds[1]));
    assert_false(terminal_has_colour(fds[1]));
    assert_false(terminal_is(-1));
    (void)close(fds[0]);
    (void)close(fds[1]);
}

struct columns_row {
    const char *text; /* of COLUMNS; NULL: unset */
    size_t columns;
};

static void test_columns_without_a_terminal(void **state)
{
    UNUSED(state);
    static const struct columns_row rows[] = {
        {NULL, 80},     {"120", 120}, {"20", 20},   {"19", 80},
        {"1000", 1000}, {"1001", 80}, {"0", 80},    {"-40", 80},
        {" 100", 80},   {"", 80},     {"100x", 80}, {"99999999999999999999999", 80},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        int done = rows[i].text != NULL ? setenv("COLUMNS", rows[i].text, 1) : unsetenv("COLUMNS");
        assert_int_equal(done, 0);
        assert_int_equal(terminal_columns(-1), rows[i].columns);
    }
}

struct colour_row {
    const char *no_color, *term; /* NULL: unset */
    bool expect;
};

static void set_or_unset(const char *name, const char *text)
{
    assert_int_equal(text != NULL ? setenv(name, text, 1) : unsetenv(name), 0);
}

static void test_a_terminal(void **state)
{
    UNUSED(state);
    int master = posix_openpt(O_RDWR | O_NOCTTY);
    if (master < 0 || grantpt(master) != 0 || unlockpt(master) != 0) {
        skip(); /* no pseudo-terminals here */
    }
    int fd = open(ptsname(master), O_RDWR | O_NOCTTY);
    assert_true(fd >= 0);
    assert_true(terminal_is(fd));
    struct winsize size = {.ws_col = 133};
    assert_int_equal(ioctl(fd, TIOCSWINSZ, &size), 0);
    set_or_unset("COLUMNS", "99");
    assert_int_equal(terminal_columns(fd), 133);
    size.ws_col = 0; /* a terminal that does not know */
    assert_int_equal(ioctl(fd, TIOCSWINSZ, &size), 0);
    assert_int_equal(terminal_columns(fd), 99);

    static const struct colour_row rows[] = {
        {NULL, "xterm", true}, {"", "xterm", true}, {"1", "xterm", false},
        {NULL, "dumb", false}, {NULL, NULL, false}, {NULL, "", false},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        set_or_unset("NO_COLOR", rows[i].no_color);
        set_or_unset("TERM", rows[i].term);
        assert_int_equal(terminal_has_colour(fd), rows[i].expect);
    }
    (void)close(fd);
    (void)close(master);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_pipe_is_no_terminal),
        cmocka_unit_test(test_columns_without_a_terminal),
        cmocka_unit_test(test_a_terminal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
