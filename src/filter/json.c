/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Leaves inside event_data and event_metadata. One walk over the stored bytes, which ends with the
 * first value that matches; what lies beside the path is skipped without being looked at. Nothing
 * is allocated but for a long string with escapes.
 */
#include "json/json.h"

#include "base/mem.h"
#include "filter/filter.h"
#include "filter/regex.h"
#include "filter/tokens.h"
#include "filter/values.h"

enum { SCRATCH_BYTES = 1024, ESCAPED_BYTES_MAX = 6 };

/* The depth of a path in a container: how many of its keys led there; NOWHERE past its end. */
enum { NOWHERE = FILTER_PATH_KEYS_MAX + 1 };

static bool compare_time(const struct filter *leaf, slice text)
{
    int64_t us = 0;
    return leaf->has_time && value_parse_time(text, &us) &&
           value_holds(leaf->op, us < leaf->number ? -1 : us > leaf->number);
}

static bool compare_number(const struct filter *leaf, slice text)
{
    return leaf->has_number && value_holds(leaf->op, json_decimal_compare(text, leaf->text));
}

static bool match_text(const struct filter *leaf, slice text)
{
    switch (leaf->op) {
    case FILTER_LESS:
    case FILTER_LESS_EQUAL:
    case FILTER_GREATER:
    case FILTER_GREATER_EQUAL:
        return compare_time(leaf, text);
    case FILTER_EQUAL:
    case FILTER_PREFIX:
    case FILTER_REGEX:
    case FILTER_PRESENT:
    case FILTER_WORDS:
    case FILTER_ALL:
    case FILTER_AND:
    case FILTER_OR:
    case FILTER_NOT:
        break;
    }
    return filter_leaf_text(leaf, text);
}

static bool match_string(const struct filter *leaf, const struct json_item *item)
{
    if (!item->has_escapes) {
        return match_text(leaf, item->text);
    }
    bool is_other_len =
        item->text.len < leaf->text.len || item->text.len / ESCAPED_BYTES_MAX > leaf->text.len;
    if (leaf->op == FILTER_EQUAL && is_other_len) {
        return false;
    }
    uint8_t scratch[SCRATCH_BYTES];
    CLEANUP(mem_freep) uint8_t *heap = NULL;
    uint8_t *plain = scratch;
    if (item->text.len > sizeof(scratch)) {
        plain = heap = mem_resize(NULL, item->text.len);
    }
    return match_text(leaf, (slice){plain, json_unescape(item->text, plain)});
}

static bool match_number(const struct filter *leaf, slice text)
{
    switch (leaf->op) {
    case FILTER_EQUAL:
    case FILTER_LESS:
    case FILTER_LESS_EQUAL:
    case FILTER_GREATER:
    case FILTER_GREATER_EQUAL:
        return compare_number(leaf, text);
    case FILTER_PREFIX:
    case FILTER_REGEX:
    case FILTER_PRESENT:
    case FILTER_WORDS:
    case FILTER_ALL:
    case FILTER_AND:
    case FILTER_OR:
    case FILTER_NOT:
        break;
    }
    return filter_leaf_text(leaf, text);
}

/* true, false and null: their names, of which `null` is no text for prefixes and patterns. */
static bool match_name(const struct filter *leaf, slice name, bool is_null)
{
    bool is_text = !is_null && (leaf->op == FILTER_PREFIX || leaf->op == FILTER_REGEX);
    bool is_asked = leaf->op == FILTER_EQUAL || leaf->op == FILTER_PRESENT || is_text;
    return is_asked && filter_leaf_text(leaf, name);
}

static bool match_scalar(const struct filter *leaf, const struct json_item *item)
{
    switch (item->kind) {
    case JSON_STRING:
        return match_string(leaf, item);
    case JSON_NUMBER:
        return match_number(leaf, item->text);
    case JSON_TRUE:
        return match_name(leaf, SLICE("true"), false);
    case JSON_FALSE:
        return match_name(leaf, SLICE("false"), false);
    case JSON_NULL:
        return match_name(leaf, SLICE("null"), true);
    case JSON_END:
    case JSON_ERROR:
    case JSON_OBJECT_BEGIN:
    case JSON_OBJECT_END:
    case JSON_ARRAY_BEGIN:
    case JSON_ARRAY_END:
    case JSON_KEY:
        break;
    }
    return false;
}

