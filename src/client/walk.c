/* SPDX-License-Identifier: Apache-2.0 */
#include "client/walk.h"

static bool byte_is_blank(uint8_t byte)
{
    return byte == ' ' || byte == '\t' || byte == '\n' || byte == '\r';
}

static bool byte_is_scalar(uint8_t byte)
{
    return !byte_is_blank(byte) && byte != ',' && byte != ']' && byte != '}' && byte != ':';
}

static void skip_blank(slice *text)
{
    (void)slice_take_while(text, byte_is_blank);
}

/* Behind the closing quote; text begins at the opening one. */
static bool skip_string(slice *text)
{
    slice rest = *text;
    (void)slice_take(&rest, 1);
    while (rest.len > 0 && rest.ptr[0] != '"') {
        size_t n = rest.ptr[0] == '\\' ? 2 : 1;
        if (n > rest.len) {
            return false;
        }
        (void)slice_take(&rest, n);
    }
    if (rest.len == 0) {
        return false;
    }
    (void)slice_take(&rest, 1);
    *text = rest;
    return true;
}

static bool skip_nested(slice *text)
{
    slice rest = *text;
    size_t depth = 0;
    do {
        if (rest.len == 0) {
            return false;
        }
        uint8_t byte = rest.ptr[0];
        if (byte == '"') {
            if (!skip_string(&rest)) {
                return false;
            }
            continue;
        }
        depth += byte == '{' || byte == '[' ? 1 : 0;
        depth -= byte == '}' || byte == ']' ? 1 : 0;
        (void)slice_take(&rest, 1);
    } while (depth > 0);
    *text = rest;
    return true;
}

static bool take_value(slice *text, slice *value_out)
{
    skip_blank(text);
    slice rest = *text;
    bool ok = false;
    if (rest.len == 0) {
        return false;
    }
    if (rest.ptr[0] == '"') {
        ok = skip_string(&rest);
    } else if (rest.ptr[0] == '{' || rest.ptr[0] == '[') {
        ok = skip_nested(&rest);
    } else {
        ok = slice_take_while(&rest, byte_is_scalar).len > 0;
    }
    if (!ok) {
        return false;
    }
    *value_out = (slice){text->ptr, text->len - rest.len};
    *text = rest;
    return true;
}

bool walk_member(slice text, slice name, slice *value_out)
{
    skip_blank(&text);
    if (!slice_take_literal(&text, SLICE("{"))) {
        return false;
    }
    slice key = {0}, value = {0};
    do {
        skip_blank(&text);
        if (text.len == 0 || text.ptr[0] != '"' || !take_value(&text, &key)) {
            return false;
        }
        skip_blank(&text);
        if (!slice_take_literal(&text, SLICE(":")) || !take_value(&text, &value)) {
            return false;
        }
        if (slice_equal((slice){key.ptr + 1, key.len - 2}, name)) {
            *value_out = value;
            return true;
        }
        skip_blank(&text);
    } while (slice_take_literal(&text, SLICE(",")));
    return false;
}

bool walk_element(slice *rest, slice *value_out)
{
    skip_blank(rest);
    if (!slice_take_literal(rest, SLICE("[")) && !slice_take_literal(rest, SLICE(","))) {
        return false;
    }
    return take_value(rest, value_out);
}
