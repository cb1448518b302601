/* SPDX-License-Identifier: Apache-2.0 */
/*
 * validate_check - answers validate_differential.py: reads a schema and a document, a line each,
 * and writes "valid", "invalid" or "error <where> <text>", until the input ends.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "json/json.h"
#include "validate/schema.h"

enum { LINE_BYTES_MAX = 1024 * 1024 };

static enum err check(slice schema_text, slice document, bool *is_valid, struct diag *diag)
{
    CLEANUP(arena_release) struct arena arena = ARENA_INIT(MIB(16));
    CLEANUP(buf_release) struct buf compact = BUF_INIT(LINE_BYTES_MAX);
    OWNED(schema) schema = NULL;
    TRY(json_check(document, JSON_DEPTH_MAX, &arena, NULL, diag));
    json_compact(document, &compact);
    TRY(schema_compile(schema_text, &schema, diag));
    return schema_check(schema, buf_slice(&compact), NULL, is_valid, diag);
}

/* The next line of the input without its end. False at the end. */
static bool read_line(char **line, size_t *room, slice *out)
{
    ssize_t len = getline(line, room, stdin);
    if (len < 0) {
        return false;
    }
    len -= len > 0 && (*line)[len - 1] == '\n' ? 1 : 0;
    *out = (slice){(const uint8_t *)*line, (size_t)len};
    return true;
}

int main(void)
{
    char *lines[2] = {NULL, NULL};
    size_t room[2] = {0, 0};
    slice schema = {0};
    slice document = {0};
    while (read_line(&lines[0], &room[0], &schema) && read_line(&lines[1], &room[1], &document)) {
        bool is_valid = false;
        struct diag diag = {0};
        if (check(schema, document, &is_valid, &diag) == OK) {
            (void)puts(is_valid ? "valid" : "invalid");
        } else {
            (void)printf("error %s %s\n", diag.where, diag.text);
        }
    }
    free(lines[0]);
    free(lines[1]);
    return 0;
}
