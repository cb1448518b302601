/* SPDX-License-Identifier: Apache-2.0 */
#include "filter/filter.h"
#include "filter/words.h"

/* Signs that need no quotes wherever a value or a name stands. */
static bool byte_is_plain(uint8_t byte)
{
    return byte_is_word(byte) || (byte != 0 && strchr("-./:@+,%#$/", byte) != NULL);
}

static bool text_is_plain(slice text)
{
    slice rest = text;
    (void)slice_take_while(&rest, byte_is_plain);
    bool is_keyword = slice_equal(text, SLICE("AND")) || slice_equal(text, SLICE("OR")) ||
                      slice_equal(text, SLICE("NOT"));
    return text.len > 0 && rest.len == 0 && !is_keyword;
}

static void print_quoted(slice text, const char *escaped, const char *suffix, struct buf *out)
{
    buf_append_byte(out, '"');
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] != 0 && strchr(escaped, text.ptr[i]) != NULL) {
            buf_append_byte(out, '\\');
        }
        buf_append_byte(out, text.ptr[i]);
    }
    buf_append_cstr(out, suffix);
    buf_append_byte(out, '"');
}

static void print_value(slice text, const char *suffix, struct buf *out)
{
    if (text_is_plain(text)) {
        buf_append(out, text);
        buf_append_cstr(out, suffix);
        return;
    }
    print_quoted(text, "\\\"*", suffix, out);
}

/* A pattern keeps its backslashes; only a bare quote gets one, which the parser takes away. */
static void print_pattern(slice pattern, struct buf *out)
{
    buf_append_byte(out, '"');
    for (size_t i = 0; i < pattern.len; i++) {
        if (pattern.ptr[i] == '"') {
            buf_append_byte(out, '\\');
        }
        buf_append_byte(out, pattern.ptr[i]);
        if (pattern.ptr[i] == '\\' && i + 1 < pattern.len) {
            buf_append_byte(out, pattern.ptr[++i]);
        }
    }
    buf_append_byte(out, '"');
}

static bool byte_is_plain_key(uint8_t byte)
{
    return byte_is_word(byte) || byte == '-' || byte == '@' || byte == '/' || byte == '$';
}

static void print_path(const struct filter *leaf, struct buf *out)
{
    buf_append_cstr(out, leaf->target == FILTER_ON_DATA ? "data" : "metadata");
    for (size_t i = 0; i < leaf->path_len; i++) {
        slice key = leaf->path[i];
        slice rest = key;
        (void)slice_take_while(&rest, byte_is_plain_key);
        buf_append_byte(out, '.');
        if (key.len > 0 && rest.len == 0) {
            buf_append(out, key);
        } else {
            print_quoted(key, "\\\"", "", out);
        }
    }
}

static const char *operator_text(enum filter_op op)
{
    switch (op) {
    case FILTER_LESS:
        return "<";
    case FILTER_LESS_EQUAL:
        return "<=";
    case FILTER_GREATER:
        return ">";
    case FILTER_GREATER_EQUAL:
        return ">=";
    case FILTER_REGEX:
        return "~";
    case FILTER_EQUAL:
    case FILTER_PREFIX:
    case FILTER_PRESENT:
    case FILTER_WORDS:
    case FILTER_ALL:
    case FILTER_AND:
    case FILTER_OR:
    case FILTER_NOT:
        break;
    }
    return ":";
}

static void print_leaf(const struct filter *leaf, struct buf *out)
{
    if (leaf->op == FILTER_WORDS) {
        print_quoted(leaf->text, "\\\"*", "", out);
        return;
    }
    if (leaf->target == FILTER_ON_FIELD) {
        buf_append(out, fields[leaf->field].name);
    } else {
        print_path(leaf, out);
    }
    buf_append_cstr(out, operator_text(leaf->op));
    if (leaf->op == FILTER_REGEX) {
        print_pattern(leaf->text, out);
    } else if (leaf->op == FILTER_PRESENT) {
        buf_append_byte(out, '*');
    } else {
        print_value(leaf->text, leaf->op == FILTER_PREFIX ? "*" : "", out);
    }
}

/* `around` is the node above: AND binds tighter than OR, NOT tighter than both. */
static void print_node(const struct filter *filter, enum filter_op around, struct buf *out)
{
    bool is_list = filter->op == FILTER_AND || filter->op == FILTER_OR;
    bool needs_parentheses = is_list && around != FILTER_ALL && around != FILTER_OR;
    if (filter->op == FILTER_ALL) {
        buf_append_byte(out, '*');
        return;
    }
    if (filter->op == FILTER_NOT) {
        buf_append_cstr(out, "NOT ");
        print_node(filter->children[0], FILTER_NOT, out);
        return;
    }
    if (!is_list) {
        print_leaf(filter, out);
        return;
    }
    buf_append_cstr(out, needs_parentheses ? "(" : "");
    for (size_t i = 0; i < filter->child_count; i++) {
        buf_append_cstr(out, i == 0 ? "" : filter->op == FILTER_AND ? " AND " : " OR ");
        print_node(filter->children[i], filter->op, out);
    }
    buf_append_cstr(out, needs_parentheses ? ")" : "");
}

void filter_print(const struct filter *filter, struct buf *out)
{
    print_node(filter, FILTER_ALL, out);
}
