/* SPDX-License-Identifier: Apache-2.0 */
#include "people/sessions.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/macros.h"
#include "base/map.h"
#include "base/mem.h"
#include "catalog/sessions.h"
#include "codec/hex.h"
#include "os/thread.h"

static_assert(SESSION_ID_BYTES == REFRESH_ID_BYTES, "a session is a family of refresh tokens");
static_assert(SESSION_HASH_BYTES == 2 * SHA256_BYTES, "its hash is written in hex");

struct live {
    char user[REFRESH_SUBJECT_BYTES + 1];
    char id[REFRESH_ID_BYTES + 1];
    int64_t expires_us;
    bool is_ending; /* a transaction that may still fail ends it */
};

struct sessions {
    struct refresh_store store;
    struct mutex lock;
    struct map live; /* by id */
    size_t sweep_at; /* at so many those that expired go */
};

enum { SWEEP_LEAST = 1024 };

/* ---- In the catalog ---- */

static slice hex_of(const uint8_t hash[SHA256_BYTES], char text[SESSION_HASH_BYTES])
{
    hex_encode((slice){hash, SHA256_BYTES}, text);
    return (slice){(const uint8_t *)text, SESSION_HASH_BYTES};
}

static enum err insert(void *context, const struct refresh_family *family, struct diag *diag)
{
    struct catalog_session session = {.created_us = family->created_us,
                                      .used_us = family->used_us,
                                      .expires_us = family->expires_us};
    memcpy(session.id, family->id, sizeof(session.id));
    memcpy(session.user, family->subject, sizeof(family->subject));
    memcpy(session.org, family->org, sizeof(family->org));
    (void)hex_of(family->newest, session.newest);
    return catalog_session_insert(context, &session, diag);
}

static enum err find(void *context, const char *id, struct refresh_family *out, struct diag *diag)
{
    struct catalog_session session;
    TRY(catalog_session_find(context, slice_from_cstr(id), &session, diag));
    *out = (struct refresh_family){.created_us = session.created_us,
                                   .used_us = session.used_us,
                                   .expires_us = session.expires_us,
                                   .revoked_us = session.revoked_us};
    (void)snprintf(out->id, sizeof(out->id), "%s", session.id);
    (void)snprintf(out->subject, sizeof(out->subject), "%s", session.user);
    (void)snprintf(out->org, sizeof(out->org), "%s", session.org);
    return hex_decode(slice_from_cstr(session.newest), out->newest)
               ? OK
               : diag_fail(diag, ERR_CORRUPT, "sessions", "a hash is none");
}

static enum err advance(void *context, const char *id, const uint8_t seen[SHA256_BYTES],
                        const uint8_t next[SHA256_BYTES], int64_t now_us, struct diag *diag)
{
    char seen_text[SESSION_HASH_BYTES];
    char next_text[SESSION_HASH_BYTES];
    return catalog_session_advance(context, slice_from_cstr(id), hex_of(seen, seen_text),
                                   hex_of(next, next_text), now_us, diag);
}

static enum err revoke(void *context, const char *id, int64_t now_us, struct diag *diag)
{
    return catalog_session_revoke(context, slice_from_cstr(id), now_us, diag);
}

/* ---- Life ---- */

struct sessions *sessions_new(struct catalog *catalog, int64_t lifetime_us, int64_t idle_us)
{
    struct sessions *sessions = mem_zeroed(sizeof(*sessions));
    sessions->store.insert = insert;
    sessions->store.find = find;
    sessions->store.advance = advance;
    sessions->store.revoke = revoke;
    sessions->store.context = catalog;
    sessions_set_times(sessions, lifetime_us, idle_us);
    sessions->sweep_at = SWEEP_LEAST;
    mutex_init(&sessions->lock);
    return sessions;
}

void sessions_free(struct sessions *sessions)
{
    if (sessions == NULL) {
        return;
    }
    map_release(&sessions->live, free);
    mutex_release(&sessions->lock);
    free(sessions);
}

void sessions_set_times(struct sessions *sessions, int64_t lifetime_us, int64_t idle_us)
{
    sessions->store.lifetime_us = lifetime_us;
    sessions->store.idle_us = idle_us;
}

const struct refresh_store *sessions_store(const struct sessions *sessions)
{
    return &sessions->store;
}

/* ---- In memory ---- */

static bool is_live_at(void *context, void *value)
{
    return ((const struct live *)value)->expires_us > *(const int64_t *)context;
}

static void put(struct sessions *sessions, const char *id, const char *user, int64_t expires_us,
                int64_t now_us)
{
    struct live *live = mem_zeroed(sizeof(*live));
    live->expires_us = expires_us;
    (void)snprintf(live->id, sizeof(live->id), "%s", id);
    (void)snprintf(live->user, sizeof(live->user), "%s", user);
    mutex_lock(&sessions->lock);
    if (sessions->live.count >= sessions->sweep_at) {
        map_sweep(&sessions->live, is_live_at, &now_us, free);
        sessions->sweep_at = 2 * sessions->live.count + SWEEP_LEAST;
    }
    free(map_put(&sessions->live, slice_from_cstr(id), live));
    mutex_unlock(&sessions->lock);
}

struct loading {
    struct sessions *sessions;
    int64_t now_us;
};

static void put_stored(void *context, const struct catalog_session *session)
{
    struct loading *loading = context;
    put(loading->sessions, session->id, session->user, session->expires_us, loading->now_us);
}

enum err sessions_load(struct sessions *sessions, int64_t now_us, struct diag *diag)
{
    struct loading loading = {sessions, now_us};
    return catalog_sessions_each(sessions->store.context, now_us, put_stored, &loading, diag);
}

void sessions_began(struct sessions *sessions, const struct refresh_family *family)
{
    put(sessions, family->id, family->subject, family->expires_us, family->created_us);
}

void sessions_ended(struct sessions *sessions, slice id)
{
    mutex_lock(&sessions->lock);
    free(map_take(&sessions->live, id));
    mutex_unlock(&sessions->lock);
}

struct ending {
    slice user, but;
};

static bool is_meant(const struct ending *ending, const struct live *live)
{
    return slice_equal(slice_from_cstr(live->user), ending->user) &&
           !slice_equal(slice_from_cstr(live->id), ending->but);
}

static bool mark(void *context, void *value)
{
    struct live *live = value;
    live->is_ending = live->is_ending || is_meant(context, live);
    return true;
}

static bool stays(void *context, void *value)
{
    const struct live *live = value;
    return !live->is_ending || !is_meant(context, live);
}

static void sweep_of(struct sessions *sessions, slice user, slice but,
                     bool (*keeps)(void *context, void *value))
{
    struct ending ending = {user, but};
    mutex_lock(&sessions->lock);
    map_sweep(&sessions->live, keeps, &ending, free);
    mutex_unlock(&sessions->lock);
}

void sessions_ending_of(struct sessions *sessions, slice user, slice but)
{
    sweep_of(sessions, user, but, mark);
}

void sessions_ended_of(struct sessions *sessions, slice user, slice but)
{
    sweep_of(sessions, user, but, stays);
}

bool sessions_live(struct sessions *sessions, slice id, slice user, int64_t now_us)
{
    mutex_lock(&sessions->lock);
    const struct live *live = map_find(&sessions->live, id);
    bool lives =
        live != NULL && slice_equal(slice_from_cstr(live->user), user) && now_us < live->expires_us;
    mutex_unlock(&sessions->lock);
    return lives;
}
