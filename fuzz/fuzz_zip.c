/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_zip - whatever comes in, no more comes out than was allowed, and how it is cut into pieces
 * makes no difference.
 *
 * The first byte chooses the format, the limit and the sizes of the pieces.
 */
#include <stdlib.h>

#include "codec/zip.h"

enum { LIMIT_SMALL = 100, LIMIT_LARGE = 100000 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Everything that comes out, and how it ended. */
static enum err expand(enum zip_kind kind, uint64_t out_max, slice in, size_t piece,
                       struct buf *all)
{
    OWNED(unzip) unzip = NULL;
    enum err e = unzip_new(kind, out_max, &unzip, NULL);
    ASSERT(e == OK);
    uint8_t out[509];
    size_t room = piece < sizeof(out) ? piece : sizeof(out);
    while (in.len > 0) {
        slice head = slice_take(&in, piece < in.len ? piece : in.len);
        size_t len = 0;
        do {
            bool ended = false;
            size_t before = head.len;
            e = unzip_feed(unzip, &head, out, room, &len, &ended, NULL);
            ASSERT(len <= room);
            ASSERT(head.len <= before);
            buf_append(all, (slice){out, len});
            ASSERT(all->len <= out_max);
            if (e != OK) {
                ASSERT(len == 0 && !ended);
                ASSERT(unzip_finish(unzip, NULL) == e);
                return e;
            }
            ASSERT(len > 0 || head.len < before || before == 0); /* it gets on */
        } while (head.len > 0 || len > 0);
    }
    return unzip_finish(unzip, NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) {
        return 0;
    }
    enum zip_kind kind = (data[0] & 1) != 0 ? ZIP_ZSTD : ZIP_GZIP;
    uint64_t out_max = (data[0] & 2) != 0 ? LIMIT_LARGE : LIMIT_SMALL;
    slice in = {data + 1, size - 1};
    CLEANUP(buf_release) struct buf whole = BUF_INIT(LIMIT_LARGE), pieces = BUF_INIT(LIMIT_LARGE);
    enum err e = expand(kind, out_max, in, size, &whole);
    enum err again = expand(kind, out_max, in, 1 + (size_t)(data[0] >> 2), &pieces);
    ASSERT((e == OK) == (again == OK));
    if (e == OK) {
        ASSERT(slice_equal(buf_slice(&whole), buf_slice(&pieces)));
    }

    CLEANUP(buf_release) struct buf zipped = BUF_INIT(MIB(4)), back = BUF_INIT(MIB(4));
    ASSERT(zip_gzip(in, &zipped) == OK);
    ASSERT(expand(ZIP_GZIP, in.len, buf_slice(&zipped), zipped.len, &back) == OK);
    ASSERT(slice_equal(buf_slice(&back), in));
    return 0;
}
