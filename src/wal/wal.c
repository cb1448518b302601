/* SPDX-License-Identifier: Apache-2.0 */
#include "wal/wal.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "os/random.h"
#include "os/thread.h"
#include "wal/wal_format.h"

enum { WAL_SPARES_MAX = 2 };

/* `lock` covers the lists; the file being written belongs to the sequencer. */
struct wal {
    const struct dir *dir;
    uint64_t file_bytes;
    bool direct;
    uint64_t last_number;
    struct wal_file *files;   /* all that are open, newest first */
    struct wal_file *current; /* one of them, or NULL before the first frame */
    uint64_t at;              /* where the next frame goes in it */
    uint8_t *block;           /* one aligned block for headers */
    struct mutex lock;
    uint64_t spares[WAL_SPARES_MAX]; /* numbers in the names of spare files */
    size_t spare_count;
    uint64_t condemned_below; /* what files with lower numbers held is to be overwritten */
    uint64_t *condemned;      /* spares, out of use until that was done */
    size_t condemned_count;
    unsigned retiring; /* files on their way to the spares: they are in no list */
};

static void spare_name(char out[WAL_NAME_BYTES], uint64_t number)
{
    (void)snprintf(out, WAL_NAME_BYTES, WAL_SPARE_NAME_FORMAT, (unsigned long long)number);
}

static void file_name(char out[WAL_NAME_BYTES], uint64_t number)
{
    (void)snprintf(out, WAL_NAME_BYTES, WAL_NAME_FORMAT, (unsigned long long)number);
}

static bool parse_number(const char *name, const char *prefix, uint64_t *out)
{
    slice text = slice_from_cstr(name);
    if (!slice_take_literal(&text, slice_from_cstr(prefix)) || text.len != 16) {
        return false;
    }
    uint64_t number = 0;
    for (size_t i = 0; i < 12; i++) {
        if (text.ptr[i] < '0' || text.ptr[i] > '9') {
            return false;
        }
        number = number * 10 + (uint64_t)(text.ptr[i] - '0');
    }
    if (memcmp(text.ptr + 12, ".wal", 4) != 0) {
        return false;
    }
    *out = number;
    return true;
}

bool wal_parse_name(const char *name, uint64_t *number_out)
{
    return parse_number(name, "", number_out);
}

/* Spares of an earlier run: kept when they have the right size, removed otherwise. */
static enum err collect_spares(struct wal *wal, struct diag *diag)
{
    CLEANUP(dir_names_release) struct dir_names names = {0};
    TRY(dir_list(wal->dir, &names, diag));
    for (size_t i = 0; i < names.count; i++) {
        uint64_t number = 0;
        if (!parse_number(names.names[i], "spare-", &number)) {
            continue;
        }
        uint64_t bytes = 0;
        {
            OWNED(file) file = NULL;
            TRY(file_open(wal->dir, names.names[i], FILE_READ, &file, diag));
            TRY(file_size(file, &bytes, diag));
        }
        wal->last_number = number > wal->last_number ? number : wal->last_number;
        if (bytes == wal->file_bytes && wal->spare_count < WAL_SPARES_MAX) {
            wal->spares[wal->spare_count++] = number;
        } else {
            TRY(dir_remove(wal->dir, names.names[i], diag));
        }
    }
    return OK;
}

enum err wal_open(const struct dir *dir, const struct wal_options *options, uint64_t last_number,
                  struct wal **out, struct diag *diag)
{
    OWNED(wal) wal = mem_zeroed(sizeof(*wal));
    wal->dir = dir;
    wal->file_bytes = options->file_bytes > 0 ? options->file_bytes : WAL_FILE_BYTES;
    ASSERT(wal->file_bytes >= WAL_FILE_BYTES_MIN && wal->file_bytes % WAL_FRAME_ALIGN == 0);
    wal->direct = options->direct;
    wal->last_number = last_number;
    wal->block = mem_aligned(WAL_FRAME_ALIGN, WAL_FRAME_ALIGN);
    mutex_init(&wal->lock);
    TRY(collect_spares(wal, diag));
    TRY(wal_prepare_spare(wal, diag));
    *out = MOVE(wal);
    return OK;
}

void wal_free(struct wal *wal)
{
    if (wal == NULL) {
        return;
    }
    while (wal->files != NULL) {
        struct wal_file *file = wal->files;
        wal->files = file->next;
        file_free(file->file);
        free(file);
    }
    mutex_release(&wal->lock);
    free(wal->condemned);
    free(wal->block);
    free(wal);
}

