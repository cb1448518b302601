/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * group_file - the bytes of a group's index (docs/format/segment.md, "Group file"): two kinds of
 * table in one shape. A table is cut into buckets by the highest bits of a 64-bit hash; an entry
 * has the next 18 bits, its tag, and a place: a row of the group (22 bits) or a segment of it (6
 * bits).
 *
 * Threads: reading: any.
 */

#include "segment/group.h"
#include "segment/sections.h"

extern const struct sections_format group_format;

enum group_section {
    GROUP_IDS = 1,
    GROUP_LOOKUP = 2, /* of a field */
};

enum {
    GROUP_HEAD_FIRST_SEQ = 0,
    GROUP_HEAD_V7_MIN = 8,
    GROUP_HEAD_V7_MAX = 16,
    GROUP_HEAD_BYTES = 24,
};

enum {
    GROUP_TAG_BITS = 18,
    GROUP_ROW_BITS = 22,
    GROUP_SEGMENT_BITS = 6,
    GROUP_BUCKET_BITS_MAX = 16,
    GROUP_ID_BUCKET_BITS = 16,
    GROUP_LOOKUP_PER_BUCKET = 64,
};
#define GROUP_ID_ENTRY_BYTES     5u
#define GROUP_LOOKUP_ENTRY_BYTES 3u

/* A table as stored: u32 first entry of each bucket and of the end, then the entries, ascending. */
struct group_table {
    const uint8_t *starts;
    const uint8_t *entries;
    uint32_t entry_count;
    uint32_t bucket_bits;
    uint32_t entry_bytes;
    uint32_t place_bits;
};

/* False when `bytes` cannot be such a table. */
bool group_table_init(struct group_table *table, slice bytes, uint32_t bucket_bits,
                      uint32_t entry_bytes, uint32_t place_bits);

static inline uint32_t group_bucket(uint64_t hash, uint32_t bucket_bits)
{
    return bucket_bits == 0 ? 0 : (uint32_t)(hash >> (64 - bucket_bits));
}

static inline uint32_t group_tag(uint64_t hash, uint32_t bucket_bits)
{
    return (uint32_t)(hash << bucket_bits >> (64 - GROUP_TAG_BITS));
}

/* The places of entries with this hash's tag, ascending; at most `max`. Returns how many. */
size_t group_table_find(const struct group_table *table, uint64_t hash, uint32_t *places,
                        size_t max);
void group_table_prefetch(const struct group_table *table, uint64_t hash);

/* The hash of a value of a LOOKUP field; it does not depend on how fields are numbered. */
uint64_t group_value_hash(enum field field, slice value);

struct group {
    struct sections sections;
    char name[SECTIONS_NAME_BYTES];
    uint64_t first_seq, v7_min_ms, v7_max_ms;
    struct group_table ids;
    struct group_table lookups[FIELD_COUNT]; /* starts NULL: not indexed in this file */
};
