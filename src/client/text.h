/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * text - an owned, growing run of bytes that says so when memory runs out.
 *
 * The library may not end its caller's process, so it cannot use base/buf, which does. `failed`
 * stays set until the next clear; one check at the end is enough.
 *
 * Requests' targets are built of it, by the command line too: what means something in a URL is
 * escaped here and nowhere else.
 *
 * Threads: one owner at a time.
 */

#include "base/macros.h"
#include "base/slice.h"

struct text {
    char *ptr; /* NUL-terminated once anything was appended */
    size_t len;
    size_t capacity;
    size_t max; /* 0: no bound but memory */
    bool failed;
};

void text_append(struct text *text, slice bytes);
void text_append_cstr(struct text *text, const char *bytes);
void text_append_u64(struct text *text, uint64_t number);
/* Percent-encodes all but the unreserved characters of RFC 3986. */
void text_append_encoded(struct text *text, const char *bytes);
/* "?name=value", "&name=value" where the text has a '?'; nothing of a value that is NULL or "". */
void text_append_parameter(struct text *text, const char *name, const char *value);
void text_append_parameter_u64(struct text *text, const char *name, uint64_t number);
void text_drop_front(struct text *text, size_t n);
void text_clear(struct text *text); /* keeps the memory */
void text_release(struct text *text);
void text_wipe(struct text *text); /* the same, of a secret */

static inline slice text_slice(const struct text *text)
{
    return (slice){(const uint8_t *)text->ptr, text->len};
}
