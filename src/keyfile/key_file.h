/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * key_file - a signing key as a file <name>.key, mode 0600 (docs/format.md, section 5).
 *
 *   cairn-key 1
 *   <word> <label>              which key it is: the word and what follows are the caller's
 *   created <RFC 3339>
 *   retires <RFC 3339 or ->
 *   seed <64 hex digits>
 *   crc32c <8 hex digits>
 *
 * Threads: any; two writers to one name are the caller's mistake.
 */

#include "crypto/ed25519.h"
#include "os/file.h"

#define KEY_FILE_LABEL_BYTES_MAX 400
#define KEY_FILE_SUFFIX          ".key"

struct key_file {
    char label[KEY_FILE_LABEL_BYTES_MAX + 1];
    int64_t created_us;
    int64_t retires_us; /* 0: no end */
    uint8_t seed[ED25519_SEED_BYTES];
};

void key_file_release(struct key_file *key); /* wipes the seed */

/* Written aside, synced, renamed. `name` has the suffix; the label has no line feed. FULL, IO. */
enum err key_file_write(const struct dir *dir, const char *name, const char *word,
                        const struct key_file *key, struct diag *diag);

/* The caller ends *out with key_file_release(). CORRUPT: not a key file of that word; NOT_FOUND;
 * IO. */
enum err key_file_read(const struct dir *dir, const char *name, const char *word,
                       struct key_file *out, struct diag *diag);

/* Whether a file of that name is a key's. */
bool key_file_has_suffix(const char *name);

/* Hands every key file of the directory to `take`, by name; the seed is wiped behind it. Ends at
 * the first error, which it returns. */
enum err key_files_read(const struct dir *dir, const char *word,
                        enum err (*take)(void *context, const char *name,
                                         const struct key_file *key, struct diag *diag),
                        void *context, struct diag *diag);
