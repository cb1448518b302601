/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * fault - the fault plan: what a test makes of the operations on files.
 *
 * Every operation of os/file.h asks fault_check() before it does anything. Without a plan that is
 * one branch on one pointer. With a plan, `decide` sees the operation and says how it ends.
 *
 *     struct fault_nth nth = {.kind = FAULT_SYNC, .n = 2, .action = FAULT_FAIL};
 *     struct fault_plan plan = fault_plan_nth(&nth);
 *     fault_install(&plan);          ... the second sync fails with EIO ...
 *     fault_install(NULL);
 *
 * Threads: install while no other thread works on files. The decisions of a plan are made one at a
 * time, whichever threads ask.
 */

#include <stdatomic.h>

#include "base/slice.h"

enum fault_kind {
    FAULT_OPEN,     /* files, made or not, and directories */
    FAULT_WRITE,    /* file_write_at(), the text of a lock */
    FAULT_SYNC,     /* file_sync(), dir_sync(), of what a new directory is in */
    FAULT_RENAME,   /* dir_rename() */
    FAULT_REMOVE,   /* dir_remove() */
    FAULT_TRUNCATE, /* file_truncate() */
    FAULT_READ,     /* file_read_at(), file_map(), file_size(), dir_list(), dir_space() */
    FAULT_ALLOCATE, /* file_fill_zeros() */
    FAULT_LOCK,     /* dir_lock() */
    FAULT_MAKE,     /* a directory, unless it is there: dir_open(), dir_open_in() */
};
#define FAULT_KINDS 10

struct fault_op {
    enum fault_kind kind;
    const char *name;     /* within its directory; of a directory, its path */
    const char *to;       /* RENAME: the new name */
    int fd;               /* OPEN, LOCK, MAKE, RENAME, REMOVE: of the directory that `name` is in,
                                -1 if none is open; else of the file or directory itself */
    bool creates;         /* OPEN, LOCK: a file is made if it is absent */
    bool is_direct;       /* WRITE: durable when it returns */
    uint64_t offset, len; /* WRITE, READ, ALLOCATE; TRUNCATE: the new size as offset */
    uint64_t number;      /* 1 for the first operation since the plan was installed */
    uint64_t number_of_kind; /* the same, of this kind alone */
};

enum fault_action {
    FAULT_NONE,
    FAULT_FAIL,       /* nothing happens, the error is plan->error */
    FAULT_SHORT,      /* WRITE, READ, ALLOCATE: the first half happens, then as FAIL; else FAIL */
    FAULT_POWER_OFF,  /* nothing happens, now and later: every later operation fails, too */
    FAULT_TORN,       /* SHORT, and then the power is off */
    FAULT_UNANSWERED, /* WRITE: all of it happens, but the power goes before the answer; else
                         POWER_OFF */
    FAULT_SKIP,       /* SYNC: nothing happens, and that is called a success; else NONE, without
                         what belongs to syncs: O_DIRECT, O_DSYNC */
};

struct fault_plan {
    enum fault_action (*decide)(void *ctx, const struct fault_op *op);
    void *ctx;
    int error;       /* an errno; 0 means EIO */
    bool is_off;     /* the power: set by POWER_OFF, TORN and UNANSWERED */
    uint64_t number; /* operations so far, those after the power went included */
    uint64_t number_of_kind[FAULT_KINDS];
};

/* Starts `plan`, which stays the caller's and must live until it is replaced; NULL ends it. */
void fault_install(struct fault_plan *plan);

/* Whether the power went under `plan`, and its operations so far; also while others work. */
bool fault_is_off(const struct fault_plan *plan);
uint64_t fault_number(const struct fault_plan *plan);

/* ---- Ready-made plans ---- */

/* The n-th (from 1) operation of `kind`, or with `any_kind` of all, ends as `action`. */
struct fault_nth {
    enum fault_kind kind;
    bool any_kind;
    uint64_t n;
    enum fault_action action;
    int error; /* an errno; 0 means EIO */
};

/* `nth` stays the caller's and must live as long as the plan. */
struct fault_plan fault_plan_nth(struct fault_nth *nth);

/* A plan that changes nothing and counts: run a story once under it, then once for each number. */
struct fault_plan fault_plan_count(void);

/* ---- For os/ ---- */

extern struct fault_plan *_Atomic fault_installed;

/* What fault_check() came to: an errno, 0 to go on. With `is_half`, half of it is done first, with
 * `is_whole` all of it. */
struct fault {
    int error;
    bool is_half, is_whole;
    bool is_skipped; /* nothing is to be done, and that is no error */
};
struct fault fault_decide(const struct fault_op *asked);

static inline struct fault fault_check(const struct fault_op *op)
{
    if (atomic_load_explicit(&fault_installed, memory_order_relaxed) == NULL) {
        return (struct fault){0};
    }
    return fault_decide(op);
}
