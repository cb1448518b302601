/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger/group_file.h"

#include "base/hash.h"
#include "codec/wire.h"

enum { START_BYTES = 4 };

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

uint64_t group_id_hash(slice org, const struct uuid *id)
{
    return event_id_hash(org, id);
}

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
    uint64_t entry = 0;
    for (uint32_t i = 0; i < table->entry_bytes; i++) {
        entry |= (uint64_t)bytes[i] << (8 * i);
    }
    return entry;
}

static uint32_t start_of(const struct group_table *table, uint32_t bucket)
{
    return wire_get_u32le(table->starts + (size_t)bucket * START_BYTES);
}

size_t group_table_find(const struct group_table *table, uint64_t hash, uint32_t *places,
                        size_t max)
{
    uint32_t bucket = group_bucket(hash, table->bucket_bits);
    uint64_t tag = group_tag(hash, table->bucket_bits);
    uint32_t low = start_of(table, bucket);
    uint32_t end = start_of(table, bucket + 1);
    if (low > end || end > table->entry_count) {
        return 0;
    }
    for (uint32_t high = end; low < high;) {
        uint32_t middle = low + (high - low) / 2;
        if (entry_at(table, middle) >> table->place_bits < tag) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    size_t count = 0;
    for (; low < end && count < max; low++) {
        uint64_t entry = entry_at(table, low);
        if (entry >> table->place_bits != tag) {
            break;
        }
        places[count++] = (uint32_t)(entry & ((UINT64_C(1) << table->place_bits) - 1));
    }
    return count;
}

void group_table_prefetch(const struct group_table *table, uint64_t hash)
{
    uint32_t bucket = group_bucket(hash, table->bucket_bits);
    /* Buckets are about as long as each other: near where the entry should be is near enough. */
    size_t guess = (size_t)((__uint128_t)hash * table->entry_count >> 64);
    __builtin_prefetch(table->starts + (size_t)bucket * START_BYTES);
    __builtin_prefetch(table->entries + guess * table->entry_bytes);
}
