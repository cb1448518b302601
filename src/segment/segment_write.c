/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Compressing the payload is half of the work; the other half needs nothing of it. So they are done
 * side by side: what a segment costs when it is the one thing to wait for is half as long, and on
 * a machine that is busy with taking events, sealing has two shares of it and keeps up. Each half
 * keeps its place, so that both can stop between two pieces of work and go on later; ADR 0019 says
 * how long pieces take. When one half fails, the other stops.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "os/thread.h"
#include "segment/segment_make.h"

enum { LEVEL_DEFAULT = 1 };
#define INDEX_BYTES_MAX      MIB(1)
#define DICTIONARY_BYTES_MAX MIB(1)

struct made_section {
    struct section what;
    struct buf bytes;
};

/* Everything but the payload. */
struct beside {
    struct segment_make_cursor cursor;
    struct made_section sections[SECTIONS_MAX];
    size_t count;
    enum err result; /* BUSY: it is to go on */
    struct diag diag;
};

struct segment_writer {
    struct segment_make make;
    struct sections_writer *file;
    char name[SECTIONS_NAME_BYTES];
    const struct merkle_hash *root; /* what must come out; NULL: not known */
    int level;
    struct segment_stop stop;
    /* The payload, on the thread of who runs it. */
    struct rows_reader *reader;
    struct buf dictionary;
    struct payload_writer *payload; /* NULL: not begun, or whole */
    uint32_t packed;                /* rows */
    struct beside beside;
};

enum err segment_writer_new(const struct rows *source, const struct segment_write_options *options,
                            const struct dir *dir, const char *name, struct segment_writer **out,
                            struct diag *diag)
{
    struct sections_writer *file = NULL;
    TRY(sections_create(dir, name, &segment_format, &file, diag));
    struct segment_writer *writer = mem_zeroed(sizeof(*writer));
    writer->file = file;
    (void)snprintf(writer->name, sizeof(writer->name), "%s", name);
    writer->root = options->root;
    segment_make_init(&writer->make, source, options->erase);
    writer->level = options->compression_level != 0 ? options->compression_level : LEVEL_DEFAULT;
    writer->reader = source->ops->reader_new(source);
    buf_init(&writer->dictionary, DICTIONARY_BYTES_MAX);
    writer->beside.result = ERR_BUSY;
    *out = writer;
    return OK;
}

void segment_writer_free(struct segment_writer *writer)
{
    if (writer == NULL) {
        return;
    }
    for (size_t i = 0; i < writer->beside.count; i++) {
        buf_release(&writer->beside.sections[i].bytes);
    }
    payload_writer_free(writer->payload);
    buf_release(&writer->dictionary);
    writer->make.source->ops->reader_free(writer->reader);
    segment_make_release(&writer->make);
    sections_writer_free(writer->file);
    free(writer);
}

static enum err add_whole(struct sections_writer *file, enum segment_section kind,
                          const struct buf *bytes, struct diag *diag)
{
    const struct section what = {.kind = (uint16_t)kind, .field = SECTIONS_NO_FIELD};
    return sections_add(file, &what, buf_slice(bytes), diag);
}

/* ---- The payload ---- */

static enum err pack_row(struct segment_writer *writer, uint32_t row, struct diag *diag)
{
    const struct segment_make *make = &writer->make;
    const struct rows *source = make->source;
    slice data = {0};
    slice metadata = {0};
    if (make->gone == NULL || !row_set_has(make->gone, row)) {
        enum err e = source->ops->payload(writer->reader, row, &data, &metadata);
        TRY(segment_make_unreadable(source, row, e, diag));
    }
    enum err e = payload_add(writer->payload, data, metadata, diag);
    return e == ERR_CORRUPT ? segment_make_unreadable(source, row, e, diag) : e;
}

/* BUSY: stopped. */
static enum err begin_payload(struct segment_writer *writer, struct diag *diag)
{
    if (segment_stop_is_set(&writer->stop)) {
        return ERR_BUSY;
    }
    TRY(payload_train(writer->reader, writer->make.gone, &writer->dictionary, diag));
    writer->payload =
        payload_writer_new(writer->file, buf_slice(&writer->dictionary), writer->level);
    sections_begin(writer->file, SEGMENT_PAYLOAD, SECTIONS_NO_FIELD);
    return OK;
}

static enum err end_payload(struct segment_writer *writer, struct diag *diag)
{
    CLEANUP(buf_release) struct buf index = BUF_INIT(INDEX_BYTES_MAX);
    TRY(payload_end(writer->payload, &index, diag));
    payload_writer_free(MOVE(writer->payload));
    sections_finish(writer->file, 0, 0);
    TRY(add_whole(writer->file, SEGMENT_PAYLOAD_INDEX, &index, diag));
    if (writer->dictionary.len > 0) {
        TRY(add_whole(writer->file, SEGMENT_PAYLOAD_DICTIONARY, &writer->dictionary, diag));
    }
    return OK;
}

