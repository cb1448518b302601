/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * place - what a data directory says of the server that runs on it: where it is, and its key.
 *
 * Only the process that holds the lock of the directory may say it. The file LOCK tells where the
 * last one listened, and it stays when that one has ended: then anybody may listen there.
 *
 * Threads: one.
 */

#include <stdbool.h>

#include "base/err.h"
#include "base/slice.h"

/* Owned texts. */
struct place {
    char *server; /* on this machine; with its scheme if that is https */
    char *key;    /* NULL: there is none */
};

enum place_trust {
    PLACE_NAMED, /* a person named the directory, and so whoever runs a server on it */
    PLACE_FOUND, /* it lay there: the server on it must be one of our own user */
};

/*
 * Looks into the directory `path`. The key is read if it is wanted and the owner of LOCK owns it
 * too: else it may be a link to what is not theirs. On failure diag->where is the path:
 * BUSY: no server holds its lock, or it does not listen yet.
 * DENIED: the server listens on an address that is not only this machine's, or a directory that was
 * FOUND is another user's, or others may open its LOCK, and so seem to be the server.
 * NOT_FOUND, IO: it cannot be read.
 */
enum err place_look(const char *path, enum place_trust trust, bool wants_key, struct place *out,
                    struct diag *diag);
void place_release(struct place *place); /* wipes the key */

/* What the text of a LOCK says: the address behind "listen " in its first line, made reachable
 * (0.0.0.0 becomes 127.0.0.1), with its scheme if that is https. NULL: none. The caller's. */
char *place_address(slice lock);
