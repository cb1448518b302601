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

/* Whether there is no organisation `default` yet. */
enum err first_start_is_due(struct catalog *catalog, bool *out, struct diag *diag);

/* Makes it, of tier unlimited, with `owner_key`. INVALID: that is no key. */
enum err first_start(struct catalog *catalog, slice owner_key, struct diag *diag);
