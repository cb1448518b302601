/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * err - how this program says that something did not work.
 *
 * An error has two halves. `enum err` is for the program: it is small, closed, and
 * callers may branch on it. `struct diag` is for people: one sentence, and where the
 * trouble is. Neither half allocates, so neither can fail or leak.
 */

#include "base/macros.h"

enum NODISCARD_TYPE err {
    OK = 0,
    ERR_INVALID,   /* the caller's input is wrong; saying it again will not help */
    ERR_NOT_FOUND, /* no such thing, or none this caller may see */
    ERR_DENIED,    /* known caller, not allowed */
    ERR_CONFLICT,  /* it exists already, or changed since the caller looked */
    ERR_LIMIT,     /* a stated bound would be passed */
    ERR_BUSY,      /* try again later */
    ERR_FULL,      /* no room left on the disk */
    ERR_GONE,      /* it was there and was erased */
    ERR_CORRUPT,   /* stored bytes break their own format or hash */
    ERR_IO,        /* the operating system refused */
};

struct diag {
    char where[96]; /* JSON pointer, option, or file name; "" when there is none */
    char text[160]; /* one sentence, no full stop; for IO and CORRUPT not for strangers */
};

/* Fills `diag` (may be NULL) and returns `code`, so that a failure is one statement. */
enum err diag_fail(struct diag *diag, enum err code, const char *where, const char *format, ...)
    PRINTF_LIKE(4, 5);

/* Names an error for logs and problem documents: "corrupt". Never NULL. */
const char *err_name(enum err code);

/* Called by TRY on the way out; leaves a trail in the log for IO and CORRUPT. Returns `code`. */
enum err err_trace(enum err code, const char *file, int line);

/* Evaluates `call`; on failure returns its error from the enclosing function. */
#define TRY(call)                                                                                  \
    do {                                                                                           \
        enum err try_err_ = (call);                                                                \
        if (try_err_ != OK) {                                                                      \
            return err_trace(try_err_, __FILE_NAME__, __LINE__);                                   \
        }                                                                                          \
    } while (0)
