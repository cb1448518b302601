/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * values - how single values are read and compared: order, absolute times, networks. Private
 * to this room. Threads: any.
 */

#include "filter/filter.h"

/* Whether `op` (EQUAL, or one of < <= > >=) holds for a comparison that came out as `order`. */
bool value_holds(enum filter_op op, int order);

/* RFC 3339, or a date, which is its first instant in UTC. False leaves *us_out untouched. */
bool value_parse_time(slice text, int64_t *us_out);

/* "10.0.0.0/8", "2001:db8::/32". Bits behind the prefix do not count. False if it is none. */
bool network_parse(slice text, struct filter_network *out);

/* Whether an address, written as address_normalise() does, lies in it. */
bool network_has(const struct filter_network *network, slice address);
