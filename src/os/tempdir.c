/* SPDX-License-Identifier: Apache-2.0 */
#include "os/tempdir.h"

#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/check.h"

enum { WALK_FDS = 16 };

void tempdir_init(struct tempdir *temp)
{
    const char *home = getenv("TMPDIR");
    home = home != NULL && home[0] != '\0' ? home : "/tmp";
    int len = snprintf(temp->path, sizeof(temp->path), "%s/cairn-test-XXXXXX", home);
    ASSERT(len > 0 && (size_t)len < sizeof(temp->path));
    ASSERT(mkdtemp(temp->path) != NULL);
}

/* A test may have taken away its own right to look into a directory. */
static int open_up(const char *path, const struct stat *stat, int kind, struct FTW *where)
{
    UNUSED(stat);
    UNUSED(where);
    if (kind == FTW_D || kind == FTW_DNR) {
        ASSERT(chmod(path, 0700) == 0);
    }
    return 0;
}

static int remove_one(const char *path, const struct stat *stat, int kind, struct FTW *where)
{
    UNUSED(stat);
    UNUSED(kind);
    UNUSED(where);
    ASSERT(remove(path) == 0 || errno == ENOENT);
    return 0;
}

void tempdir_release(struct tempdir *temp)
{
    if (temp->path[0] == '\0') {
        return;
    }
    bool is_there = nftw(temp->path, open_up, WALK_FDS, FTW_PHYS) == 0;
    ASSERT(is_there || errno == ENOENT);
    if (is_there) {
        ASSERT(nftw(temp->path, remove_one, WALK_FDS, FTW_PHYS | FTW_DEPTH) == 0);
    }
    temp->path[0] = '\0';
}
