/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* completions - scripts for bash, zsh and fish, made from the tables of commands and options.
 * Threads: any. */

#include "cli/cli.h"

/* Appends the script. False when there is none for this shell. */
bool completions_write(const char *shell, struct buf *out);
