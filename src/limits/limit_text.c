/* SPDX-License-Identifier: Apache-2.0 */
#include "limits/limit_text.h"

#include <inttypes.h>
#include <stdio.h>

static const struct span {
    uint32_t seconds;
    const char *name;
} spans[] = {{86400, "day"}, {3600, "hour"}, {60, "minute"}, {1, "second"}};

/* Rounded up; what is past is 0. */
static uint64_t whole_seconds(int64_t us)
{
    return us > 0 ? ((uint64_t)us + 999999) / 1000000 : 0;
}

void limit_window_name(enum limit_kind kind, uint32_t seconds, char out[LIMIT_NUMBER_BYTES + 16])
{
    const char *prefix = kind == LIMIT_ORGANIZATION ? "" : limit_kind_name(kind);
    const char *dash = kind == LIMIT_ORGANIZATION ? "" : "-";
    for (size_t i = 0; i < COUNT_OF(spans); i++) {
        if (spans[i].seconds == seconds) {
            (void)snprintf(out, LIMIT_NUMBER_BYTES + 16, "%s%s%s", prefix, dash, spans[i].name);
            return;
        }
    }
    (void)snprintf(out, LIMIT_NUMBER_BYTES + 16, "%s%s%" PRIu32 "s", prefix, dash, seconds);
}

uint64_t limit_retry_after_s(const struct limit_answer *answer)
{
    ASSERT(answer->is_refused);
    uint64_t seconds = whole_seconds(answer->states[answer->decisive].wait_us);
    return seconds > 0 ? seconds : 1;
}

void limit_message(const struct limit_answer *answer, char out[LIMIT_MESSAGE_BYTES])
{
    ASSERT(answer->is_refused);
    struct limit_window window = answer->states[answer->decisive].window;
    size_t at = 0;
    while (window.seconds % spans[at].seconds != 0) {
        at++;
    }
    const char *noun = window.limit == 1 ? "request" : "requests";
    uint32_t times = window.seconds / spans[at].seconds;
    if (times == 1) {
        (void)snprintf(out, LIMIT_MESSAGE_BYTES, "Rate limit exceeded: %" PRIu32 " %s per %s",
                       window.limit, noun, spans[at].name);
    } else {
        (void)snprintf(out, LIMIT_MESSAGE_BYTES,
                       "Rate limit exceeded: %" PRIu32 " %s per %" PRIu32 " %ss", window.limit,
                       noun, times, spans[at].name);
    }
}

/* Appends to a list of structured fields; LIMIT_LIST_BYTES hold the longest. */
static void append_state(const struct limit_state *state, struct limit_time now,
                         struct limit_headers *out)
{
    char name[LIMIT_NUMBER_BYTES + 16];
    limit_window_name(state->kind, state->window.seconds, name);
    size_t used = strlen(out->policy);
    int n = snprintf(out->policy + used, sizeof(out->policy) - used,
                     "%s\"%s\";q=%" PRIu32 ";w=%" PRIu32, used > 0 ? ", " : "", name, state->most,
                     state->window.seconds);
    ASSERT(n > 0 && (size_t)n < sizeof(out->policy) - used);
    used = strlen(out->rate_limit);
    n = snprintf(out->rate_limit + used, sizeof(out->rate_limit) - used,
                 "%s\"%s\";r=%" PRIu32 ";t=%" PRIu64, used > 0 ? ", " : "", name, state->remaining,
                 whole_seconds(state->reset_us - now.wall_us));
    ASSERT(n > 0 && (size_t)n < sizeof(out->rate_limit) - used);
}

bool limit_headers(const struct limit_answer *answer, struct limit_time now,
                   struct limit_headers *out)
{
    *out = (struct limit_headers){0};
    if (answer->is_unmetered || answer->state_count == 0) {
        return false;
    }
    const struct limit_state *state = &answer->states[answer->decisive];
    (void)snprintf(out->limit, sizeof(out->limit), "%" PRIu32, state->most);
    (void)snprintf(out->remaining, sizeof(out->remaining), "%" PRIu32, state->remaining);
    (void)snprintf(out->reset, sizeof(out->reset), "%" PRIu64, whole_seconds(state->reset_us));
    if (answer->is_refused) {
        (void)snprintf(out->retry_after, sizeof(out->retry_after), "%" PRIu64,
                       limit_retry_after_s(answer));
    }
    for (size_t i = 0; i < answer->state_count; i++) {
        append_state(&answer->states[i], now, out);
    }
    return true;
}
