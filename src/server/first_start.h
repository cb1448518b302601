/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * first_start - the first organisation, and the key in admin.key that belongs to it.
 *
 * Threads: one, at the start.
 */

#include "base/err.h"
#include "base/slice.h"

struct catalog;

/* Makes the organisation `default`, of tier unlimited, with `owner_key`, unless it is there. */
enum err first_start(struct catalog *catalog, slice owner_key, struct diag *diag);
