/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/rule.h"

enum { COUNTED_CHILDREN = 8 };

/* One key up to the next dot or the end, unescaped, in memory that the caller has taken. */
static bool take_key(slice *rest, uint8_t *room, slice *out)
{
    size_t len = 0;
    while (rest->len > 0 && rest->ptr[0] != '.') {
        uint8_t byte = slice_take(rest, 1).ptr[0];
        if (byte == '\\') {
            if (rest->len == 0 || (rest->ptr[0] != '.' && rest->ptr[0] != '\\')) {
                return false;
            }
            byte = slice_take(rest, 1).ptr[0];
        }
        room[len++] = byte;
    }
    *out = (slice){room, len};
    return len > 0;
}

enum err rule_path_read(const struct node *source, struct arena *arena, struct rule_path *out,
                        struct diag *diag)
{
    if (source->kind != JSON_IS_STRING) {
        return document_fail(diag, ERR_INVALID, source, "a path is a string: \"a.0.b\"");
    }
    slice rest = source->text;
    struct rule_path path = {.text = rest};
    uint8_t *room = arena_take(arena, rest.len);
    path.keys = arena_take(arena, RULES_PATH_KEYS_MAX * sizeof(*path.keys));
    if (room == NULL || path.keys == NULL) {
        return document_fail(diag, ERR_LIMIT, source, "the rules take too much memory");
    }
    do {
        if (path.key_count == RULES_PATH_KEYS_MAX) {
            return document_fail(diag, ERR_LIMIT, source, "a path has at most %d names",
                                 RULES_PATH_KEYS_MAX);
        }
        slice *key = &path.keys[path.key_count++];
        if (!take_key(&rest, room, key)) {
            return document_fail(diag, ERR_INVALID, source,
                                 "a path is names with dots between, as a.0.b; a backslash quotes "
                                 "a dot or a backslash");
        }
        room += key->len;
    } while (slice_take_literal(&rest, SLICE(".")));
    *out = path;
    return OK;
}

enum err rule_path_find(const struct rule_path *path, const struct node *document,
                        struct work *work, const struct node **out, struct diag *diag)
{
    const struct node *at = document;
    for (size_t i = 0; i < path->key_count && at != NULL; i++) {
        TRY(work_take(work, 1 + at->count / COUNTED_CHILDREN, diag));
        at = document_step(at, path->keys[i]);
    }
    *out = at;
    return OK;
}
