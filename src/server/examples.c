/* SPDX-License-Identifier: Apache-2.0 */
#include "server/examples.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "os/file.h"
#include "os/thread.h"

#define EXAMPLE_FILE_BYTES_MAX ((size_t)64 * 1024 * 1024)
#define PIECE_BYTES            ((size_t)64 * 1024)

/* Turns the wakes of an intake into a wait. */
struct waiting {
    struct mutex lock;
    struct condition woken;
    bool slots[INTAKE_SLOTS];
};

static void on_wake(void *context, size_t slot)
{
    struct waiting *waiting = context;
    mutex_lock(&waiting->lock);
    waiting->slots[slot] = true;
    condition_signal(&waiting->woken);
    mutex_unlock(&waiting->lock);
}

static size_t wait_for_slot(struct waiting *waiting)
{
    size_t slot = 0;
    mutex_lock(&waiting->lock);
    for (;;) {
        for (slot = 0; slot < INTAKE_SLOTS && !waiting->slots[slot]; slot++) {
        }
        if (slot < INTAKE_SLOTS) {
            break;
        }
        condition_wait(&waiting->woken, &waiting->lock);
    }
    waiting->slots[slot] = false;
    mutex_unlock(&waiting->lock);
    return slot;
}

static enum err load_text(const struct ingest *ingest, const struct read_options *read, slice text,
                          uint64_t *count, uint64_t *line, struct diag *diag)
{
    struct waiting waiting = {0};
    mutex_init(&waiting.lock);
    condition_init(&waiting.woken);
    const struct intake_options options = {
        .shape = INTAKE_LINES,
        .read = *read,
        .wake = on_wake,
        .context = &waiting,
    };
    struct intake *intake = intake_new(ingest, &options);
    enum intake_state state = INTAKE_WANTS_MORE;
    while (state != INTAKE_FINISHED) {
        if (state == INTAKE_WAITS) {
            state = intake_continue(intake, wait_for_slot(&waiting));
        } else if (text.len > 0) {
            size_t len = text.len < PIECE_BYTES ? text.len : PIECE_BYTES;
            state = intake_feed(intake, slice_take(&text, len), false);
        } else {
            state = intake_end(intake);
        }
    }
    const struct intake_result *result = intake_result(intake);
    enum err e = result->err;
    *count += result->count;
    *line = result->line;
    *diag = result->diag;
    intake_free(intake);
    condition_release(&waiting.woken);
    mutex_release(&waiting.lock);
    return e;
}

static enum err load_file(const struct ingest *ingest, const struct read_options *read,
                          const struct dir *dir, const char *name, uint64_t *count,
                          struct diag *diag)
{
    CLEANUP(mem_freep) uint8_t *bytes = NULL;
    size_t len = 0;
    uint64_t line = 0;
    struct diag inner = {0};
    TRY(file_read_all(dir, name, EXAMPLE_FILE_BYTES_MAX, &bytes, &len, diag));
    enum err e = load_text(ingest, read, (slice){bytes, len}, count, &line, &inner);
    if (e != OK) {
        return diag_fail(diag, e, name, "line %llu: %.60s %.80s", (unsigned long long)line,
                         inner.where, inner.text);
    }
    return OK;
}

enum err examples_load(const struct ingest *ingest, const struct read_options *read,
                       const char *path, uint64_t *count_out, struct diag *diag)
{
    OWNED(dir) dir = NULL;
    CLEANUP(dir_names_release) struct dir_names names = {0};
    uint64_t count = 0;
    TRY(dir_open(path, false, &dir, diag));
    TRY(dir_list(dir, &names, diag));
    for (size_t i = 0; i < names.count; i++) {
        size_t len = strlen(names.names[i]);
        if (len > 7 && strcmp(names.names[i] + len - 7, ".ndjson") == 0) {
            TRY(load_file(ingest, read, dir, names.names[i], &count, diag));
        }
    }
    *count_out = count;
    return OK;
}
