/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* time_sort - rows in the order of their times, rows of one time in their own order. Threads:
 * any. */

#include "columns/rows.h"

struct timed_row {
    int64_t time_us;
    uint32_t row;
};

/* `rows` come in ascending order of row. The time is linear. */
void time_sort(struct timed_row *rows, uint32_t count);
