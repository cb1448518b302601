/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * frames - memory in which WAL frames are built, and in which rows of unsealed segments stay as
 * long as the budget allows: what was written need not be read back.
 *
 * Threads: the sequencer; memory is let go of by whoever frees the last segment that uses it.
 */

#include "ledger/active.h"

struct frames;
struct frames *frames_new(uint64_t bytes_max);
void frames_free(struct frames *frames); /* chunks still kept by segments live on */

/* Aligned memory for a frame of up to `bytes`. *stable: it stays while a segment keeps it; else it
 * may be overwritten by the next frame. One frame at a time. */
uint8_t *frames_take(struct frames *frames, size_t bytes, bool *stable);
/* The frame taken last became this long; what is behind it serves the next one. */
void frames_give_back(struct frames *frames, size_t bytes_used);
/* `active` has rows in the frame taken last. */
void frames_keep_for(struct frames *frames, struct active *active);
