/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * keys - signing keys of the log: DATA/keys/<8 hex digits of the id>.key (keyfile/key_file.h),
 * labelled with the verifier's text: vkey <name>+<id>+<base64>.
 *
 * Threads: one at a time.
 */

#include "os/file.h"
#include "store/store.h"

struct log_key {
    struct note_signer signer;
    int64_t created_us;
    int64_t retires_us; /* 0: no end */
};

struct log_keys {
    struct log_key keys[STORE_KEYS_MAX];
    size_t count; /* log keys first, newest first; cosigners behind them */
};

/* All keys of the directory. CORRUPT: a file is not a key, or has another name than its key;
 * LIMIT; IO. */
enum err keys_read(const struct dir *dir, struct log_keys *out, struct diag *diag);
void keys_release(struct log_keys *keys); /* wipes the seeds */

/* Makes a key, writes it, and adds it to *keys, as the newest of all, whatever the clock says.
 * LIMIT when there are STORE_KEYS_MAX. FULL, IO. */
enum err keys_make(const struct dir *dir, struct log_keys *keys, slice name,
                   enum note_key_type type, int64_t now_us, struct diag *diag);

/* Sets the end of a key and writes it again. */
enum err keys_retire(const struct dir *dir, struct log_key *key, int64_t retires_us,
                     struct diag *diag);

/* Whether a key signs now. One whose end came before a newer key never does again, even if the
 * clock went back behind that end. */
bool keys_sign_at(const struct log_keys *keys, const struct log_key *key, int64_t now_us);
