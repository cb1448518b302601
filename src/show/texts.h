/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * texts - the members of a JSON object that are texts, whatever else is in it.
 *
 * Jansson reads no number beyond 64 bits, and nothing of an object that has one; json/json.h reads
 * all, and cannot be named where jansson.h is. Threads: any.
 */

#include "base/err.h"
#include "base/slice.h"

/* `name` and `text`, unescaped, live until the function returns. */
typedef void (*texts_fn)(void *context, slice name, slice text);

/* INVALID: it is no JSON object; what came before the mistake was visited. LIMIT. */
enum err texts_visit(slice json, texts_fn fn, void *context);
