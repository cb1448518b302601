/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * event_input - an input of a fuzzer as one event, read as the server reads it; every other input
 * comes with the type in a header.
 */

#include <stdlib.h>

#include "base/arena.h"
#include "base/mem.h"
#include "event/read.h"

struct event_input {
    uint8_t *copy; /* of the bytes, so that reading beyond them is found; the event borrows of it */
    slice bytes;
    struct arena arena;
    struct read_options options;
    struct event event;
    struct diag diag;
};

/* Ends with event_input_release(), also after an error. */
static inline enum err event_input_read(struct event_input *input, const uint8_t *data, size_t size)
{
    uint64_t sent = 0;
    input->copy = mem_array(1, size > 0 ? size : 1);
    memcpy(input->copy, data, size);
    input->bytes = (slice){input->copy, size};
    arena_init(&input->arena, MIB(64));
    input->options = (struct read_options){.org = SLICE("o"), .now_us = 1768435200000000};
    input->options.header_event_type = size % 2 == 0 ? SLICE("h.t") : (slice){0};
    input->diag = (struct diag){0};
    return event_read(input->bytes, &input->options, &input->arena, &input->event, &sent,
                      &input->diag);
}

static inline void event_input_release(struct event_input *input)
{
    arena_release(&input->arena);
    free(input->copy);
}
