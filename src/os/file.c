/* SPDX-License-Identifier: Apache-2.0 */
#include "os/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "os/fault.h"
#include "os/handle.h"

#define ZEROS_BYTES MIB(1)

static int flags_of(enum file_mode mode)
{
    switch (mode) {
    case FILE_READ:
        return O_RDONLY;
    case FILE_WRITE:
        return O_RDWR;
    case FILE_CREATE:
        return O_RDWR | O_CREAT;
    case FILE_CREATE_NEW:
        return O_RDWR | O_CREAT | O_EXCL;
    case FILE_WRITE_DIRECT:
        return O_RDWR | O_DIRECT | O_DSYNC;
    }
    return O_RDONLY;
}

/* An operation on an open file, for the fault plan. */
static struct fault check(const struct file *file, enum fault_kind kind, uint64_t offset,
                          uint64_t len)
{
    const struct fault_op op = {.kind = kind,
                                .name = file->name,
                                .fd = file->fd,
                                .is_direct = file->is_direct,
                                .offset = offset,
                                .len = len};
    return fault_check(&op);
}

enum err file_open(const struct dir *dir, const char *name, enum file_mode mode, struct file **out,
                   struct diag *diag)
{
    os_check_name(name);
    const struct fault_op op = {.kind = FAULT_OPEN,
                                .name = name,
                                .fd = dir->fd,
                                .creates = mode == FILE_CREATE || mode == FILE_CREATE_NEW};
    struct fault fault = fault_check(&op);
    if (fault.error != 0) {
        return os_fail(diag, name, "open", fault.error);
    }
    int fd = -1;
    int flags = flags_of(mode) & ~(fault.is_skipped ? O_DIRECT | O_DSYNC : 0);
    int error = os_open_at(dir->fd, name, flags, &fd);
    if (error == EINVAL && mode == FILE_WRITE_DIRECT) {
        return diag_fail(diag, ERR_INVALID, name, "the file system has no direct writes");
    }
    if (error != 0) {
        return os_fail(diag, name, "open", error);
    }
    *out = os_file_new(fd, name, mode == FILE_WRITE_DIRECT);
    return OK;
}

void file_free(struct file *file)
{
    if (file != NULL) {
        (void)close(file->fd);
        free(file->name);
        free(file);
    }
}

static enum err look_at(const struct file *file, struct stat *out, struct diag *diag)
{
    struct fault fault = check(file, FAULT_READ, 0, 0);
    if (fault.error != 0) {
        return os_fail(diag, file->name, "measure", fault.error);
    }
    return fstat(file->fd, out) == 0 ? OK : os_fail(diag, file->name, "measure", errno);
}

enum err file_size(const struct file *file, uint64_t *out, struct diag *diag)
{
    struct stat stat = {0};
    TRY(look_at(file, &stat, diag));
    *out = (uint64_t)stat.st_size;
    return OK;
}

enum err file_owner(const struct file *file, struct file_owner *out, struct diag *diag)
{
    struct stat stat = {0};
    TRY(look_at(file, &stat, diag));
    *out = (struct file_owner){.user = stat.st_uid,
                               .is_ours = stat.st_uid == geteuid(),
                               .is_private = (stat.st_mode & (S_IRWXG | S_IRWXO)) == 0};
    return OK;
}

static enum err check_not_spent(const struct file *file, struct diag *diag)
{
    if (atomic_load(&file->is_spent)) {
        return diag_fail(diag, ERR_IO, file->name, "an earlier sync failed");
    }
    return OK;
}

static void check_aligned(const struct file *file, uint64_t offset, const void *memory, size_t len)
{
    if (file->is_direct) {
        ASSERT(offset % FILE_BLOCK == 0);
        ASSERT(len % FILE_BLOCK == 0);
        ASSERT((uintptr_t)memory % FILE_BLOCK == 0);
    }
}

/* Half of a write or read for a fault, kept to whole blocks where only those work. */
static size_t half_of(const struct file *file, size_t len)
{
    size_t half = len / 2;
    return file->is_direct ? half - half % FILE_BLOCK : half;
}

/* Writes all; 0, or the errno. */
static int write_all(const struct file *file, uint64_t offset, slice bytes)
{
    ASSERT(offset <= INT64_MAX && bytes.len <= (uint64_t)INT64_MAX - offset);
    while (bytes.len > 0) {
        ssize_t written = pwrite(file->fd, bytes.ptr, bytes.len, (off_t)offset);
        if (written < 0 && errno != EINTR) {
            return errno;
        }
        if (written == 0) {
            return EIO; /* never seen of a regular file; without this, an endless loop */
        }
        if (written > 0) {
            (void)slice_take(&bytes, (size_t)written);
            offset += (uint64_t)written;
        }
    }
    return 0;
}

enum err file_write_at(struct file *file, uint64_t offset, slice bytes, struct diag *diag)
{
    check_aligned(file, offset, bytes.ptr, bytes.len);
    TRY(check_not_spent(file, diag));
    struct fault fault = check(file, FAULT_WRITE, offset, bytes.len);
    if (fault.is_half || fault.is_whole) {
        size_t len = fault.is_whole ? bytes.len : half_of(file, bytes.len);
        (void)write_all(file, offset, (slice){bytes.ptr, len});
    }
    int error = fault.error != 0 ? fault.error : write_all(file, offset, bytes);
    return error == 0 ? OK : os_fail(diag, file->name, "write", error);
}

