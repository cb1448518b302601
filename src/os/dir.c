/* SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "os/fault.h"
#include "os/file.h"
#include "os/handle.h"

enum {
    MODE_NEW_DIRS = 0700,
    LOCK_TEXT_BYTES = 100,
    ASKERS_MS_MAX = 5000, /* how long those who only ask may hold up who locks */
};

#define OPEN_DIR (O_RDONLY | O_DIRECTORY)

/* An operation on an open directory, for the fault plan. */
static struct fault check(const struct dir *dir, enum fault_kind kind, const char *name)
{
    return fault_check(&(struct fault_op){.kind = kind, .name = name, .fd = dir->fd});
}

/* Makes `name`, unless it is there, and syncs the directory that it is in, also when it was there:
 * whoever made it may have died before. 0, or the errno. */
static int make_in(const struct dir *dir, const char *name, bool *is_new)
{
    struct fault fault = check(dir, FAULT_MAKE, name);
    *is_new = fault.error == 0 && mkdirat(dir->fd, name, MODE_NEW_DIRS) == 0;
    if (fault.error != 0) {
        return fault.error;
    }
    if (!*is_new && errno != EEXIST) {
        return errno;
    }
    fault = check(dir, FAULT_SYNC, dir->path);
    if (fault.error == 0 && !fault.is_skipped && fsync(dir->fd) != 0) {
        return errno;
    }
    return fault.error;
}

/* What is there may be somebody else's, in a place that we may not read, or of a kind that cannot
 * be synced. */
static bool is_forgiven(const char *path, int error)
{
    return (error == EACCES || error == EROFS || error == EINVAL) && access(path, F_OK) == 0;
}

/* Makes the directory `path` in its parent, which is there, unless it exists. 0, or the errno. */
static int make_one(const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash == NULL ? path : slash + 1;
    size_t len = slash == NULL || slash == path ? 1 : (size_t)(slash - path);
    CLEANUP(mem_freep) char *in = mem_text(slash == NULL ? "." : path, len);
    struct dir dir = {.fd = -1, .path = in};
    bool is_new = false;
    if (*name == '\0') {
        return 0; /* the root */
    }
    int error = os_open_at(AT_FDCWD, in, OPEN_DIR, &dir.fd);
    if (error == 0) {
        error = make_in(&dir, name, &is_new);
        (void)close(dir.fd);
    }
    return !is_new && is_forgiven(path, error) ? 0 : error;
}

/* Makes every directory on the way that is missing, from the root down. 0, or the errno. */
static int make_all(const char *path)
{
    if (access(path, F_OK) == 0) {
        return make_one(path); /* those above it were durable before it was made */
    }
    CLEANUP(mem_freep) char *copy = mem_text(path, strlen(path));
    for (char *at = copy; *at != '\0'; at++) {
        bool is_end_of_name = *at == '/' && at > copy && at[-1] != '/';
        if (is_end_of_name) {
            *at = '\0';
            int error = make_one(copy);
            *at = '/';
            if (error != 0) {
                return error;
            }
        }
    }
    return make_one(copy);
}

/* Without the slashes at its end, so that the last name of a path can be found. */
static char *copy_path(const char *path)
{
    size_t len = strlen(path);
    while (len > 1 && path[len - 1] == '/') {
        len--;
    }
    return mem_text(path, len);
}

/* Owns `path` and `fd`. */
static struct dir *dir_new(char *path, int fd)
{
    struct dir *dir = mem_zeroed(sizeof(*dir));
    dir->path = path;
    dir->fd = fd;
    return dir;
}

enum err dir_open(const char *path, bool create, struct dir **out, struct diag *diag)
{
    CLEANUP(mem_freep) char *copy = copy_path(path);
    struct fault fault =
        fault_check(&(struct fault_op){.kind = FAULT_OPEN, .name = copy, .fd = -1});
    if (fault.error != 0) {
        return os_fail(diag, copy, "open", fault.error);
    }
    int fd = -1;
    int error = create ? make_all(copy) : 0;
    if (error != 0) {
        return os_fail(diag, copy, "make", error);
    }
    error = os_open_at(AT_FDCWD, copy, OPEN_DIR, &fd);
    if (error != 0) {
        return os_fail(diag, copy, "open", error);
    }
    *out = dir_new(MOVE(copy), fd);
    return OK;
}

