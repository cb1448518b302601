/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * syntax - the small parts of the language that the parser, the makers of leaves and the printer
 * share: names, operands, escapes, and how a mistake is answered. Private to this room.
 *
 * Threads: any.
 */

#include "filter/filter.h"

/* Fills `diag` with "filter:<offset>" and the sentence; returns `code`. */
enum err syntax_fail(struct diag *diag, enum err code, size_t offset, const char *format, ...)
    PRINTF_LIKE(4, 5);

/* For messages: at most 40 bytes of text from outside, never half a character. */
slice syntax_excerpt(slice text);

/* INVALID at the first byte that is not UTF-8. */
enum err syntax_check_utf8(slice text, struct diag *diag);

/* What may stand behind a backslash: punctuation and white space, so that a Windows path does not
 * lose its backslashes in silence. */
bool byte_is_escapable(uint8_t byte);
#define SYNTAX_ESCAPE_EXPECTED                                                                     \
    "expected one of * ! \" ( ) \\ or a space after the backslash; for a backslash write \\\\"

/* An operand after its escapes were read. */
struct operand {
    slice text;    /* in the arena */
    bool has_star; /* it ended with a `*` that was not escaped; `text` is without it */
    size_t offset; /* of its first byte, for messages */
};

enum star { STAR_AT_END, STAR_BETWEEN_WORDS };

/*
 * Reads backslash escapes and a `*` at the end of `raw`, which is without quotes and begins at
 * `offset`. STAR_BETWEEN_WORDS (free text): a `*` that touches no word is an ordinary byte, others
 * are refused. INVALID; LIMIT.
 */
enum err syntax_operand(slice raw, size_t offset, enum star star, struct arena *arena,
                        struct operand *out, struct diag *diag);

/* A name on the left of an operator. */
struct filter_name {
    enum filter_target target;
    enum field field;
    const slice *path; /* in the arena */
    size_t path_len;
    bool is_since, is_until;
};

/* Resolves a name that begins at `offset`. INVALID, with what it may have meant; LIMIT. */
enum err syntax_name(slice name, size_t offset, struct arena *arena, struct filter_name *out,
                     struct diag *diag);

/* One comparison before it is understood. */
struct leaf_source {
    slice name;
    size_t name_offset;
    enum filter_op op;
    slice raw; /* the operand, without quotes, with its escapes */
    size_t raw_offset;
};

/* The leaf of a comparison. INVALID; LIMIT. What it compiled is the caller's to release. */
enum err leaf_make(const struct leaf_source *source, const struct filter_context *context,
                   struct arena *arena, const struct filter **out, struct diag *diag);

static inline bool byte_is_blank(uint8_t byte)
{
    return byte == ' ' || byte == '\t' || byte == '\n' || byte == '\r';
}
