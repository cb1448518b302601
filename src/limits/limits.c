/* SPDX-License-Identifier: Apache-2.0 */
#include "limits/limits.h"

#include "limits/limit_ops.h"
#include "os/clock.h"

static const char *const kind_names[LIMIT_KIND_COUNT] = {
    [LIMIT_ORGANIZATION] = "organization",
    [LIMIT_KEY] = "key",
    [LIMIT_ADDRESS] = "address",
};

const char *limit_kind_name(enum limit_kind kind)
{
    ASSERT(kind < LIMIT_KIND_COUNT);
    return kind_names[kind];
}

bool limit_kind_parse(slice name, enum limit_kind *out)
{
    for (size_t i = 0; i < LIMIT_KIND_COUNT; i++) {
        if (slice_equal(name, slice_from_cstr(kind_names[i]))) {
            *out = (enum limit_kind)i;
            return true;
        }
    }
    return false;
}

struct limit_time limit_time_now(void)
{
    return (struct limit_time){.steady_us = clock_monotonic_us(), .wall_us = clock_now_us()};
}

void limits_free(struct limits *limits)
{
    if (limits != NULL) {
        limits->ops->free(limits);
    }
}

bool limits_wait(const struct limits *limits)
{
    return limits->ops->waits;
}

void limit_answer_decide(struct limit_answer *answer, bool is_refused)
{
    ASSERT(answer->state_count > 0);
    answer->is_refused = is_refused;
    answer->decisive = 0;
    for (size_t i = 1; i < answer->state_count; i++) {
        const struct limit_state *best = &answer->states[answer->decisive];
        const struct limit_state *state = &answer->states[i];
        bool is_longer = state->remaining == 0 && state->wait_us > best->wait_us;
        bool is_fewer = state->remaining < best->remaining;
        if (is_refused ? is_longer : is_fewer) {
            answer->decisive = i;
        }
    }
}

static slice cut_id(slice id)
{
    ASSERT(id.len > 0);
    id.len = id.len < LIMIT_ID_BYTES_MAX ? id.len : LIMIT_ID_BYTES_MAX;
    return id;
}

bool limit_subject_is_on(const struct limit_subject *subject)
{
    bool is_on = false;
    ASSERT(subject->kind < LIMIT_KIND_COUNT);
    ASSERT(subject->window_count <= LIMIT_WINDOWS_MAX);
    for (size_t i = 0; i < subject->window_count; i++) {
        const struct limit_window *window = &subject->windows[i];
        ASSERT(window->seconds >= 1 && window->seconds <= LIMIT_SECONDS_MAX);
        ASSERT(window->limit <= LIMIT_MOST && window->burst <= LIMIT_MOST);
        is_on = is_on || limit_window_is_on(window);
    }
    return is_on;
}

/* Copies a subject as back ends want it; false if none of its windows is on. */
static bool prepare(const struct limit_subject *subject, struct limit_subject *out)
{
    *out = *subject;
    out->id = cut_id(subject->id);
    return limit_subject_is_on(subject);
}

static enum err judge(struct limits *limits, const struct limit_subject *subjects, size_t count,
                      struct limit_time now, bool counts, struct limit_answer *out)
{
    ASSERT(count >= 1 && count <= LIMIT_SUBJECTS_MAX);
    struct limit_subject metered[LIMIT_SUBJECTS_MAX];
    size_t metered_count = 0;
    for (size_t i = 0; i < count; i++) {
        metered_count += prepare(&subjects[i], &metered[metered_count]) ? 1 : 0;
    }
    out->is_refused = false;
    out->is_unmetered = metered_count == 0;
    out->state_count = 0;
    out->decisive = 0;
    if (metered_count == 0) {
        return OK;
    }
    TRY(limits->ops->judge(limits, metered, metered_count, now, counts, out));
    return out->is_refused ? ERR_LIMIT : OK;
}

enum err limits_take(struct limits *limits, const struct limit_subject *subjects, size_t count,
                     struct limit_time now, struct limit_answer *out)
{
    return judge(limits, subjects, count, now, true, out);
}

enum err limits_look(struct limits *limits, const struct limit_subject *subjects, size_t count,
                     struct limit_time now, struct limit_answer *out)
{
    return judge(limits, subjects, count, now, false, out);
}

enum err limits_list(struct limits *limits, enum limit_kind kind, struct limit_time now,
                     limits_each_fn *each, void *context)
{
    ASSERT(kind < LIMIT_KIND_COUNT);
    return limits->ops->list(limits, kind, now, each, context);
}

enum err limits_find(struct limits *limits, enum limit_kind kind, slice id, struct limit_time now,
                     struct limit_usage *out)
{
    ASSERT(kind < LIMIT_KIND_COUNT);
    return limits->ops->find(limits, kind, cut_id(id), now, out);
}

enum err limits_reset(struct limits *limits, enum limit_kind kind, slice id)
{
    ASSERT(kind < LIMIT_KIND_COUNT);
    return limits->ops->reset(limits, kind, cut_id(id));
}

void limits_health(struct limits *limits, struct limits_health *out)
{
    *out = (struct limits_health){0};
    limits->ops->health(limits, out);
}
