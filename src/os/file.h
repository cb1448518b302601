/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * file - directories and files, with every promise about durability written down.
 *
 * Every operation goes through the fault plan (os/fault.h), so that a test can make the n-th of
 * them fail, fall short, or be the last one before the power goes.
 *
 * After file_sync() failed the file is spent: nothing may be assumed about what the disk holds.
 * Errors: NOT_FOUND (no such file), FULL (ENOSPC, EDQUOT), CONFLICT (exists, or locked by another),
 * CORRUPT (a file is shorter than what was asked of it), IO (all else). diag->where is the name.
 *
 * Threads: any thread may use any handle; two writers to one range are the caller's mistake.
 */

#include "base/err.h"
#include "base/slice.h"

struct dir;
struct file;

/* ---- Directories ---- */

/* `create` makes the directory (0700) and its missing parents, and syncs what it made. */
enum err dir_open(const char *path, bool create, struct dir **out, struct diag *diag);
enum err dir_open_in(const struct dir *dir, const char *name, bool create, struct dir **out,
                     struct diag *diag);
void dir_free(struct dir *dir);
DEFINE_OWNED(dir);
const char *dir_path(const struct dir *dir); /* for messages */

/* Never FULL: after a failure nothing may be assumed about the names that changed. */
enum err dir_sync(const struct dir *dir, struct diag *diag);
enum err dir_rename(const struct dir *dir, const char *from, const char *to, struct diag *diag);
/* OK also when it was not there. */
enum err dir_remove(const struct dir *dir, const char *name, struct diag *diag);
bool dir_has(const struct dir *dir, const char *name);

/* Names of all entries but . and .., sorted; the caller ends it with dir_names_release(). */
struct dir_names {
    char **names;
    size_t count;
};
enum err dir_list(const struct dir *dir, struct dir_names *out, struct diag *diag);
void dir_names_release(struct dir_names *names);

/* The file system under `dir`. */
enum err dir_space(const struct dir *dir, uint64_t *free_bytes, uint64_t *total_bytes,
                   struct diag *diag);

/* Takes an exclusive flock on `name` (created if absent) and writes `text` into it to inform;
 * it lasts until the handle is freed or the process ends, so it is never stale. CONFLICT when
 * another holds it: what that one wrote is in diag->text. Who only asks, with file_is_locked(), is
 * waited for: 5 s at most. */
enum err dir_lock(const struct dir *dir, const char *name, slice text, struct file **out,
                  struct diag *diag);

/* ---- Files ---- */

enum file_mode {
    FILE_READ,         /* must exist */
    FILE_WRITE,        /* must exist; reads too */
    FILE_CREATE,       /* made (0600) if absent; reads too */
    FILE_CREATE_NEW,   /* CONFLICT if it is there */
    FILE_WRITE_DIRECT, /* FILE_WRITE with O_DIRECT|O_DSYNC: every write is durable when it returns;
                          offset, length and memory in multiples of FILE_BLOCK. INVALID where the
                          file system refuses O_DIRECT */
};
#define FILE_BLOCK 4096

enum err file_open(const struct dir *dir, const char *name, enum file_mode mode, struct file **out,
                   struct diag *diag);
void file_free(struct file *file); /* closes; does not sync */
DEFINE_OWNED(file);

enum err file_size(const struct file *file, uint64_t *out, struct diag *diag);
/* Whether another holds the lock that dir_lock() takes; what it wrote stays as it is. */
enum err file_is_locked(const struct file *file, bool *out, struct diag *diag);
struct file_owner {
    uint64_t user;
    bool is_ours;    /* the user whom this process acts for */
    bool is_private; /* nobody else has a right to open it */
};
enum err file_owner(const struct file *file, struct file_owner *out, struct diag *diag);
/* All of `bytes` or an error. */
enum err file_write_at(struct file *file, uint64_t offset, slice bytes, struct diag *diag);
/* All `len` bytes or an error (CORRUPT when the file ends before). */
enum err file_read_at(const struct file *file, uint64_t offset, void *out, size_t len,
                      struct diag *diag);
enum err file_sync(struct file *file, struct diag *diag); /* fdatasync */
/* Lets the kernel begin to write a range to the disk. It promises nothing: it is for long files,
 * whose sync would otherwise write them all at once, ahead of what others write and wait for. */
void file_write_out(const struct file *file, uint64_t offset, uint64_t len);
enum err file_truncate(struct file *file, uint64_t size, struct diag *diag);
/* Zeros [offset, offset + len) by writing them (not by a hole) and syncs. */
enum err file_fill_zeros(struct file *file, uint64_t offset, uint64_t len, struct diag *diag);

/* The whole file, read-only, shared. Ends with file_unmap(); outlives the handle. An empty file
 * gives an empty slice. */
enum err file_map(const struct file *file, slice *out, struct diag *diag);
void file_unmap(slice map);

/* ---- Whole files ---- */

/* Written aside ("<name>.tmp"), synced, renamed, directory synced. */
enum err file_replace(const struct dir *dir, const char *name, slice bytes, struct diag *diag);
/* At most `max` bytes into a buffer of the heap, which the caller frees. LIMIT. */
enum err file_read_all(const struct dir *dir, const char *name, size_t max, uint8_t **out,
                       size_t *len_out, struct diag *diag);
/* The same of a file that a user named by its path. INVALID: the path ends where a file cannot. */
enum err file_read_path(const char *path, size_t max, uint8_t **out, size_t *len_out,
                        struct diag *diag);
