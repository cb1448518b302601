/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * value_sort - puts distinct texts in the order in which bytes compare. Eight bytes at a time are
 * sorted by radix, so that the time is linear in the bytes looked at, whatever they are.
 *
 * Threads: any.
 */

#include "base/macros.h"
#include "base/slice.h"

/* `order` holds `count` indexes into `values`; afterwards values[order[i]] ascend. */
void values_sort(const slice *values, uint32_t *order, size_t count);

/* <0, 0, >0 as bytes compare, a beginning before what continues it. */
static inline int slice_compare(slice a, slice b)
{
    size_t len = a.len < b.len ? a.len : b.len;
    int order = len > 0 ? memcmp(a.ptr, b.ptr, len) : 0;
    return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}
