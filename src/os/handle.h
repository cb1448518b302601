/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * handle - what file.c and dir.c share: the inside of their handles, and errno in our words.
 *
 * Threads: any.
 */

#include <stdatomic.h>

#include "base/err.h"
#include "base/slice.h"

struct dir {
    int fd;
    char *path;
};

struct file {
    int fd;
    bool is_direct;
    _Atomic bool is_spent; /* a sync failed: nothing is known about what the disk holds */
    char *name;
};

/* Turns an errno into a failure: "cannot <verb>: <reason of the system>". */
enum err os_fail(struct diag *diag, const char *name, const char *verb, int error);

/* One component of a path, and none that leads elsewhere. */
void os_check_name(const char *name);

/* openat() that goes on after a signal. *fd_out is the caller's; on failure the errno is returned,
 * else 0. */
int os_open_at(int dir_fd, const char *name, int flags, int *fd_out);

/* A handle for `fd`, which it owns from now on. */
struct file *os_file_new(int fd, const char *name, bool is_direct);
