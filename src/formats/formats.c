/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Finding the records in a document. Only brackets and quotes are looked at here: whether a record
 * is JSON at all is for format_read() to say, which reads it with all rules.
 */
#include "formats/formats.h"

#include "formats/mapping.h"
#include "json/bytes.h"

static const struct format *const formats[] = {
    &format_cloudtrail,
    &format_mutt,
};

/* Where a document stands between two calls, in format_state.stage. */
enum {
    AT_TOP,       /* before the first record or a container */
    AT_TOP_NEXT,  /* behind a bare record */
    IN_LIST,      /* behind [ */
    IN_LIST_NEXT, /* behind a record of a list */
    BEHIND_LIST,  /* behind ] of a container: its } is left */
    STAGE_MASK = 7,
    LIST_IS_NAMED = 8, /* the list belongs to a container and not to a bare array */
};

const struct format *format_find(slice name)
{
    for (size_t i = 0; i < COUNT_OF(formats); i++) {
        if (slice_equal(formats[i]->name, name)) {
            return formats[i];
        }
    }
    return NULL;
}

slice format_name(const struct format *format)
{
    return format->name;
}

static bool is_space(uint8_t byte)
{
    return byte == ' ' || byte == '\n' || byte == '\r' || byte == '\t';
}

/* Behind the string whose opening quote is at `p`, NULL if it does not end. */
static const uint8_t *string_end(const uint8_t *p, const uint8_t *end)
{
    p = json_find_quote(p + 1, end);
    while (end - p >= 2 && *p == '\\') {
        p = json_find_quote(p + 2, end);
    }
    return p < end && *p == '"' ? p + 1 : NULL;
}

/* Length of the record that starts with { at the front of `text`, 0 if its end is not there. */
static size_t record_len(slice text)
{
    const uint8_t *p = text.ptr;
    const uint8_t *end = text.ptr + text.len;
    size_t depth = 0;
    while (p != NULL && p < end) {
        uint8_t byte = *p;
        if (byte == '"') {
            p = string_end(p, end);
            continue;
        }
        p++;
        if (byte == '{' || byte == '[') {
            depth++;
        } else if ((byte == '}' || byte == ']') && --depth == 0) {
            return (size_t)(p - text.ptr);
        }
    }
    return 0;
}

/* Whether `rest` begins as a container does: {"Records":[ with white space anywhere. Then it is
 * taken. *is_cut: the text is too short to tell. */
static bool take_container(slice *rest, slice name, bool *is_cut)
{
    const slice tokens[] = {SLICE("{"), SLICE("\""), name, SLICE("\""), SLICE(":"), SLICE("[")};
    slice at = *rest;
    for (size_t i = 0; i < COUNT_OF(tokens); i++) {
        bool is_inside = i == 2 || i == 3; /* of the quotes, where white space counts */
        while (!is_inside && at.len > 0 && is_space(at.ptr[0])) {
            (void)slice_take(&at, 1);
        }
        size_t common = at.len < tokens[i].len ? at.len : tokens[i].len;
        if (common > 0 && memcmp(at.ptr, tokens[i].ptr, common) != 0) {
            return false;
        }
        if (common < tokens[i].len) {
            *is_cut = true;
            return false;
        }
        (void)slice_take(&at, common);
    }
    *rest = at;
    return true;
}

struct finder {
    const struct format *format;
    struct format_state *state;
    slice rest;
    bool is_last;
    bool needs_more;
    struct diag *diag;
};

static enum err take_record(struct finder *finder, slice *record)
{
    if (finder->rest.ptr[0] != '{') {
        return diag_fail(finder->diag, ERR_INVALID, "", "expected a record of %.*s",
                         SLICE_ARG(finder->format->name));
    }
    size_t len = record_len(finder->rest);
    if (len > 0) {
        *record = slice_take(&finder->rest, len);
        finder->state->records++;
        return OK;
    }
    if (finder->is_last) {
        return diag_fail(finder->diag, ERR_INVALID, "", "the text ends inside a record");
    }
    if (finder->rest.len > READ_LINE_BYTES_MAX) {
        return diag_fail(finder->diag, ERR_LIMIT, "", "must have at most %d bytes",
                         READ_LINE_BYTES_MAX);
    }
    finder->needs_more = true;
    return OK;
}

