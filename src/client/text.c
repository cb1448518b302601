/* SPDX-License-Identifier: Apache-2.0 */
#include "client/text.h"

#include <stdio.h>
#include <stdlib.h>

enum { U64_DIGITS_BYTES = 24 };

static bool reserve(struct text *text, size_t more)
{
    size_t wanted = 0;
    if (__builtin_add_overflow(text->len, more, &wanted) ||
        __builtin_add_overflow(wanted, 1, &wanted) || (text->max > 0 && wanted - 1 > text->max)) {
        text->failed = true;
        return false;
    }
    if (wanted <= text->capacity) {
        return true;
    }
    size_t capacity = text->capacity < 256 ? 256 : text->capacity;
    while (capacity < wanted) {
        capacity = capacity > SIZE_MAX / 2 ? wanted : capacity * 2;
    }
    char *grown = realloc(text->ptr, capacity);
    if (grown == NULL) {
        text->failed = true;
        return false;
    }
    text->ptr = grown;
    text->capacity = capacity;
    return true;
}

void text_append(struct text *text, slice bytes)
{
    if (text->failed || !reserve(text, bytes.len)) {
        return;
    }
    if (bytes.len > 0) {
        memcpy(text->ptr + text->len, bytes.ptr, bytes.len);
    }
    text->len += bytes.len;
    text->ptr[text->len] = '\0';
}

void text_append_cstr(struct text *text, const char *bytes)
{
    text_append(text, slice_from_cstr(bytes));
}

static const char *format_u64(uint64_t number, char out[U64_DIGITS_BYTES])
{
    (void)snprintf(out, U64_DIGITS_BYTES, "%llu", (unsigned long long)number);
    return out;
}

void text_append_u64(struct text *text, uint64_t number)
{
    char digits[U64_DIGITS_BYTES];
    text_append_cstr(text, format_u64(number, digits));
}

static bool is_unreserved(uint8_t byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
           (byte >= '0' && byte <= '9') || byte == '-' || byte == '.' || byte == '_' || byte == '~';
}

void text_append_encoded(struct text *text, const char *bytes)
{
    for (; *bytes != '\0'; bytes++) {
        uint8_t byte = (uint8_t)*bytes;
        if (is_unreserved(byte)) {
            text_append(text, (slice){&byte, 1});
        } else {
            char escape[4];
            (void)snprintf(escape, sizeof(escape), "%%%02X", byte);
            text_append_cstr(text, escape);
        }
    }
}

void text_append_parameter(struct text *text, const char *name, const char *value)
{
    if (value == NULL || value[0] == '\0') {
        return;
    }
    bool is_first = text->len == 0 || memchr(text->ptr, '?', text->len) == NULL;
    text_append_cstr(text, is_first ? "?" : "&");
    text_append_cstr(text, name);
    text_append_cstr(text, "=");
    text_append_encoded(text, value);
}

void text_append_parameter_u64(struct text *text, const char *name, uint64_t number)
{
    char digits[U64_DIGITS_BYTES];
    text_append_parameter(text, name, format_u64(number, digits));
}

void text_drop_front(struct text *text, size_t n)
{
    if (n >= text->len) {
        text->len = 0;
        return;
    }
    text->len -= n;
    memmove(text->ptr, text->ptr + n, text->len);
}

void text_clear(struct text *text)
{
    text->len = 0;
    text->failed = false;
}

void text_release(struct text *text)
{
    free(text->ptr);
    *text = (struct text){.max = text->max};
}

void text_wipe(struct text *text)
{
    if (text->ptr != NULL) {
        explicit_bzero(text->ptr, text->capacity);
    }
    text_release(text);
}
