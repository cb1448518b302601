/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The files on the real disk are always the newest state. Beside them is a journal, for each file
 * and for each directory, of what an operation changed that no sync covers yet. To lose something,
 * the journal is gone through from its end: a change is put back, or kept; and what lies under a
 * change that is kept, a sector or a name, is not touched any more.
 */
#include "os/fault_disk.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "os/handle.h"
#include "os/tempdir.h"

enum {
    SECTOR = 512,
    LARGE_SECTOR = 4096,
    LAST_BYTES = 160,
};

/* ---- The journal ---- */

enum change_kind {
    CHANGE_BYTES,   /* [offset, offset + len) was `before`, or zeros when that is NULL */
    CHANGE_SIZE,    /* the size was `offset` */
    CHANGE_DURABLE, /* [offset, offset + len) and the size are safe, whatever they were before */
};

struct change {
    enum change_kind kind;
    uint64_t offset, len; /* in whole sectors */
    uint8_t *before;
};

/* A file or a directory, by what the system knows it by. */
struct place {
    dev_t device;
    ino_t inode;
    int fd; /* of our own, so that the inode is not given to another */
};

struct pending_file {
    struct place place;
    struct change *changes;
    size_t count, capacity;
    uint64_t end; /* of the highest sector in a change */
};

struct name_change {
    enum fault_kind kind; /* OPEN, MAKE: it was made */
    struct place dir;
    char *name, *to;
    uint64_t kept; /* what the name led to before is in the attic under this number; 0: nothing */
};

struct fault_disk {
    struct fault_plan plan;
    uint64_t cut_at, fail_at, fail_change_at;
    char last[LAST_BYTES];
    struct pending_file *files;
    size_t file_count, file_capacity;
    struct name_change *names;
    size_t name_count, name_capacity;
    struct tempdir attic;
    int attic_fd;
    uint64_t attic_number;
    uint64_t random;
};

static void *grow(void *items, size_t count, size_t *capacity, size_t item_bytes)
{
    if (count < *capacity) {
        return items;
    }
    *capacity = *capacity > 0 ? 2 * *capacity : 16;
    return mem_resize(items, *capacity * item_bytes);
}

static uint64_t size_of(int fd)
{
    struct stat stat = {0};
    ASSERT(fstat(fd, &stat) == 0);
    return (uint64_t)stat.st_size;
}

static struct place place_of(int fd)
{
    struct stat stat = {0};
    ASSERT(fstat(fd, &stat) == 0);
    return (struct place){.device = stat.st_dev, .inode = stat.st_ino, .fd = -1};
}

static bool is_place(const struct place *place, const struct place *other)
{
    return place->device == other->device && place->inode == other->inode;
}

