/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * peers - how many connections each address has, so that one cannot take them all.
 *
 * Threads: any (the loops share it).
 */

#include <stdbool.h>
#include <stdint.h>

struct peers;

/* At most `connections_max` in all and `per_address_max` of one address. */
struct peers *peers_new(uint32_t connections_max, uint32_t per_address_max);
void peers_free(struct peers *peers);

/* Counts one more connection of the address (IPv4 as mapped IPv6). False, and not counted, when
 * that would pass a maximum. NULL: of nobody in particular, so only the maximum of all counts. */
bool peers_add(struct peers *peers, const uint8_t *address);

/* One that was counted is closed. */
void peers_drop(struct peers *peers, const uint8_t *address);

/* A connection of nobody in particular serves this address, for as long as a request takes. False,
 * and not counted, when the address has its maximum. At most one at a time for each connection. */
bool peers_join(struct peers *peers, const uint8_t address[16]);
void peers_leave(struct peers *peers, const uint8_t address[16]);

uint64_t peers_count(struct peers *peers);
