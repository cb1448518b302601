/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * verify - is this directory whole? Reads every stored byte again, trusting none: rebuilds and
 * hashes every line, recomputes every derived part, folds the tree, and compares it with the
 * signed head.
 *
 * Needs no server. While one runs, the newest events may move under our eyes and are then left out.
 *
 * Threads: one.
 */

#include "base/err.h"
#include "base/slice.h"
#include "tree/note.h"

struct ledger_verify_result {
    uint64_t events;   /* lines rebuilt and hashed, and erased ones whose hash was used */
    uint64_t segments; /* sealed, and gone */
    uint64_t erased;
    uint64_t unchecked; /* newest events, left out because a server is running */
    uint64_t checkpoint_size;
    char origin[NOTE_NAME_BYTES_MAX + 1];
};

/*
 * CORRUPT: the finding; file and offset are in `diag`. NOT_FOUND: there is no ledger here. IO.
 * `vkey` (empty: the keys in the directory) is what the checkpoint must be signed with.
 * `progress` may be NULL; it is told events done and in all.
 */
enum err ledger_verify(const char *data_path, slice vkey,
                       void (*progress)(void *context, uint64_t done, uint64_t total),
                       void *context, struct ledger_verify_result *out, struct diag *diag);
