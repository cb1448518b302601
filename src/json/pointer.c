/* SPDX-License-Identifier: Apache-2.0 */
#include "json/pointer.h"

#include <string.h>

/* How many of `len` bytes are whole characters, if the last one may be cut. */
static size_t whole_characters(const char *text, size_t len)
{
    size_t lead = len;
    while (lead > 0 && ((uint8_t)text[lead - 1] & 0xc0) == 0x80) {
        lead--;
    }
    if (lead == 0 || (uint8_t)text[lead - 1] < 0xc0) {
        return len;
    }
    lead--;
    uint8_t byte = (uint8_t)text[lead];
    size_t wanted = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2;
    return len - lead < wanted ? lead : len;
}

void json_pointer_append(char *where, size_t size, slice name)
{
    size_t at = strlen(where);
    if (at + 1 < size) {
        where[at++] = '/';
    }
    size_t i = 0;
    for (; i < name.len && at + 2 < size; i++) {
        uint8_t byte = name.ptr[i];
        if (byte == '~' || byte == '/') {
            where[at++] = '~';
            where[at++] = byte == '~' ? '0' : '1';
        } else {
            where[at++] = byte == 0 ? '?' : (char)byte;
        }
    }
    where[i < name.len ? whole_characters(where, at) : at] = '\0';
}

void json_pointer_join(char *where, size_t size, slice tail)
{
    size_t at = strlen(where);
    size_t room = at < size ? size - at - 1 : 0;
    size_t len = tail.len < room ? tail.len : room;
    while (len < tail.len && len > 0 && tail.ptr[len] != '/') {
        len--;
    }
    if (len > 0) {
        memcpy(where + at, tail.ptr, len);
        where[at + len] = '\0';
    }
}
