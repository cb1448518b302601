/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * secrets - what the server keeps in files of its own: the owner key, keys of its own making.
 *
 *   DATA/admin.key            the key and a line feed, 0600; made on the first start, and whoever
 *                             keeps it elsewhere may remove it
 *   DATA/keys/cursor.secret   64 hex digits, 0600: what cursors are signed with
 *   DATA/keys/catalog.secret  the same: what secrets leave in the change audit is made with it
 *
 * Threads: one, at the start.
 */

#include "base/err.h"
#include "base/slice.h"

struct dir;

#define OWNER_KEY_BYTES_MAX 128

/* In production a secret that is missing, weak or a placeholder stops the start: INVALID, naming
 * it; elsewhere it is only warned of. */
enum err secrets_judge(const char *name, slice secret, bool is_production, struct diag *diag);

/* Reads the owner key; without the file it is empty. */
enum err secrets_owner_key(const struct dir *data_dir, char out[OWNER_KEY_BYTES_MAX],
                           struct diag *diag);
/* Makes it, and the file: "cairn_<environment>_<8 characters>_<43 characters>". */
enum err secrets_make_owner_key(const struct dir *data_dir, const char *environment,
                                char out[OWNER_KEY_BYTES_MAX], struct diag *diag);

/* Reads the 32 bytes of DATA/keys/`name`, or makes them. */
enum err secrets_key(const struct dir *data_dir, const char *name, uint8_t out[32],
                     struct diag *diag);
