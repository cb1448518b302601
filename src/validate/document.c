/* SPDX-License-Identifier: Apache-2.0 */
#include "validate/document.h"

#include <stdarg.h>
#include <stdio.h>

#include "json/pointer.h"

/* The containers that are open, from the root, and the newest child of each. */
struct reading {
    struct json_walk walk;
    struct arena *arena;
    slice name; /* of the member that comes next */
    uint32_t depth, node_count;
    struct node *root;
    struct node *open[JSON_DEPTH_MAX], *newest[JSON_DEPTH_MAX];
};

static bool unescape(struct arena *arena, const struct json_item *item, slice *out)
{
    if (!item->has_escapes) {
        *out = item->text;
        return true;
    }
    uint8_t *plain = arena_take(arena, item->text.len);
    if (plain == NULL) {
        return false;
    }
    *out = (slice){plain, json_unescape(item->text, plain)};
    return true;
}

/* A node at the place that comes next. NULL past the arena's limit. */
static struct node *add_node(struct reading *reading, enum json_kind kind, slice raw)
{
    struct node *node = arena_take_zeroed(reading->arena, sizeof(*node));
    if (node == NULL) {
        return NULL;
    }
    node->kind = kind;
    node->raw = raw;
    node->number = reading->node_count++;
    if (reading->depth == 0) {
        reading->root = node;
        return node;
    }
    struct node *parent = reading->open[reading->depth - 1];
    struct node **newest = &reading->newest[reading->depth - 1];
    node->parent = parent;
    node->name = parent->kind == JSON_IS_OBJECT ? reading->name : (slice){0};
    node->index = parent->count++;
    if (*newest == NULL) {
        parent->first = node;
    } else {
        (*newest)->next = node;
    }
    *newest = node;
    return node;
}

static enum err add_container(struct reading *reading, enum json_kind kind)
{
    struct node *node = add_node(reading, kind, (slice){reading->walk.at - 1, 1});
    if (node == NULL) {
        return ERR_LIMIT;
    }
    reading->open[reading->depth] = node;
    reading->newest[reading->depth] = NULL;
    reading->depth++;
    return OK;
}

static enum err add_scalar(struct reading *reading, enum json_kind kind, slice raw, slice text)
{
    struct node *node = add_node(reading, kind, raw);
    if (node == NULL) {
        return ERR_LIMIT;
    }
    node->text = text;
    return OK;
}

static enum err add_string(struct reading *reading, const struct json_item *item)
{
    slice text = {0};
    if (!unescape(reading->arena, item, &text)) {
        return ERR_LIMIT;
    }
    slice raw = {item->text.ptr - 1, item->text.len + 2};
    return add_scalar(reading, JSON_IS_STRING, raw, text);
}

static enum err take_item(struct reading *reading, const struct json_item *item)
{
    switch (item->kind) {
    case JSON_OBJECT_BEGIN:
        return add_container(reading, JSON_IS_OBJECT);
    case JSON_ARRAY_BEGIN:
        return add_container(reading, JSON_IS_ARRAY);
    case JSON_OBJECT_END:
    case JSON_ARRAY_END: {
        struct node *node = reading->open[--reading->depth];
        node->raw.len = (size_t)(reading->walk.at - node->raw.ptr);
        return OK;
    }
    case JSON_KEY:
        return unescape(reading->arena, item, &reading->name) ? OK : ERR_LIMIT;
    case JSON_STRING:
        return add_string(reading, item);
    case JSON_NUMBER:
        return add_scalar(reading, JSON_IS_NUMBER, item->text, item->text);
    case JSON_TRUE:
        return add_scalar(reading, JSON_IS_TRUE, SLICE("true"), (slice){0});
    case JSON_FALSE:
        return add_scalar(reading, JSON_IS_FALSE, SLICE("false"), (slice){0});
    case JSON_NULL:
        return add_scalar(reading, JSON_IS_NULL, SLICE("null"), (slice){0});
    case JSON_END:
    case JSON_ERROR:
        break;
    }
    return ERR_INVALID;
}

enum err document_read(slice json, struct arena *arena, struct document *out, struct diag *diag)
{
    struct reading reading;
    reading.arena = arena;
    reading.name = (slice){0};
    reading.depth = 0;
    reading.node_count = 0;
    reading.root = NULL;
    json_walk_init(&reading.walk, json);
    struct json_item item;
    while (json_walk_next(&reading.walk, &item) > JSON_ERROR) {
        if (take_item(&reading, &item) != OK) {
            return diag_fail(diag, ERR_LIMIT, "", "the document has too many values");
        }
    }
    if (item.kind != JSON_END || reading.root == NULL) {
        return diag_fail(diag, ERR_INVALID, "", "not compact JSON (byte %zu)",
                         json.len - (size_t)(reading.walk.end - reading.walk.at));
    }
    *out = (struct document){reading.root, reading.node_count};
    return OK;
}

