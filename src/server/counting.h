/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * counting - where requests and validations are counted: in the memory of this server, or in a
 * Redis that servers share (the option redis.url).
 *
 * What memory counts of a month is stored in the catalog once a second, and when the server stops;
 * a crash forgets the last second of it. Redis is asked once a second whether it is there, also
 * when nobody calls, so that its leaving and coming back are known: a line of the log and an event
 * for each.
 *
 * Threads: main; "counting", its own.
 */

#include "gate/gate.h"
#include "options/options.h"

struct counting;

/* Sets limits, quota and redis of `api`, whose catalog is open; all three are valid until
 * counting_free(). A Redis that is away is no error. INVALID: redis.url. */
enum err counting_start(const struct options *options, struct api *api, struct counting **out,
                        struct diag *diag);
/* Stores what was counted; nobody counts any more. NULL is fine. */
void counting_stop(struct counting *counting);
void counting_free(struct counting *counting); /* stops first if need be; NULL is fine */
