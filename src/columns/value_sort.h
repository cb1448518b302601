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
