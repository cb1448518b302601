/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The columns and the payload are the truth: from them every line is rebuilt and hashed. All else
 * follows from them, and is made once more the way the writer does and compared byte for byte, so
 * that a section that was changed with its checksum to hide an event from a query is found.
 */
#include "event/stored.h"
#include "segment/segment_make.h"

static enum err damaged(const struct segment *segment, const struct section *section, uint64_t at,
                        const char *what, struct diag *diag)
{
    enum field field = field_of_stored(section->field);
    slice name = field < FIELD_COUNT ? fields[field].name : SLICE("no field");
    return diag_fail(diag, ERR_CORRUPT, segment->name, "at byte %llu: section of kind %u, %.*s: %s",
                     (unsigned long long)(section->offset + at), section->kind, SLICE_ARG(name),
                     what);
}

/* Returns `e`; if that is a failure, `diag` says of which file. */
static enum err within(const struct segment *segment, enum err e, struct diag *diag)
{
    if (e != OK && diag != NULL) {
        memcpy(diag->where, segment->name, sizeof(segment->name));
    }
    return e;
}

static bool find_section(const struct segment *segment, const struct section *wanted,
                         struct section *out)
{
    bool found = false;
    for (uint32_t i = 0; i < segment->sections.count; i++) {
        struct section section = sections_get(&segment->sections, i);
        if (section.kind == wanted->kind && section.field == wanted->field) {
            if (found) {
                return false; /* two of them */
            }
            *out = section;
            found = true;
        }
    }
    return found;
}

static uint64_t first_difference(slice a, slice b)
{
    size_t at = 0;
    while (at < a.len && at < b.len && a.ptr[at] == b.ptr[at]) {
        at++;
    }
    return at;
}

static enum err compare_section(const struct segment *segment, const struct section *made,
                                slice bytes, struct diag *diag)
{
    struct section section = *made;
    if (!find_section(segment, made, &section)) {
        return damaged(segment, &section, 0, "is missing, or there twice", diag);
    }
    slice stored = sections_bytes(&segment->sections, &section);
    if (section.a != made->a || section.b != made->b || !slice_equal(stored, bytes)) {
        return damaged(segment, &section, first_difference(stored, bytes),
                       "is not what follows from the events", diag);
    }
    return OK;
}

static bool is_derived(uint16_t kind)
{
    return kind != SEGMENT_PAYLOAD && kind != SEGMENT_PAYLOAD_INDEX &&
           kind != SEGMENT_PAYLOAD_DICTIONARY && kind >= SEGMENT_TEXT && kind <= SEGMENT_ERASED;
}

static enum err compare_sections(const struct segment *segment, struct segment_make *make,
                                 struct diag *diag)
{
    struct segment_make_cursor cursor = {0};
    uint32_t made = 0;
    for (;;) {
        struct section what = {0};
        bool more = false;
        TRY(within(segment, segment_make_next(make, &cursor, &what, &more, diag), diag));
        if (!more) {
            break;
        }
        TRY(compare_section(segment, &what, buf_slice(&make->section), diag));
        made++;
    }
    uint32_t there = 0;
    for (uint32_t i = 0; i < segment->sections.count; i++) {
        there += is_derived(sections_get(&segment->sections, i).kind) ? 1 : 0;
    }
    return there == made
               ? OK
               : diag_fail(diag, ERR_CORRUPT, segment->name, "a section that no event asks for");
}

static enum err compare_summary(const struct segment *segment, const struct segment_make *make,
                                struct diag *diag)
{
    uint8_t head[SEGMENT_HEAD_BYTES];
    segment_head_put(head, &make->summary, make->time_ordered);
    if (!merkle_hash_equal(&make->summary.root, &segment->summary.root)) {
        return diag_fail(diag, ERR_CORRUPT, segment->name,
                         "in the footer: the root is not that of the events");
    }
    if (memcmp(head, segment->sections.head.ptr, sizeof(head)) != 0) {
        return diag_fail(diag, ERR_CORRUPT, segment->name,
                         "in the footer: bounds or counts are not those of the events");
    }
    return OK;
}

/* Frames, index and dictionary of the payload are what rows are read from; what is left to see is
 * that nothing lies beside them, and that erased rows have nothing. */
static enum err check_payload(const struct segment *segment, struct rows_reader *reader,
                              struct diag *diag)
{
    if (!payload_is_packed(segment->payload)) {
        return diag_fail(diag, ERR_CORRUPT, segment->name, "bytes between frames of the payload");
    }
    for (uint32_t row = 0; row < segment->summary.count && segment->erased != NULL; row++) {
        slice data = {0};
        slice metadata = {0};
        if (!row_set_has(segment->erased, row)) {
            continue;
        }
        TRY(segment->rows.ops->payload(reader, row, &data, &metadata));
        if (data.len + metadata.len > 0) {
            return diag_fail(diag, ERR_CORRUPT, segment->name, "an erased event has payload");
        }
    }
    return OK;
}

enum err segment_verify(const struct segment *segment, struct diag *diag)
{
    CLEANUP(segment_make_release) struct segment_make make = {0};
    TRY(sections_verify(&segment->sections, segment->name, diag));
    segment_make_init(&make, &segment->rows, NULL);
    TRY(check_payload(segment, make.reader, diag));
    TRY(within(segment, segment_make_rows(&make, NULL, diag), diag));
    TRY(compare_sections(segment, &make, diag));
    return compare_summary(segment, &make, diag);
}