static struct wal_file *add_file(struct wal *wal, struct file *file, const struct wal_head *head)
{
    struct wal_file *added = mem_zeroed(sizeof(*added));
    added->file = file;
    added->number = head->number;
    added->salt = head->salt;
    added->bytes = head->bytes;
    atomic_init(&added->users, 1);
    mutex_lock(&wal->lock);
    added->next = wal->files;
    wal->files = added;
    mutex_unlock(&wal->lock);
    return added;
}

enum err wal_adopt(struct wal *wal, uint64_t number, struct wal_file **out, struct diag *diag)
{
    char name[WAL_NAME_BYTES];
    file_name(name, number);
    OWNED(file) file = NULL;
    struct wal_head head = {.number = number};
    TRY(file_open(wal->dir, name, FILE_WRITE, &file, diag));
    TRY(file_size(file, &head.bytes, diag));
    TRY(file_sync(file, diag));
    *out = add_file(wal, MOVE(file), &head);
    return OK;
}

/* A file of zeros, durable in its directory under its spare name. */
static enum err make_spare(struct wal *wal, uint64_t bytes, uint64_t number, struct diag *diag)
{
    char name[WAL_NAME_BYTES];
    spare_name(name, number);
    OWNED(file) file = NULL;
    TRY(file_open(wal->dir, name, FILE_CREATE_NEW, &file, diag));
    enum err e = file_fill_zeros(file, 0, bytes, diag);
    if (e != OK) { /* half a spare only takes room, of which there may be none */
        enum err ignored = dir_remove(wal->dir, name, NULL);
        UNUSED(ignored);
        return e;
    }
    return dir_sync(wal->dir, diag);
}

/* A file under its spare name: kept, or removed where there are enough. */
static enum err give_spare(struct wal *wal, uint64_t number, struct diag *diag)
{
    mutex_lock(&wal->lock);
    bool has_room = wal->spare_count < WAL_SPARES_MAX;
    if (has_room) {
        wal->spares[wal->spare_count++] = number;
    }
    mutex_unlock(&wal->lock);
    if (!has_room) {
        char name[WAL_NAME_BYTES];
        spare_name(name, number);
        return dir_remove(wal->dir, name, diag);
    }
    return OK;
}

/* Under the lock. */
static void condemn(struct wal *wal, uint64_t number)
{
    size_t count = wal->condemned_count + 1;
    wal->condemned = mem_resize(wal->condemned, count * sizeof(*wal->condemned));
    wal->condemned[wal->condemned_count++] = number;
}

static bool take_spare(struct wal *wal, uint64_t *number_out)
{
    mutex_lock(&wal->lock);
    bool has_one = wal->spare_count > 0;
    *number_out = has_one ? wal->spares[--wal->spare_count] : 0;
    mutex_unlock(&wal->lock);
    return has_one;
}

bool wal_wants_spare(struct wal *wal)
{
    if (wal->current == NULL || wal->at < wal->current->bytes / 2) {
        return false;
    }
    mutex_lock(&wal->lock);
    bool has_none = wal->spare_count == 0;
    mutex_unlock(&wal->lock);
    return has_none;
}

enum err wal_prepare_spare(struct wal *wal, struct diag *diag)
{
    mutex_lock(&wal->lock);
    bool enough = wal->spare_count > 0;
    uint64_t number = enough ? 0 : ++wal->last_number;
    mutex_unlock(&wal->lock);
    if (enough) {
        return OK;
    }
    TRY(make_spare(wal, wal->file_bytes, number, diag));
    return give_spare(wal, number, diag);
}

static enum err open_for_frames(struct wal *wal, const char *name, struct file **out,
                                struct diag *diag)
{
    if (wal->direct) {
        enum err e = file_open(wal->dir, name, FILE_WRITE_DIRECT, out, diag);
        if (e != ERR_INVALID) {
            return e;
        }
        wal->direct = false; /* tmpfs and its like: plain writes and fdatasync from now on */
    }
    return file_open(wal->dir, name, FILE_WRITE, out, diag);
}

static enum err write_durably(struct wal *wal, struct file *file, uint64_t at, slice bytes,
                              struct diag *diag)
{
    TRY(file_write_at(file, at, bytes, diag));
    return wal->direct ? OK : file_sync(file, diag);
}

/*
 * Header first, then the name: a crash in between leaves a spare whose content nobody reads. Only
 * after the directory is synced may a frame in the file be acknowledged.
 */
