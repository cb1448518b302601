/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * group_make - the sections of a group's index made from its segments: to be written, or to be
 * compared with what was. What is appended is a function of the segments alone.
 *
 * Threads: belongs to one.
 */

#include "segment/group_file.h"

struct group_make {
    struct segment *const *segments; /* [GROUP_SEGMENTS], NULL: gone */
    struct buf section;
    uint64_t v7_min_ms, v7_max_ms; /* once the ids were made */
    unsigned next_field;
    bool made_ids;
};

void group_make_init(struct group_make *make, struct segment *const segments[GROUP_SEGMENTS]);
void group_make_release(struct group_make *make);

/* The next section: `what` says which, its bytes are in make->section. *more is false, and there is
 * none, behind the last. CORRUPT: a segment's columns are. */
enum err group_make_next(struct group_make *make, struct section *what, bool *more);

/* The fixed part of the footer, once all sections were made. */
void group_make_head(const struct group_make *make, uint64_t first_seq,
                     uint8_t out[GROUP_HEAD_BYTES]);
