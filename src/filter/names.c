/* SPDX-License-Identifier: Apache-2.0 */
#include "filter/syntax.h"

enum {
    NAME_BYTES_MAX = 40,
    NEAR_NAMES_MAX = 3,
    NEAR_DISTANCE_MAX = 2,
};

/* What a path may begin with. */
static const struct root {
    slice prefix;
    enum filter_target target;
    enum field field;
} roots[] = {
    {SLICE_INIT("data."), FILTER_ON_DATA, FIELD_EVENT_DATA},
    {SLICE_INIT("event_data."), FILTER_ON_DATA, FIELD_EVENT_DATA},
    {SLICE_INIT("metadata."), FILTER_ON_METADATA, FIELD_EVENT_METADATA},
    {SLICE_INIT("event_metadata."), FILTER_ON_METADATA, FIELD_EVENT_METADATA},
};

static bool byte_is_key(uint8_t byte)
{
    return byte != '.' && byte != '"' && byte != '\\' && byte != '[' && byte != ']' &&
           byte != '*' && !byte_is_blank(byte);
}

/* Takes `"a.b"`; `*rest` begins with the quote. */
static enum err take_quoted_key(slice *rest, size_t offset, struct arena *arena, slice *out,
                                struct diag *diag)
{
    size_t end = 1;
    while (end < rest->len && rest->ptr[end] != '"') {
        end += rest->ptr[end] == '\\' ? 2 : 1;
    }
    if (end >= rest->len) {
        return syntax_fail(diag, ERR_INVALID, offset, "expected a \" at the end of the name");
    }
    slice raw = {rest->ptr + 1, end - 1};
    uint8_t *plain = arena_take(arena, raw.len);
    if (plain == NULL) {
        return syntax_fail(diag, ERR_LIMIT, offset, "the filter is too large");
    }
    size_t len = 0;
    for (size_t i = 0; i < raw.len; i++) {
        if (raw.ptr[i] == '\\' && !byte_is_escapable(raw.ptr[++i])) {
            return syntax_fail(diag, ERR_INVALID, offset + 1 + i, SYNTAX_ESCAPE_EXPECTED);
        }
        plain[len++] = raw.ptr[i];
    }
    (void)slice_take(rest, end + 1);
    *out = (slice){plain, len};
    return OK;
}

static enum err take_key(slice *rest, size_t offset, struct arena *arena, slice *out,
                         struct diag *diag)
{
    if (rest->len > 0 && rest->ptr[0] == '"') {
        return take_quoted_key(rest, offset, arena, out, diag);
    }
    slice key = slice_take_while(rest, byte_is_key);
    if (rest->len > 0 && (rest->ptr[0] == '[' || rest->ptr[0] == ']')) {
        return syntax_fail(diag, ERR_INVALID, offset + key.len,
                           "a path goes through every element of an array, so leave out the index; "
                           "or quote a name that has brackets");
    }
    if (rest->len > 0 && rest->ptr[0] != '.') {
        return syntax_fail(diag, ERR_INVALID, offset + key.len,
                           "expected a dot or an operator; quote a name with other signs");
    }
    if (key.len == 0) {
        return syntax_fail(diag, ERR_INVALID, offset, "expected a name, as in data.amount");
    }
    if (!arena_copy(arena, key, out)) {
        return syntax_fail(diag, ERR_LIMIT, offset, "the filter is too large");
    }
    return OK;
}

static enum err parse_path(slice path, size_t offset, struct arena *arena, struct filter_name *out,
                           struct diag *diag)
{
    slice keys[FILTER_PATH_KEYS_MAX];
    size_t count = 0;
    slice rest = path;
    bool more = true;
    while (more) {
        if (count == FILTER_PATH_KEYS_MAX) {
            return syntax_fail(diag, ERR_LIMIT, offset, "a path has at most %d names",
                               FILTER_PATH_KEYS_MAX);
        }
        TRY(take_key(&rest, offset + (path.len - rest.len), arena, &keys[count++], diag));
        more = slice_take_literal(&rest, SLICE("."));
        if (!more && rest.len > 0) {
            return syntax_fail(diag, ERR_INVALID, offset + (path.len - rest.len),
                               "expected a dot or an operator");
        }
    }
    slice *kept = arena_take(arena, count * sizeof(*kept));
    if (kept == NULL) {
        return syntax_fail(diag, ERR_LIMIT, offset, "the filter is too large");
    }
    memcpy(kept, keys, count * sizeof(*kept));
    out->path = kept;
    out->path_len = count;
    return OK;
}

