/* SPDX-License-Identifier: Apache-2.0 */
#include "options/value.h"

#include <stdlib.h>

#include "base/mem.h"

struct unit {
    slice name;
    uint64_t factor;
};

/* The last that divides a number is the one it is shown in, so they grow. */
static const struct unit size_units[] = {
    {SLICE_INIT(""), 1},
    {SLICE_INIT("B"), 1},
    {SLICE_INIT("K"), UINT64_C(1) << 10},
    {SLICE_INIT("KiB"), UINT64_C(1) << 10},
    {SLICE_INIT("M"), UINT64_C(1) << 20},
    {SLICE_INIT("MiB"), UINT64_C(1) << 20},
    {SLICE_INIT("G"), UINT64_C(1) << 30},
    {SLICE_INIT("GiB"), UINT64_C(1) << 30},
    {SLICE_INIT("T"), UINT64_C(1) << 40},
    {SLICE_INIT("TiB"), UINT64_C(1) << 40},
};

static const struct unit duration_units[] = {
    {SLICE_INIT(""), 1},        {SLICE_INIT("ms"), 1},      {SLICE_INIT("s"), 1000},
    {SLICE_INIT("min"), 60000}, {SLICE_INIT("h"), 3600000},
};

static const struct unit no_units[] = {{SLICE_INIT(""), 1}};

static bool parse_digits(slice *text, uint64_t *out)
{
    slice digits = slice_take_while(text, byte_is_digit);
    if (digits.len == 0) {
        return false;
    }
    uint64_t number = 0;
    for (size_t i = 0; i < digits.len; i++) {
        if (__builtin_mul_overflow(number, 10, &number) ||
            __builtin_add_overflow(number, (uint64_t)(digits.ptr[i] - '0'), &number)) {
            return false;
        }
    }
    *out = number;
    return true;
}

static bool parse_number(const struct unit *units, size_t unit_count, slice text, uint64_t *out)
{
    uint64_t number = 0;
    if (!parse_digits(&text, &number)) {
        return false;
    }
    slice_skip_spaces(&text);
    for (size_t i = 0; i < unit_count; i++) {
        if (slice_equal_any_case(text, units[i].name)) {
            return !__builtin_mul_overflow(number, units[i].factor, out);
        }
    }
    return false;
}

void option_format_limit(enum option_type type, uint64_t number, struct buf *out)
{
    const struct unit *units = type == OPTION_TYPE_SIZE ? size_units : duration_units;
    size_t count = type == OPTION_TYPE_SIZE ? COUNT_OF(size_units) : COUNT_OF(duration_units);
    if (type != OPTION_TYPE_SIZE && type != OPTION_TYPE_DURATION) {
        units = no_units;
        count = COUNT_OF(no_units);
    }
    const struct unit *best = &units[0];
    for (size_t i = 0; i < count && number > 0; i++) {
        if (number % units[i].factor == 0) {
            best = &units[i];
        }
    }
    buf_append_u64(out, number / best->factor);
    /* Bare bytes need no unit, bare milliseconds do. */
    if (best->factor > 1 || (type == OPTION_TYPE_DURATION && number > 0)) {
        buf_append(out, best->name);
    }
}

static enum err fail_number(const struct option_info *info, const char *where, struct diag *diag)
{
    struct buf least = BUF_INIT(32), most = BUF_INIT(32);
    option_format_limit(info->type, info->least, &least);
    option_format_limit(info->type, info->most, &most);
    const char *kind = info->type == OPTION_TYPE_SIZE       ? "a size such as 64MiB"
                       : info->type == OPTION_TYPE_DURATION ? "a time such as 1500ms or 10s"
                                                            : "a whole number";
    enum err e = diag_fail(diag, ERR_INVALID, where, "must be %s, from %s to %s", kind,
                           buf_cstr(&least), buf_cstr(&most));
    buf_release(&least);
    buf_release(&most);
    return e;
}

static enum err parse_quantity(const struct option_info *info, slice text, const char *where,
                               uint64_t *out, struct diag *diag)
{
    const struct unit *units = no_units;
    size_t count = COUNT_OF(no_units);
    if (info->type == OPTION_TYPE_SIZE) {
        units = size_units;
        count = COUNT_OF(size_units);
    } else if (info->type == OPTION_TYPE_DURATION) {
        units = duration_units;
        count = COUNT_OF(duration_units);
    }
    uint64_t number = 0;
    if (!parse_number(units, count, text, &number) || number < info->least || number > info->most) {
        return fail_number(info, where, diag);
    }
    *out = number;
    return OK;
}

