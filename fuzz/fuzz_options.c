/* SPDX-License-Identifier: Apache-2.0 */
/* Any text as cairn.conf: it is refused with a line, or every value reads back as itself. */
#include <stdint.h>
#include <stdlib.h>

#include "options/options.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_value(const struct options *options, enum option option)
{
    struct buf first CLEANUP(buf_release) = BUF_INIT(MIB(1));
    struct buf second CLEANUP(buf_release) = BUF_INIT(MIB(1));
    OWNED(options) again = options_new();
    options_format(options, option, &first);
    enum err e = options_set(again, option, buf_slice(&first), OPTION_FROM_FLAG, "", NULL);
    ASSERT(e == OK);
    options_format(again, option, &second);
    ASSERT(slice_equal(buf_slice(&first), buf_slice(&second)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    OWNED(options) options = options_new();
    struct diag diag = {0};
    if (options_read_text(options, (slice){data, size}, "cairn.conf", &diag) != OK) {
        ASSERT(strncmp(diag.where, "cairn.conf:", 11) == 0);
        ASSERT(diag.text[0] != '\0');
        return 0;
    }
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        check_value(options, (enum option)i);
    }
    return 0;
}
