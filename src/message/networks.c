/* SPDX-License-Identifier: Apache-2.0 */
#include "message/networks.h"

#include <arpa/inet.h>

#include "base/check.h"

static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};

/* ---- Addresses ---- */

static bool is_v4_address(const uint8_t address[16])
{
    return memcmp(address, mapped, sizeof(mapped)) == 0;
}

bool http_address_parse(slice text, uint8_t out[16])
{
    char copy[HTTP_ADDRESS_BYTES] = {0};
    uint8_t bytes[16] = {0};
    if (text.len == 0 || text.len >= sizeof(copy) || memchr(text.ptr, '\0', text.len) != NULL) {
        return false;
    }
    memcpy(copy, text.ptr, text.len);
    if (inet_pton(AF_INET, copy, bytes + 12) == 1) {
        memcpy(bytes, mapped, sizeof(mapped));
    } else if (inet_pton(AF_INET6, copy, bytes) != 1) {
        return false;
    }
    memcpy(out, bytes, sizeof(bytes));
    return true;
}

void http_address_format(const uint8_t address[16], char out[HTTP_ADDRESS_BYTES])
{
    bool is_v4 = is_v4_address(address);
    const char *text =
        inet_ntop(is_v4 ? AF_INET : AF_INET6, address + (is_v4 ? 12 : 0), out, HTTP_ADDRESS_BYTES);
    ASSERT(text != NULL);
}

/* ---- Networks ---- */

static bool is_inside(const struct http_network *network, const uint8_t address[16])
{
    size_t whole = network->bits / 8;
    unsigned rest = network->bits % 8;
    if (memcmp(network->address, address, whole) != 0) {
        return false;
    }
    return rest == 0 || (network->address[whole] ^ address[whole]) >> (8 - rest) == 0;
}

bool http_networks_have(const struct http_networks *networks, const uint8_t address[16])
{
    for (size_t i = 0; i < networks->count; i++) {
        if (is_inside(&networks->items[i], address)) {
            return true;
        }
    }
    return false;
}

static bool has_bits_behind(const struct http_network *network)
{
    for (unsigned bit = network->bits; bit < 128; bit++) {
        if ((network->address[bit / 8] >> (7 - bit % 8) & 1) != 0) {
            return true;
        }
    }
    return false;
}

static enum err parse_one(slice text, struct http_network *out, struct diag *diag)
{
    const uint8_t *slash = memchr(text.ptr, '/', text.len);
    slice rest = text;
    slice host = slice_take(&rest, slash == NULL ? text.len : (size_t)(slash - text.ptr));
    if (!http_address_parse(host, out->address)) {
        return diag_fail(diag, ERR_INVALID, "", "%.*s is no address and no network such as %s",
                         (int)text.len, (const char *)text.ptr, "10.0.0.0/8");
    }
    bool is_v4 = is_v4_address(out->address) && memchr(host.ptr, ':', host.len) == NULL;
    uint64_t most = is_v4 ? 32 : 128;
    uint64_t bits = most;
    if (slice_take_literal(&rest, SLICE("/")) && (!slice_parse_u64(rest, &bits) || bits > most)) {
        return diag_fail(diag, ERR_INVALID, "", "%.*s has a prefix that is no number up to %d",
                         (int)text.len, (const char *)text.ptr, (int)most);
    }
    out->bits = (uint8_t)(bits + 128 - most);
    if (has_bits_behind(out)) {
        return diag_fail(diag, ERR_INVALID, "", "%.*s has bits behind its prefix", (int)text.len,
                         (const char *)text.ptr);
    }
    return OK;
}

static bool byte_is_between(uint8_t byte)
{
    return byte == ' ' || byte == ',' || byte == '\t';
}

static bool byte_is_of_network(uint8_t byte)
{
    return !byte_is_between(byte);
}

enum err http_networks_parse(slice text, struct http_networks *out, struct diag *diag)
{
    struct http_networks parsed = {0};
    (void)slice_take_while(&text, byte_is_between);
    while (text.len > 0) {
        slice one = slice_take_while(&text, byte_is_of_network);
        if (parsed.count == HTTP_NETWORKS_MAX) {
            return diag_fail(diag, ERR_LIMIT, "", "more than %d networks", HTTP_NETWORKS_MAX);
        }
        TRY(parse_one(one, &parsed.items[parsed.count], diag));
        parsed.count++;
        (void)slice_take_while(&text, byte_is_between);
    }
    *out = parsed;
    return OK;
}
