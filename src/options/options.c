/* SPDX-License-Identifier: Apache-2.0 */
#include "options/options.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "crypto/secret.h"
#include "options/value.h"

static const struct option_info infos[OPTION_COUNT] = {
#define OPTION(id, name_, type_, default_, least_, most_, choices_, flags_, group_, sentence_)     \
    [OPTION_##id] = {.name = name_,                                                                \
                     .environment = "CAIRN_" #id,                                                  \
                     .type = OPTION_TYPE_##type_,                                                  \
                     .fallback = default_,                                                         \
                     .least = (least_),                                                            \
                     .most = (most_),                                                              \
                     .choices = choices_,                                                          \
                     .flags = (flags_),                                                            \
                     .group = group_,                                                              \
                     .sentence = sentence_},
#include "options/options.def"
#undef OPTION
};

struct options {
    struct option_value values[OPTION_COUNT][OPTION_SOURCES];
};

/* The default always says something. */
static enum option_source strongest(const struct options *options, enum option option)
{
    enum option_source source = OPTION_FROM_FLAG;
    while (options->values[option][source].text == NULL) {
        source--;
    }
    return source;
}

static const struct option_value *value_of(const struct options *options, enum option option)
{
    return &options->values[option][strongest(options, option)];
}

const struct option_info *option_info(enum option option)
{
    ASSERT(option < OPTION_COUNT);
    return &infos[option];
}

static bool is_default_empty(const struct option_info *info, slice text)
{
    return text.len == 0 && info->fallback[0] == '\0';
}

bool option_find_name(slice name, enum option *out)
{
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        if (slice_equal(name, slice_from_cstr(infos[i].name))) {
            *out = (enum option)i;
            return true;
        }
    }
    return false;
}

/* How many letters must be added, left out or changed (Levenshtein). */
static size_t distance(slice a, slice b)
{
    enum { BYTES_MAX = 64 };
    size_t row[BYTES_MAX + 1];
    if (a.len > BYTES_MAX || b.len > BYTES_MAX) {
        return SIZE_MAX;
    }
    for (size_t j = 0; j <= b.len; j++) {
        row[j] = j;
    }
    for (size_t i = 0; i < a.len; i++) {
        size_t diagonal = row[0];
        row[0] = i + 1;
        for (size_t j = 0; j < b.len; j++) {
            size_t change = diagonal + (a.ptr[i] == b.ptr[j] ? 0 : 1);
            size_t other = (row[j] < row[j + 1] ? row[j] : row[j + 1]) + 1;
            diagonal = row[j + 1];
            row[j + 1] = change < other ? change : other;
        }
    }
    return row[b.len];
}

const char *option_near(slice name)
{
    const char *nearest = NULL;
    size_t least = name.len / 3 + 1; /* a third of it is mistyped, or it is another word */
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        size_t far = distance(name, slice_from_cstr(infos[i].name));
        if (far <= least && (nearest == NULL || far < least)) {
            nearest = infos[i].name;
            least = far;
        }
    }
    return nearest;
}

const char *option_flag(enum option option, char out[OPTION_FLAG_BYTES_MAX])
{
    const char *name = option_info(option)->name;
    size_t n = strlen(name);
    ASSERT(n < OPTION_FLAG_BYTES_MAX);
    for (size_t i = 0; i <= n; i++) {
        out[i] = name[i] == '_' || name[i] == '.' ? '-' : name[i];
    }
    return out;
}

bool option_find_flag(slice flag, enum option *out)
{
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        char own[OPTION_FLAG_BYTES_MAX];
        if (slice_equal(flag, slice_from_cstr(option_flag((enum option)i, own)))) {
            *out = (enum option)i;
            return true;
        }
    }
    return false;
}

const char *option_placeholder(enum option option)
{
    switch (option_info(option)->type) {
    case OPTION_TYPE_TEXT:
        return "TEXT";
    case OPTION_TYPE_PATH:
        return "DIR";
    case OPTION_TYPE_FILE:
        return "FILE";
    case OPTION_TYPE_NAME:
        return "NAME";
    case OPTION_TYPE_ADDRESS:
        return "HOST:PORT";
    case OPTION_TYPE_SIZE:
        return "BYTES";
    case OPTION_TYPE_DURATION:
        return "TIME";
    case OPTION_TYPE_INTEGER:
        return "NUMBER";
    case OPTION_TYPE_BOOLEAN:
        return "BOOL";
    case OPTION_TYPE_CHOICE:
        return "CHOICE";
    }
    return "";
}

const char *option_type_name(enum option_type type)
{
    static const char *const names[] = {
        [OPTION_TYPE_TEXT] = "text",         [OPTION_TYPE_PATH] = "directory",
        [OPTION_TYPE_FILE] = "file",         [OPTION_TYPE_NAME] = "name",
        [OPTION_TYPE_ADDRESS] = "address",   [OPTION_TYPE_SIZE] = "size",
        [OPTION_TYPE_DURATION] = "duration", [OPTION_TYPE_INTEGER] = "integer",
        [OPTION_TYPE_BOOLEAN] = "boolean",   [OPTION_TYPE_CHOICE] = "choice",
    };
    return names[type];
}

const char *option_source_name(enum option_source source)
{
    static const char *const names[OPTION_SOURCES] = {"default", "file", "setting", "environment",
                                                      "flag"};
    return names[source];
}

/* ---- Life ---- */

struct options *options_new(void)
{
    struct options *options = mem_zeroed(sizeof(*options));
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        enum err e = options_set(options, (enum option)i, slice_from_cstr(infos[i].fallback),
                                 OPTION_FROM_DEFAULT, "", NULL);
        ASSERT(e == OK); /* the table breaks its own limits */
    }
    return options;
}

