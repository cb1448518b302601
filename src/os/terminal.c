/* SPDX-License-Identifier: Apache-2.0 */
#include "os/terminal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

enum { COLUMNS_MIN = 20, COLUMNS_MAX = 1000 };

bool terminal_is(int fd)
{
    return isatty(fd) == 1;
}

bool terminal_read_secret(const char *prompt, char *out, size_t out_bytes)
{
    struct termios shown;
    bool is_terminal = tcgetattr(STDIN_FILENO, &shown) == 0;
    if (is_terminal) {
        struct termios hidden = shown;
        hidden.c_lflag &= ~(tcflag_t)ECHO;
        (void)fputs(prompt, stderr);
        (void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden);
    }
    bool is_read = fgets(out, (int)out_bytes, stdin) != NULL;
    if (is_terminal) {
        (void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &shown);
        (void)fputc('\n', stderr);
    }
    size_t len = is_read ? strcspn(out, "\n") : 0;
    bool is_whole = is_read && (out[len] == '\n' || len + 1 < out_bytes);
    if (is_read) {
        out[len] = '\0';
    }
    return is_whole;
}

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
