/* SPDX-License-Identifier: Apache-2.0 */
/* link - the header that leads to the next page. */
#include "gate/gate.h"

void api_link_next(struct http_request *request, const char *cursor)
{
    CLEANUP(buf_release) struct buf link = BUF_INIT(KIB(16));
    slice rest = {request->target.ptr + request->path.len, request->target.len - request->path.len};
    bool first = true;
    if (cursor[0] == '\0') {
        return;
    }
    buf_append_byte(&link, '<');
    buf_append(&link, request->path);
    (void)slice_take_literal(&rest, SLICE("?"));
    while (rest.len > 0) {
        const uint8_t *amp = memchr(rest.ptr, '&', rest.len);
        slice param = slice_take(&rest, amp != NULL ? (size_t)(amp - rest.ptr) : rest.len);
        (void)slice_take(&rest, amp != NULL ? 1 : 0);
        slice name = param;
        if (param.len > 0 && !slice_take_literal(&name, SLICE("cursor=")) &&
            !slice_take_literal(&name, SLICE("offset=")) &&
            !slice_take_literal(&name, SLICE("page="))) {
            buf_append_byte(&link, first ? '?' : '&');
            buf_append(&link, param);
            first = false;
        }
    }
    buf_append_cstr(&link, first ? "?cursor=" : "&cursor=");
    buf_append_cstr(&link, cursor);
    buf_append_cstr(&link, ">; rel=\"next\"");
    if (!link.failed) {
        http_response_header(request->response, "Link", buf_slice(&link));
    }
}
