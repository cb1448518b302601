/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * pointer - RFC 6901 pointers that are built in a place of fixed size, as in a struct diag.
 *
 * `where` has `size` bytes and is NUL-terminated.  Threads: any.
 */

#include "base/slice.h"

/* Appends one reference token: "/" and the name, with ~ and / escaped, as much as there is room
 * for. */
void json_pointer_append(char *where, size_t size, slice name);

/* Appends `tail`, a pointer itself, cut between two names where there is no room for all of it. */
void json_pointer_join(char *where, size_t size, slice tail);
