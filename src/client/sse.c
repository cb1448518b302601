/* SPDX-License-Identifier: Apache-2.0 */
#include "client/sse.h"

#include <stdlib.h>

void sse_init(struct sse *sse)
{
    *sse = (struct sse){.line = {.max = SSE_EVENT_BYTES_MAX}, .data = {.max = SSE_EVENT_BYTES_MAX}};
}

void sse_release(struct sse *sse)
{
    text_release(&sse->line);
    text_release(&sse->data);
}

void sse_restart(struct sse *sse)
{
    text_clear(&sse->line);
    text_clear(&sse->data);
    sse->has_data = sse->after_cr = false;
    sse->name[0] = '\0';
}

static bool byte_is_not_colon(uint8_t byte)
{
    return byte != ':';
}

static void copy_text(char *out, size_t size, slice value)
{
    if (value.len < size && (value.len == 0 || memchr(value.ptr, '\0', value.len) == NULL)) {
        if (value.len > 0) {
            memcpy(out, value.ptr, value.len);
        }
        out[value.len] = '\0';
    }
}

static void take_field(struct sse *sse, slice line)
{
    slice name = slice_take_while(&line, byte_is_not_colon);
    (void)slice_take_literal(&line, SLICE(":"));
    (void)slice_take_literal(&line, SLICE(" "));
    if (slice_equal(name, SLICE("data"))) {
        if (sse->has_data) {
            text_append_cstr(&sse->data, "\n");
        }
        text_append(&sse->data, line);
        sse->has_data = true;
    } else if (slice_equal(name, SLICE("id"))) {
        copy_text(sse->id, sizeof(sse->id), line);
    } else if (slice_equal(name, SLICE("event"))) {
        copy_text(sse->name, sizeof(sse->name), line);
    } else if (slice_equal(name, SLICE("retry"))) {
        char digits[16] = "";
        copy_text(digits, sizeof(digits), line);
        long ms = strtol(digits, NULL, 10);
        sse->retry_ms = ms > 0 && ms <= 60000 ? ms : sse->retry_ms;
    }
}

static bool end_line(struct sse *sse, sse_fn fn, void *context)
{
    if (sse->line.failed || sse->data.failed) {
        return false;
    }
    if (sse->line.len > 0) {
        take_field(sse, text_slice(&sse->line));
        text_clear(&sse->line);
        return !sse->data.failed;
    }
    bool goes_on = !sse->has_data || fn(context, sse, text_slice(&sse->data));
    text_clear(&sse->data);
    sse->has_data = false;
    sse->name[0] = '\0';
    return goes_on;
}

static bool byte_is_in_line(uint8_t byte)
{
    return byte != '\n' && byte != '\r';
}

bool sse_feed(struct sse *sse, slice bytes, sse_fn fn, void *context)
{
    while (bytes.len > 0) {
        text_append(&sse->line, slice_take_while(&bytes, byte_is_in_line));
        if (bytes.len == 0) {
            break;
        }
        uint8_t end = slice_take(&bytes, 1).ptr[0];
        bool is_rest_of_crlf = end == '\n' && sse->after_cr && sse->line.len == 0;
        sse->after_cr = end == '\r';
        if (!is_rest_of_crlf && !end_line(sse, fn, context)) {
            return false;
        }
    }
    if (sse->line.len > 0) {
        sse->after_cr = false;
    }
    return !sse->line.failed;
}
