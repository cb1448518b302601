/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * version_usage - how often each key asked for each version, and when last.
 *
 * It tells whom to write to before a version goes, and that nobody uses one any more. Memory is
 * bounded: keys beyond VERSION_USAGE_KEYS_MAX are counted together, as those without a key are.
 * Counting begins with the process; what is told says since when.
 *
 * Threads: any.
 */

#include "api/versions.h"

#define VERSION_USAGE_KEYS_MAX   500
#define VERSION_USAGE_ROWS_MAX   (VERSION_USAGE_KEYS_MAX + 2)
#define VERSION_USAGE_NAME_BYTES 64

struct version_usage;
struct version_usage *version_usage_new(int64_t now_us); /* never NULL */
void version_usage_free(struct version_usage *usage);
DEFINE_OWNED(version_usage);

/* One more request of that key (empty: none was shown) for the version at `index` of the table. */
void version_usage_count(struct version_usage *usage, slice key_id, size_t index, int64_t now_us);

struct version_usage_row {
    char key_id[VERSION_USAGE_NAME_BYTES + 1]; /* "none" without a key, "other" beyond the most */
    uint64_t requests[VERSIONS_MAX];
    int64_t last_us[VERSIONS_MAX]; /* 0: never */
};
/* Copies what was counted; `rows` has room for VERSION_USAGE_ROWS_MAX. Returns how many. */
size_t version_usage_read(struct version_usage *usage, struct version_usage_row *rows);
int64_t version_usage_since(const struct version_usage *usage);

/* For how many whole days until `now_us` nobody has asked for the version at `index`; it counts
 * from the beginning of counting. */
uint64_t version_usage_idle_days(struct version_usage *usage, size_t index, int64_t now_us);
