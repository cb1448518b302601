/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* signers - the keys of fuzzers that sign: a log's and a cosigner's, the same in every run. */

#include "tree/note.h"

static struct note_signer signers[2];
static struct note_verifier known[2];

static inline void make_keys(void)
{
    static const uint8_t seeds[2][ED25519_SEED_BYTES] = {{1}, {2}};
    ASSERT(note_signer_init(&signers[0], SLICE("log"), NOTE_ED25519, seeds[0], NULL) == OK);
    ASSERT(note_signer_init(&signers[1], SLICE("witness"), NOTE_COSIGNATURE, seeds[1], NULL) == OK);
    known[0] = signers[0].verifier;
    known[1] = signers[1].verifier;
}
