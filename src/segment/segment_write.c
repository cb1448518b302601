/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "base/mem.h"
#include "os/thread.h"
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

/* ---- The payload, on the thread of who writes ---- */

static enum err pack_rows(const struct segment_make *make, struct payload_writer *payload,
                          struct rows_reader *reader, struct diag *diag)
{
    const struct rows *source = make->source;
    for (uint32_t row = 0; row < source->count; row++) {
        slice data = {0};
        slice metadata = {0};
        if (make->gone == NULL || !row_set_has(make->gone, row)) {
            enum err e = source->ops->payload(reader, row, &data, &metadata);
            TRY(segment_make_unreadable(source, row, e, diag));
        }
        TRY(segment_make_unreadable(source, row, payload_add(payload, data, metadata, diag), diag));
    }
    return OK;
}

static enum err write_payload(const struct segment_make *make, struct rows_reader *reader,
                              int level, struct sections_writer *file, struct diag *diag)
{
    CLEANUP(buf_release) struct buf dictionary = BUF_INIT(DICTIONARY_BYTES_MAX);
    CLEANUP(buf_release) struct buf index = BUF_INIT(INDEX_BYTES_MAX);
    TRY(payload_train(reader, make->gone, &dictionary));
    OWNED(payload_writer)
    payload = payload_writer_new(file, buf_slice(&dictionary), level != 0 ? level : LEVEL_DEFAULT);
    sections_begin(file, SEGMENT_PAYLOAD, SECTIONS_NO_FIELD);
    TRY(pack_rows(make, payload, reader, diag));
    TRY(payload_end(payload, &index, diag));
    sections_finish(file, 0, 0);
    TRY(add_whole(file, SEGMENT_PAYLOAD_INDEX, &index, diag));
    return dictionary.len > 0 ? add_whole(file, SEGMENT_PAYLOAD_DICTIONARY, &dictionary, diag) : OK;
}

/* ---- Everything else, beside it ---- */

struct made_section {
    struct section what;
    struct buf bytes;
};

struct beside {
    struct segment_make *make;
    struct made_section sections[SECTIONS_MAX];
    size_t count;
    enum err result;
    struct diag diag;
};

static enum err make_sections(struct beside *beside)
{
    struct segment_make *make = beside->make;
    struct segment_make_cursor cursor = {0};
    bool more = true;
    TRY(segment_make_rows(make, &beside->diag));
    for (;;) {
        ASSERT(beside->count < SECTIONS_MAX);
        struct made_section *made = &beside->sections[beside->count];
        enum err e = segment_make_next(make, &cursor, &made->what, &more);
        if (e == ERR_CORRUPT) {
            return diag_fail(&beside->diag, e, "", "the columns it is made from are damaged");
        }
        TRY(e);
        if (!more) {
            return OK;
        }
        buf_init(&made->bytes, make->section.len);
        buf_append(&made->bytes, buf_slice(&make->section));
        beside->count++;
    }
}

static void run_beside(void *arg)
{
    struct beside *beside = arg;
    beside->result = make_sections(beside);
}

static void beside_free(struct beside *beside)
{
    for (size_t i = 0; beside != NULL && i < beside->count; i++) {
        buf_release(&beside->sections[i].bytes);
    }
    free(beside);
}
DEFINE_OWNED(beside);

/*
 * Compressing the payload is half of the work; the other half needs nothing of it. So they are done
 * side by side: what a segment costs when it is the one thing to wait for is half as long, and on
 * a machine that is busy with taking events, sealing has two shares of it and keeps up.
 */
static enum err write_all(struct segment_make *make, int level, struct sections_writer *file,
                          struct diag *diag)
{
    struct thread thread = {0};
    OWNED(beside) beside = mem_zeroed(sizeof(*beside));
    beside->make = make;
    bool is_alone = thread_start(&thread, "sealer-index", run_beside, beside, NULL) != OK;
    struct rows_reader *reader = make->source->ops->reader_new(make->source);
    enum err e = write_payload(make, reader, level, file, diag);
    make->source->ops->reader_free(reader);
    if (is_alone) {
        run_beside(beside);
    }
    thread_join(&thread);
    TRY(e);
    if (beside->result != OK && diag != NULL) {
        *diag = beside->diag;
    }
    TRY(beside->result);
    for (size_t i = 0; i < beside->count; i++) {
        TRY(sections_add(file, &beside->sections[i].what, buf_slice(&beside->sections[i].bytes),
                         diag));
    }
    return OK;
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
    TRY(write_all(&make, options->compression_level, file, diag));
    segment_head_put(head, &make.summary, make.time_ordered);
    TRY(sections_commit(file, (slice){head, sizeof(head)}, &bytes, diag));
    *out = make.summary;
    out->file_bytes = bytes;
    return OK;
}
