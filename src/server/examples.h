/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * examples - loading the NDJSON files of a directory into an empty ledger, on the road that every
 * event takes, at any age.
 *
 * Threads: one; it waits for the commits.
 */

#include "ingest/ingest.h"

/* `read` says whose they are, and how deep they may be. Events stored in *count_out. INVALID names
 * file and line. */
enum err examples_load(const struct ingest *ingest, const struct read_options *read,
                       const char *path, uint64_t *count_out, struct diag *diag);
