/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * usage_support - for tests of what sums of usage tell, of this room and of those above it.
 * Included by *_test.c only.
 */

#include "base/buf.h"
#include "catalog/usage.h"

/* A line for each thing that is told; `context` is a buf. */
static inline void write_use(void *context, const struct catalog_use *use)
{
    buf_append_format(context, "%.*s %.*s %llu %lld %lld\n", SLICE_ARG(use->key_id),
                      SLICE_ARG(use->what), (unsigned long long)use->requests,
                      (long long)use->first_us, (long long)use->last_us);
}
