/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * version_usage - how often each key asked for each version since the process began: the counters
 * of a metric, which only grow. What is kept is in api/version_report.h.
 *
 * Memory is bounded: keys beyond VERSION_USAGE_KEYS_MAX are counted together, as those without a
 * key are.
 *
 * Threads: any.
 */

#include "gate/versions.h"

#define VERSION_USAGE_KEYS_MAX   500
#define VERSION_USAGE_ROWS_MAX   (VERSION_USAGE_KEYS_MAX + 2)
#define VERSION_USAGE_NAME_BYTES 64

struct version_usage;
struct version_usage *version_usage_new(void); /* never NULL */
void version_usage_free(struct version_usage *usage);
DEFINE_OWNED(version_usage);

/* One more request of that key (empty: none was shown) for the version at `index` of the table. */
void version_usage_count(struct version_usage *usage, slice key_id, size_t index);

struct version_usage_row {
    char key_id[VERSION_USAGE_NAME_BYTES + 1]; /* "none" without a key, "other" beyond the most */
    uint64_t requests[VERSIONS_MAX];
};
/* Copies what was counted; `rows` has room for VERSION_USAGE_ROWS_MAX. Returns how many. */
size_t version_usage_read(struct version_usage *usage, struct version_usage_row *rows);