struct options *options_copy(const struct options *options)
{
    struct options *copy = mem_zeroed(sizeof(*copy));
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        for (size_t source = 0; source < OPTION_SOURCES; source++) {
            options_take(copy, (enum option)i, (enum option_source)source, options);
        }
    }
    return copy;
}

void options_free(struct options *options)
{
    if (options == NULL) {
        return;
    }
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        for (size_t source = 0; source < OPTION_SOURCES; source++) {
            options_unset(options, (enum option)i, (enum option_source)source);
        }
    }
    free(options);
}

/* ---- What sources say ---- */

static enum err check_source(const struct option_info *info, enum option_source source,
                             const char *where, struct diag *diag)
{
    if (source == OPTION_FROM_SETTING && (info->flags & OPTION_RUNNING) == 0) {
        return diag_fail(diag, ERR_INVALID, where, "cannot change while the server runs");
    }
    if (source == OPTION_FROM_FILE && (info->flags & OPTION_START) != 0) {
        return diag_fail(diag, ERR_INVALID, where,
                         "%s cannot stand in the file; use the flag or %s", info->name,
                         info->environment);
    }
    return OK;
}

enum err options_set(struct options *options, enum option option, slice text,
                     enum option_source source, const char *where, struct diag *diag)
{
    ASSERT(options != NULL);
    const struct option_info *info = option_info(option);
    struct option_value value = {0};
    TRY(check_source(info, source, where, diag));
    if (is_default_empty(info, text)) {
        value.text = mem_text("", 0); /* spelled out, nothing is still nothing */
    } else {
        TRY(option_parse(info, text, where, &value, diag));
    }
    (void)snprintf(value.where, sizeof(value.where), "%s%s%s", option_source_name(source),
                   where[0] != '\0' ? " " : "", where);
    options_unset(options, option, source);
    options->values[option][source] = value;
    return OK;
}

void options_unset(struct options *options, enum option option, enum option_source source)
{
    struct option_value *value = &options->values[option][source];
    if (value->text != NULL) {
        secret_wipe(value->text, strlen(value->text)); /* it may be one: a key, a password */
    }
    free(value->text);
    *value = (struct option_value){0};
}

void options_take(struct options *options, enum option option, enum option_source source,
                  const struct options *from)
{
    const struct option_value *value = &from->values[option][source];
    char *text = value->text == NULL ? NULL : mem_text(value->text, strlen(value->text));
    options_unset(options, option, source);
    options->values[option][source] = *value;
    options->values[option][source].text = text;
}

/* ---- Values ---- */

const char *options_text(const struct options *options, enum option option)
{
    return value_of(options, option)->text;
}

uint64_t options_u64(const struct options *options, enum option option)
{
    enum option_type type = option_info(option)->type;
    ASSERT(type == OPTION_TYPE_SIZE || type == OPTION_TYPE_DURATION || type == OPTION_TYPE_INTEGER);
    return value_of(options, option)->number;
}

bool options_bool(const struct options *options, enum option option)
{
    ASSERT(option_info(option)->type == OPTION_TYPE_BOOLEAN);
    return value_of(options, option)->number != 0;
}

size_t options_choice(const struct options *options, enum option option)
{
    ASSERT(option_info(option)->type == OPTION_TYPE_CHOICE);
    return (size_t)value_of(options, option)->number;
}

uint64_t options_number(const struct options *options, enum option option)
{
    return value_of(options, option)->number;
}

void options_address(const struct options *options, enum option option,
                     char host_out[OPTION_HOST_BYTES_MAX + 1], uint16_t *port_out)
{
    ASSERT(option_info(option)->type == OPTION_TYPE_ADDRESS);
    slice host = {0};
    bool is_address =
        option_split_address(slice_from_cstr(value_of(options, option)->text), &host, port_out);
    ASSERT(is_address); /* it was checked when it was set */
    if (host.len > 0) {
        memcpy(host_out, host.ptr, host.len);
    }
    host_out[host.len] = '\0';
}

enum option_source options_source(const struct options *options, enum option option)
{
    return strongest(options, option);
}

const char *options_where(const struct options *options, enum option option)
{
    return value_of(options, option)->where;
}

static void format_choice(const char *choices, uint64_t position, struct buf *out)
{
    for (; position > 0; position--) {
        choices = strchr(choices, ' ') + 1;
    }
    buf_append(out, (slice){(const uint8_t *)choices, strcspn(choices, " ")});
}

static void format_value(const struct option_info *info, const struct option_value *value,
                         struct buf *out)
{
    switch (info->type) {
    case OPTION_TYPE_TEXT:
    case OPTION_TYPE_PATH:
    case OPTION_TYPE_FILE:
    case OPTION_TYPE_NAME:
    case OPTION_TYPE_ADDRESS:
        buf_append_cstr(out, value->text);
        break;
    case OPTION_TYPE_SIZE:
    case OPTION_TYPE_DURATION:
    case OPTION_TYPE_INTEGER:
        option_format_limit(info->type, value->number, out);
        break;
    case OPTION_TYPE_BOOLEAN:
        buf_append_cstr(out, value->number != 0 ? "true" : "false");
        break;
    case OPTION_TYPE_CHOICE:
        format_choice(info->choices, value->number, out);
        break;
    }
}

void options_format(const struct options *options, enum option option, struct buf *out)
{
    format_value(option_info(option), value_of(options, option), out);
}

bool options_format_from(const struct options *options, enum option option,
                         enum option_source source, struct buf *out)
{
    const struct option_value *value = &options->values[option][source];
    if (value->text == NULL) {
        return false;
    }
    format_value(option_info(option), value, out);
    return true;
}
