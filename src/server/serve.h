/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * serve - the server: opens its parts in one order, closes them in the other.
 *
 * Threads: main; it waits for signals while the others work.
 */

/* `argv` is what follows the word serve. Returns the exit status of the process. */
int serve(int argc, char **argv, char **environment);
