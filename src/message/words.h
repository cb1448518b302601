/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * words - the methods that this server knows and the names of status codes. Threads: any.
 */

#include "base/slice.h"

enum http_method {
    HTTP_GET,
    HTTP_HEAD,
    HTTP_POST,
    HTTP_PUT,
    HTTP_PATCH,
    HTTP_DELETE,
    HTTP_OPTIONS,
};
#define HTTP_METHODS 7

/* Exactly as written ("GET"); methods are case-sensitive. False leaves *out untouched. */
bool http_method_parse(slice text, enum http_method *out);

/* "GET". */
const char *http_method_name(enum http_method method);

/* "Not Found" for 404; "Unknown" for a code without a name. */
const char *http_status_name(int status);

/* ASCII letters are equal in either case; `lower` is in lower case already. */
bool http_name_equal(slice text, slice lower);

/* RFC 9110 token characters: what methods and header names are made of. One bit for each of the
 * 128 ASCII characters: !#$%&'*+-.^_`|~, digits and letters. */
static inline bool http_byte_is_token(uint8_t byte)
{
    const uint64_t low = UINT64_C(0x03ff6cfa00000000);
    const uint64_t high = UINT64_C(0x57ffffffc7fffffe);
    return byte < 128 && (((byte < 64 ? low : high) >> (byte & 63)) & 1) != 0;
}