static enum err start_file(struct wal *wal, uint64_t spare, const struct wal_head *head,
                           struct wal_file **out, struct diag *diag)
{
    char from[WAL_NAME_BYTES];
    char to[WAL_NAME_BYTES];
    spare_name(from, spare);
    file_name(to, head->number);
    OWNED(file) file = NULL;
    TRY(open_for_frames(wal, from, &file, diag));
    wal_head_put(wal->block, head);
    TRY(write_durably(wal, file, 0, (slice){wal->block, WAL_FRAME_ALIGN}, diag));
    TRY(dir_rename(wal->dir, from, to, diag));
    TRY(dir_sync(wal->dir, diag));
    *out = add_file(wal, MOVE(file), head);
    return OK;
}

/* A spare that is not to be used only takes room, of which there may be none. */
static void drop_spare(struct wal *wal, uint64_t number)
{
    char name[WAL_NAME_BYTES];
    spare_name(name, number);
    enum err ignored = dir_remove(wal->dir, name, NULL); /* the next start would remove it, too */
    UNUSED(ignored);
}

static enum err next_file(struct wal *wal, struct diag *diag)
{
    uint64_t spare = 0;
    while (!take_spare(wal, &spare)) { /* usually there is one */
        TRY(wal_prepare_spare(wal, diag));
    }
    mutex_lock(&wal->lock);
    struct wal_head head = {.number = ++wal->last_number, .bytes = wal->file_bytes};
    mutex_unlock(&wal->lock);
    head.salt = random_u64();
    struct wal_file *file = NULL;
    enum err e = start_file(wal, spare, &head, &file, diag);
    if (e != OK) {
        drop_spare(wal, spare);
        return e;
    }
    if (wal->current != NULL) {
        wal_file_unuse(wal->current);
    }
    wal->current = file;
    wal->at = WAL_FRAME_ALIGN;
    return OK;
}

enum err wal_reserve(struct wal *wal, size_t body_len, struct diag *diag)
{
    uint64_t disk_bytes = wal_frame_bytes(body_len);
    ASSERT(body_len <= WAL_FRAME_BYTES_MAX);
    ASSERT(disk_bytes + WAL_FRAME_ALIGN <= wal->file_bytes);
    bool fits = wal->current != NULL && disk_bytes <= wal->current->bytes - wal->at;
    return fits ? OK : next_file(wal, diag);
}

/* Header and padding around a body that is in place. */
static void seal_frame(uint8_t *frame, uint64_t salt, const struct wal_frame_info *info)
{
    size_t used = WAL_FRAME_HEAD_BYTES + info->body_len;
    const struct wal_frame_head head = {
        .salt = salt,
        .first_seq = info->first_seq,
        .commit_us = info->commit_us,
        .count = info->count,
        .body_len = (uint32_t)info->body_len,
    };
    wal_frame_head_put(frame, &head);
    memset(frame + used, 0, wal_frame_bytes(info->body_len) - used);
}

enum err wal_append(struct wal *wal, uint8_t *frame, const struct wal_frame_info *info,
                    struct wal_place *out, struct diag *diag)
{
    struct wal_file *file = wal->current;
    uint64_t disk_bytes = wal_frame_bytes(info->body_len);
    ASSERT(file != NULL && disk_bytes <= file->bytes - wal->at);
    seal_frame(frame, file->salt, info);
    slice bytes = {frame, (size_t)disk_bytes};
    if (write_durably(wal, file->file, wal->at, bytes, diag) != OK) {
        return ERR_IO; /* also for want of room: a part of it may be there, or come to be */
    }
    *out = (struct wal_place){file, wal->at + WAL_FRAME_HEAD_BYTES};
    wal->at += disk_bytes;
    return OK;
}

void wal_file_use(struct wal_file *file)
{
    atomic_fetch_add_explicit(&file->users, 1, memory_order_relaxed);
}

void wal_file_unuse(struct wal_file *file)
{
    uint32_t before = atomic_fetch_sub_explicit(&file->users, 1, memory_order_acq_rel);
    ASSERT(before > 0);
}

/* Unlinks from the list the next file that nobody uses. */
static struct wal_file *take_unused(struct wal *wal)
{
    struct wal_file *taken = NULL;
    mutex_lock(&wal->lock);
    for (struct wal_file **at = &wal->files; *at != NULL; at = &(*at)->next) {
        if (atomic_load_explicit(&(*at)->users, memory_order_acquire) == 0) {
            taken = *at;
            *at = taken->next;
            wal->retiring++;
            break;
        }
    }
    mutex_unlock(&wal->lock);
    return taken;
}

