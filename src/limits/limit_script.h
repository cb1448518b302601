/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * limit_script - what Redis runs, in Lua: it judges and counts in one round trip, by its clock.
 *
 * Keys, where <id> is last since it may hold colons:
 *     cairn:limit:log:<kind>:<seconds>:<id>    sorted set: a request, at its microsecond
 *     cairn:limit:sums:<kind>:<seconds>:<id>   sorted set: the number of a bucket, with its count
 *     cairn:limit:stats:<kind>:<id>            hash: allowed, r0..r3 (refused), windows, last (its
 *                                              latest moment), k0..k3 (when its keys were kept)
 *     cairn:quota:<organisation>               hash: month (12 * year + month - 1), used
 * Each expires by itself. Redis 5 or later; not for Redis Cluster, as the keys of a request would
 * lie in different slots.
 *
 * Threads: any.
 */

#include "limits/limit_link.h"

/* Buckets in the length of a window; a bucket may leave that much late. */
#define LIMIT_SCRIPT_BUCKETS 60

slice limit_script_text(enum limit_script script);
