/* SPDX-License-Identifier: Apache-2.0 */
#include "os/terminal.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "base/macros.h"

enum { COLUMNS_MIN = 20, COLUMNS_MAX = 1000 };

bool terminal_is(int fd)
{
    return isatty(fd) == 1;
}

/* ---- Echo ---- */

/* For a signal that ends the process in the middle: a handler has no other way to know. */
static struct termios shown;

static const int endings[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};

struct dispositions {
    struct sigaction before[COUNT_OF(endings)];
};

/* Shows again what is typed, and lets the signal do what it does without us: its disposition is the
 * default once more, and it comes when this returns. It calls only what POSIX allows here. */
static void show_and_end(int signal)
{
    int error = errno;
    (void)tcsetattr(STDIN_FILENO, TCSANOW, &shown);
    (void)raise(signal);
    errno = error;
}

/* Those that are ignored, as under nohup, stay so. */
static void catch_endings(struct dispositions *out)
{
    struct sigaction action = {.sa_handler = show_and_end, .sa_flags = (int)SA_RESETHAND};
    (void)sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < COUNT_OF(endings); i++) {
        (void)sigaction(endings[i], NULL, &out->before[i]);
        if (out->before[i].sa_handler == SIG_DFL) {
            (void)sigaction(endings[i], &action, NULL);
        }
    }
}

static void leave_endings(const struct dispositions *dispositions)
{
    for (size_t i = 0; i < COUNT_OF(endings); i++) {
        (void)sigaction(endings[i], &dispositions->before[i], NULL);
    }
}

static bool read_line(char *out, size_t out_bytes)
{
    bool is_read = fgets(out, (int)out_bytes, stdin) != NULL;
    size_t len = is_read ? strcspn(out, "\n") : 0;
    bool is_whole = is_read && (out[len] == '\n' || len + 1 < out_bytes);
    if (is_read) {
        out[len] = '\0';
    }
    return is_whole;
}

bool terminal_read_secret(const char *prompt, char *out, size_t out_bytes)
{
    struct dispositions dispositions;
    if (tcgetattr(STDIN_FILENO, &shown) != 0) {
        return read_line(out, out_bytes);
    }
    struct termios hidden = shown;
    hidden.c_lflag &= ~(tcflag_t)ECHO;
    catch_endings(&dispositions);
    (void)fputs(prompt, stderr);
    (void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden);
    bool is_whole = read_line(out, out_bytes);
    (void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &shown);
    (void)fputc('\n', stderr);
    leave_endings(&dispositions);
    return is_whole;
}

/* ---- What it is like ---- */

/* 0 unless the text is a sensible number. */
static size_t parse_columns(const char *text)
{
    char *end = NULL;
    unsigned long columns = strtoul(text, &end, 10);
    bool is_number = text[0] >= '0' && text[0] <= '9' && *end == '\0';
    return is_number && columns >= COLUMNS_MIN && columns <= COLUMNS_MAX ? columns : 0;
}

size_t terminal_columns(int fd)
{
    struct winsize size = {0};
    if (ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) {
        return size.ws_col;
    }
    const char *text = getenv("COLUMNS");
    size_t columns = text != NULL ? parse_columns(text) : 0;
    return columns > 0 ? columns : TERMINAL_COLUMNS_DEFAULT;
}

bool terminal_has_colour(int fd)
{
    const char *no_color = getenv("NO_COLOR");
    const char *term = getenv("TERM");
    bool is_refused = no_color != NULL && no_color[0] != '\0';
    bool is_dumb = term == NULL || term[0] == '\0' || strcmp(term, "dumb") == 0;
    return !is_refused && !is_dumb && terminal_is(fd);
}
