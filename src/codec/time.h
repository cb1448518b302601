/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * time - RFC 3339 in and out. Inside the program a time is microseconds since 1970 UTC.
 *
 * Threads: any.
 */

#include "base/slice.h"

#define TIME_TEXT_BYTES 27                          /* "2026-01-15T00:00:01.137578Z" */
#define TIME_US_MAX     INT64_C(253402300799999999) /* the last microsecond of the year 9999 */

/*
 * Strict RFC 3339: date, T, time, offset; t and z in either case, no space between date and time.
 * Digits of the second beyond six are cut. A second of 60 is refused, and so is what lies outside
 * the years 1970 to 9999 in UTC. False leaves *us_out untouched.
 */
bool time_parse_rfc3339(slice text, int64_t *us_out);

/* Writes UTC with six decimals, without a NUL. `us` is 0 to TIME_US_MAX. */
void time_format_rfc3339(int64_t us, char out[TIME_TEXT_BYTES]);
