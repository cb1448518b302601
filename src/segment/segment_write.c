/* SPDX-License-Identifier: Apache-2.0 */
#include "segment/segment_make.h"

enum { LEVEL_DEFAULT = 1 };
#define INDEX_BYTES_MAX      MIB(1)
#define DICTIONARY_BYTES_MAX MIB(1)

static enum err add_whole(struct sections_writer *file, enum segment_section kind,
                          const struct buf *bytes, struct diag *diag)
{
    const struct section what = {.kind = (uint16_t)kind, .field = SECTIONS_NO_FIELD};
    return sections_add(file, &what, buf_slice(bytes), diag);
}

static enum err write_payload(struct segment_make *make, int level, struct sections_writer *file,
                              struct diag *diag)
{
    CLEANUP(buf_release) struct buf dictionary = BUF_INIT(DICTIONARY_BYTES_MAX);
    CLEANUP(buf_release) struct buf index = BUF_INIT(INDEX_BYTES_MAX);
    TRY(payload_train(make->reader, make->gone, &dictionary));
    OWNED(payload_writer)
    payload = payload_writer_new(file, buf_slice(&dictionary), level != 0 ? level : LEVEL_DEFAULT);
    sections_begin(file, SEGMENT_PAYLOAD, SECTIONS_NO_FIELD);
    TRY(segment_make_rows(make, payload, diag));
    TRY(payload_end(payload, &index, diag));
    sections_finish(file, 0, 0);
    TRY(add_whole(file, SEGMENT_PAYLOAD_INDEX, &index, diag));
    return dictionary.len > 0 ? add_whole(file, SEGMENT_PAYLOAD_DICTIONARY, &dictionary, diag) : OK;
}

static enum err write_columns(struct segment_make *make, struct sections_writer *file,
                              struct diag *diag)
{
    struct segment_make_cursor cursor = {0};
    for (;;) {
        struct section what = {0};
        bool more = false;
        TRY(segment_make_next(make, &cursor, &what, &more));
        if (!more) {
            return OK;
        }
        TRY(sections_add(file, &what, buf_slice(&make->section), diag));
    }
}

enum err segment_write(const struct rows *source, const struct segment_write_options *options,
                       const struct dir *dir, const char *name, struct segment_summary *out,
                       struct diag *diag)
{
    CLEANUP(segment_make_release) struct segment_make make;
    uint8_t head[SEGMENT_HEAD_BYTES];
    uint64_t bytes = 0;
    segment_make_init(&make, source, options->erase);
    OWNED(sections_writer) file = NULL;
    TRY(sections_create(dir, name, &segment_format, &file, diag));
    TRY(write_payload(&make, options->compression_level, file, diag));
    enum err e = write_columns(&make, file, diag);
    if (e == ERR_CORRUPT) {
        return diag_fail(diag, e, name, "the columns it is made from are damaged");
    }
    TRY(e);
    segment_head_put(head, &make.summary, make.time_ordered);
    TRY(sections_commit(file, (slice){head, sizeof(head)}, &bytes, diag));
    *out = make.summary;
    out->file_bytes = bytes;
    return OK;
}
