/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * trial - one check of one document while it runs, and what the assertions need of it.
 *
 * An error ends a trial for good: whatever the assertions answer from then on, `not` included, is
 * no verdict, and schema_check() does not take it for one.
 *
 * For this room, and for `rules`. Threads: one owner.
 */

#include <stdarg.h>

#include "validate/part.h"
#include "validate/work.h"

#define SCHEMA_POINTER_BYTES_MAX KIB(512) /* every byte of a document's names as an escape */

struct trial {
    struct arena *arena;
    struct work *work;
    const struct schema_sink *sink;
    size_t told;   /* violations */
    bool is_quiet; /* what does not hold may be no violation: inside `not`, `anyOf` and so on */
    bool is_over;  /* enough has been told */
    uint32_t depth;
    enum err error;
    struct diag *diag;
    struct buf *pointer;
};

/* Whether the value has the form of the part. False, too, when the trial has ended. */
bool trial_apply(struct trial *trial, const struct part *part, const struct node *value);

/* The same without telling. */
bool trial_asks(struct trial *trial, const struct part *part, const struct node *value);

/* Takes work; false when the trial has ended. */
bool trial_pays(struct trial *trial, uint64_t units);

/* Ends the trial unless `error` is OK, which it then answers with true. */
bool trial_goes_on(struct trial *trial, enum err error);

/* Tells that `value` violates the keyword `name` whose value is `source`. Always false, so that an
 * assertion can answer with it. */
bool trial_violated(struct trial *trial, const struct node *value, const char *name,
                    const struct node *source, const char *format, ...) PRINTF_LIKE(5, 6);

/* schema_check() of a value in a tree, with memory and work that the caller shares among checks. */
enum err trial_run(const struct schema *schema, const struct node *value, struct trial *trial,
                   bool *is_valid_out, struct diag *diag);

/* "a string", for messages. */
const char *kind_phrase(enum json_kind kind);

/* What is said of a violation, written into `out`. Messages are ours, and fit. */
#define MESSAGE_BYTES_MAX 1024
slice message_text(char out[MESSAGE_BYTES_MAX], const char *format, va_list args) PRINTF_LIKE(2, 0);

/* For messages: at most 60 bytes of a name, never half a character. */
slice name_excerpt(slice name);
