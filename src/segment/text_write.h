/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * text_write - a text column as a segment stores it: the codes of all rows, then the dictionary of
 * the values that rows have. Values that only gone rows had do not come along.
 *
 * Threads: a struct text_write belongs to one.
 */

#include "segment/segment_file.h"

/* Memory that one column after the other uses. Starts as {0}. */
struct text_write {
    slice *values;     /* by the source's index, where used */
    uint32_t *order;   /* source indexes in order of their values */
    uint32_t *code_of; /* by the source's index */
    uint8_t *used;     /* by the source's index */
    uint32_t *copies;  /* source indexes whose values were unpacked */
    uint32_t capacity; /* of the five */
    struct buf copied; /* unpacked values */
};
void text_write_release(struct text_write *work);

/* Appends the column of `field`; rows of `gone` (NULL: none) have code 0. *has_any false, and
 * nothing appended: no row that stays has the field. CORRUPT: the source's codes are. */
enum err text_write_column(struct text_write *work, const struct rows *source,
                           const struct row_set *gone, enum field field, struct buf *out,
                           struct segment_text_shape *shape, bool *has_any);
