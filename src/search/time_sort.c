/* SPDX-License-Identifier: Apache-2.0 */
#include "search/time_sort.h"

#include "base/mem.h"

enum { DIGIT_BITS = 8, DIGITS = 8, DIGIT_VALUES = 256 };

static uint32_t digit_of(const struct timed_row *row, int64_t min_us, unsigned digit)
{
    uint64_t from_min = (uint64_t)row->time_us - (uint64_t)min_us;
    return (uint32_t)(from_min >> (digit * DIGIT_BITS)) & (DIGIT_VALUES - 1);
}

/* One stable pass by a digit. */
static void pass(const struct timed_row *from, struct timed_row *to, uint32_t count, int64_t min_us,
                 unsigned digit)
{
    uint32_t starts[DIGIT_VALUES] = {0};
    uint32_t at = 0;
    for (uint32_t i = 0; i < count; i++) {
        starts[digit_of(&from[i], min_us, digit)]++;
    }
    for (uint32_t i = 0; i < DIGIT_VALUES; i++) {
        uint32_t here = starts[i];
        starts[i] = at;
        at += here;
    }
    for (uint32_t i = 0; i < count; i++) {
        to[starts[digit_of(&from[i], min_us, digit)]++] = from[i];
    }
}

void time_sort(struct timed_row *rows, uint32_t count)
{
    int64_t min_us = INT64_MAX;
    int64_t max_us = INT64_MIN;
    for (uint32_t i = 0; i < count; i++) {
        min_us = rows[i].time_us < min_us ? rows[i].time_us : min_us;
        max_us = rows[i].time_us > max_us ? rows[i].time_us : max_us;
    }
    if (count < 2 || min_us == max_us) {
        return;
    }
    CLEANUP(mem_freep) struct timed_row *spare = mem_array(count, sizeof(*spare));
    struct timed_row *from = rows;
    struct timed_row *to = spare;
    uint64_t span = (uint64_t)max_us - (uint64_t)min_us;
    for (unsigned digit = 0; digit < DIGITS && span >> (digit * DIGIT_BITS) != 0; digit++) {
        pass(from, to, count, min_us, digit);
        struct timed_row *swap = from;
        from = to;
        to = swap;
    }
    if (from != rows) {
        memcpy(rows, from, count * sizeof(*rows));
    }
}
