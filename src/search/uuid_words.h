/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * uuid_words - phrases in the text of a UUID, without writing the text. Its words are five runs of
 * hex digits, each a whole number of bytes, so that a phrase can only stand at a few places, and is
 * there if certain bytes have certain values.
 *
 * Threads: any.
 */

#include "codec/uuid.h"

#define UUID_WORDS 5

struct uuid_words {
    struct {
        uint64_t mask[2];
        uint64_t value[2];
    } places[UUID_WORDS];
    size_t count; /* 0: no UUID has the phrase */
};

/* `phrase` as FILTER_WORDS has it. */
void uuid_words_find(slice phrase, struct uuid_words *out);

static inline bool uuid_words_match(const struct uuid_words *words, const struct uuid *uuid)
{
    uint64_t halves[2];
    memcpy(halves, uuid->bytes, sizeof(halves));
    for (size_t i = 0; i < words->count; i++) {
        if ((halves[0] & words->places[i].mask[0]) == words->places[i].value[0] &&
            (halves[1] & words->places[i].mask[1]) == words->places[i].value[1]) {
            return true;
        }
    }
    return false;
}
