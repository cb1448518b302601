/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whole files, of the parts in file.h. A new one is written aside and renamed over the old, so that
 * at every moment, and after a power cut at any moment, the name leads to the old bytes or to the
 * new ones, whole.
 */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "os/file.h"
#include "os/handle.h"

#define ASIDE_SUFFIX ".tmp"

static enum err write_aside(const struct dir *dir, const char *aside, slice bytes,
                            struct diag *diag)
{
    OWNED(file) file = NULL;
    TRY(file_open(dir, aside, FILE_CREATE, &file, diag));
    TRY(file_truncate(file, 0, diag)); /* what a crash may have left there */
    TRY(file_write_at(file, 0, bytes, diag));
    return file_sync(file, diag);
}

enum err file_replace(const struct dir *dir, const char *name, slice bytes, struct diag *diag)
{
    os_check_name(name);
    char aside[NAME_MAX + 1];
    int len = snprintf(aside, sizeof(aside), "%s" ASIDE_SUFFIX, name);
    ASSERT(len > 0 && (size_t)len < sizeof(aside));

    enum err e = write_aside(dir, aside, bytes, diag);
    if (e == OK) {
        e = dir_rename(dir, aside, name, diag);
    }
    if (e != OK) {
        enum err removed = dir_remove(dir, aside, NULL); /* the first failure is the one to tell */
        UNUSED(removed);
        return e;
    }
    return dir_sync(dir, diag);
}

enum err file_read_all(const struct dir *dir, const char *name, size_t max, uint8_t **out,
                       size_t *len_out, struct diag *diag)
{
    OWNED(file) file = NULL;
    TRY(file_open(dir, name, FILE_READ, &file, diag));
    uint64_t size = 0;
    TRY(file_size(file, &size, diag));
    if (size > max) {
        return diag_fail(diag, ERR_LIMIT, name, "has %llu bytes; %llu is the most",
                         (unsigned long long)size, (unsigned long long)max);
    }
    CLEANUP(mem_freep) uint8_t *bytes = mem_zeroed((size_t)size);
    TRY(file_read_at(file, 0, bytes, (size_t)size, diag));
    *out = MOVE(bytes);
    *len_out = (size_t)size;
    return OK;
}

enum err file_read_path(const char *path, size_t max, uint8_t **out, size_t *len_out,
                        struct diag *diag)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash == NULL ? path : slash + 1;
    if (name[0] == '\0' || strcmp(name, ".") == 0 || strcmp(name, "..") == 0) {
        return diag_fail(diag, ERR_INVALID, path, "is not the name of a file");
    }
    CLEANUP(mem_freep)
    char *parent = slash == NULL ? mem_text(".", 1) : mem_text(path, (size_t)(slash - path) + 1);
    OWNED(dir) dir = NULL;
    TRY(dir_open(parent, false, &dir, diag));
    return file_read_all(dir, name, max, out, len_out, diag);
}
