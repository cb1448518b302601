/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * walk - the bytes of a member or an element inside a JSON text, without reading the rest of it.
 *
 * Events pass through the library as the bytes the server sent: a number of thirty digits stays
 * what it is, which a tree of doubles cannot promise. The text is what a server answered and may be
 * anything; nothing here trusts it.
 *
 * Threads: any. Allocates nothing.
 */

#include "base/slice.h"

/* The value of the first member `name` of the object that `text` is. False if there is none. */
bool walk_member(slice text, slice name, slice *value_out);

/* Takes the next element of an array. `*rest` starts as the array's text. False at the end, or
 * where it is not JSON. */
bool walk_element(slice *rest, slice *value_out);