static bool key_equal(const struct json_item *item, slice key)
{
    if (!item->has_escapes) {
        return slice_equal(item->text, key);
    }
    if (item->text.len > key.len * ESCAPED_BYTES_MAX) {
        return false;
    }
    uint8_t scratch[SCRATCH_BYTES];
    CLEANUP(mem_freep) uint8_t *heap = NULL;
    uint8_t *plain = scratch;
    if (item->text.len > sizeof(scratch)) {
        plain = heap = mem_resize(NULL, item->text.len);
    }
    return slice_equal((slice){plain, json_unescape(item->text, plain)}, key);
}

/*
 * Where a walk stands. reached[d] is how many keys of the path led to the container at depth d.
 * Only containers on the path are entered, and NOWHERE ones to get past them.
 */
struct path_walk {
    struct json_walk walk;
    const struct filter *leaf;
    size_t depth;
    size_t next;   /* keys that led to the value that comes next */
    size_t arrays; /* open ones: other elements may match where this one did not */
    uint8_t reached[JSON_DEPTH_MAX + 1];
};

enum step { GO_ON, FOUND, NOT_FOUND };

static enum step enter(struct path_walk *path, bool is_array)
{
    size_t here = path->next;
    if (here == path->leaf->path_len) {
        if (path->leaf->op == FILTER_PRESENT) {
            return FOUND;
        }
        here = is_array ? here : NOWHERE; /* what is inside an object is beyond the path */
    }
    if (path->depth == JSON_DEPTH_MAX) {
        return NOT_FOUND;
    }
    path->arrays += is_array ? 1 : 0;
    path->reached[++path->depth] = (uint8_t)here;
    path->next = here;
    return GO_ON;
}

static enum step leave(struct path_walk *path, bool is_array)
{
    path->arrays -= is_array ? 1 : 0;
    path->depth--;
    path->next = path->reached[path->depth];
    return path->arrays > 0 ? GO_ON : NOT_FOUND;
}

static enum step take_key(struct path_walk *path, const struct json_item *item)
{
    size_t here = path->reached[path->depth];
    if (here < path->leaf->path_len && key_equal(item, path->leaf->path[here])) {
        path->next = here + 1;
        return GO_ON;
    }
    slice skipped = {0};
    return json_walk_value(&path->walk, &skipped) ? GO_ON : NOT_FOUND;
}

static enum step take_scalar(struct path_walk *path, const struct json_item *item)
{
    if (path->next == path->leaf->path_len && match_scalar(path->leaf, item)) {
        return FOUND;
    }
    path->next = path->reached[path->depth];
    return path->arrays > 0 ? GO_ON : NOT_FOUND;
}

static enum step take_step(struct path_walk *path)
{
    struct json_item item;
    switch (json_walk_next(&path->walk, &item)) {
    case JSON_OBJECT_BEGIN:
        return enter(path, false);
    case JSON_ARRAY_BEGIN:
        return enter(path, true);
    case JSON_OBJECT_END:
        return leave(path, false);
    case JSON_ARRAY_END:
        return leave(path, true);
    case JSON_KEY:
        return take_key(path, &item);
    case JSON_STRING:
    case JSON_NUMBER:
    case JSON_TRUE:
    case JSON_FALSE:
    case JSON_NULL:
        return take_scalar(path, &item);
    case JSON_END:
    case JSON_ERROR:
        break;
    }
    return NOT_FOUND;
}

static bool match_path(const struct filter *leaf, slice json)
{
    struct path_walk path;
    path.leaf = leaf;
    path.depth = 0;
    path.next = 0;
    path.arrays = 0;
    path.reached[0] = 0;
    json_walk_init(&path.walk, json);
    enum step step = GO_ON;
    while (step == GO_ON) {
        step = take_step(&path);
    }
    return step == FOUND;
}

static bool match_any_string(const struct filter *leaf, slice json)
{
    struct json_walk walk;
    struct json_item item;
    json_walk_init(&walk, json);
    while (json_walk_next(&walk, &item) > JSON_ERROR) {
        if (item.kind == JSON_STRING && match_string(leaf, &item)) {
            return true;
        }
    }
    return false;
}

bool filter_leaf_json(const struct filter *leaf, slice json)
{
    return leaf->target == FILTER_ON_ANY ? match_any_string(leaf, json) : match_path(leaf, json);
}