enum err dir_open_in(const struct dir *dir, const char *name, bool create, struct dir **out,
                     struct diag *diag)
{
    os_check_name(name);
    int error = check(dir, FAULT_OPEN, name).error;
    bool is_new = false;
    int fd = -1;
    if (error == 0 && create) {
        error = make_in(dir, name, &is_new);
    }
    if (error == 0) {
        error = os_open_at(dir->fd, name, OPEN_DIR, &fd);
    }
    if (error != 0) {
        return os_fail(diag, name, "open", error);
    }
    size_t bytes = strlen(dir->path) + 1 + strlen(name) + 1;
    char *path = mem_zeroed(bytes);
    (void)snprintf(path, bytes, "%s/%s", dir->path, name);
    *out = dir_new(path, fd);
    return OK;
}

void dir_free(struct dir *dir)
{
    if (dir != NULL) {
        (void)close(dir->fd);
        free(dir->path);
        free(dir);
    }
}

const char *dir_path(const struct dir *dir)
{
    return dir->path;
}

enum err dir_sync(const struct dir *dir, struct diag *diag)
{
    struct fault fault = check(dir, FAULT_SYNC, dir->path);
    int error = fault.error;
    if (error == 0 && !fault.is_skipped && fsync(dir->fd) != 0) {
        error = errno;
    }
    if (error == 0) {
        return OK;
    }
    /* Also for want of room: which names are durable is not known, and more room does not help. */
    (void)os_fail(diag, dir->path, "sync", error);
    return ERR_IO;
}

enum err dir_rename(const struct dir *dir, const char *from, const char *to, struct diag *diag)
{
    os_check_name(from);
    os_check_name(to);
    const struct fault_op op = {.kind = FAULT_RENAME, .name = from, .to = to, .fd = dir->fd};
    struct fault fault = fault_check(&op);
    int error = fault.error;
    if (error == 0 && renameat(dir->fd, from, dir->fd, to) != 0) {
        error = errno;
    }
    return error == 0 ? OK : os_fail(diag, from, "rename", error);
}

enum err dir_remove(const struct dir *dir, const char *name, struct diag *diag)
{
    os_check_name(name);
    struct fault fault = check(dir, FAULT_REMOVE, name);
    int error = fault.error;
    if (error == 0 && unlinkat(dir->fd, name, 0) != 0 && errno != ENOENT) {
        error = errno;
    }
    return error == 0 ? OK : os_fail(diag, name, "remove", error);
}

