/* SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>

#include "codec/address.h"
#include "filter/values.h"

enum { V4_BYTES = 4, V6_BYTES = 16 };

/* The bytes of an address: 4 or 16 of them, 0 if it is none. */
static uint8_t address_bytes(slice text, uint8_t out[V6_BYTES])
{
    char cstr[ADDRESS_TEXT_BYTES_MAX + 1];
    if (text.len == 0 || text.len > ADDRESS_TEXT_BYTES_MAX) {
        return 0;
    }
    memcpy(cstr, text.ptr, text.len);
    cstr[text.len] = '\0';
    if (memchr(cstr, ':', text.len) != NULL) {
        return inet_pton(AF_INET6, cstr, out) == 1 ? V6_BYTES : 0;
    }
    return inet_pton(AF_INET, cstr, out) == 1 ? V4_BYTES : 0;
}

/* "0" to "128", without leading zeros. */
static bool parse_bits(slice text, unsigned max, uint8_t *out)
{
    unsigned bits = 0;
    if (text.len == 0 || text.len > 3 || (text.len > 1 && text.ptr[0] == '0')) {
        return false;
    }
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] < '0' || text.ptr[i] > '9') {
            return false;
        }
        bits = bits * 10 + (unsigned)(text.ptr[i] - '0');
    }
    *out = (uint8_t)(bits <= max ? bits : 0);
    return bits <= max;
}

bool network_parse(slice text, struct filter_network *out)
{
    const uint8_t *slash = text.len > 0 ? memchr(text.ptr, '/', text.len) : NULL;
    if (slash == NULL) {
        return false;
    }
    slice address = {text.ptr, (size_t)(slash - text.ptr)};
    slice bits = {slash + 1, text.len - address.len - 1};
    char normal[ADDRESS_TEXT_BYTES_MAX];
    struct filter_network network = {0};
    size_t len = 0;
    if (!address_normalise(address, normal, &len)) {
        return false;
    }
    network.byte_count = address_bytes((slice){(const uint8_t *)normal, len}, network.bytes);
    if (network.byte_count == 0 || !parse_bits(bits, network.byte_count * 8u, &network.bits)) {
        return false;
    }
    *out = network;
    return true;
}

bool network_has(const struct filter_network *network, slice address)
{
    uint8_t bytes[V6_BYTES] = {0};
    if (address_bytes(address, bytes) != network->byte_count) {
        return false;
    }
    size_t whole = network->bits / 8;
    unsigned left = network->bits % 8;
    if (memcmp(bytes, network->bytes, whole) != 0) {
        return false;
    }
    return left == 0 || (bytes[whole] ^ network->bytes[whole]) >> (8 - left) == 0;
}