/* BUSY: stopped. */
static enum err write_payload(struct segment_writer *writer, struct diag *diag)
{
    if (writer->payload == NULL && writer->packed > 0) { /* whole */
        return OK;
    }
    if (writer->payload == NULL) {
        TRY(begin_payload(writer, diag));
    }
    for (; writer->packed < writer->make.source->count; writer->packed++) {
        if (writer->packed % ROWS_TILE == 0 && segment_stop_is_set(&writer->stop)) {
            return ERR_BUSY;
        }
        TRY(pack_row(writer, writer->packed, diag));
    }
    return end_payload(writer, diag);
}

/* ---- Everything else, beside it ---- */

/* CORRUPT; LIMIT. */
static enum err make_section(struct segment_writer *writer, bool *more)
{
    struct segment_make *make = &writer->make;
    struct beside *beside = &writer->beside;
    ASSERT(beside->count < SECTIONS_MAX);
    struct made_section *made = &beside->sections[beside->count];
    TRY(segment_make_next(make, &beside->cursor, &made->what, more, &beside->diag));
    if (*more) {
        buf_init(&made->bytes, make->section.len);
        buf_append(&made->bytes, buf_slice(&make->section));
        beside->count++;
    }
    return OK;
}

/* BUSY: stopped. */
static enum err make_sections(struct segment_writer *writer)
{
    TRY(segment_make_rows(&writer->make, &writer->stop, &writer->beside.diag));
    for (bool more = true; more;) {
        if (segment_stop_is_set(&writer->stop)) {
            return ERR_BUSY;
        }
        TRY(make_section(writer, &more));
    }
    return OK;
}

/* ---- Both ---- */

/* Returns `e`, what one half came to; where it failed, what the other makes is in vain. */
static enum err half_ended(struct segment_writer *writer, enum err e)
{
    if (e != OK && e != ERR_BUSY) {
        atomic_store(&writer->stop.has_failed, true);
    }
    return e;
}

static void run_beside(void *arg)
{
    struct segment_writer *writer = arg;
    writer->beside.result = half_ended(writer, make_sections(writer));
}

/* The halves' own results; BUSY where one is to go on. */
static enum err run_halves(struct segment_writer *writer, struct diag *diag)
{
    struct thread thread = {0};
    bool is_made = writer->beside.result == OK;
    bool is_alone =
        !is_made && thread_start(&thread, "sealer-index", run_beside, writer, NULL) != OK;
    enum err e = half_ended(writer, write_payload(writer, diag));
    if (is_alone) {
        run_beside(writer);
    }
    thread_join(&thread);
    if (e != OK && e != ERR_BUSY) {
        return e;
    }
    if (writer->beside.result != OK && writer->beside.result != ERR_BUSY && diag != NULL) {
        *diag = writer->beside.diag;
    }
    return writer->beside.result != OK ? writer->beside.result : e;
}

enum err segment_writer_run(struct segment_writer *writer, const _Atomic bool *stop,
                            struct segment_summary *out, struct diag *diag)
{
    uint8_t head[SEGMENT_HEAD_BYTES];
    uint64_t bytes = 0;
    struct segment_make *make = &writer->make;
    ASSERT(!atomic_load(&writer->stop.has_failed));
    writer->stop.wanted = stop;
    TRY(run_halves(writer, diag));
    if (segment_stop_is_set(&writer->stop)) { /* who goes on writes what is left, and syncs it */
        return ERR_BUSY;
    }
    if (writer->root != NULL && !merkle_hash_equal(&make->summary.root, writer->root)) {
        return diag_fail(diag, ERR_CORRUPT, writer->name,
                         "its rows have another root than it says");
    }
    for (size_t i = 0; i < writer->beside.count; i++) {
        const struct made_section *made = &writer->beside.sections[i];
        TRY(sections_add(writer->file, &made->what, buf_slice(&made->bytes), diag));
    }
    segment_head_put(head, &make->summary, make->time_ordered);
    TRY(sections_commit(writer->file, (slice){head, sizeof(head)}, &bytes, diag));
    *out = make->summary;
    out->file_bytes = bytes;
    return OK;
}

enum err segment_write(const struct rows *source, const struct segment_write_options *options,
                       const struct dir *dir, const char *name, struct segment_summary *out,
                       struct diag *diag)
{
    OWNED(segment_writer) writer = NULL;
    TRY(segment_writer_new(source, options, dir, name, &writer, diag));
    ASSERT(writer != NULL);
    return segment_writer_run(writer, NULL, out, diag);
}