bool dir_has(const struct dir *dir, const char *name)
{
    os_check_name(name);
    return faccessat(dir->fd, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

static int compare_names(const void *a, const void *b)
{
    const char *const *left = a;
    const char *const *right = b;
    return strcmp(*left, *right);
}

/* Adds all names but . and .. and leaves them unsorted. 0, or the errno. */
static int read_names(DIR *stream, struct dir_names *names)
{
    size_t capacity = 0;
    for (;;) {
        errno = 0;
        const struct dirent *entry = readdir(stream);
        if (entry == NULL) {
            return errno;
        }
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) {
            continue;
        }
        if (names->count == capacity) {
            capacity = capacity == 0 ? 16 : capacity * 2;
            names->names = mem_resize(names->names, capacity * sizeof(char *));
        }
        names->names[names->count++] = mem_text(entry->d_name, strlen(entry->d_name));
    }
}

enum err dir_list(const struct dir *dir, struct dir_names *out, struct diag *diag)
{
    struct fault fault = check(dir, FAULT_READ, dir->path);
    int error = fault.error;
    int fd = -1;
    if (error == 0) { /* a position of its own: two may list at once */
        error = os_open_at(dir->fd, ".", OPEN_DIR, &fd);
    }
    if (error != 0) {
        return os_fail(diag, dir->path, "list", error);
    }
    DIR *stream = fdopendir(fd);
    if (stream == NULL) {
        error = errno;
        (void)close(fd);
        return os_fail(diag, dir->path, "list", error);
    }
    struct dir_names names = {0};
    error = read_names(stream, &names);
    (void)closedir(stream);
    if (error != 0) {
        dir_names_release(&names);
        return os_fail(diag, dir->path, "list", error);
    }
    if (names.count > 0) {
        qsort(names.names, names.count, sizeof(char *), compare_names);
    }
    *out = names;
    return OK;
}

void dir_names_release(struct dir_names *names)
{
    for (size_t i = 0; i < names->count; i++) {
        free(names->names[i]);
    }
    free(names->names);
    *names = (struct dir_names){0};
}

enum err dir_space(const struct dir *dir, uint64_t *free_bytes, uint64_t *total_bytes,
                   struct diag *diag)
{
    struct fault fault = check(dir, FAULT_READ, dir->path);
    struct statvfs space = {0};
    int error = fault.error;
    if (error == 0 && fstatvfs(dir->fd, &space) != 0) {
        error = errno;
    }
    if (error != 0) {
        return os_fail(diag, dir->path, "measure", error);
    }
    *free_bytes = (uint64_t)space.f_bavail * space.f_frsize; /* what we may have, not root */
    *total_bytes = (uint64_t)space.f_blocks * space.f_frsize;
    return OK;
}

/* Says who holds the lock, in that one's own words as far as they can be printed. */
static enum err fail_locked(const struct file *file, struct diag *diag)
{
    char text[LOCK_TEXT_BYTES];
    ssize_t len = pread(file->fd, text, sizeof(text), 0);
    len = len < 0 ? 0 : len;
    while (len > 0 && (text[len - 1] == '\n' || text[len - 1] == ' ')) {
        len--;
    }
    for (ssize_t i = 0; i < len; i++) {
        bool is_plain = text[i] >= ' ' && text[i] <= '~';
        text[i] = is_plain ? text[i] : '?';
    }
    return diag_fail(diag, ERR_CONFLICT, file->name, "is held by another%s%.*s",
                     len > 0 ? ": " : "", (int)len, text);
}

/* flock() without waiting, whatever signals come: 0, or the errno. */
static int try_flock(int fd, int operation)
{
    while (flock(fd, operation | LOCK_NB) != 0) {
        if (errno != EINTR) {
            return errno;
        }
    }
    return 0;
}

/* Who asks whether it is held shares the lock for a moment (file_is_locked()): that is no owner,
 * and is waited out. 0, or the errno: EWOULDBLOCK when there is an owner. */
static int lock_alone(int fd)
{
    int error = try_flock(fd, LOCK_EX);
    for (int ms = 0; error == EWOULDBLOCK && ms < ASKERS_MS_MAX; ms++) {
        if (try_flock(fd, LOCK_SH) != 0) {
            return error;
        }
        (void)try_flock(fd, LOCK_UN);
        const struct timespec moment = {.tv_nsec = 1000000};
        (void)nanosleep(&moment, NULL);
        error = try_flock(fd, LOCK_EX);
    }
    return error;
}

enum err dir_lock(const struct dir *dir, const char *name, slice text, struct file **out,
                  struct diag *diag)
{
    os_check_name(name);
    const struct fault_op op = {
        .kind = FAULT_LOCK, .name = name, .fd = dir->fd, .creates = true, .len = text.len};
    struct fault fault = fault_check(&op);
    int error = fault.error;
    int fd = -1;
    if (error == 0) {
        error = os_open_at(dir->fd, name, O_RDWR | O_CREAT, &fd);
    }
    if (error != 0) {
        return os_fail(diag, name, "lock", error);
    }
    OWNED(file) file = os_file_new(fd, name, false);
    error = lock_alone(fd);
    if (error == EWOULDBLOCK) {
        return fail_locked(file, diag);
    }
    if (error != 0) {
        return os_fail(diag, name, "lock", error);
    }
    /* Only now: before, the text was another's. */
    TRY(file_truncate(file, 0, diag));
    TRY(file_write_at(file, 0, text, diag));
    *out = MOVE(file);
    return OK;
}

enum err file_is_locked(const struct file *file, bool *out, struct diag *diag)
{
    const struct fault_op op = {.kind = FAULT_READ, .name = file->name, .fd = file->fd};
    struct fault fault = fault_check(&op);
    int error = fault.error != 0 ? fault.error : try_flock(file->fd, LOCK_SH);
    if (error != 0 && error != EWOULDBLOCK) {
        return os_fail(diag, file->name, "look at the lock of", error);
    }
    if (error == 0) {
        (void)try_flock(file->fd, LOCK_UN);
    }
    *out = error != 0;
    return OK;
}
