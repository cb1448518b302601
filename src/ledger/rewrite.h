/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * rewrite - the write-ahead log anew: one file with the unsealed rows that stay, which supersedes
 * all others, and the columns in memory built from it.
 *
 * An erasure takes rows away like that; a start after many others brings together what they left in
 * a file each. The moment at which the new file counts is one rename; what fails before it changes
 * nothing.
 *
 * Threads: the sequencer's, between two frames, while the sealer is paused; or the one that opens
 * the ledger, before there are others.
 */

#include "columns/row_set.h"
#include "ledger/core.h"

/* The unsealed segments: full ones that wait for the sealer, then the last one. */
struct unsealed {
    struct active *old[SNAPSHOT_ACTIVES_MAX];
    struct active *fresh[SNAPSHOT_ACTIVES_MAX];
    struct row_set *sets; /* of each, the rows that go; empty at first */
    uint64_t *places;     /* ROWS_MAX for each */
    size_t count;
    uint64_t wal_number; /* of the file that now holds them */
};

void unsealed_list(struct ledger *ledger, struct sequencer *sequencer, struct unsealed *out);
void unsealed_release(struct unsealed *unsealed);

/* Whether files of the WAL hold far less than they take: each start begins one. */
bool unsealed_is_scattered(const struct ledger *ledger, const struct unsealed *unsealed);

/* Does it: everyone has the new columns when it returns. CORRUPT, FULL, IO. */
enum err unsealed_rewrite(struct ledger *ledger, struct sequencer *sequencer,
                          struct unsealed *unsealed, struct diag *diag);