/* Reads until `len` bytes, the end of the file (*got_out says where), or an error: its errno. */
static int read_all(const struct file *file, uint64_t offset, void *out, size_t len,
                    size_t *got_out)
{
    ASSERT(offset <= INT64_MAX && len <= (uint64_t)INT64_MAX - offset);
    uint8_t *at = out;
    size_t got = 0;
    while (got < len) {
        ssize_t more = pread(file->fd, at + got, len - got, (off_t)(offset + got));
        if (more < 0 && errno != EINTR) {
            return errno;
        }
        if (more == 0) {
            break;
        }
        got += more > 0 ? (size_t)more : 0;
    }
    *got_out = got;
    return 0;
}

enum err file_read_at(const struct file *file, uint64_t offset, void *out, size_t len,
                      struct diag *diag)
{
    check_aligned(file, offset, out, len);
    size_t got = 0;
    struct fault fault = check(file, FAULT_READ, offset, len);
    if (fault.is_half) {
        (void)read_all(file, offset, out, half_of(file, len), &got);
    }
    int error = fault.error != 0 ? fault.error : read_all(file, offset, out, len, &got);
    if (error != 0) {
        return os_fail(diag, file->name, "read", error);
    }
    if (got < len) {
        return diag_fail(diag, ERR_CORRUPT, file->name,
                         "ends at byte %llu, before the %llu that were asked for at %llu",
                         (unsigned long long)(offset + got), (unsigned long long)len,
                         (unsigned long long)offset);
    }
    return OK;
}

enum err file_sync(struct file *file, struct diag *diag)
{
    TRY(check_not_spent(file, diag));
    struct fault fault = check(file, FAULT_SYNC, 0, 0);
    int error = fault.error;
    /* Not again after EINTR: the kernel may have dropped what it could not write. */
    if (error == 0 && !fault.is_skipped && fdatasync(file->fd) != 0) {
        error = errno;
    }
    if (error != 0) {
        atomic_store(&file->is_spent, true);
        return os_fail(diag, file->name, "sync", error);
    }
    return OK;
}

enum err file_truncate(struct file *file, uint64_t size, struct diag *diag)
{
    ASSERT(size <= INT64_MAX);
    TRY(check_not_spent(file, diag));
    struct fault fault = check(file, FAULT_TRUNCATE, size, 0);
    int error = fault.error;
    while (error == 0 && ftruncate(file->fd, (off_t)size) != 0) {
        error = errno == EINTR ? 0 : errno;
    }
    return error == 0 ? OK : os_fail(diag, file->name, "truncate", error);
}

void file_write_out(const struct file *file, uint64_t offset, uint64_t len)
{
    /* Of what fails file_sync() hears, too. */
    (void)sync_file_range(file->fd, (off_t)offset, (off_t)len, SYNC_FILE_RANGE_WRITE);
}

/* Waits until the range is written out; 0, or the errno. Whoever waits is told of an error, and
 * file_sync() is not any more. */
static int await_written(const struct file *file, uint64_t offset, uint64_t len)
{
    enum {
        WAIT = SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER
    };
    int ended = sync_file_range(file->fd, (off_t)offset, (off_t)len, WAIT);
    bool has_failed = ended != 0 && (errno == EIO || errno == ENOSPC || errno == EDQUOT);
    return has_failed ? errno : 0; /* the rest: this file system cannot do it */
}

/* Zeros [offset, end); 0, or the errno. Each part is waited for, so that what others write
 * meanwhile stands behind one part and not behind all of them. */
static int write_zeros(const struct file *file, uint64_t offset, uint64_t end)
{
    CLEANUP(mem_freep) uint8_t *zeros = mem_aligned(FILE_BLOCK, ZEROS_BYTES);
    int error = 0;
    while (error == 0 && offset < end) {
        uint64_t len = end - offset < ZEROS_BYTES ? end - offset : ZEROS_BYTES;
        error = write_all(file, offset, (slice){zeros, (size_t)len});
        error = error != 0 ? error : await_written(file, offset, len);
        offset += len;
    }
    return error;
}

enum err file_fill_zeros(struct file *file, uint64_t offset, uint64_t len, struct diag *diag)
{
    ASSERT(offset <= INT64_MAX && len <= (uint64_t)INT64_MAX - offset);
    check_aligned(file, offset, NULL, (size_t)len);
    TRY(check_not_spent(file, diag));
    struct fault fault = check(file, FAULT_ALLOCATE, offset, len);
    if (fault.is_half) {
        (void)write_zeros(file, offset, offset + half_of(file, (size_t)len));
    }
    int error = fault.error != 0 ? fault.error : write_zeros(file, offset, offset + len);
    if (error != 0) {
        return os_fail(diag, file->name, "fill with zeros", error);
    }
    return file_sync(file, diag);
}

enum err file_map(const struct file *file, slice *out, struct diag *diag)
{
    uint64_t size = 0;
    TRY(file_size(file, &size, diag));
    if (size == 0) {
        *out = (slice){0};
        return OK;
    }
    void *map = mmap(NULL, size, PROT_READ, MAP_SHARED, file->fd, 0);
    if (map == MAP_FAILED) {
        return os_fail(diag, file->name, "map", errno);
    }
    *out = (slice){map, size};
    return OK;
}

void file_unmap(slice map)
{
    if (map.len > 0) {
        /* munmap() wants a pointer to bytes that may be written; it writes none. */
        ASSERT(munmap((void *)(uintptr_t)map.ptr, map.len) == 0);
    }
}
