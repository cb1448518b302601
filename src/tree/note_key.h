/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * note_key - names, and what one key signs. Private to the note files.
 *
 * A signature here is what follows the key's id in the base64 of a signature line: 64 bytes of
 * Ed25519 over the text, or for a cosignature/v1 a 64-bit big-endian time and 64 bytes over
 * "cosignature/v1\ntime <seconds>\n" and the text.
 *
 * Threads: any.
 */

#include "tree/note.h"

#define NOTE_KEY_ID_BYTES 4

/* UTF-8, not empty, no '+', no Unicode space, no control character. Any length. */
bool note_name_is_valid(slice name);

/* Appends the key's id and its signature. IO. */
enum err note_key_sign(const struct note_signer *signer, slice text, uint64_t time_s,
                       struct buf *out);
/* `text` is part of a note. *time_s_out is 0 unless the key cosigns; untouched when false. */
bool note_key_verify(const struct note_verifier *verifier, slice text, slice signature,
                     uint64_t *time_s_out);
