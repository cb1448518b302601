/* SPDX-License-Identifier: Apache-2.0 */
#include "client/split.h"

#include "codec/hex.h"
#include "codec/uuid.h"

/* A key as JSON writes it, perhaps with escapes, compared with plain ASCII. */
static bool key_equal(slice key, slice plain)
{
    size_t at = 0;
    while (key.len > 0 && at < plain.len) {
        uint8_t byte = key.ptr[0];
        size_t used = 1;
        if (byte == '\\' && key.len >= 6 && key.ptr[1] == 'u') {
            int high = hex_byte((slice){key.ptr + 2, 2});
            int low = hex_byte((slice){key.ptr + 4, 2});
            byte = high == 0 && low > 0 && low < 0x80 ? (uint8_t)low : 0;
            used = 6;
        }
        if (byte != plain.ptr[at]) {
            return false;
        }
        (void)slice_take(&key, used);
        at++;
    }
    return key.len == 0 && at == plain.len;
}

static void end_string(struct split *split, slice inside)
{
    if (split->depth != 1) {
        return;
    }
    if (split->wants_key) {
        split->wants_key = false;
        split->id_value = key_equal(inside, SLICE("id")) ? 1 : 0;
        split->has_id = split->has_id || key_equal(inside, SLICE("event_id"));
        return;
    }
    struct uuid uuid;
    if (split->id_value == 1 && uuid_parse(inside, &uuid)) {
        split->has_id = true; /* another name of event_id */
    }
    split->id_value = 0;
}

/* Inside a string: up to its end, or the end of the window. */
static void scan_string(struct split *split, slice window)
{
    size_t at = split->scanned;
    while (at < window.len) {
        uint8_t byte = window.ptr[at];
        if (byte == '\n') {
            break; /* JSON forbids it in a string, escaped or not; the caller decides */
        }
        if (split->is_escaped) {
            split->is_escaped = false;
        } else if (byte == '\\') {
            split->is_escaped = true;
        } else if (byte == '"') {
            end_string(split, (slice){window.ptr + split->string_begin, at - split->string_begin});
            split->in_string = false;
            at++;
            break;
        }
        at++;
    }
    split->scanned = at;
}

static void begin_record(struct split *split, bool is_garbage)
{
    split->in_record = true;
    split->is_garbage = is_garbage;
    split->begin = split->scanned;
    split->first_line = split->line;
    split->has_feed = split->has_id = split->in_string = split->is_escaped = false;
    split->wants_key = false;
    split->depth = 0;
    split->id_value = 0;
}

/* Between objects: one byte. */
static void step_between(struct split *split, uint8_t byte)
{
    switch (byte) {
    case '\n':
        split->line++;
        break;
    case ' ':
    case '\t':
    case '\r':
        break;
    case '[':
        split->in_array = true;
        split->layout = SPLIT_NESTED;
        break;
    case ']':
        split->in_array = false;
        break;
    case ',':
        if (split->in_array) {
            break;
        }
        begin_record(split, true);
        return;
    default:
        begin_record(split, byte != '{');
        return; /* the byte is looked at again, inside */
    }
    split->scanned++;
}

/* Inside an object, outside of strings: one byte. True when the object ends behind it. */
static bool step_inside(struct split *split, uint8_t byte)
{
    split->scanned++;
    switch (byte) {
    case '"':
        split->in_string = true;
        split->string_begin = split->scanned;
        return false;
    case '{':
    case '[':
        split->depth++;
        split->wants_key = split->depth == 1;
        return false;
    case '}':
    case ']':
        split->depth--;
        return split->depth == 0;
    case ',':
        split->wants_key = split->depth == 1;
        split->id_value = 0;
        return false;
    default:
        return false;
    }
}

static enum split_state fail_too_long(const struct split *split, size_t *used_out,
                                      struct split_record *out)
{
    *out = (struct split_record){.line = split->first_line + 1};
    *used_out = 0;
    return SPLIT_TOO_LONG;
}

static enum split_state finish(struct split *split, slice window, size_t end, bool is_object,
                               size_t *used_out, struct split_record *out)
{
    if (end - split->begin > SPLIT_RECORD_BYTES_MAX) {
        return fail_too_long(split, used_out, out);
    }
    *out = (struct split_record){.text = {window.ptr + split->begin, end - split->begin},
                                 .line = split->first_line + 1,
                                 .has_id = split->has_id,
                                 .has_feed = split->has_feed,
                                 .is_object = is_object};
    if (split->layout == SPLIT_UNKNOWN && is_object) {
        split->layout = split->has_feed ? SPLIT_NESTED : SPLIT_LINES;
    }
    split->in_record = false;
    *used_out = split->scanned;
    split->scanned = 0;
    return SPLIT_RECORD;
}

static enum split_state want_more(struct split *split, bool is_last, slice window, size_t *used_out,
                                  struct split_record *out)
{
    if (!split->in_record) {
        *used_out = split->scanned;
        split->scanned = 0;
        return SPLIT_MORE;
    }
    if (window.len - split->begin > SPLIT_RECORD_BYTES_MAX) {
        return fail_too_long(split, used_out, out);
    }
    if (is_last) {
        return finish(split, window, window.len, false, used_out, out);
    }
    /* What lies before the object is of no more use. */
    *used_out = split->begin;
    split->scanned -= split->begin;
    split->string_begin -= split->in_string ? split->begin : 0;
    split->begin = 0;
    return SPLIT_MORE;
}

/* A line feed inside an object: ends it where lines are records. */
static bool feed_ends(struct split *split)
{
    if (split->is_garbage || split->layout == SPLIT_LINES || split->in_string) {
        return true; /* it is left for the space between */
    }
    split->line++;
    split->scanned++;
    split->has_feed = true;
    return false;
}

enum split_state split_next(struct split *split, slice window, bool is_last, size_t *used_out,
                            struct split_record *out)
{
    ASSERT(split != NULL);
    if (!split->started && window.len >= 3) {
        split->scanned = memcmp(window.ptr, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
        split->started = true;
    }
    while (split->scanned < window.len && (split->started || is_last)) {
        uint8_t byte = window.ptr[split->scanned];
        if (!split->in_record) {
            step_between(split, byte);
        } else if (byte == '\n') {
            if (feed_ends(split)) {
                return finish(split, window, split->scanned, false, used_out, out);
            }
        } else if (split->is_garbage) {
            split->scanned++;
        } else if (split->in_string) {
            scan_string(split, window);
        } else if (step_inside(split, byte)) {
            return finish(split, window, split->scanned, true, used_out, out);
        }
    }
    return want_more(split, is_last, window, used_out, out);
}
