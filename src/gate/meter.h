/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * meter - how many requests an organisation, a key, and an address that shows wrong keys may make.
 *
 * Organisations of a tier with limits are metered, with all their requests, and told in every
 * answer what is left; the first organisation is of tier unlimited. What is refused does not count.
 *
 * Where the counts are on another machine, that is asked in the pool.
 *
 * Threads: the loop; meter_ask() and the last two the pool, and the loop where limits do not wait.
 */

#include "gate/gate.h"

/* Middleware, behind who calls: counts the request, or answers 429. */
enum http_pass meter_request(struct http_request *request, void *data);
enum http_pass meter_ask(struct http_request *request, void *data);

/* 429: too many of `what`, and how long to wait. */
void meter_wait(struct http_request *request, const char *what, int64_t wait_us);

/* False, and answered with 429: too many wrong keys came from this address. */
bool meter_address_is_open(struct http_request *request, struct api *api);
/* One more wrong key came from it. */
void meter_wrong_key(struct http_request *request, struct api *api);
