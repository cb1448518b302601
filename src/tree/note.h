/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * note - signed notes (c2sp.org/signed-note) and the keys that sign and verify them.
 *
 * Threads: any.
 */

#include "base/buf.h"
#include "base/err.h"
#include "crypto/ed25519.h"

#define NOTE_NAME_BYTES_MAX 255
#define NOTE_BYTES_MAX      (64 * 1024)
#define NOTE_SIGNATURES_MAX 16
#define NOTE_VKEY_BYTES_MAX (NOTE_NAME_BYTES_MAX + 64)

enum note_key_type {
    NOTE_ED25519 = 0x01,     /* over the text */
    NOTE_COSIGNATURE = 0x04, /* cosignature/v1 with a timestamp */
};

struct note_verifier {
    char name[NOTE_NAME_BYTES_MAX + 1];
    enum note_key_type type;
    uint32_t id;
    uint8_t public_key[ED25519_PUBLIC_BYTES];
};

struct note_signer {
    struct note_verifier verifier;
    uint8_t seed[ED25519_SEED_BYTES];
};

/* A name without spaces, '+' and control characters, 1..NOTE_NAME_BYTES_MAX bytes. INVALID; IO. */
enum err note_signer_init(struct note_signer *signer, slice name, enum note_key_type type,
                          const uint8_t seed[ED25519_SEED_BYTES], struct diag *diag);
void note_signer_release(struct note_signer *signer); /* wipes the seed */

/* `<name>+<id>+<base64>`. */
enum err note_verifier_parse(slice vkey, struct note_verifier *out, struct diag *diag);
void note_verifier_format(const struct note_verifier *verifier, struct buf *out);

/* Appends the text (ends with LF), the blank line, and one signature line for each signer;
 * `time_s` goes into the cosignatures. On an error nothing is appended: INVALID if the text is not
 * a note's, the note would be longer than NOTE_BYTES_MAX, or there are not 1..NOTE_SIGNATURES_MAX
 * signers; LIMIT; IO. */
enum err note_sign(slice text, const struct note_signer *const *signers, size_t signer_count,
                   uint64_t time_s, struct buf *out, struct diag *diag);

struct note_checked {
    slice text;               /* inside the note */
    size_t verified;          /* known keys whose signature verified */
    bool by_log_key;          /* at least one of them is NOTE_ED25519 */
    uint64_t cosigned_time_s; /* newest verified cosignature; 0: none */
};

/* Splits at the last blank line and checks every signature of a known (name, id). INVALID: not a
 * note, a known key that fails, or no known key at all. */
enum err note_open(slice note, const struct note_verifier *known, size_t known_count,
                   struct note_checked *out, struct diag *diag);
