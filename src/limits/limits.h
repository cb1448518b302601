/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * limits - how many requests a subject may make in the last minute, hour, day.
 *
 * A subject is an organisation, a key, or an address, with up to LIMIT_WINDOWS_MAX windows. Windows
 * slide: a request made at t counts until t + seconds, and leaves at that moment. limits_take()
 * judges all windows of all its subjects together and counts the request in all of them or in none.
 *
 * Burst: a window of `limit` requests with a burst of b lets through what leaves at most
 * limit + b requests in any span of one window, and at most 2 * limit in any span of two. So b more
 * may come at once, out of what the window before left over, and are missing in the next one.
 *
 * Exactness: up to LIMIT_LOG_ENTRIES requests that a window holds, it holds each. Beyond, it counts
 * them in buckets; then a request leaves up to one bucket late, never early. Neither form ever
 * permits more than said above.
 *
 * Two back ends: in process (limits_local.h) and in Redis (limits_redis.h), shared by servers.
 *
 * Threads: any.
 */

#include "base/err.h"
#include "base/slice.h"

#define LIMIT_ID_BYTES_MAX 64
#define LIMIT_WINDOWS_MAX  4
#define LIMIT_SUBJECTS_MAX 4 /* of one request */
#define LIMIT_LOG_ENTRIES  128
#define LIMIT_MOST         1000000000 /* of a limit, and of a burst */
#define LIMIT_SECONDS_MAX  (31 * 86400)

enum limit_kind {
    LIMIT_ORGANIZATION,
    LIMIT_KEY,
    LIMIT_ADDRESS, /* requests that failed to authenticate */
    LIMIT_KIND_COUNT,
};
const char *limit_kind_name(enum limit_kind kind); /* "organization" */
bool limit_kind_parse(slice name, enum limit_kind *out);

struct limit_window {
    uint32_t seconds; /* 1 to LIMIT_SECONDS_MAX */
    uint32_t limit;   /* to LIMIT_MOST; 0: the window is off */
    uint32_t burst;   /* what passes `limit` is cut: more cannot be paid back */
};

struct limit_subject {
    enum limit_kind kind;
    slice id; /* 1 to LIMIT_ID_BYTES_MAX bytes; the first so many of a longer one are it */
    /* Subjects of one kind have the same seconds at the same place. A window whose seconds change
     * starts empty; one whose limit changes keeps what it counted. */
    struct limit_window windows[LIMIT_WINDOWS_MAX];
    size_t window_count;
};

/* The time of a request. `steady_us` decides (in process) and never goes back, so that a wall clock
 * that is set lets nobody off and locks nobody out; `wall_us` is for what clients are told. */
struct limit_time {
    int64_t steady_us, wall_us;
};
struct limit_time limit_time_now(void);

/* One window of one subject, at the time of the answer. */
struct limit_state {
    enum limit_kind kind;
    struct limit_window window;
    uint32_t most;      /* that pass in one window: limit + burst */
    uint32_t remaining; /* how many would pass now */
    int64_t reset_us;   /* wall: when the next slot frees; of an empty window, when it would */
    int64_t wait_us;    /* how long from now until one more may pass; 0: now */
};

struct limit_answer {
    bool is_refused;
    bool is_unmetered; /* nothing was judged: no window is on, or Redis is away and passes all */
    struct limit_state states[LIMIT_SUBJECTS_MAX * LIMIT_WINDOWS_MAX]; /* as asked; without "off" */
    size_t state_count;
    size_t decisive; /* among states: of a refusal the longest wait, else the least remaining */
};

struct limits; /* a back end */
void limits_free(struct limits *limits);
DEFINE_OWNED(limits);

/* Whether any of its windows is on. */
bool limit_subject_is_on(const struct limit_subject *subject);

/* Whether the functions below may wait for another machine: not on a loop, then. */
bool limits_wait(const struct limits *limits);

/* Counts one request of all `subjects` (1 to LIMIT_SUBJECTS_MAX, no two the same). OK: it passes.
 * LIMIT: it does not, nothing was counted, and *out says why. BUSY: Redis is away, and it was
 * chosen that nothing passes then; *out is empty. */
enum err limits_take(struct limits *limits, const struct limit_subject *subjects, size_t count,
                     struct limit_time now, struct limit_answer *out);

/* Would it pass? Counts nothing, in statistics neither: for failures, which are counted behind. */
enum err limits_look(struct limits *limits, const struct limit_subject *subjects, size_t count,
                     struct limit_time now, struct limit_answer *out);

/* ---- What an administrator sees ---- */

/* What became of a subject's requests since it is known; `refused` by which window. What has been
 * quiet for long is forgotten, and starts again at 0. */
struct limit_usage {
    enum limit_kind kind;
    char id[LIMIT_ID_BYTES_MAX + 1];
    uint64_t allowed;
    uint64_t refused[LIMIT_WINDOWS_MAX];
    struct limit_window windows[LIMIT_WINDOWS_MAX]; /* as they were last asked for */
    uint32_t used[LIMIT_WINDOWS_MAX];               /* in the window now */
    size_t window_count;
};

/* False ends the list. Called without a lock; it may call limits. */
typedef bool limits_each_fn(void *context, const struct limit_usage *usage);

/* Each subject of a kind that is known now, in no order. One that comes or goes meanwhile may be
 * missing. BUSY: Redis is away. */
enum err limits_list(struct limits *limits, enum limit_kind kind, struct limit_time now,
                     limits_each_fn *each, void *context);

/* One subject; NOT_FOUND; BUSY. */
enum err limits_find(struct limits *limits, enum limit_kind kind, slice id, struct limit_time now,
                     struct limit_usage *out);

/* Empties the windows of a subject; its statistics stay. OK if it is not known. BUSY. */
enum err limits_reset(struct limits *limits, enum limit_kind kind, slice id);

/* ---- How the limiter is ---- */

struct limits_health {
    const char *backend; /* "memory" or "redis" */
    bool is_away;
    bool is_open;          /* what is chosen for when it is away: everything passes */
    int64_t away_since_us; /* wall; 0: it is here */
    char error[128]; /* the last one; may name hosts, so not for strangers; never a password */
    uint64_t allowed[LIMIT_KIND_COUNT], refused[LIMIT_KIND_COUNT]; /* by this process */
    uint64_t passed_unjudged, refused_unjudged; /* requests while away, or that timed out */
    uint64_t outages, subjects, evicted;        /* subjects, evicted: in process only */
};
void limits_health(struct limits *limits, struct limits_health *out);
