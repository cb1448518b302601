/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * roots - what remains of segments whose rows are all erased: their level-1 tile (256 tile roots),
 * from which root and proofs follow. One file, replaced as a whole. docs/format.md has the bytes.
 *
 * Threads: one at a time (recovery, then the eraser).
 */

#include "os/file.h"
#include "tree/merkle.h"

#define ROOTS_NAME "roots"

struct roots_entry {
    uint64_t index; /* of the segment */
    struct merkle_hash tile_roots[256];
};

struct roots {
    struct roots_entry *entries; /* ascending index */
    size_t count;
};

/* An absent file is no roots. CORRUPT with offset; IO. */
enum err roots_read(const struct dir *dir, struct roots *out, struct diag *diag);
void roots_release(struct roots *roots);

/* The entry of a segment; NULL if there is none. */
const struct roots_entry *roots_find(const struct roots *roots, uint64_t index);

/* Adds (or replaces) an entry and writes the file durably. FULL, IO. */
enum err roots_add(struct roots *roots, const struct dir *dir, const struct roots_entry *entry,
                   struct diag *diag);
