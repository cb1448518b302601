/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * checkpoint - the tree head as text (c2sp.org/tlog-checkpoint), and the offline proof of one
 * entry (c2sp.org/tlog-proof@v1).  Threads: any.
 */

#include "tree/merkle.h"
#include "tree/note.h"

struct checkpoint {
    slice origin; /* one line, not empty; of a parsed checkpoint, inside its text */
    uint64_t size;
    struct merkle_hash root;
};

void checkpoint_format(const struct checkpoint *checkpoint, struct buf *out); /* the note's text */
enum err checkpoint_parse(slice text, struct checkpoint *out, struct diag *diag);

/* note_open and checkpoint_parse, that the origin is `origin` when that is not empty, and that the
 * log itself has signed when one of its keys (NOTE_ED25519) is among the known ones: a cosignature
 * does not stand in for it. INVALID. */
enum err checkpoint_open(slice note, slice origin, const struct note_verifier *known,
                         size_t known_count, struct checkpoint *out, struct diag *diag);

/* The proof's optional "extra" line is not authenticated; it is checked and left out. */
struct tlog_proof {
    uint64_t index;
    struct merkle_proof inclusion;
    slice checkpoint; /* the note; of a parsed proof, inside its text */
};
void tlog_proof_format(const struct tlog_proof *proof, struct buf *out);
enum err tlog_proof_parse(slice text, struct tlog_proof *out, struct diag *diag);
/* Parses, opens the note with `known`, and checks that `leaf` is in its tree. INVALID says why. */
enum err tlog_proof_verify(slice text, const struct merkle_hash *leaf,
                           const struct note_verifier *known, size_t known_count,
                           struct checkpoint *out, struct diag *diag);
