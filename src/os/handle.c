/* SPDX-License-Identifier: Apache-2.0 */
#include "os/handle.h"

#include <errno.h>
#include <fcntl.h>

#include "base/mem.h"

enum { MODE_NEW_FILES = 0600 };

static enum err code_of(int error)
{
    switch (error) {
    case ENOENT:
        return ERR_NOT_FOUND;
    case EEXIST:
        return ERR_CONFLICT;
    case ENOSPC:
    case EDQUOT:
        return ERR_FULL;
    default:
        return ERR_IO;
    }
}

enum err os_fail(struct diag *diag, const char *name, const char *verb, int error)
{
    char reason[96];
    return diag_fail(diag, code_of(error), name, "cannot %s: %s", verb,
                     strerror_r(error, reason, sizeof(reason)));
}

void os_check_name(const char *name)
{
    ASSERT(name[0] != '\0' && strchr(name, '/') == NULL);
    ASSERT(strcmp(name, ".") != 0 && strcmp(name, "..") != 0);
}

int os_open_at(int dir_fd, const char *name, int flags, int *fd_out)
{
    int fd = -1;
    do {
        fd = openat(dir_fd, name, flags | O_CLOEXEC, MODE_NEW_FILES);
    } while (fd < 0 && errno == EINTR);
    if (fd < 0) {
        return errno;
    }
    *fd_out = fd;
    return 0;
}

struct file *os_file_new(int fd, const char *name, bool is_direct)
{
    struct file *file = mem_zeroed(sizeof(*file));
    file->fd = fd;
    file->is_direct = is_direct;
    file->name = mem_text(name, strlen(name));
    return file;
}