/* A file that was in use, under its spare name: what it held may have been condemned meanwhile. */
static enum err give_used(struct wal *wal, uint64_t number, struct diag *diag)
{
    mutex_lock(&wal->lock);
    bool is_condemned = number < wal->condemned_below;
    if (is_condemned) {
        condemn(wal, number);
    }
    mutex_unlock(&wal->lock);
    return is_condemned ? OK : give_spare(wal, number, diag);
}

/* Not the header: should the power go halfway, it still says that the file is superseded. Through a
 * handle of its own: after a sync that failed, the file's would refuse to try again. */
static enum err zero_named(struct wal *wal, const char *name, struct wal_file *file,
                           struct diag *diag)
{
    OWNED(file) again = NULL;
    TRY(file_open(wal->dir, name, FILE_WRITE, &again, diag));
    TRY(file_fill_zeros(again, WAL_FRAME_ALIGN, file->bytes - WAL_FRAME_ALIGN, diag));
    file->is_zeroed = true;
    return OK;
}

/*
 * From its name in use to the spare one, or away. What an erasure condemns too late to be seen here
 * is safe: give_used() looks again at a spare, and what goes away is in no file any more. Its
 * blocks are the file system's, as those of a segment's file that an erasure exchanges are.
 */
static enum err leave_use(struct wal *wal, struct wal_file *file, bool *is_gone, struct diag *diag)
{
    char from[WAL_NAME_BYTES];
    char to[WAL_NAME_BYTES];
    file_name(from, file->number);
    spare_name(to, file->number);
    mutex_lock(&wal->lock);
    bool keep = file->bytes == wal->file_bytes && wal->spare_count < WAL_SPARES_MAX;
    bool zero = file->number < wal->condemned_below && !file->is_zeroed;
    mutex_unlock(&wal->lock);
    if (zero) {
        TRY(zero_named(wal, from, file, diag));
    }
    *is_gone = !keep;
    if (!keep) {
        return dir_remove(wal->dir, from, diag);
    }
    TRY(dir_rename(wal->dir, from, to, diag));
    file->is_spare = true;
    return OK;
}

static enum err retire_file(struct wal *wal, struct wal_file *file, struct diag *diag)
{
    bool is_gone = false;
    if (!file->is_spare) {
        TRY(leave_use(wal, file, &is_gone, diag));
    }
    if (is_gone) {
        return OK;
    }
    /* Synced, though the rows are safe: if the old name came back after the file got the header of
     * its next life, name and header would contradict each other. */
    TRY(dir_sync(wal->dir, diag));
    return file->is_zeroed ? give_spare(wal, file->number, diag)
                           : give_used(wal, file->number, diag);
}

/* It stays in the list if it failed: as long as the file is there, what supersedes others must
 * supersede it, and what is condemned in it is not forgotten. */
static void end_retiring(struct wal *wal, struct wal_file *file, enum err result)
{
    mutex_lock(&wal->lock);
    wal->retiring--;
    if (result != OK) {
        file->next = wal->files;
        wal->files = file;
    }
    mutex_unlock(&wal->lock);
    if (result == OK) {
        file_free(file->file);
        free(file);
    }
}

enum err wal_retire(struct wal *wal, struct diag *diag)
{
    struct wal_file *file = take_unused(wal);
    while (file != NULL) {
        enum err e = retire_file(wal, file, diag);
        end_retiring(wal, file, e);
        TRY(e);
        file = take_unused(wal);
    }
    return OK;
}

/* ---- Purging ---- */

void wal_condemn(struct wal *wal, uint64_t below)
{
    mutex_lock(&wal->lock);
    wal->condemned_below = below;
    while (wal->spare_count > 0) {
        condemn(wal, wal->spares[--wal->spare_count]);
    }
    mutex_unlock(&wal->lock);
}

static bool take_condemned(struct wal *wal, uint64_t *number_out)
{
    mutex_lock(&wal->lock);
    bool has_one = wal->condemned_count > 0;
    *number_out = has_one ? wal->condemned[--wal->condemned_count] : 0;
    mutex_unlock(&wal->lock);
    return has_one;
}

static enum err zero_spare(struct wal *wal, uint64_t number, struct diag *diag)
{
    char name[WAL_NAME_BYTES];
    OWNED(file) file = NULL;
    spare_name(name, number);
    TRY(file_open(wal->dir, name, FILE_WRITE, &file, diag));
    return file_fill_zeros(file, 0, wal->file_bytes, diag);
}

