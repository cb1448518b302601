/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tokens exclude nothing that matches. The input is a filter, a line feed, and a JSON value; what
 * is asked of that value are the leaves of the filter, and, for each scalar of the value itself,
 * "is this path equal to that", which must match too. Bytes that are no JSON crash nothing.
 */
#include "filter/random.h"
#include "filter/tokens.h"
#include "json/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { TOKENS_MAX = 8192, ARENA_BYTES_MAX = 64 * 1024 * 1024, DEPTH_MAX = 20 };

static const struct filter_context context = {.now_us = SAMPLE_NOW_US};

struct checked {
    slice json;
    struct event event; /* event_data and event_metadata are `json` */
    struct token_sink sink;
    struct arena *arena;
    struct buf name; /* data."a"."b" of the value that is looked at */
};

static bool has_any(const struct token_sink *sink, const uint64_t *any_of, size_t count)
{
    for (size_t i = 0; i < sink->count; i++) {
        for (size_t k = 0; k < count; k++) {
            if (sink->tokens[i] == any_of[k]) {
                return true;
            }
        }
    }
    return false;
}

static void check_leaf(const struct filter *leaf, const struct checked *checked)
{
    struct leaf_tokens wanted;
    tokens_of_leaf(leaf, &wanted);
    if (checked->sink.overflowed || !filter_match(leaf, &checked->event)) {
        return;
    }
    for (size_t i = 0; i < wanted.count; i++) {
        ASSERT(has_any(&checked->sink, wanted.all_of[i].any_of, wanted.all_of[i].count));
    }
}

static void check_leaves(const struct filter *filter, const struct checked *checked)
{
    for (size_t i = 0; i < filter->child_count; i++) {
        check_leaves(filter->children[i], checked);
    }
    if (filter->child_count == 0 && filter->target != FILTER_ON_FIELD) {
        check_leaf(filter, checked);
    }
}

/* Appends `text` with a backslash before all that means something. */
static void append_escaped(struct buf *out, slice text, const char *special)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] != 0 && strchr(special, text.ptr[i]) != NULL) {
            buf_append_byte(out, '\\');
        }
        buf_append_byte(out, text.ptr[i]);
    }
}

static slice unescaped(struct checked *checked, slice raw)
{
    uint8_t *text = arena_take(checked->arena, raw.len);
    ASSERT(text != NULL);
    return (slice){text, json_unescape(raw, text)};
}

/* The value at the path checked->name equals itself. */
static void check_scalar(struct checked *checked, const struct json_item *item)
{
    static const slice names[] = {SLICE_INIT("true"), SLICE_INIT("false"), SLICE_INIT("null")};
    CLEANUP(buf_release) struct buf operand = BUF_INIT(2 * FILTER_TEXT_BYTES_MAX);
    const struct filter *leaf = NULL;
    slice text = item->text;
    if (item->kind >= JSON_TRUE) {
        text = names[item->kind - JSON_TRUE];
    } else if (item->kind == JSON_STRING) {
        text = unescaped(checked, item->text);
    }
    append_escaped(&operand, text, "\\*");
    enum err made = filter_make_leaf(buf_slice(&checked->name), FILTER_EQUAL, buf_slice(&operand),
                                     &context, checked->arena, &leaf, NULL);
    ASSERT(made == OK || made == ERR_LIMIT);
    if (made == OK) {
        ASSERT(filter_match(leaf, &checked->event));
        check_leaf(leaf, checked);
    }
}

/* Walks the value; `lens` remembers how long the name was in each open container. */
static void check_scalars(struct checked *checked)
{
    struct json_walk walk;
    struct json_item item;
    size_t lens[DEPTH_MAX + 2] = {4};
    size_t depth = 0;
    buf_append_cstr(&checked->name, "data");
    json_walk_init(&walk, checked->json);
    while (json_walk_next(&walk, &item) > JSON_ERROR) {
        switch (item.kind) {
        case JSON_OBJECT_BEGIN:
        case JSON_ARRAY_BEGIN:
            lens[++depth] = checked->name.len;
            continue;
        case JSON_KEY:
            checked->name.len = lens[depth];
            buf_append_cstr(&checked->name, ".\"");
            append_escaped(&checked->name, unescaped(checked, item.text), "\\\"");
            buf_append_byte(&checked->name, '"');
            continue;
        case JSON_STRING:
        case JSON_NUMBER:
        case JSON_TRUE:
        case JSON_FALSE:
        case JSON_NULL:
            if (checked->name.len > lens[0]) { /* a value without a name cannot be asked for */
                check_scalar(checked, &item);
            }
            break;
        case JSON_OBJECT_END:
        case JSON_ARRAY_END:
            depth--;
            break;
        case JSON_END:
        case JSON_ERROR:
            return;
        }
        checked->name.len = lens[depth];
    }
}

static void check_json(slice text, slice json)
{
    CLEANUP(arena_release) struct arena arena = ARENA_INIT(ARENA_BYTES_MAX);
    uint64_t tokens[TOKENS_MAX];
    struct checked checked = {
        .json = json,
        .event.present = FIELD_BIT(FIELD_EVENT_DATA) | FIELD_BIT(FIELD_EVENT_METADATA),
        .sink = {.tokens = tokens, .capacity = TOKENS_MAX},
        .arena = &arena,
        .name = BUF_INIT(FILTER_TEXT_BYTES_MAX),
    };
    const struct filter *filter = NULL;
    checked.event.value[FIELD_EVENT_DATA].text = json;
    checked.event.value[FIELD_EVENT_METADATA].text = json;
    tokens_of_json(json, FILTER_ON_DATA, &checked.sink);
    tokens_of_json(json, FILTER_ON_METADATA, &checked.sink);
    if (filter_parse(text, &context, &arena, &filter, NULL) == OK) {
        check_leaves(filter, &checked);
        filter_release(filter);
    }
    if (json_check(json, DEPTH_MAX, &arena, NULL, NULL) == OK) {
        check_scalars(&checked);
    }
    buf_release(&checked.name);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *feed = size > 0 ? memchr(data, '\n', size) : NULL;
    if (feed == NULL) {
        return 0;
    }
    slice text = {data, (size_t)(feed - data)};
    slice json = {feed + 1, size - text.len - 1};
    CLEANUP(arena_release) struct arena arena = ARENA_INIT(ARENA_BYTES_MAX);
    struct json_value value = {0};
    if (json_check(json, DEPTH_MAX, &arena, &value, NULL) == OK && value.spaces == 0) {
        check_json(text, value.raw);
        return 0;
    }
    uint64_t tokens[TOKENS_MAX]; /* damaged bytes: no property but to come back */
    struct token_sink sink = {.tokens = tokens, .capacity = TOKENS_MAX};
    const struct filter *filter = NULL;
    struct event event = {.present = FIELD_BIT(FIELD_EVENT_DATA)};
    event.value[FIELD_EVENT_DATA].text = json;
    tokens_of_json(json, FILTER_ON_DATA, &sink);
    if (filter_parse(text, &context, &arena, &filter, NULL) == OK) {
        (void)filter_match(filter, &event);
        filter_release(filter);
    }
    return 0;
}
