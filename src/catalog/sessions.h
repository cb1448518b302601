/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * sessions - logins, as the catalog keeps them: whose they are, the hash of the one refresh token
 * that is good, and until when.
 *
 * They are no configuration: their changes leave no event by themselves. Whoever changes one notes
 * what happened (catalog_note()) in the same transaction.
 *
 * Threads: any; what changes something is within a transaction of the catalog.
 */

#include "catalog/catalog.h"

#define SESSION_ID_BYTES   32
#define SESSION_HASH_BYTES 64 /* SHA-256 in hex */

struct catalog_session {
    char id[SESSION_ID_BYTES + 1];
    char user[65];
    char org[65];
    char newest[SESSION_HASH_BYTES + 1]; /* of the refresh token that is good */
    int64_t created_us, used_us, expires_us;
    int64_t revoked_us; /* 0: it lives */
};

/* Also forgets those that ended more than a week ago. */
enum err catalog_session_insert(struct catalog *catalog, const struct catalog_session *session,
                                struct diag *diag);
/* NOT_FOUND. */
enum err catalog_session_find(struct catalog *catalog, slice id, struct catalog_session *out,
                              struct diag *diag);
/* If it lives and its newest is `seen`, it is `next` from now on; else CONFLICT. */
enum err catalog_session_advance(struct catalog *catalog, slice id, slice seen, slice next,
                                 int64_t now_us, struct diag *diag);
/* OK also if it had ended before, which then stays as it was. */
enum err catalog_session_revoke(struct catalog *catalog, slice id, int64_t now_us,
                                struct diag *diag);
/* All of a user but the one of that id (empty: all). */
enum err catalog_sessions_revoke(struct catalog *catalog, slice user, slice but, int64_t now_us,
                                 struct diag *diag);

/* Each that lives at that time, at the start. */
typedef void catalog_session_fn(void *context, const struct catalog_session *session);
enum err catalog_sessions_each(struct catalog *catalog, int64_t now_us, catalog_session_fn *fn,
                               void *context, struct diag *diag);