static enum err step_top(struct finder *finder, slice *record)
{
    bool is_next = (finder->state->stage & STAGE_MASK) == AT_TOP_NEXT;
    bool is_cut = false;
    if (is_next && slice_take_literal(&finder->rest, SLICE(","))) {
        finder->state->stage = AT_TOP;
        return OK;
    }
    if (slice_take_literal(&finder->rest, SLICE("["))) {
        finder->state->stage = IN_LIST;
        return OK;
    }
    if (take_container(&finder->rest, finder->format->container, &is_cut)) {
        finder->state->stage = IN_LIST | LIST_IS_NAMED;
        return OK;
    }
    if (is_cut && !finder->is_last) {
        finder->needs_more = true;
        return OK;
    }
    finder->state->stage = AT_TOP_NEXT;
    return take_record(finder, record);
}

static enum err step_list(struct finder *finder, slice *record)
{
    uint32_t named = finder->state->stage & LIST_IS_NAMED;
    bool is_next = (finder->state->stage & STAGE_MASK) == IN_LIST_NEXT;
    if (finder->rest.ptr[0] == ']') {
        (void)slice_take(&finder->rest, 1);
        finder->state->stage = named != 0 ? BEHIND_LIST : AT_TOP_NEXT;
        return OK;
    }
    if (is_next && finder->rest.ptr[0] != ',') {
        return diag_fail(finder->diag, ERR_INVALID, "", "expected a comma or ]");
    }
    slice before = finder->rest;
    (void)slice_take(&finder->rest, is_next ? 1 : 0);
    while (finder->rest.len > 0 && is_space(finder->rest.ptr[0])) {
        (void)slice_take(&finder->rest, 1);
    }
    if (finder->rest.len == 0 && !finder->is_last) {
        finder->rest = before;
        finder->needs_more = true;
        return OK;
    }
    if (finder->rest.len == 0) {
        return diag_fail(finder->diag, ERR_INVALID, "", "the text ends inside a list");
    }
    TRY(take_record(finder, record));
    finder->rest = finder->needs_more ? before : finder->rest;
    finder->state->stage = finder->needs_more ? finder->state->stage : IN_LIST_NEXT | named;
    return OK;
}

static enum err step(struct finder *finder, slice *record)
{
    switch (finder->state->stage & STAGE_MASK) {
    case IN_LIST:
    case IN_LIST_NEXT:
        return step_list(finder, record);
    case BEHIND_LIST:
        if (!slice_take_literal(&finder->rest, SLICE("}"))) {
            return diag_fail(finder->diag, ERR_INVALID, "", "expected } behind %.*s",
                             SLICE_ARG(finder->format->container));
        }
        finder->state->stage = AT_TOP_NEXT;
        return OK;
    default:
        return step_top(finder, record);
    }
}

enum err format_next(const struct format *format, struct format_state *state, slice *document,
                     bool is_last, slice *record_out, struct diag *diag)
{
    struct format_state after = *state;
    struct finder finder = {format, &after, *document, is_last, false, diag};
    slice record = {0};
    for (;;) {
        while (finder.rest.len > 0 && is_space(finder.rest.ptr[0])) {
            (void)slice_take(&finder.rest, 1);
        }
        if (record.len > 0 || finder.rest.len == 0 || finder.needs_more) {
            break;
        }
        TRY(step(&finder, &record));
    }
    uint32_t stage = after.stage & STAGE_MASK;
    bool is_open = stage != AT_TOP && stage != AT_TOP_NEXT;
    if (is_last && record.len == 0 && is_open) {
        return diag_fail(diag, ERR_INVALID, "", "the text ends inside %.*s",
                         SLICE_ARG(format->container));
    }
    *state = after;
    *document = finder.rest;
    *record_out = record;
    return OK;
}
