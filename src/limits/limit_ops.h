/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * limit_ops - what a back end of limits.h provides; it embeds `struct limits` as its first member.
 *
 * The subjects that reach it have been checked, have at least one window that is on, and their ids
 * are cut to LIMIT_ID_BYTES_MAX.
 */

#include "limits/limits.h"

struct limits_ops {
    /* `counts`: take, otherwise look. *out is empty; its states and is_refused are set, or its
     * is_unmetered. OK or BUSY: a refusal is OK here. */
    enum err (*judge)(struct limits *limits, const struct limit_subject *subjects, size_t count,
                      struct limit_time now, bool counts, struct limit_answer *out);
    enum err (*list)(struct limits *limits, enum limit_kind kind, struct limit_time now,
                     limits_each_fn *each, void *context);
    enum err (*find)(struct limits *limits, enum limit_kind kind, slice id, struct limit_time now,
                     struct limit_usage *out);
    enum err (*reset)(struct limits *limits, enum limit_kind kind, slice id);
    void (*health)(struct limits *limits, struct limits_health *out);
    void (*free)(struct limits *limits);
    bool waits; /* for another machine */
};

struct limits {
    const struct limits_ops *ops;
};

/* What a window lets through at most, in one span and in two; the burst is cut to the limit. */
static inline uint32_t limit_most(const struct limit_window *window)
{
    return window->limit + (window->burst < window->limit ? window->burst : window->limit);
}

static inline bool limit_window_is_on(const struct limit_window *window)
{
    return window->limit != 0;
}

/* Sets is_refused, and which state decides the answer: of a refusal the full window with the
 * longest wait, otherwise the one with the least remaining. There is at least one state. */
void limit_answer_decide(struct limit_answer *answer, bool is_refused);
