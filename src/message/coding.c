/* SPDX-License-Identifier: Apache-2.0 */
#include "message/coding.h"

#include <stdlib.h>

#include "base/mem.h"
#include "codec/zip.h"
#include "message/words.h"

struct coding {
    struct unzip *unzip;
    slice rest; /* of `input` */
    uint8_t input[CODING_INPUT_BYTES];
    uint8_t output[16384];
};

enum err coding_open(slice name, uint64_t out_max, struct coding **out)
{
    bool is_gzip = http_name_equal(name, SLICE("gzip")) || http_name_equal(name, SLICE("x-gzip"));
    if (name.len == 0 || http_name_equal(name, SLICE("identity"))) {
        *out = NULL;
        return OK;
    }
    if (!is_gzip && !http_name_equal(name, SLICE("zstd"))) {
        return ERR_INVALID;
    }
    OWNED(coding) coding = mem_zeroed(sizeof(*coding));
    TRY(unzip_new(is_gzip ? ZIP_GZIP : ZIP_ZSTD, out_max, &coding->unzip, NULL));
    *out = MOVE(coding);
    return OK;
}

void coding_free(struct coding *coding)
{
    if (coding == NULL) {
        return;
    }
    unzip_free(coding->unzip);
    free(coding);
}

void coding_feed(struct coding *coding, slice *bytes)
{
    ASSERT(coding->rest.len == 0);
    size_t n = bytes->len < CODING_INPUT_BYTES ? bytes->len : CODING_INPUT_BYTES;
    slice taken = slice_take(bytes, n);
    if (n > 0) {
        memcpy(coding->input, taken.ptr, n);
    }
    coding->rest = (slice){coding->input, n};
}

enum err coding_next(struct coding *coding, slice *out)
{
    size_t len = 0;
    bool ended = false;
    TRY(unzip_feed(coding->unzip, &coding->rest, coding->output, sizeof(coding->output), &len,
                   &ended, NULL));
    *out = (slice){coding->output, len};
    return OK;
}

enum err coding_end(const struct coding *coding)
{
    return unzip_finish(coding->unzip, NULL);
}