static enum err parse_boolean(slice text, const char *where, uint64_t *out, struct diag *diag)
{
    static const char *const words[] = {"false", "true", "no", "yes", "off", "on", "0", "1"};
    for (size_t i = 0; i < COUNT_OF(words); i++) {
        if (slice_equal_any_case(text, slice_from_cstr(words[i]))) {
            *out = i % 2;
            return OK;
        }
    }
    return diag_fail(diag, ERR_INVALID, where, "must be true or false");
}

static bool byte_is_not_space(uint8_t byte)
{
    return byte != ' ';
}

static enum err parse_choice(const struct option_info *info, slice text, const char *where,
                             uint64_t *out, struct diag *diag)
{
    slice rest = slice_from_cstr(info->choices);
    for (uint64_t i = 0; rest.len > 0; i++) {
        slice word = slice_take_while(&rest, byte_is_not_space);
        /* Other programs spell the level out; it is the same level. */
        bool same =
            slice_equal_any_case(text, word) ||
            (slice_equal(word, SLICE("warn")) && slice_equal_any_case(text, SLICE("warning")));
        if (same) {
            *out = i;
            return OK;
        }
        slice_skip_spaces(&rest);
    }
    return diag_fail(diag, ERR_INVALID, where, "must be one of: %s", info->choices);
}

bool option_split_address(slice text, slice *host_out, uint16_t *port_out)
{
    slice host = {text.ptr, 0};
    if (slice_take_literal(&text, SLICE("["))) {
        const uint8_t *close = text.len == 0 ? NULL : memchr(text.ptr, ']', text.len);
        if (close == NULL || close == text.ptr) {
            return false;
        }
        host = slice_take(&text, (size_t)(close - text.ptr));
        (void)slice_take(&text, 1);
    } else {
        const uint8_t *colon = text.len == 0 ? NULL : memchr(text.ptr, ':', text.len);
        if (colon == NULL) {
            return false;
        }
        host = slice_take(&text, (size_t)(colon - text.ptr));
    }
    uint64_t port = 0;
    if (!slice_take_literal(&text, SLICE(":")) || !parse_digits(&text, &port) || text.len > 0 ||
        port > UINT16_MAX || host.len > OPTION_HOST_BYTES_MAX) {
        return false;
    }
    for (size_t i = 0; i < host.len; i++) {
        if (host.ptr[i] <= ' ' || host.ptr[i] == '/' || host.ptr[i] >= 0x7f) {
            return false;
        }
    }
    *host_out = host;
    *port_out = (uint16_t)port;
    return true;
}

static enum err check_text(const struct option_info *info, slice text, const char *where,
                           struct diag *diag)
{
    if (text.len < info->least || text.len > info->most) {
        return diag_fail(diag, ERR_INVALID, where, "must have %llu to %llu bytes",
                         (unsigned long long)info->least, (unsigned long long)info->most);
    }
    for (size_t i = 0; i < text.len; i++) {
        uint8_t byte = text.ptr[i];
        if (byte < ' ' || byte == 0x7f) {
            return diag_fail(diag, ERR_INVALID, where, "must not have control characters");
        }
        if (info->type == OPTION_TYPE_NAME && (byte == ' ' || byte == '+' || byte >= 0x7f)) {
            return diag_fail(diag, ERR_INVALID, where,
                             "must be a name of printable ASCII without spaces and '+'");
        }
    }
    return OK;
}

static enum err parse_by_type(const struct option_info *info, slice text, const char *where,
                              uint64_t *number, struct diag *diag)
{
    slice host = {0};
    uint16_t port = 0;
    switch (info->type) {
    case OPTION_TYPE_TEXT:
    case OPTION_TYPE_PATH:
    case OPTION_TYPE_FILE:
    case OPTION_TYPE_NAME:
        return check_text(info, text, where, diag);
    case OPTION_TYPE_ADDRESS:
        if (!option_split_address(text, &host, &port)) {
            return diag_fail(diag, ERR_INVALID, where,
                             "must be HOST:PORT, [V6]:PORT or :PORT, the port from 0 to 65535");
        }
        return OK;
    case OPTION_TYPE_SIZE:
    case OPTION_TYPE_DURATION:
    case OPTION_TYPE_INTEGER:
        return parse_quantity(info, text, where, number, diag);
    case OPTION_TYPE_BOOLEAN:
        return parse_boolean(text, where, number, diag);
    case OPTION_TYPE_CHOICE:
        return parse_choice(info, text, where, number, diag);
    }
    return OK;
}

enum err option_parse(const struct option_info *info, slice text, const char *where,
                      struct option_value *out, struct diag *diag)
{
    ASSERT(info != NULL);
    ASSERT(out != NULL);

    uint64_t number = 0;
    TRY(parse_by_type(info, text, where, &number, diag));
    out->number = number;
    out->text = mem_text((const char *)text.ptr, text.len);
    return OK;
}
