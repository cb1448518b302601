/* SPDX-License-Identifier: Apache-2.0 */
#include "message/words.h"

#include "base/macros.h"

static const slice method_names[HTTP_METHODS] = {
    [HTTP_GET] = SLICE_INIT("GET"),         [HTTP_HEAD] = SLICE_INIT("HEAD"),
    [HTTP_POST] = SLICE_INIT("POST"),       [HTTP_PUT] = SLICE_INIT("PUT"),
    [HTTP_PATCH] = SLICE_INIT("PATCH"),     [HTTP_DELETE] = SLICE_INIT("DELETE"),
    [HTTP_OPTIONS] = SLICE_INIT("OPTIONS"),
};

bool http_method_parse(slice text, enum http_method *out)
{
    for (size_t i = 0; i < HTTP_METHODS; i++) {
        if (slice_equal(text, method_names[i])) {
            *out = (enum http_method)i;
            return true;
        }
    }
    return false;
}

const char *http_method_name(enum http_method method)
{
    ASSERT((size_t)method < HTTP_METHODS);
    return (const char *)method_names[method].ptr;
}

static const struct {
    int status;
    const char *name;
} status_names[] = {
    {100, "Continue"},
    {200, "OK"},
    {201, "Created"},
    {202, "Accepted"},
    {204, "No Content"},
    {206, "Partial Content"},
    {207, "Multi-Status"},
    {301, "Moved Permanently"},
    {302, "Found"},
    {303, "See Other"},
    {304, "Not Modified"},
    {307, "Temporary Redirect"},
    {308, "Permanent Redirect"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {402, "Payment Required"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {406, "Not Acceptable"},
    {408, "Request Timeout"},
    {409, "Conflict"},
    {410, "Gone"},
    {411, "Length Required"},
    {412, "Precondition Failed"},
    {413, "Content Too Large"},
    {414, "URI Too Long"},
    {415, "Unsupported Media Type"},
    {416, "Range Not Satisfiable"},
    {417, "Expectation Failed"},
    {421, "Misdirected Request"},
    {422, "Unprocessable Content"},
    {423, "Locked"},
    {426, "Upgrade Required"},
    {428, "Precondition Required"},
    {429, "Too Many Requests"},
    {431, "Request Header Fields Too Large"},
    {451, "Unavailable For Legal Reasons"},
    {500, "Internal Server Error"},
    {501, "Not Implemented"},
    {502, "Bad Gateway"},
    {503, "Service Unavailable"},
    {504, "Gateway Timeout"},
    {505, "HTTP Version Not Supported"},
    {507, "Insufficient Storage"},
};

const char *http_status_name(int status)
{
    for (size_t i = 0; i < COUNT_OF(status_names); i++) {
        if (status_names[i].status == status) {
            return status_names[i].name;
        }
    }
    return "Unknown";
}

bool http_name_equal(slice text, slice lower)
{
    if (text.len != lower.len) {
        return false;
    }
    for (size_t i = 0; i < text.len; i++) {
        uint8_t byte = text.ptr[i];
        if (byte >= 'A' && byte <= 'Z') {
            byte |= 0x20;
        }
        if (byte != lower.ptr[i]) {
            return false;
        }
    }
    return true;
}
