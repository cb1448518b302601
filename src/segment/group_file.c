/* SPDX-License-Identifier: Apache-2.0 */
#include "segment/group_file.h"

#include "base/hash.h"
#include "codec/wire.h"

enum { START_BYTES = 4, NEAR = 8 };

const struct sections_format group_format = {
    .magic = {'C', 'A', 'I', 'R', 'N', 'G', 'R', 'P'},
    .version = 1,
    .head_bytes = GROUP_HEAD_BYTES,
};

static_assert(GROUP_TAG_BITS + GROUP_ROW_BITS == 8 * GROUP_ID_ENTRY_BYTES, "an id is 40 bits");
static_assert(GROUP_TAG_BITS + GROUP_SEGMENT_BITS == 8 * GROUP_LOOKUP_ENTRY_BYTES,
              "a lookup is 24 bits");
static_assert(GROUP_ROWS == UINT64_C(1) << GROUP_ROW_BITS, "a row of a group has 22 bits");
static_assert(GROUP_SEGMENTS == 1u << GROUP_SEGMENT_BITS, "a segment of a group has 6 bits");

uint64_t group_value_hash(enum field field, slice value)
{
    return hash_bytes(value, hash_bytes(fields[field].name, HASH_STORED));
}

bool group_table_init(struct group_table *table, slice bytes, uint32_t bucket_bits,
                      uint32_t entry_bytes, uint32_t place_bits)
{
    if (bucket_bits > GROUP_BUCKET_BITS_MAX) {
        return false;
    }
    size_t starts = (((size_t)1 << bucket_bits) + 1) * START_BYTES;
    if (bytes.len < starts || (bytes.len - starts) % entry_bytes != 0 ||
        (bytes.len - starts) / entry_bytes > UINT32_MAX) {
        return false;
    }
    *table = (struct group_table){
        .starts = bytes.ptr,
        .entries = bytes.ptr + starts,
        .entry_count = (uint32_t)((bytes.len - starts) / entry_bytes),
        .bucket_bits = bucket_bits,
        .entry_bytes = entry_bytes,
        .place_bits = place_bits,
    };
    return true;
}

static uint64_t entry_at(const struct group_table *table, uint32_t index)
{
    const uint8_t *bytes = table->entries + (size_t)index * table->entry_bytes;
    uint64_t low = (uint64_t)wire_get_u16le(bytes) | (uint64_t)bytes[2] << 16;
    if (table->entry_bytes == GROUP_LOOKUP_ENTRY_BYTES) {
        return low;
    }
    return low | (uint64_t)wire_get_u16le(bytes + 3) << 24;
}

static uint32_t start_of(const struct group_table *table, uint32_t bucket)
{
    return wire_get_u32le(table->starts + (size_t)bucket * START_BYTES);
}

/* The entries of a bucket. False when the directory is damaged. */
static bool find_bucket(const struct group_table *table, uint64_t hash, uint32_t *first,
                        uint32_t *end)
{
    uint32_t bucket = group_bucket(hash, table->bucket_bits);
    *first = start_of(table, bucket);
    *end = start_of(table, bucket + 1);
    return *first <= *end && *end <= table->entry_count;
}

/* Where in its bucket a tag should be, as tags are spread evenly. */
static uint32_t guess_of(uint32_t first, uint32_t end, uint64_t tag)
{
    return first + (uint32_t)((uint64_t)(end - first) * tag >> GROUP_TAG_BITS);
}

static uint64_t tag_at(const struct group_table *table, uint32_t index)
{
    return entry_at(table, index) >> table->place_bits;
}

/* The first entry of [low, high) whose tag is `tag` or more. Mostly it is near where it should be:
 * what is further away is cut off first. */
static uint32_t lower_bound(const struct group_table *table, uint32_t low, uint32_t high,
                            uint64_t tag)
{
    uint32_t guess = guess_of(low, high, tag);
    if (guess - low > NEAR && tag_at(table, guess - NEAR) < tag) {
        low = guess - NEAR + 1;
    }
    if (high - guess > NEAR && tag_at(table, guess + NEAR) >= tag) {
        high = guess + NEAR;
    }
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (tag_at(table, middle) < tag) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

size_t group_table_find(const struct group_table *table, uint64_t hash, uint32_t *places,
                        size_t max)
{
    uint64_t tag = group_tag(hash, table->bucket_bits);
    uint32_t first = 0;
    uint32_t end = 0;
    if (!find_bucket(table, hash, &first, &end)) {
        return 0;
    }
    size_t count = 0;
    for (uint32_t at = lower_bound(table, first, end, tag); at < end && count < max; at++) {
        uint64_t entry = entry_at(table, at);
        if (entry >> table->place_bits != tag) {
            break;
        }
        places[count++] = (uint32_t)(entry & ((UINT64_C(1) << table->place_bits) - 1));
    }
    return count;
}

/* The directory is small enough to be near already; entries are what memory is waited for. */
void group_table_prefetch(const struct group_table *table, uint64_t hash)
{
    uint32_t first = 0;
    uint32_t end = 0;
    if (find_bucket(table, hash, &first, &end)) {
        uint32_t guess = guess_of(first, end, group_tag(hash, table->bucket_bits));
        const uint8_t *entry = table->entries + (size_t)guess * table->entry_bytes;
        __builtin_prefetch(entry - (guess - first > NEAR ? NEAR * table->entry_bytes : 0));
        __builtin_prefetch(entry + table->entry_bytes);
    }
}