/* Levenshtein's distance, by rows. */
static size_t edit_distance(slice a, slice b)
{
    size_t row[NAME_BYTES_MAX + 1];
    for (size_t j = 0; j <= b.len; j++) {
        row[j] = j;
    }
    for (size_t i = 1; i <= a.len; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= b.len; j++) {
            size_t best = diagonal + (a.ptr[i - 1] == b.ptr[j - 1] ? 0 : 1);
            best = row[j] + 1 < best ? row[j] + 1 : best;
            best = row[j - 1] + 1 < best ? row[j - 1] + 1 : best;
            diagonal = row[j];
            row[j] = best;
        }
    }
    return row[b.len];
}

static bool byte_is_not_space(uint8_t byte)
{
    return byte != ' ';
}

/* The distance of `name` to the nearest name of `field`. */
static size_t distance_to_field(slice name, enum field field)
{
    size_t best = edit_distance(name, fields[field].name);
    slice others = fields[field].other_names;
    while (others.len > 0) {
        size_t distance = edit_distance(name, slice_take_while(&others, byte_is_not_space));
        best = distance < best ? distance : best;
        (void)slice_take_literal(&others, SLICE(" "));
    }
    return best;
}

/* Appends the canonical names that are nearest, if any is near: "; did you mean actor_id?" */
static void append_near_names(slice name, struct buf *out)
{
    size_t count = 0;
    if (name.len > NAME_BYTES_MAX) {
        return;
    }
    size_t distance_max = name.len / 3 < NEAR_DISTANCE_MAX ? name.len / 3 : NEAR_DISTANCE_MAX;
    for (size_t distance = 0; distance <= distance_max && count == 0; distance++) {
        for (size_t i = 0; i < FIELD_COUNT && count < NEAR_NAMES_MAX; i++) {
            if (distance_to_field(name, (enum field)i) == distance) {
                buf_append_cstr(out, count++ == 0 ? "; did you mean " : " or ");
                buf_append(out, fields[i].name);
            }
        }
    }
    if (count > 0) {
        buf_append_byte(out, '?');
    }
}

static enum err fail_unknown(slice name, size_t offset, struct diag *diag)
{
    CLEANUP(buf_release) struct buf near = BUF_INIT(256);
    append_near_names(name, &near);
    slice shown = syntax_excerpt(name);
    slice hint = buf_slice(&near);
    return syntax_fail(diag, ERR_INVALID, offset,
                       "no field %.*s%.*s%s a member of event_data is data.%.*s", SLICE_ARG(shown),
                       (int)hint.len, hint.len > 0 ? (const char *)hint.ptr : "",
                       hint.len > 0 ? "" : ";", SLICE_ARG(shown));
}

enum err syntax_name(slice name, size_t offset, struct arena *arena, struct filter_name *out,
                     struct diag *diag)
{
    struct filter_name found = {.target = FILTER_ON_FIELD};
    if (field_find(name, &found.field)) {
        *out = found;
        return OK;
    }
    found.is_since = slice_equal(name, SLICE("since"));
    found.is_until = slice_equal(name, SLICE("until"));
    if (found.is_since || found.is_until) {
        found.field = FIELD_EVENT_TIMESTAMP;
        *out = found;
        return OK;
    }
    for (size_t i = 0; i < COUNT_OF(roots); i++) {
        slice rest = name;
        found.target = roots[i].target;
        found.field = roots[i].field;
        if (slice_take_literal(&rest, roots[i].prefix)) {
            TRY(parse_path(rest, offset + roots[i].prefix.len, arena, &found, diag));
            *out = found;
            return OK;
        }
        slice bare = {roots[i].prefix.ptr, roots[i].prefix.len - 1};
        if (slice_equal(name, bare)) { /* data:* is event_data:* */
            found.target = FILTER_ON_FIELD;
            *out = found;
            return OK;
        }
    }
    return fail_unknown(name, offset, diag);
}
