/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * fault_disk - a disk that forgets: what a power cut may do to whatever was not synced.
 *
 * A fault plan that watches the operations of os/file.h and remembers, until a sync covers it, what
 * was there before: the bytes under a write, the size of a file, the names of a directory. When the
 * power goes, a part of it, chosen by a seed, is put back:
 *
 *   a write       by sectors of 512 or 4,096 bytes, in any order; gone with file_sync(). A direct
 *                 one is durable when it returns, and torn when the power goes meanwhile.
 *   a new size    likewise
 *   a name made, renamed or removed: whole, in any order that does not contradict itself; gone with
 *                 dir_sync() of its directory, not with file_sync()
 *   a new directory: likewise, and if it is lost, then with all that is in it, synced or not
 *
 *     struct fault_disk *disk = fault_disk_new();
 *     fault_install(fault_disk_plan(disk));
 *     fault_disk_cut_at(disk, 17);       ... work: the 17th operation fails, and all later ...
 *     fault_disk_lose(disk, seed);       ... and this is what the disk has in the morning ...
 *
 * Real syncs are skipped under it, which makes it quick. For tests, so everything that goes wrong
 * ends the program.
 *
 * Threads: install, set and lose while no other thread works on files.
 */

#include "base/macros.h"
#include "os/fault.h"

struct fault_disk;

struct fault_disk *fault_disk_new(void);
void fault_disk_free(struct fault_disk *disk);
DEFINE_OWNED(fault_disk);

struct fault_plan *fault_disk_plan(struct fault_disk *disk);

/* Counts anew from 1, switches the power on, and lets it go at the n-th operation; 0: never. What
 * was not synced yet still is not: without fault_disk_lose() only the process died. */
void fault_disk_cut_at(struct fault_disk *disk, uint64_t n);

/* Counts anew from 1, switches the power on, and fails the n-th operation with `error`. */
void fault_disk_fail_at(struct fault_disk *disk, uint64_t n, int error);

/* The same of the n-th operation that is not a READ. */
void fault_disk_fail_change_at(struct fault_disk *disk, uint64_t n, int error);

/* Operations since then, and whether the power went; also while others work on files. */
uint64_t fault_disk_operations(const struct fault_disk *disk);
bool fault_disk_is_off(const struct fault_disk *disk);

/* What was cut or failed: "RENAME 000000000002.wal at 0", for messages; "" if nothing was yet.
 * Lives as long as the disk. */
const char *fault_disk_last(const struct fault_disk *disk);

/* The power was gone: puts back a part of what was not synced, and then all is as durable as it
 * looks, and the power is on. Every file must be closed. The same operations and
 * seed lose the same. */
void fault_disk_lose(struct fault_disk *disk, uint64_t seed);
