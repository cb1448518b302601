/* SPDX-License-Identifier: Apache-2.0 */
#define ZDICT_STATIC_LINKING_ONLY
#include <zdict.h>

#include "base/mem.h"
#include "segment/payload.h"
#include "segment/segment_make.h"

/* Measured in docs/adr/0005-segment-layout.md. */
enum {
    SAMPLES_MAX = 512,
    SAMPLE_BYTES_MAX = 4096,
    SAMPLES_BYTES_MIN = 16 * 1024, /* fewer are not worth a dictionary */
    DICTIONARY_BYTES_MAX = 32 * 1024,
    SEGMENT_LEN = 1000, /* what the trainer looks at together */
    MATCH_LEN = 8,
    FREQUENCY_LOG = 16,
    ACCELERATION = 10,
};

struct samples {
    struct buf bytes;
    size_t sizes[SAMPLES_MAX];
    unsigned count;
};

static void add_sample(struct samples *samples, slice text)
{
    size_t len = text.len < SAMPLE_BYTES_MAX ? text.len : SAMPLE_BYTES_MAX;
    if (len > 0 && samples->count < SAMPLES_MAX) {
        buf_append(&samples->bytes, (slice){text.ptr, len});
        samples->sizes[samples->count++] = len;
    }
}

static enum err take_samples(struct rows_reader *source, const struct row_set *gone,
                             struct samples *samples, struct diag *diag)
{
    const struct rows *rows = source->rows;
    uint32_t step = rows->count / SAMPLES_MAX + 1;
    for (uint32_t row = 0; row < rows->count; row += step) {
        slice data = {0};
        slice metadata = {0};
        if (gone != NULL && row_set_has(gone, row)) {
            continue;
        }
        enum err e = rows->ops->payload(source, row, &data, &metadata);
        TRY(segment_make_unreadable(rows, row, e, diag));
        add_sample(samples, data);
        add_sample(samples, metadata);
    }
    return OK;
}

enum err payload_train(struct rows_reader *source, const struct row_set *gone, struct buf *out,
                       struct diag *diag)
{
    CLEANUP(mem_freep) struct samples *samples = mem_zeroed(sizeof(*samples));
    buf_init(&samples->bytes, (size_t)SAMPLES_MAX * SAMPLE_BYTES_MAX);
    enum err e = take_samples(source, gone, samples, diag);
    if (e != OK) {
        buf_release(&samples->bytes);
        return e;
    }
    slice all = buf_slice(&samples->bytes);
    if (all.len < SAMPLES_BYTES_MIN || !buf_reserve(out, DICTIONARY_BYTES_MAX)) {
        buf_release(&samples->bytes);
        return OK;
    }
    const ZDICT_fastCover_params_t parameters = {
        .k = SEGMENT_LEN,
        .d = MATCH_LEN,
        .f = FREQUENCY_LOG,
        .accel = ACCELERATION,
        .zParams.compressionLevel = 1,
    };
    size_t len = ZDICT_trainFromBuffer_fastCover(out->ptr, DICTIONARY_BYTES_MAX, all.ptr,
                                                 samples->sizes, samples->count, parameters);
    out->len += ZDICT_isError(len) ? 0 : len; /* too little in common: there is no dictionary */
    buf_release(&samples->bytes);
    return OK;
}
