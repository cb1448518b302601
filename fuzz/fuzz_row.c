/* SPDX-License-Identifier: Apache-2.0 */
/* Damaged rows are refused or read; what is read has a line and is written back as it was. */
#include "base/mem.h"
#include "event/event.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct event event;
    CLEANUP(mem_freep) uint8_t *copy = mem_array(1, size > 0 ? size : 1);
    memcpy(copy, data, size);
    slice row = {copy, size};
    if (event_from_row(row, &event, NULL) == OK) {
        struct buf out = BUF_INIT(MIB(64));
        event_write_row(&event, &out);
        ASSERT(slice_equal(row, buf_slice(&out)));
        buf_clear(&out);
        event_write_line(&event, &out);
        ASSERT(out.len >= 2 && out.ptr[0] == '{' && out.ptr[out.len - 1] == '}');
        buf_release(&out);
    }
    return 0;
}
