/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * screen - what is known about the terminal, and text made safe for it.
 *
 * What was recorded may hold anything, also bytes that move a cursor, rename a window or reverse
 * the reading direction. There are three ways for such text to a terminal: screen_text(); for text
 * that is handed on, screen_lines(); for JSON, screen_json_line(). Controls, invalid UTF-8 and
 * direction marks come out as \xNN, \u{NNNN} or, in JSON, \uNNNN.
 *
 * Threads: any for the text functions.
 */

#include <stdbool.h>

#include "base/buf.h"

enum colour {
    COLOUR_PLAIN,
    COLOUR_BOLD,
    COLOUR_DIM,
    COLOUR_RED,
    COLOUR_GREEN,
    COLOUR_YELLOW,
    COLOUR_BLUE,
    COLOUR_MAGENTA,
    COLOUR_CYAN,
};

struct screen {
    bool is_terminal;     /* stdout */
    bool err_is_terminal; /* stderr: progress bars */
    bool has_colours;     /* NO_COLOR and TERM=dumb switch them off */
    size_t width;         /* of stdout; 80 when nobody knows */
};

void screen_init(struct screen *screen);

/* Appends `text`, made safe, in at most `columns` columns (SIZE_MAX: all of it); what does not fit
 * is cut at a character and ends with an ellipsis. Returns the columns taken. */
size_t screen_text(struct buf *out, slice text, size_t columns);
/* The columns that screen_text() would take of all of it. */
size_t screen_columns(slice text);
/* Appends text of others that is handed on: in as many lines as it has and made safe where a
 * terminal reads stdout, byte for byte where a program does. */
void screen_lines(const struct screen *screen, struct buf *out, slice text);
/* The same of JSON, on one line with a line feed: what a terminal must not get is escaped as JSON
 * does it, so that the value stays what it was. */
void screen_json_line(const struct screen *screen, struct buf *out, slice json);
void screen_spaces(struct buf *out, size_t count);

/* Switches a colour on or off (COLOUR_PLAIN); appends nothing without colours. */
void screen_colour(const struct screen *screen, struct buf *out, enum colour colour);

/* Writes to stdout at once. False when it cannot, or nobody reads any more. */
bool screen_write(slice bytes);
/* Brings out what is left in stdout. 0, or why the first write that failed did (an errno; EPIPE:
 * nobody reads any more). */
int screen_end(void);

/* "1,234,567". */
void screen_count(struct buf *out, uint64_t number);
/* "1:02:03", "2:03". */
void screen_duration(struct buf *out, uint64_t seconds);
