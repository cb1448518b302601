/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * sessions - logins that live: kept in the catalog, and known in memory, where each request looks.
 *
 * A token is good as long as its session is: one that is not known here is over. What happens to a
 * session happens in a transaction of the catalog, and counts here when the caller says so: that it
 * began within the transaction (and ended, if the commit fails), that it ended behind the commit.
 * So who ends the sessions of a user, in a later transaction, finds all that began before, and
 * none that begins behind.
 *
 *     begin -> refresh_begin(sessions_store()) -> sessions_began() -> commit
 *     begin -> refresh_end(sessions_store())   -> commit -> sessions_ended()
 *
 * Threads: any.
 */

#include "people/refresh.h"

struct catalog;
struct sessions;

/* Never NULL. Times as in struct refresh_store; `catalog` outlives it. */
struct sessions *sessions_new(struct catalog *catalog, int64_t lifetime_us, int64_t idle_us);
void sessions_free(struct sessions *sessions);
DEFINE_OWNED(sessions);

/* Other times from now on. */
void sessions_set_times(struct sessions *sessions, int64_t lifetime_us, int64_t idle_us);

/* Those that the catalog knows, at the start. */
enum err sessions_load(struct sessions *sessions, int64_t now_us, struct diag *diag);

/* Its functions are called within a transaction of the catalog. */
const struct refresh_store *sessions_store(const struct sessions *sessions);

void sessions_began(struct sessions *sessions, const struct refresh_family *family);
void sessions_ended(struct sessions *sessions, slice id);
/* All of a user but the one of that id (empty: all): within the transaction that ends them, they
 * are marked; behind the commit, with the same words, those that were marked have ended. One that
 * begins in between is another's, and stays. */
void sessions_ending_of(struct sessions *sessions, slice user, slice but);
void sessions_ended_of(struct sessions *sessions, slice user, slice but);

/* Whether that session of that user lives. */
bool sessions_live(struct sessions *sessions, slice id, slice user, int64_t now_us);
