/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * limits_local - the limiter of one process, in its memory.
 *
 * Memory is bounded: at most subjects_max subjects of each kind, about 450 bytes each and up to
 * 1 KB for each window that is full of requests. A kind never pushes out another, so that
 * strangers' addresses cost no organisation its place. When a new subject needs room, the one that
 * goes is, of the eight that were quiet longest, one whose windows are empty, else the one furthest
 * from its limit. What that one had stays as a trace, of which there are as many as subjects, and
 * if it comes back it starts with all of it, as of its latest request: never with less. Traces go
 * by the same rule, in sets of eight. So a subject is let off only if, in one window, as many
 * others came as there are places twice over, and fifteen of those beside it were no further from
 * their limits.
 *
 * Threads: any. A request locks the shards of its subjects, always in the same order.
 */

#include "limits/limits.h"

#define LIMITS_LOCAL_SUBJECTS_LEAST   1024
#define LIMITS_LOCAL_SUBJECTS_DEFAULT 65536

/* `subjects_max` of each kind; 0 is the default, less than the least is the least. Never NULL. */
struct limits *limits_local_new(size_t subjects_max);
