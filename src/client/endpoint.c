/* SPDX-License-Identifier: Apache-2.0 */
#include "client/endpoint.h"

#include "client/text.h"
#include "codec/address.h"

enum { PORT_DIGITS_MAX = 5, PORT_MAX = 65535 };

/* What cannot stand in an address, or would make it another's: http://cairn@elsewhere. */
static bool is_foreign(uint8_t byte)
{
    return byte <= ' ' || byte == 0x7f || byte == '?' || byte == '#' || byte == '@';
}

static bool byte_is_of_host(uint8_t byte)
{
    return byte != ':' && byte != '/' && byte != '[' && byte != ']';
}

static bool byte_is_of_v6(uint8_t byte)
{
    return byte != ']' && byte != '/';
}

static bool take_host(slice *rest, slice *out)
{
    bool is_v6 = slice_take_literal(rest, SLICE("["));
    *out = slice_take_while(rest, is_v6 ? byte_is_of_v6 : byte_is_of_host);
    return out->len > 0 && (!is_v6 || slice_take_literal(rest, SLICE("]")));
}

static bool is_port(slice digits)
{
    unsigned number = 0;
    for (size_t i = 0; i < digits.len && i <= PORT_DIGITS_MAX; i++) {
        number = number * 10 + (unsigned)(digits.ptr[i] - '0');
    }
    return digits.len > 0 && digits.len <= PORT_DIGITS_MAX && number <= PORT_MAX;
}

bool endpoint_parse(slice text, struct endpoint *out)
{
    struct endpoint found = {0};
    for (size_t i = 0; i < text.len; i++) {
        if (is_foreign(text.ptr[i])) {
            return false;
        }
    }
    found.is_https = slice_take_literal(&text, SLICE("https://"));
    if (!found.is_https) {
        (void)slice_take_literal(&text, SLICE("http://"));
    }
    if (!take_host(&text, &found.host)) {
        return false;
    }
    found.port = found.is_https ? SLICE("443") : SLICE("80");
    if (slice_take_literal(&text, SLICE(":"))) {
        found.port = slice_take_while(&text, byte_is_digit);
    }
    if (!is_port(found.port) || (text.len > 0 && text.ptr[0] != '/')) {
        return false;
    }
    while (text.len > 0 && text.ptr[text.len - 1] == '/') {
        text.len--;
    }
    found.path = text;
    *out = found;
    return true;
}

enum cairn_result endpoint_url(const char *text, char **out)
{
    struct endpoint endpoint;
    struct text url = {0};
    if (!endpoint_parse(slice_from_cstr(text), &endpoint)) {
        return CAIRN_INVALID;
    }
    bool is_v6 = memchr(endpoint.host.ptr, ':', endpoint.host.len) != NULL;
    text_append_cstr(&url, endpoint.is_https ? "https://" : "http://");
    text_append_cstr(&url, is_v6 ? "[" : "");
    text_append(&url, endpoint.host);
    text_append_cstr(&url, is_v6 ? "]:" : ":");
    text_append(&url, endpoint.port);
    text_append(&url, endpoint.path);
    if (url.failed) {
        text_release(&url);
        return CAIRN_MEMORY;
    }
    *out = url.ptr;
    return CAIRN_OK;
}

/* Names of hosts are the same in any case. */
static bool equal_without_case(slice a, slice b)
{
    for (size_t i = 0; a.len == b.len && i < a.len; i++) {
        uint8_t left = a.ptr[i], right = b.ptr[i];
        left |= left >= 'A' && left <= 'Z' ? 0x20 : 0;
        right |= right >= 'A' && right <= 'Z' ? 0x20 : 0;
        if (left != right) {
            return false;
        }
    }
    return a.len == b.len;
}

static bool is_localhost(slice host)
{
    return equal_without_case(host, SLICE("localhost"));
}

bool endpoint_is_loopback(const struct endpoint *endpoint)
{
    char text[ADDRESS_TEXT_BYTES_MAX];
    size_t len = 0;
    if (!address_normalise(endpoint->host, text, &len)) {
        return is_localhost(endpoint->host); /* no other name: 127.example.com is anybody's */
    }
    slice address = {(const uint8_t *)text, len};
    return slice_equal(address, SLICE("::1")) || slice_take_literal(&address, SLICE("127."));
}

bool endpoint_is(const struct endpoint *given, const struct endpoint *own)
{
    bool is_host = equal_without_case(given->host, own->host) ||
                   (is_localhost(given->host) && endpoint_is_loopback(own));
    return is_host && given->is_https == own->is_https && slice_equal(given->port, own->port);
}
