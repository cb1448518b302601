/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * pool - intakes that ended, with their memory, for the requests that come next: a request of one
 * event would else allocate and free a dozen times. Bounded in number and in bytes; what does not
 * fit is freed.
 *
 * Threads: any.
 */

#include "base/slice.h"

#define INTAKE_POOL_BYTES_MAX (16 * 1024 * 1024)
#define INTAKE_POOL_MAX       512

struct intake;

struct intake_pool;
struct intake_pool *intake_pool_new(void); /* never NULL */
void intake_pool_free(struct intake_pool *pool);

/* NULL: there is none. The caller owns it. */
struct intake *intake_pool_take(struct intake_pool *pool);
/* Takes an intake that holds so many bytes; false: it is still the caller's. */
bool intake_pool_give(struct intake_pool *pool, struct intake *intake, size_t bytes);
