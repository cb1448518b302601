/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* fresh_id - event ids for events that come without. Threads: any. */

#include "base/err.h"
#include "codec/uuid.h"

/* A UUIDv7 of `now_us` whose random bits nobody can guess: they blind the event's leaf hash. IO
 * when the system gives no randomness. */
enum err fresh_id(int64_t now_us, struct uuid *out, struct diag *diag);
