/* SPDX-License-Identifier: Apache-2.0 */
#include "gate/version_usage.h"

#include <assert.h>
#include <stdlib.h>

#include "base/hash.h"
#include "base/mem.h"
#include "os/thread.h"

enum {
    SLOTS = 1024, /* a power of two, at least twice the keys */
    ROW_NONE = 0,
    ROW_OTHER = 1,
    ROW_FIRST_KEY = 2,
};
static_assert(SLOTS >= 2 * VERSION_USAGE_KEYS_MAX, "a free slot is near");

struct version_usage {
    struct mutex lock;     /* of all below */
    uint16_t slots[SLOTS]; /* a row and 1; 0: free */
    struct version_usage_row rows[VERSION_USAGE_ROWS_MAX];
    uint8_t name_bytes[VERSION_USAGE_ROWS_MAX];
    size_t row_count;
};

struct version_usage *version_usage_new(void)
{
    struct version_usage *usage = mem_zeroed(sizeof(*usage));
    mutex_init(&usage->lock);
    memcpy(usage->rows[ROW_NONE].key_id, "none", sizeof("none"));
    memcpy(usage->rows[ROW_OTHER].key_id, "other", sizeof("other"));
    usage->row_count = ROW_FIRST_KEY;
    return usage;
}

void version_usage_free(struct version_usage *usage)
{
    if (usage != NULL) {
        mutex_release(&usage->lock);
        free(usage);
    }
}

/* The row of a key, made if there is room; the lock is held. */
static size_t row_of(struct version_usage *usage, slice key_id)
{
    if (key_id.len == 0) {
        return ROW_NONE;
    }
    if (key_id.len > VERSION_USAGE_NAME_BYTES) {
        return ROW_OTHER;
    }
    size_t at = hash_bytes(key_id, 0) & (SLOTS - 1);
    for (; usage->slots[at] != 0; at = (at + 1) & (SLOTS - 1)) {
        size_t row = (size_t)usage->slots[at] - 1;
        if (usage->name_bytes[row] == key_id.len &&
            memcmp(usage->rows[row].key_id, key_id.ptr, key_id.len) == 0) {
            return row;
        }
    }
    if (usage->row_count == VERSION_USAGE_ROWS_MAX) {
        return ROW_OTHER;
    }
    size_t row = usage->row_count++;
    memcpy(usage->rows[row].key_id, key_id.ptr, key_id.len);
    usage->name_bytes[row] = (uint8_t)key_id.len;
    usage->slots[at] = (uint16_t)(row + 1);
    return row;
}

void version_usage_count(struct version_usage *usage, slice key_id, size_t index)
{
    ASSERT(index < VERSIONS_MAX);
    mutex_lock(&usage->lock);
    usage->rows[row_of(usage, key_id)].requests[index]++;
    mutex_unlock(&usage->lock);
}

size_t version_usage_read(struct version_usage *usage, struct version_usage_row *rows)
{
    mutex_lock(&usage->lock);
    size_t count = usage->row_count;
    memcpy(rows, usage->rows, count * sizeof(*rows));
    mutex_unlock(&usage->lock);
    return count;
}
