/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* fresh_id - event ids for events that come without. Threads: any. */

#include "codec/uuid.h"

/* A UUIDv7 of `now_us` whose random bits nobody can guess: they blind the event's leaf hash. */
struct uuid fresh_id(int64_t now_us);
