/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * tempdir - a directory of a test's own, gone when the test ends.
 *
 *     CLEANUP(tempdir_release) struct tempdir temp = {0};
 *     tempdir_init(&temp);
 *
 * For tests, so everything that goes wrong ends the program. Faults of os/fault.h do not touch it.
 *
 * Threads: any.
 */

#include <stdbool.h>

#include "base/macros.h"

#define TEMPDIR_PATH_BYTES 256

struct tempdir {
    char path[TEMPDIR_PATH_BYTES];
};

/* Makes an empty directory in $TMPDIR, or in /tmp if that is unset. */
void tempdir_init(struct tempdir *temp);

/* Removes it with all that is in it; it may be gone already. Links are removed, not followed. */
void tempdir_release(struct tempdir *temp);
