/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Foreign documents: the same records come out whether the document arrives whole or in two parts,
 * and what is mapped is an event that survives its row.
 */
#include "base/mem.h"
#include "formats/formats.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void map(const struct format *format, slice record)
{
    static struct event event, stored;
    struct arena arena = ARENA_INIT(MIB(64));
    struct read_options options = {.org = SLICE("o"), .now_us = 1};
    uint64_t sent = 0;
    if (format_read(format, record, &options, &arena, &event, &sent, NULL) == OK) {
        struct buf row = BUF_INIT(MIB(8));
        ASSERT((sent & ~event.present) == 0);
        ASSERT(event_has(&event, FIELD_EVENT_TYPE) && event_has(&event, FIELD_EVENT_DATA));
        event_write_row(&event, &row);
        ASSERT(event_from_row(buf_slice(&row), &stored, NULL) == OK);
        ASSERT(event_repeats(&stored, &event, event.present));
        buf_release(&row);
    }
    arena_release(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct format *format = format_find(SLICE("cloudtrail"));
    CLEANUP(mem_freep) uint8_t *copy = mem_array(1, size > 0 ? size : 1);
    memcpy(copy, data, size);
    size_t cut = size > 0 ? data[0] % size : 0;
    struct format_state whole = {0};
    struct format_state parts = {0};
    slice all = {copy, size};
    slice part = {copy, cut};
    for (;;) {
        slice record = {0};
        slice other = {0};
        if (format_next(format, &whole, &all, true, &record, NULL) != OK) {
            break;
        }
        bool is_last = part.ptr + part.len == copy + size;
        enum err e = format_next(format, &parts, &part, is_last, &other, NULL);
        if (e == OK && other.len == 0 && !is_last) {
            part.len = (size_t)(copy + size - part.ptr);
            e = format_next(format, &parts, &part, true, &other, NULL);
        }
        ASSERT(e == OK && other.ptr == record.ptr && other.len == record.len);
        if (record.len == 0) {
            break;
        }
        map(format, record);
    }
    return 0;
}
