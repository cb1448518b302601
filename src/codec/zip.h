/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * zip - bytes that came compressed, made whole piece by piece and never beyond a limit; and gzip
 * for what we send.
 *
 *     slice in = <what arrived>;
 *     do {
 *         TRY(unzip_feed(unzip, &in, out, sizeof(out), &out_len, &ended, diag));
 *         ... out_len bytes of out ...
 *     } while (in.len > 0 || out_len > 0);
 *     ... and when nothing more arrives: ...
 *     TRY(unzip_finish(unzip, diag));
 *
 * A body may be several gzip members, or several zstd frames (also those to be skipped), one after
 * the other: their contents are joined. Nothing else may stand before, between or behind them.
 *
 * Threads: any; an unzip belongs to one at a time.
 */

#include "base/buf.h"
#include "base/err.h"
#include "base/slice.h"

enum zip_kind {
    ZIP_GZIP,
    ZIP_ZSTD,
};

/* The furthest a zstd frame may look back; it is also the memory that one costs. */
#define ZIP_ZSTD_WINDOW_LOG_MAX 23

struct unzip;

/* `out_max` bounds all bytes that come out. BUSY when there is no memory for its tables. */
enum err unzip_new(enum zip_kind kind, uint64_t out_max, struct unzip **out, struct diag *diag);
void unzip_free(struct unzip *unzip);
DEFINE_OWNED(unzip);

/*
 * Takes bytes from the front of *in, and writes *out_len of at most `out_capacity` (at least 1) to
 * `out`. It returns when *in is empty or `out` is full; there may be more to come out even when
 * *in is empty, so go on until both are nothing. *ended says that everything taken so far is whole.
 *
 * INVALID: damaged, or another format. LIMIT: `out_max` was passed, or a zstd frame wants a larger
 * window. BUSY: no memory. After a failure *out_len is 0 and the unzip is spent: it fails the same
 * way from then on.
 */
enum err unzip_feed(struct unzip *unzip, slice *in, uint8_t *out, size_t out_capacity,
                    size_t *out_len, bool *ended, struct diag *diag);

/* INVALID when the bytes ended in the middle, or when there were none. */
enum err unzip_finish(const struct unzip *unzip, struct diag *diag);

/* Appends one gzip member of `bytes` (at most ZIP_GZIP_BYTES_MAX); equal bytes give equal members.
 * LIMIT when it does not fit the buf (its bytes are as they were); BUSY: no memory. */
#define ZIP_GZIP_BYTES_MAX ((size_t)1 << 30)
enum err zip_gzip(slice bytes, struct buf *out);
