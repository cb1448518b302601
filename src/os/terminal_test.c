/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
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

/* ---- Secrets ---- */

/* The exit status of who watched; of a reader that a signal ended ENDED + signal. */
enum { READ = 0, READ_WRONG = 2, WRONG = 3, HIDDEN = 4, ENDED = 64 };

static bool shows_what_is_typed(int fd)
{
    struct termios mode;
    return tcgetattr(fd, &mode) == 0 && (mode.c_lflag & ECHO) != 0;
}

static void ignore_politely(int signal)
{
    UNUSED(signal); /* SIG_IGN would be the reader's too */
}

static void read_secret(int fd)
{
    static const int endings[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
    char secret[32];
    for (size_t i = 0; i < COUNT_OF(endings); i++) { /* the tests may run under nohup */
        (void)signal(endings[i], SIG_DFL);
    }
    if (dup2(fd, STDIN_FILENO) < 0 || dup2(fd, STDERR_FILENO) < 0) {
        _exit(WRONG);
    }
    bool is_read = terminal_read_secret("secret: ", secret, sizeof(secret));
    _exit(is_read && strcmp(secret, "hush") == 0 ? READ : READ_WRONG);
}

/* The session whose terminal it is, as a shell is one: it outlives the reader, because the kernel
 * sets the terminal of a session that has ended back by itself. Never returns. */
static void watch_a_reader(int master, const char *typed, int sent)
{
    int status = 0;
    int fd = setsid() < 0 ? -1 : open(ptsname(master), O_RDWR); /* the first becomes its own */
    (void)signal(SIGINT, ignore_politely);
    pid_t reader = fd < 0 ? -1 : fork();
    if (reader == 0) {
        read_secret(fd);
    }
    while (reader > 0 && shows_what_is_typed(fd)) {
        reader = waitpid(reader, &status, WNOHANG) == 0 ? reader : -1;
    }
    if (reader < 0) {
        _exit(WRONG);
    }
    ssize_t done = typed != NULL ? write(master, typed, strlen(typed)) : kill(reader, sent);
    while (done >= 0 && waitpid(reader, &status, 0) < 0 && errno == EINTR) {
    }
    int end = WIFSIGNALED(status) ? ENDED + WTERMSIG(status) : WEXITSTATUS(status);
    _exit(done < 0 ? WRONG : shows_what_is_typed(fd) ? end : HIDDEN);
}

/* `typed` by a person, or `sent` by another process while the secret is read. */
static int end_of_reading(const char *typed, int sent)
{
    int status = 0;
    int master = posix_openpt(O_RDWR | O_NOCTTY);
    if (master < 0 || grantpt(master) != 0 || unlockpt(master) != 0) {
        skip(); /* no pseudo-terminals here */
    }
    pid_t watcher = fork();
    assert_true(watcher >= 0);
    if (watcher == 0) {
        watch_a_reader(master, typed, sent);
    }
    assert_int_equal(waitpid(watcher, &status, 0), watcher);
    (void)close(master);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void test_a_terminal_shows_again_what_is_typed(void **state)
{
    UNUSED(state);
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP};
    assert_int_equal(end_of_reading("hush\n", 0), READ);
    assert_int_equal(end_of_reading("hu\x03", 0), ENDED + SIGINT); /* Ctrl-C */
    for (size_t i = 0; i < COUNT_OF(signals); i++) {
        assert_int_equal(end_of_reading(NULL, signals[i]), ENDED + signals[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_pipe_is_no_terminal),
        cmocka_unit_test(test_columns_without_a_terminal),
        cmocka_unit_test(test_a_terminal),
        cmocka_unit_test(test_a_terminal_shows_again_what_is_typed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
