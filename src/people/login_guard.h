/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * login_guard - how many logins may fail: so many for an account, and for an address, in a sliding
 * window; then all are refused until the oldest of them is as old as the window.
 *
 *     TRY(login_guard_enter(guard, account, address, &attempt, &retry_after_us));
 *     ... look for the account, password_verify() also if there is none ...
 *     if it is right: login_guard_succeeded(guard, &attempt);
 *
 * An attempt counts as failed from the moment it begins until it is known not to be, so that a
 * thousand at once are no more than five. A refused one does not count, or nobody would ever get
 * in again.
 *
 * It knows names, not accounts: one that does not exist is counted and refused like any other, with
 * the same work, so nothing here tells which exist.
 *
 * Memory is taken once. Tables are sets of eight; in a full set the one goes that may still fail
 * and failed longest ago, and only when all are refused one of those. It takes tens of thousands
 * of addresses, each within its own limit, to push one out.
 *
 * Accounts are compared without regard to the case of ASCII letters; of an IPv6 address the first
 * 64 bits count, because whoever has one address has those.
 *
 * Threads: any.
 */

#include "base/err.h"
#include "base/slice.h"

#define LOGIN_GUARD_FAILURES     5
#define LOGIN_GUARD_FAILURES_MAX 100
#define LOGIN_GUARD_WINDOW_S     300
#define LOGIN_GUARD_WINDOW_S_MAX 86400
#define LOGIN_GUARD_NAMES        65536 /* of each table: 4 MiB with 5 failures */

struct login_guard;

struct login_guard_options {
    uint32_t failures_max; /* 0: off, everybody is let through; at most LOGIN_GUARD_FAILURES_MAX */
    uint32_t window_s;     /* 1 to LOGIN_GUARD_WINDOW_S_MAX */
    uint32_t names_max;    /* of accounts, and of addresses; rounded up to a power of two */
};
#define LOGIN_GUARD_DEFAULTS                                                                       \
    {                                                                                              \
        LOGIN_GUARD_FAILURES, LOGIN_GUARD_WINDOW_S, LOGIN_GUARD_NAMES                              \
    }

/* Never NULL. */
struct login_guard *login_guard_new(const struct login_guard_options *options);
void login_guard_free(struct login_guard *guard);
DEFINE_OWNED(login_guard);

/* Other limits from now on, within those of the options; what was counted still counts, as far as
 * there is room for it (0 forgets). */
void login_guard_set(struct login_guard *guard, uint32_t failures_max, uint32_t window_s);

struct login_attempt {
    uint64_t account[2], address[2]; /* hashes of them */
    int64_t began_us;                /* by the monotonic clock; 0: it is not counted */
};

/* Begins an attempt, before anything is looked up. LIMIT: refused; *retry_after_us is when it is
 * worth another try, more than 0. That is the same answer for all reasons and accounts. */
enum err login_guard_enter(struct login_guard *guard, slice account, slice address,
                           struct login_attempt *out, int64_t *retry_after_us);

/* It was right. The account starts anew; from the address only this attempt is taken, or an
 * attacker with an account of his own would never be stopped. Once for each attempt. */
void login_guard_succeeded(struct login_guard *guard, const struct login_attempt *attempt);

/* Nobody looked whether it was right (the server was too busy): it does not count at all. */
void login_guard_undone(struct login_guard *guard, const struct login_attempt *attempt);
