/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * tokens - what the Bloom filters of a segment hold about event_data and event_metadata, and what
 * a leaf needs to find there. Both sides stand in one file so that they cannot differ.
 *
 * A token is a 64-bit hash with HASH_STORED (docs/format/tokens.md):
 *   path = value   for each scalar, with array indexes left out of the path; numbers by their
 *                  normalised decimal, so that 1e3 and 1000.0 are one token; true, false, null
 *   word           for each word of each string value, lower case; a word is a run of ASCII
 *                  letters and digits, '_' and all bytes from 0x80 on
 *
 * Threads: any.
 */

#include "base/slice.h"
#include "filter/filter.h"

struct token_sink {
    uint64_t *tokens; /* the owner's memory */
    size_t count;
    size_t capacity;
    bool overflowed; /* more tokens than capacity: treat the tile as holding everything */
};

/* The tokens of one stored JSON value (valid, without white space). `root` is FILTER_ON_DATA or
 * FILTER_ON_METADATA. Duplicates may occur. */
void tokens_of_json(slice json, enum filter_target root, struct token_sink *sink);

/*
 * What must be in a Bloom filter for `leaf` to match inside the JSON values: an AND of groups, each
 * an OR of tokens (a value that is both a string and a number has two). No groups: it says nothing.
 */
#define TOKENS_OF_LEAF_MAX 32
struct leaf_tokens {
    struct {
        uint64_t any_of[4];
        size_t count;
    } all_of[TOKENS_OF_LEAF_MAX];
    size_t count;
};
void tokens_of_leaf(const struct filter *leaf, struct leaf_tokens *out);

/* Whether the words of `phrase` stand next to each other in `text`, in any case of ASCII letters.
 */
bool words_match(slice phrase, slice text);
