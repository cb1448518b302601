/* SPDX-License-Identifier: Apache-2.0 */
#include "columns/value_sort.h"

#include "base/mem.h"
#include "codec/wire.h"

enum {
    KEY_BYTES = 8,
    FEW = 48, /* up to here insertion is the fastest */
    BYTE_VALUES = 256,
};

/* The next eight bytes of a value, big-endian so that numbers order as bytes do. */
struct item {
    uint64_t key;
    uint32_t index;
    uint32_t left; /* bytes of the value from where the key begins */
};

struct sort {
    const slice *values;
    struct item *spare;
    uint32_t counts[KEY_BYTES][BYTE_VALUES];
};

static struct item item_at(const slice *values, uint32_t index, size_t depth)
{
    slice value = values[index];
    size_t left = value.len - depth;
    uint8_t bytes[KEY_BYTES] = {0};
    if (left >= KEY_BYTES) {
        memcpy(bytes, value.ptr + depth, KEY_BYTES);
    } else if (left > 0) {
        memcpy(bytes, value.ptr + depth, left);
    }
    return (struct item){wire_get_u64be(bytes), index, (uint32_t)left};
}

/* Of equal keys, a value that ends within its key comes before those that go on, and of two that
 * end the shorter one does: the zeros of the key stand for nothing, or are its own. */
static inline bool is_before(const struct item *a, const struct item *b)
{
    if (a->key != b->key) {
        return a->key < b->key;
    }
    return a->left <= KEY_BYTES && a->left < b->left;
}

static void sort_few(struct item *items, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        struct item item = items[i];
        size_t at = i;
        for (; at > 0 && is_before(&item, &items[at - 1]); at--) {
            items[at] = items[at - 1];
        }
        items[at] = item;
    }
}

static void count_bytes(struct sort *sort, const struct item *items, size_t count)
{
    memset(sort->counts, 0, sizeof(sort->counts));
    for (size_t i = 0; i < count; i++) {
        for (size_t byte = 0; byte < KEY_BYTES; byte++) {
            sort->counts[byte][items[i].key >> (8 * byte) & 0xff]++;
        }
    }
}

/* One stable pass by a byte of the key. False when all have the same one. */
static bool pass(uint32_t *counts, size_t byte, const struct item *from, struct item *to,
                 size_t count)
{
    if (counts[from[0].key >> (8 * byte) & 0xff] == count) {
        return false;
    }
    uint32_t at = 0;
    for (size_t i = 0; i < BYTE_VALUES; i++) {
        uint32_t here = counts[i];
        counts[i] = at;
        at += here;
    }
    for (size_t i = 0; i < count; i++) {
        to[counts[from[i].key >> (8 * byte) & 0xff]++] = from[i];
    }
    return true;
}

static void sort_by_key(struct sort *sort, struct item *items, size_t count)
{
    if (count <= FEW) {
        sort_few(items, count);
        return;
    }
    struct item *from = items;
    struct item *to = sort->spare;
    count_bytes(sort, items, count);
    for (size_t byte = 0; byte < KEY_BYTES; byte++) {
        if (pass(sort->counts[byte], byte, from, to, count)) {
            struct item *swap = from;
            from = to;
            to = swap;
        }
    }
    if (from != items) {
        memcpy(items, from, count * sizeof(*items));
    }
}

/* Values of one key: those that end come first, in order of length. Returns how many. There are
 * at most nine, as values are distinct. */
static size_t put_ended_first(struct item *items, size_t count)
{
    size_t ended = 0;
    for (size_t i = 0; i < count; i++) {
        if (items[i].left <= KEY_BYTES) {
            struct item item = items[i];
            items[i] = items[ended];
            items[ended++] = item;
        }
    }
    sort_few(items, ended);
    return ended;
}

static size_t run_of(const struct item *items, size_t count)
{
    size_t run = 1;
    while (run < count && items[run].key == items[0].key) {
        run++;
    }
    return run;
}

/* Recursion goes eight bytes deeper each time, and only for some of the values that came; when all
 * share their bytes, this loops. */
static void sort_from(struct sort *sort, struct item *items, size_t count, size_t depth)
{
    while (count > 1) {
        for (size_t i = 0; i < count; i++) {
            items[i] = item_at(sort->values, items[i].index, depth);
        }
        sort_by_key(sort, items, count);
        depth += KEY_BYTES;
        size_t run = run_of(items, count);
        if (run < count) {
            break;
        }
        size_t ended = put_ended_first(items, count);
        items += ended;
        count -= ended;
    }
    for (size_t first = 0, run = 0; first < count && count > 1; first += run) {
        run = run_of(items + first, count - first);
        size_t ended = run > 1 ? put_ended_first(items + first, run) : run;
        if (run - ended > 1) {
            sort_from(sort, items + first + ended, run - ended, depth);
        }
    }
}

void values_sort(const slice *values, uint32_t *order, size_t count)
{
    if (count < 2) {
        return;
    }
    CLEANUP(mem_freep) struct sort *sort = mem_zeroed(sizeof(*sort));
    CLEANUP(mem_freep) struct item *items = mem_array(2 * count, sizeof(*items));
    sort->values = values;
    sort->spare = items + count;
    for (size_t i = 0; i < count; i++) {
        items[i].index = order[i];
    }
    sort_from(sort, items, count, 0);
    for (size_t i = 0; i < count; i++) {
        order[i] = items[i].index;
    }
}