enum err document_parse(slice json, uint32_t depth_max, struct arena *arena, struct document *out,
                        struct diag *diag)
{
    struct json_value value;
    TRY(json_check(json, depth_max, arena, &value, diag));
    slice compact = value.raw;
    if (value.spaces > 0) {
        uint8_t *bytes = arena_take(arena, value.raw.len);
        if (bytes == NULL) {
            return diag_fail(diag, ERR_LIMIT, "", "the document takes too much memory");
        }
        compact = (slice){bytes, json_compact_into(value.raw, bytes)};
    }
    return document_read(compact, arena, out, diag);
}

const struct node *document_member(const struct node *object, slice name)
{
    if (object->kind != JSON_IS_OBJECT) {
        return NULL;
    }
    const struct node *member = object->first;
    while (member != NULL && !slice_equal(member->name, name)) {
        member = member->next;
    }
    return member;
}

const struct node *document_element(const struct node *array, uint64_t index)
{
    if (array->kind != JSON_IS_ARRAY || index >= array->count) {
        return NULL;
    }
    const struct node *element = array->first;
    while (element->index < index) {
        element = element->next;
    }
    return element;
}

const struct node *document_step(const struct node *at, slice name)
{
    uint64_t index = 0;
    if (at->kind == JSON_IS_OBJECT) {
        return document_member(at, name);
    }
    bool has_zeros = name.len > 1 && name.ptr[0] == '0';
    return !has_zeros && slice_parse_u64(name, &index) ? document_element(at, index) : NULL;
}

/* The nodes from below the root to `node`, in `path`. Returns how many: at most JSON_DEPTH_MAX. */
static size_t path_of(const struct node *node, const struct node *path[JSON_DEPTH_MAX])
{
    size_t depth = 0;
    for (const struct node *at = node; at->parent != NULL; at = at->parent) {
        depth++;
    }
    ASSERT(depth <= JSON_DEPTH_MAX);
    size_t left = depth;
    for (const struct node *at = node; at->parent != NULL; at = at->parent) {
        path[--left] = at;
    }
    return depth;
}

void document_pointer(const struct node *node, struct buf *out)
{
    const struct node *path[JSON_DEPTH_MAX];
    size_t depth = path_of(node, path);
    for (size_t i = 0; i < depth; i++) {
        buf_append_byte(out, '/');
        if (path[i]->parent->kind == JSON_IS_ARRAY) {
            buf_append_u64(out, path[i]->index);
            continue;
        }
        for (size_t j = 0; j < path[i]->name.len; j++) {
            uint8_t byte = path[i]->name.ptr[j];
            if (byte == '~' || byte == '/') {
                buf_append_byte(out, '~');
            }
            buf_append_byte(out, byte == '~' ? '0' : byte == '/' ? '1' : byte);
        }
    }
}

void document_path(const struct node *node, struct buf *out)
{
    const struct node *path[JSON_DEPTH_MAX];
    size_t depth = path_of(node, path);
    for (size_t i = 0; i < depth; i++) {
        if (i > 0) {
            buf_append_byte(out, '.');
        }
        if (path[i]->parent->kind == JSON_IS_ARRAY) {
            buf_append_u64(out, path[i]->index);
            continue;
        }
        for (size_t j = 0; j < path[i]->name.len; j++) {
            uint8_t byte = path[i]->name.ptr[j];
            if (byte == '.' || byte == '\\') {
                buf_append_byte(out, '\\');
            }
            buf_append_byte(out, byte);
        }
    }
}

/* The pointer, cut to fit. */
static void format_where(const struct node *node, char *where, size_t size)
{
    const struct node *path[JSON_DEPTH_MAX];
    size_t depth = path_of(node, path);
    where[0] = '\0';
    for (size_t i = 0; i < depth; i++) {
        char index[16];
        slice token = path[i]->name;
        if (path[i]->parent->kind == JSON_IS_ARRAY) {
            int len = snprintf(index, sizeof(index), "%u", path[i]->index);
            token = (slice){(const uint8_t *)index, (size_t)len};
        }
        json_pointer_append(where, size, token);
    }
}

enum err document_fail(struct diag *diag, enum err code, const struct node *node,
                       const char *format, ...)
{
    char where[sizeof(diag->where)];
    char text[sizeof(diag->text)];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    format_where(node, where, sizeof(where));
    return diag_fail(diag, code, where, "%s", text);
}
