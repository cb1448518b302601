/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * terminal - whether a person reads what we write, how wide it is, and if it may have colours.
 *
 * Threads: any; the environment must not change meanwhile. A secret is read by one at a time.
 */

#include <stdbool.h>
#include <stddef.h>

#define TERMINAL_COLUMNS_DEFAULT 80

bool terminal_is(int fd);

/* Reads a line of standard input, without its end; from a terminal, after `prompt` and without
 * showing it. SIGINT, SIGTERM, SIGHUP and SIGQUIT end the process as they would, and the terminal
 * shows again what is typed. False: there is no line, or it is longer than out_bytes - 1. */
bool terminal_read_secret(const char *prompt, char *out, size_t out_bytes);

/* Columns: of the terminal; else what COLUMNS in the environment says (20..1000); else the
 * default. */
size_t terminal_columns(int fd);

/* Colours: only on a terminal, unless NO_COLOR is set and not empty, or TERM is "dumb" or unset. */
bool terminal_has_colour(int fd);