enum err wal_purge(struct wal *wal, bool *done_out, struct diag *diag)
{
    uint64_t number = 0;
    TRY(wal_retire(wal, diag));
    while (take_condemned(wal, &number)) {
        enum err e = zero_spare(wal, number, diag);
        if (e != OK) { /* the next erasure finds it again */
            mutex_lock(&wal->lock);
            condemn(wal, number);
            mutex_unlock(&wal->lock);
            return e;
        }
        TRY(give_spare(wal, number, diag));
    }
    mutex_lock(&wal->lock);
    bool done = wal->condemned_count == 0 && wal->retiring == 0;
    for (const struct wal_file *file = wal->files; file != NULL; file = file->next) {
        done = done && file->number >= wal->condemned_below;
    }
    mutex_unlock(&wal->lock);
    *done_out = done;
    return OK;
}

void wal_figures(struct wal *wal, struct wal_figures *out)
{
    mutex_lock(&wal->lock);
    *out = (struct wal_figures){.files = wal->spare_count,
                                .bytes = wal->spare_count * wal->file_bytes};
    for (const struct wal_file *file = wal->files; file != NULL; file = file->next) {
        out->files++;
        out->bytes += file->bytes;
    }
    mutex_unlock(&wal->lock);
}

uint64_t wal_lowest(struct wal *wal)
{
    uint64_t lowest = 0;
    mutex_lock(&wal->lock);
    for (const struct wal_file *file = wal->files; file != NULL; file = file->next) {
        lowest = lowest == 0 || file->number < lowest ? file->number : lowest;
    }
    mutex_unlock(&wal->lock);
    return lowest;
}

/* ---- Rewriting ---- */

struct wal_rewrite {
    struct wal *wal;
    uint64_t spare; /* number of the name it is written under */
    struct wal_head head;
    struct file *file;
    uint64_t at;
    bool is_committed;
};

enum err wal_rewrite_begin(struct wal *wal, uint64_t supersedes, uint64_t file_bytes,
                           struct wal_rewrite **out, struct diag *diag)
{
    OWNED(wal_rewrite) rewrite = mem_zeroed(sizeof(*rewrite));
    char name[WAL_NAME_BYTES];
    rewrite->wal = wal;
    rewrite->at = WAL_FRAME_ALIGN;
    mutex_lock(&wal->lock);
    rewrite->spare = ++wal->last_number;
    rewrite->head = (struct wal_head){.number = ++wal->last_number,
                                      .bytes = file_bytes,
                                      .supersedes = supersedes,
                                      .salt = random_u64()};
    mutex_unlock(&wal->lock);
    TRY(make_spare(wal, file_bytes, rewrite->spare, diag));
    spare_name(name, rewrite->spare);
    TRY(open_for_frames(wal, name, &rewrite->file, diag));
    *out = MOVE(rewrite);
    return OK;
}

void wal_rewrite_free(struct wal_rewrite *rewrite)
{
    if (rewrite == NULL) {
        return;
    }
    file_free(rewrite->file);
    if (!rewrite->is_committed) {
        drop_spare(rewrite->wal, rewrite->spare);
    }
    free(rewrite);
}

enum err wal_rewrite_frame(struct wal_rewrite *rewrite, uint8_t *frame,
                           const struct wal_frame_info *info, uint64_t *body_at_out,
                           struct diag *diag)
{
    size_t disk_bytes = wal_frame_bytes(info->body_len);
    ASSERT(disk_bytes <= rewrite->head.bytes - rewrite->at);
    seal_frame(frame, rewrite->head.salt, info);
    TRY(write_durably(rewrite->wal, rewrite->file, rewrite->at, (slice){frame, disk_bytes}, diag));
    *body_at_out = rewrite->at + WAL_FRAME_HEAD_BYTES;
    rewrite->at += disk_bytes;
    return OK;
}

enum err wal_rewrite_commit(struct wal_rewrite *rewrite, struct wal_file **out, struct diag *diag)
{
    struct wal *wal = rewrite->wal;
    file_free(MOVE(rewrite->file));
    /* The rename inside is the moment at which the new file replaces the old ones. */
    TRY(start_file(wal, rewrite->spare, &rewrite->head, out, diag));
    rewrite->is_committed = true;
    if (wal->current != NULL) {
        wal_file_unuse(wal->current);
        wal->current = NULL;
    }
    return OK;
}
