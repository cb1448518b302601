/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is accepted as an event survives its forms: row and back give the same line, and the line,
 * less the server's members, read again gives the same line.
 */
#include "event/read.h"
#include "event_input.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint64_t server_fields =
    FIELD_BIT(FIELD_RECORDED_AT) | FIELD_BIT(FIELD_ORG) | FIELD_BIT(FIELD_SOURCE_FORMAT);

static void check_row(const struct event *event, slice line)
{
    static struct event stored;
    struct buf row = BUF_INIT(MIB(8));
    struct buf again = BUF_INIT(MIB(8));
    event_write_row(event, &row);
    ASSERT(event_from_row(buf_slice(&row), &stored, NULL) == OK);
    event_write_line(&stored, &again);
    ASSERT(slice_equal(line, buf_slice(&again)));
    ASSERT(event_repeats(&stored, event, event->present));
    buf_release(&row);
    buf_release(&again);
}

static void check_line(const struct event *event, slice line, struct read_options options)
{
    static struct event sent, again;
    struct arena arena = ARENA_INIT(MIB(64));
    struct buf text = BUF_INIT(MIB(8));
    struct buf line_again = BUF_INIT(MIB(8));
    uint64_t bits = 0;
    sent = *event;
    sent.present &= ~server_fields;
    event_write_line(&sent, &text);
    options.header_event_type = (slice){0};
    if (text.len <= READ_LINE_BYTES_MAX) {
        ASSERT(event_read(buf_slice(&text), &options, &arena, &again, &bits, NULL) == OK);
        event_write_line(&again, &line_again);
        ASSERT(slice_equal(line, buf_slice(&line_again)));
    }
    arena_release(&arena);
    buf_release(&text);
    buf_release(&line_again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct event_input input;
    if (event_input_read(&input, data, size) == OK) {
        struct buf line = BUF_INIT(MIB(8));
        event_write_line(&input.event, &line);
        ASSERT(!line.failed);
        check_row(&input.event, buf_slice(&line));
        check_line(&input.event, buf_slice(&line), input.options);
        buf_release(&line);
    } else {
        ASSERT(input.diag.text[0] != '\0');
    }
    event_input_release(&input);
    return 0;
}
