/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * number - what JSON Schema asks of a number beyond its order: exact, of digits as they were
 * written, however many. Private to this room. Threads: any.
 */

#include "base/arena.h"
#include "base/err.h"
#include "base/slice.h"

#define NUMBER_DIVISOR_DIGITS_MAX 18

/* digits * 10^power; digits are 1 to 10^18 - 1 and do not end with a zero. */
struct number_divisor {
    uint64_t digits;
    int64_t power;
};

/* INVALID: it is not greater than 0; LIMIT: more significant digits than the maximum. */
enum err number_divisor_read(slice number, struct number_divisor *out);

/* Whether `number` is a whole multiple. LIMIT: the arena does not suffice for its digits. */
enum err number_is_multiple(slice number, struct number_divisor divisor, struct arena *arena,
                            bool *is_multiple_out);

/* Whether it is an integer by value: 1, 1.0 and 1e2 are. */
bool number_is_integer(slice number);

/* A whole number from 0 on, as limits of JSON Schema are; beyond 2^64 it is 2^64 - 1. False if it
 * is none. */
bool number_to_count(slice number, uint64_t *out);
