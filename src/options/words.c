/* SPDX-License-Identifier: Apache-2.0 */
/* words - what the table of options says about itself: help, lists, manual pages. */
#include "base/utf8.h"
#include "json/json.h"
#include "options/options.h"
#include "options/value.h"

enum { HELP_INDENT = 8, HELP_COLUMNS = 80 };

struct group_title {
    const char *group, *title;
};

static const struct group_title groups[] = {
    {"place", "Place"},   {"log", "Log"},       {"ledger", "Ledger"},
    {"limits", "Limits"}, {"http", "HTTP"},     {"tls", "TLS"},
    {"access", "Access"}, {"health", "Health"}, {"redis", "Redis"},
};

static bool byte_is_not_space(uint8_t byte)
{
    return byte != ' ';
}

/* Appends `text` in lines of at most HELP_COLUMNS, each indented. */
static void append_wrapped(struct buf *out, slice text, size_t indent)
{
    size_t column = 0;
    while (text.len > 0) {
        slice word = slice_take_while(&text, byte_is_not_space);
        slice_skip_spaces(&text);
        if (column == 0 || column + 1 + word.len > HELP_COLUMNS) {
            buf_append_cstr(out, column == 0 ? "" : "\n");
            buf_append_format(out, "%*s", (int)indent, "");
            column = indent;
        } else {
            buf_append_byte(out, ' ');
            column++;
        }
        buf_append(out, word);
        column += word.len;
    }
    buf_append_byte(out, '\n');
}

static void append_limits(const struct options *defaults, enum option option, struct buf *out)
{
    const struct option_info *info = option_info(option);
    if (info->type == OPTION_TYPE_CHOICE) {
        buf_append_format(out, " One of: %s.", info->choices);
    }
    bool has_range = info->type == OPTION_TYPE_SIZE || info->type == OPTION_TYPE_DURATION ||
                     info->type == OPTION_TYPE_INTEGER;
    if (has_range) {
        buf_append_cstr(out, " From ");
        option_format_limit(info->type, info->least, out);
        buf_append_cstr(out, " to ");
        option_format_limit(info->type, info->most, out);
        buf_append_byte(out, '.');
    }
    if (info->fallback[0] != '\0') {
        buf_append_cstr(out, " Default: ");
        options_format(defaults, option, out);
        buf_append_byte(out, '.');
    }
}

static void append_sentence(const struct options *defaults, enum option option, struct buf *out)
{
    buf_append_format(out, "%s.", option_info(option)->sentence);
    append_limits(defaults, option, out);
}

void options_write_help(struct buf *out)
{
    OWNED(options) defaults = options_new();
    for (size_t g = 0; g < COUNT_OF(groups); g++) {
        buf_append_format(out, "%s%s:\n", g == 0 ? "" : "\n", groups[g].title);
        for (size_t i = 0; i < OPTION_COUNT; i++) {
            enum option option = (enum option)i;
            if (strcmp(option_info(option)->group, groups[g].group) != 0) {
                continue;
            }
            char flag[OPTION_FLAG_BYTES_MAX];
            buf_append_format(out, "  --%s %s\n", option_flag(option, flag),
                              option_placeholder(option));
            struct buf text CLEANUP(buf_release) = BUF_INIT(KIB(4));
            append_sentence(defaults, option, &text);
            append_wrapped(out, buf_slice(&text), HELP_INDENT);
        }
    }
}

/* A path of the file system need not be UTF-8, which JSON must. */
static void append_json_text(struct buf *out, const char *text)
{
    slice plain = slice_from_cstr(text);
    json_quote(out, utf8_is_valid(plain) ? plain : SLICE("[not UTF-8]"));
}

static void append_list_json(const char *name, const char *value, const char *where,
                             struct buf *out)
{
    buf_append_cstr(out, "{\"name\":");
    append_json_text(out, name);
    buf_append_cstr(out, ",\"value\":");
    append_json_text(out, value);
    buf_append_cstr(out, ",\"source\":");
    append_json_text(out, where);
    buf_append_cstr(out, "}\n");
}

static void append_shown(const struct options *options, enum option option, struct buf *out)
{
    bool is_secret = (option_info(option)->flags & OPTION_SECRET) != 0;
    if (is_secret && options_text(options, option)[0] != '\0') {
        buf_append_cstr(out, "[hidden]");
    } else {
        options_format(options, option, out);
    }
}

void options_write_list(const struct options *options, bool json, struct buf *out)
{
    ASSERT(options != NULL);
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        struct buf value CLEANUP(buf_release) = BUF_INIT(KIB(8));
        append_shown(options, (enum option)i, &value);
        const char *name = option_info((enum option)i)->name;
        const char *where = options_where(options, (enum option)i);
        if (json) {
            append_list_json(name, buf_cstr(&value), where, out);
        } else {
            buf_append_format(out, "%-28s %-20s %s\n", name, buf_cstr(&value), where);
        }
    }
}

/* scdoc reads * and _ as bold and underline, and \ before them as plain; a lone _ inside a word
 * is plain too, but an escape is never wrong. */
static void append_scdoc(struct buf *out, slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        uint8_t byte = text.ptr[i];
        if (byte == '*' || byte == '_' || byte == '\\' || byte == '#') {
            buf_append_byte(out, '\\');
        }
        buf_append_byte(out, byte);
    }
}

static void append_page(bool is_serve, struct buf *out)
{
    OWNED(options) defaults = options_new();
    for (size_t g = 0; g < COUNT_OF(groups); g++) {
        buf_append_format(out, "## %s\n\n", groups[g].title);
        for (size_t i = 0; i < OPTION_COUNT; i++) {
            enum option option = (enum option)i;
            const struct option_info *info = option_info(option);
            bool is_left_out = !is_serve && (info->flags & OPTION_START) != 0;
            if (strcmp(info->group, groups[g].group) != 0 || is_left_out) {
                continue;
            }
            char flag[OPTION_FLAG_BYTES_MAX];
            struct buf text CLEANUP(buf_release) = BUF_INIT(KIB(4));
            append_sentence(defaults, option, &text);
            if (!is_serve && (info->flags & OPTION_RUNNING) != 0) {
                buf_append_cstr(&text, " May change while the server runs.");
            }
            if (is_serve) {
                buf_append_format(out, "*--%s* _%s_, ", option_flag(option, flag),
                                  option_placeholder(option));
                append_scdoc(out, slice_from_cstr(info->environment));
            } else {
                buf_append_byte(out, '*');
                append_scdoc(out, slice_from_cstr(info->name));
                buf_append_format(out, "* = _%s_", option_placeholder(option));
            }
            buf_append_cstr(out, "\n\t");
            append_scdoc(out, buf_slice(&text));
            buf_append_cstr(out, "\n\n");
        }
    }
}

void options_write_conf_page(struct buf *out)
{
    append_page(false, out);
}

void options_write_serve_page(struct buf *out)
{
    append_page(true, out);
}
