/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/address.h"

#include "codec/hex.h"

enum {
    V4_BYTES = 4,
    V4_TEXT_BYTES_MAX = 15,
    V6_GROUPS = 8,
    NO_GAP = -1,
};

/* Four numbers 0 to 255, no leading zeros, and nothing behind them. */
static bool parse_v4(slice text, uint8_t out[V4_BYTES])
{
    size_t at = 0;
    for (size_t i = 0; i < V4_BYTES; i++) {
        if (i > 0 && (at >= text.len || text.ptr[at++] != '.')) {
            return false;
        }
        size_t start = at;
        unsigned number = 0;
        while (at < text.len && at - start < 3 && (unsigned)text.ptr[at] - '0' <= 9) {
            number = number * 10 + ((unsigned)text.ptr[at++] - '0');
        }
        if (at == start || number > 255 || (text.ptr[start] == '0' && at - start > 1)) {
            return false;
        }
        out[i] = (uint8_t)number;
    }
    return at == text.len;
}

/* One group of 1 to 4 hex digits at the front of *rest. */
static bool take_group(slice *rest, uint16_t *out)
{
    unsigned group = 0;
    size_t n = 0;
    while (n < rest->len && n < 4 && hex_digit(rest->ptr[n]) >= 0) {
        group = group << 4 | (unsigned)hex_digit(rest->ptr[n++]);
    }
    if (n == 0) {
        return false;
    }
    (void)slice_take(rest, n);
    *out = (uint16_t)group;
    return true;
}

/* An IPv6 address being read: `count` groups so far, the :: before group `gap`. */
struct v6_parse {
    uint16_t groups[V6_GROUPS];
    int count;
    int gap;
};

/* One group, or the IPv4 address that may stand for the last two. */
static bool take_part(slice *rest, struct v6_parse *v6)
{
    uint8_t v4[V4_BYTES];
    if (v6->count <= V6_GROUPS - 2 && parse_v4(*rest, v4)) {
        v6->groups[v6->count++] = (uint16_t)(v4[0] << 8 | v4[1]);
        v6->groups[v6->count++] = (uint16_t)(v4[2] << 8 | v4[3]);
        (void)slice_take(rest, rest->len);
        return true;
    }
    return v6->count < V6_GROUPS && take_group(rest, &v6->groups[v6->count]) && ++v6->count > 0;
}

static bool parse_v6(slice text, uint16_t out[V6_GROUPS])
{
    struct v6_parse v6 = {.gap = NO_GAP};
    slice rest = text;
    if (slice_take_literal(&rest, SLICE("::"))) {
        v6.gap = 0;
    }
    while (rest.len > 0) {
        if (!take_part(&rest, &v6)) {
            return false;
        }
        if (rest.len == 0) {
            break;
        }
        if (v6.gap == NO_GAP && slice_take_literal(&rest, SLICE("::"))) {
            v6.gap = v6.count;
        } else if (!slice_take_literal(&rest, SLICE(":")) || rest.len == 0) {
            return false;
        }
    }
    if (v6.gap == NO_GAP ? v6.count != V6_GROUPS : v6.count >= V6_GROUPS) {
        return false;
    }
    int missing = V6_GROUPS - v6.count;
    for (int i = 0; i < V6_GROUPS; i++) {
        bool in_gap = v6.gap != NO_GAP && i >= v6.gap && i < v6.gap + missing;
        int from = v6.gap != NO_GAP && i >= v6.gap ? i - missing : i;
        out[i] = in_gap ? 0 : v6.groups[from];
    }
    return true;
}

static size_t format_number(unsigned number, unsigned base, char *out)
{
    size_t digits = 1;
    for (unsigned rest = number / base; rest > 0; rest /= base) {
        digits++;
    }
    for (size_t i = digits; i > 0; i--) {
        out[i - 1] = "0123456789abcdef"[number % base];
        number /= base;
    }
    return digits;
}

static size_t format_v4(const uint8_t bytes[V4_BYTES], char *out)
{
    size_t len = 0;
    for (size_t i = 0; i < V4_BYTES; i++) {
        if (i > 0) {
            out[len++] = '.';
        }
        len += format_number(bytes[i], 10, out + len);
    }
    return len;
}

/* The first longest run of at least two zero groups; its length in *run_out, 0 if there is none. */
static int longest_zeros(const uint16_t groups[V6_GROUPS], int *run_out)
{
    int best_at = 0;
    int best = 0;
    for (int i = 0; i < V6_GROUPS; i++) {
        int run = 0;
        while (i + run < V6_GROUPS && groups[i + run] == 0) {
            run++;
        }
        if (run > best) {
            best = run;
            best_at = i;
        }
        i += run;
    }
    *run_out = best >= 2 ? best : 0;
    return best_at;
}

static size_t format_v6(const uint16_t groups[V6_GROUPS], char *out)
{
    int run = 0;
    int gap = longest_zeros(groups, &run);
    bool maps_v4 = gap == 0 && run == 5 && groups[5] == 0xffff;
    int count = maps_v4 ? 6 : V6_GROUPS;
    size_t len = 0;
    for (int i = 0; i < count; i++) {
        if (run > 0 && i == gap) {
            out[len++] = ':';
            out[len++] = ':';
            i += run - 1;
            continue;
        }
        if (len > 0 && out[len - 1] != ':') {
            out[len++] = ':';
        }
        len += format_number(groups[i], 16, out + len);
    }
    if (maps_v4) {
        uint8_t v4[V4_BYTES] = {(uint8_t)(groups[6] >> 8), (uint8_t)groups[6],
                                (uint8_t)(groups[7] >> 8), (uint8_t)groups[7]};
        out[len++] = ':';
        len += format_v4(v4, out + len);
    }
    return len;
}

bool address_normalise(slice text, char out[ADDRESS_TEXT_BYTES_MAX], size_t *len)
{
    uint8_t v4[V4_BYTES];
    if (text.len <= V4_TEXT_BYTES_MAX && parse_v4(text, v4)) {
        memcpy(out, text.ptr, text.len); /* strict IPv4 has one spelling */
        *len = text.len;
        return true;
    }
    uint16_t groups[V6_GROUPS];
    if (text.len > ADDRESS_TEXT_BYTES_MAX || !parse_v6(text, groups)) {
        return false;
    }
    *len = format_v6(groups, out);
    return true;
}