/* A descriptor of our own for what `fd` leads to. */
static int open_again(int fd, int flags)
{
    char path[64];
    int again = -1;
    (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    ASSERT(os_open_at(AT_FDCWD, path, flags, &again) == 0);
    return again;
}

/* ---- Bytes ---- */

static struct pending_file *find_file(struct fault_disk *disk, int fd)
{
    struct place place = place_of(fd);
    for (size_t i = 0; i < disk->file_count; i++) {
        if (is_place(&disk->files[i].place, &place)) {
            return &disk->files[i];
        }
    }
    return NULL;
}

static struct pending_file *get_file(struct fault_disk *disk, int fd)
{
    struct pending_file *found = find_file(disk, fd);
    if (found != NULL) {
        return found;
    }
    disk->files = grow(disk->files, disk->file_count, &disk->file_capacity, sizeof(*disk->files));
    struct pending_file *file = &disk->files[disk->file_count++];
    *file = (struct pending_file){.place = place_of(fd)};
    file->place.fd = open_again(fd, O_RDWR);
    return file;
}

static struct change *add_change(struct pending_file *file, enum change_kind kind)
{
    file->changes = grow(file->changes, file->count, &file->capacity, sizeof(*file->changes));
    struct change *change = &file->changes[file->count++];
    *change = (struct change){.kind = kind};
    return change;
}

static void set_range(struct pending_file *file, struct change *change, uint64_t from, uint64_t to)
{
    change->offset = from / SECTOR * SECTOR;
    change->len = (to + SECTOR - 1) / SECTOR * SECTOR - change->offset;
    uint64_t end = change->offset + change->len;
    file->end = end > file->end ? end : file->end;
}

static void remember_bytes(struct pending_file *file, uint64_t from, uint64_t to)
{
    struct change *change = add_change(file, CHANGE_BYTES);
    set_range(file, change, from, to);
    if (change->offset >= size_of(file->place.fd)) {
        return; /* nothing was there: zeros */
    }
    change->before = mem_zeroed((size_t)change->len);
    for (uint64_t at = 0; at < change->len;) {
        ssize_t got = pread(file->place.fd, change->before + at, (size_t)(change->len - at),
                            (off_t)(change->offset + at));
        ASSERT(got >= 0);
        if (got == 0) {
            break; /* the end of the file: zeros behind it */
        }
        at += (uint64_t)got;
    }
}

/* A write of [from, to) that is not durable. */
static void remember_write(struct fault_disk *disk, int fd, uint64_t from, uint64_t to)
{
    struct pending_file *file = get_file(disk, fd);
    uint64_t size = size_of(fd);
    if (from < to) {
        remember_bytes(file, from, to);
    }
    if (to > size) {
        add_change(file, CHANGE_SIZE)->offset = size;
    }
}

static void remember_truncation(struct fault_disk *disk, int fd, uint64_t to)
{
    uint64_t size = size_of(fd);
    if (to == size) {
        return;
    }
    struct pending_file *file = get_file(disk, fd);
    if (to < size) {
        remember_bytes(file, to, size);
    }
    add_change(file, CHANGE_SIZE)->offset = size;
}

/* A write of [from, to) that is durable when it returns. */
static void forget_write(struct fault_disk *disk, int fd, uint64_t from, uint64_t to)
{
    struct pending_file *file = find_file(disk, fd);
    if (file != NULL) {
        set_range(file, add_change(file, CHANGE_DURABLE), from, to);
    }
}

static void release_file(struct pending_file *file)
{
    for (size_t i = 0; i < file->count; i++) {
        free(file->changes[i].before);
    }
    free(file->changes);
    (void)close(file->place.fd);
}

static void forget_file(struct fault_disk *disk, int fd)
{
    struct pending_file *file = find_file(disk, fd);
    if (file != NULL) {
        release_file(file);
        *file = disk->files[--disk->file_count];
    }
}

/* ---- Names ---- */

static bool name_exists(int dir_fd, const char *name)
{
    return faccessat(dir_fd, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

static void attic_name(uint64_t number, char out[32])
{
    (void)snprintf(out, 32, "%llu", (unsigned long long)number);
}

/* Keeps what `name` leads to; 0 when it leads nowhere. */
static uint64_t keep_in_attic(struct fault_disk *disk, int dir_fd, const char *name)
{
    char kept[32];
    if (!name_exists(dir_fd, name)) {
        return 0;
    }
    attic_name(++disk->attic_number, kept);
    ASSERT(linkat(dir_fd, name, disk->attic_fd, kept, 0) == 0);
    return disk->attic_number;
}

static void remember_name(struct fault_disk *disk, const struct fault_op *op, enum fault_kind kind)
{
    disk->names = grow(disk->names, disk->name_count, &disk->name_capacity, sizeof(*disk->names));
    struct name_change *change = &disk->names[disk->name_count++];
    *change = (struct name_change){.kind = kind, .dir = place_of(op->fd)};
    change->dir.fd = open_again(op->fd, O_RDONLY | O_DIRECTORY);
    change->name = mem_text(op->name, strlen(op->name));
    if (kind == FAULT_RENAME) {
        change->to = mem_text(op->to, strlen(op->to));
        change->kept = keep_in_attic(disk, op->fd, op->to);
    } else if (kind == FAULT_REMOVE) {
        change->kept = keep_in_attic(disk, op->fd, op->name);
    }
}

static void release_name(struct fault_disk *disk, struct name_change *change)
{
    char kept[32];
    if (change->kept != 0) {
        attic_name(change->kept, kept);
        ASSERT(unlinkat(disk->attic_fd, kept, 0) == 0);
    }
    free(change->name);
    free(change->to);
    (void)close(change->dir.fd);
}

static void forget_dir(struct fault_disk *disk, int fd)
{
    struct place dir = place_of(fd);
    size_t left = 0;
    for (size_t i = 0; i < disk->name_count; i++) {
        if (is_place(&disk->names[i].dir, &dir)) {
            release_name(disk, &disk->names[i]);
        } else {
            disk->names[left++] = disk->names[i];
        }
    }
    disk->name_count = left;
}

/* ---- Watching ---- */

static bool is_dir(int fd)
{
    struct stat stat = {0};
    ASSERT(fstat(fd, &stat) == 0);
    return S_ISDIR(stat.st_mode);
}

static void watch(struct fault_disk *disk, const struct fault_op *op)
{
    switch (op->kind) {
    case FAULT_OPEN:
    case FAULT_LOCK:
        if (op->creates && !name_exists(op->fd, op->name)) {
            remember_name(disk, op, FAULT_OPEN);
        }
        break;
    case FAULT_MAKE:
        if (!name_exists(op->fd, op->name)) {
            remember_name(disk, op, FAULT_MAKE);
        }
        break;
    case FAULT_WRITE:
        if (op->is_direct) {
            forget_write(disk, op->fd, op->offset, op->offset + op->len);
        } else {
            remember_write(disk, op->fd, op->offset, op->offset + op->len);
        }
        break;
    case FAULT_ALLOCATE:
        remember_write(disk, op->fd, op->offset, op->offset + op->len);
        break;
    case FAULT_TRUNCATE:
        remember_truncation(disk, op->fd, op->offset);
        break;
    case FAULT_RENAME:
    case FAULT_REMOVE:
        if (name_exists(op->fd, op->name)) {
            remember_name(disk, op, op->kind);
        }
        break;
    case FAULT_SYNC:
        if (is_dir(op->fd)) {
            forget_dir(disk, op->fd);
        } else {
            forget_file(disk, op->fd);
        }
        break;
    case FAULT_READ:
        break;
    }
}

static void note_last(struct fault_disk *disk, const struct fault_op *op)
{
    static const char *const kinds[FAULT_KINDS] = {
        "OPEN", "WRITE", "SYNC", "RENAME", "REMOVE", "TRUNCATE", "READ", "ALLOCATE", "LOCK", "MAKE",
    };
    (void)snprintf(disk->last, sizeof(disk->last), "%s %s at %llu", kinds[op->kind], op->name,
                   (unsigned long long)op->offset);
}

static bool is_to_fail(const struct fault_disk *disk, const struct fault_op *op)
{
    uint64_t change = op->number - disk->plan.number_of_kind[FAULT_READ];
    return op->number == disk->fail_at ||
           (op->kind != FAULT_READ && change == disk->fail_change_at);
}

static enum fault_action decide(void *ctx, const struct fault_op *op)
{
    struct fault_disk *disk = ctx;
    if (is_to_fail(disk, op)) {
        note_last(disk, op);
        return FAULT_FAIL;
    }
    if (op->number == disk->cut_at) {
        note_last(disk, op);
        if (op->kind == FAULT_WRITE) {
            remember_write(disk, op->fd, op->offset, op->offset + op->len);
        }
        return FAULT_UNANSWERED;
    }
    watch(disk, op);
    return FAULT_SKIP;
}

/* ---- Losing ---- */

/* splitmix64 */
static uint64_t draw(struct fault_disk *disk)
{
    uint64_t z = disk->random += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

/* How much of one thing is lost: all, nothing, or each part by a coin. */
enum fate { FATE_LOST, FATE_KEPT, FATE_COIN, FATE_COIN_TOO };

static bool is_lost(struct fault_disk *disk, enum fate fate)
{
    return fate == FATE_LOST || (fate != FATE_KEPT && draw(disk) % 2 == 0);
}

static void put_back(int fd, const struct change *change, uint64_t at)
{
    static const uint8_t zeros[SECTOR];
    const uint8_t *before = change->before != NULL ? change->before + (at - change->offset) : zeros;
    ASSERT(pwrite(fd, before, SECTOR, (off_t)at) == SECTOR);
}

static void lose_bytes(struct fault_disk *disk, struct pending_file *file,
                       const struct change *change, bool *keeps)
{
    enum fate fate = change->kind == CHANGE_DURABLE ? FATE_KEPT : (enum fate)(draw(disk) % 4);
    uint64_t unit = fate == FATE_COIN ? SECTOR : LARGE_SECTOR;
    bool lost = is_lost(disk, fate);
    for (uint64_t at = change->offset; at < change->offset + change->len; at += SECTOR) {
        if (at % unit == 0) {
            lost = is_lost(disk, fate);
        }
        bool *keep = &keeps[at / SECTOR];
        if (!*keep && lost) {
            put_back(file->place.fd, change, at);
        }
        *keep = *keep || !lost;
    }
}

static void lose_of_file(struct fault_disk *disk, struct pending_file *file)
{
    CLEANUP(mem_freep) bool *keeps = mem_array((size_t)(file->end / SECTOR) + 1, sizeof(*keeps));
    uint64_t size = size_of(file->place.fd);
    bool keeps_size = false;
    for (size_t i = file->count; i-- > 0;) {
        const struct change *change = &file->changes[i];
        if (change->kind != CHANGE_SIZE) {
            lose_bytes(disk, file, change, keeps);
            keeps_size = keeps_size || change->kind == CHANGE_DURABLE;
        } else if (!keeps_size && draw(disk) % 2 == 0) {
            size = change->offset;
        } else {
            keeps_size = true;
        }
    }
    ASSERT(ftruncate(file->place.fd, (off_t)size) == 0);
}

/* Whether a change that is kept, of those behind `index`, says what one of these names is. */
static bool is_fixed(const struct fault_disk *disk, size_t index, const bool *keeps)
{
    const struct name_change *change = &disk->names[index];
    const char *names[] = {change->name, change->to};
    for (size_t i = index + 1; i < disk->name_count; i++) {
        const struct name_change *later = &disk->names[i];
        for (size_t k = 0; k < COUNT_OF(names) && keeps[i]; k++) {
            bool is_same = names[k] != NULL && is_place(&later->dir, &change->dir) &&
                           (strcmp(later->name, names[k]) == 0 ||
                            (later->to != NULL && strcmp(later->to, names[k]) == 0));
            if (is_same) {
                return true;
            }
        }
    }
    return false;
}

/* With all that is in it. What changed in there was gone through before: it came later. */
static void remove_tree(int fd, const char *name)
{
    struct tempdir tree = {0};
    int len = snprintf(tree.path, sizeof(tree.path), "/proc/self/fd/%d/%s", fd, name);
    ASSERT(len > 0 && (size_t)len < sizeof(tree.path));
    tempdir_release(&tree);
}

static void undo_name(struct fault_disk *disk, const struct name_change *change)
{
    const char *restored = change->name;
    int fd = change->dir.fd;
    char kept[32];
    if (change->kind == FAULT_OPEN) {
        ASSERT(unlinkat(fd, change->name, 0) == 0);
    }
    if (change->kind == FAULT_MAKE) {
        remove_tree(fd, change->name);
    }
    if (change->kind == FAULT_RENAME) {
        ASSERT(renameat(fd, change->to, fd, change->name) == 0);
        restored = change->to;
    }
    if (change->kept != 0) {
        attic_name(change->kept, kept);
        ASSERT(linkat(disk->attic_fd, kept, fd, restored, 0) == 0);
    }
}

static void lose_names(struct fault_disk *disk)
{
    CLEANUP(mem_freep) bool *keeps = mem_array(disk->name_count + 1, sizeof(*keeps));
    enum fate fate = (enum fate)(draw(disk) % 4);
    for (size_t i = disk->name_count; i-- > 0;) {
        keeps[i] = is_fixed(disk, i, keeps) || !is_lost(disk, fate);
        if (!keeps[i]) {
            undo_name(disk, &disk->names[i]);
        }
    }
}

static void forget_all(struct fault_disk *disk)
{
    for (size_t i = 0; i < disk->file_count; i++) {
        release_file(&disk->files[i]);
    }
    for (size_t i = 0; i < disk->name_count; i++) {
        release_name(disk, &disk->names[i]);
    }
    disk->file_count = 0;
    disk->name_count = 0;
}

/* ---- Life ---- */

struct fault_disk *fault_disk_new(void)
{
    struct fault_disk *disk = mem_zeroed(sizeof(*disk));
    disk->plan.decide = decide;
    disk->plan.ctx = disk;
    tempdir_init(&disk->attic);
    ASSERT(os_open_at(AT_FDCWD, disk->attic.path, O_RDONLY | O_DIRECTORY, &disk->attic_fd) == 0);
    return disk;
}

void fault_disk_free(struct fault_disk *disk)
{
    if (disk == NULL) {
        return;
    }
    forget_all(disk);
    (void)close(disk->attic_fd);
    tempdir_release(&disk->attic);
    free(disk->files);
    free(disk->names);
    free(disk);
}

struct fault_plan *fault_disk_plan(struct fault_disk *disk)
{
    return &disk->plan;
}

static void start_anew(struct fault_disk *disk, uint64_t cut_at, uint64_t fail_at, int error)
{
    disk->plan = (struct fault_plan){.decide = decide, .ctx = disk, .error = error};
    disk->cut_at = cut_at;
    disk->fail_at = fail_at;
    disk->fail_change_at = 0;
    disk->last[0] = '\0';
}

void fault_disk_cut_at(struct fault_disk *disk, uint64_t n)
{
    start_anew(disk, n, 0, 0);
}

void fault_disk_fail_at(struct fault_disk *disk, uint64_t n, int error)
{
    start_anew(disk, 0, n, error);
}

void fault_disk_fail_change_at(struct fault_disk *disk, uint64_t n, int error)
{
    start_anew(disk, 0, 0, error);
    disk->fail_change_at = n;
}

uint64_t fault_disk_operations(const struct fault_disk *disk)
{
    return fault_number(&disk->plan);
}

bool fault_disk_is_off(const struct fault_disk *disk)
{
    return fault_is_off(&disk->plan);
}

const char *fault_disk_last(const struct fault_disk *disk)
{
    return disk->last;
}

void fault_disk_lose(struct fault_disk *disk, uint64_t seed)
{
    disk->random = seed;
    for (size_t i = 0; i < disk->file_count; i++) {
        lose_of_file(disk, &disk->files[i]);
    }
    lose_names(disk);
    forget_all(disk);
    start_anew(disk, 0, 0, 0);
}
