/* SPDX-License-Identifier: Apache-2.0 */
#include "options/options.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
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
    struct option_value values[OPTION_COUNT];
};

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

struct options *options_new(void)
{
    struct options *options = mem_zeroed(sizeof(*options));
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        const struct option_info *info = &infos[i];
        enum err e = OK;
        if (info->fallback[0] == '\0') {
            options->values[i].text = mem_text("", 0);
        } else {
            e = option_parse(info, slice_from_cstr(info->fallback), info->name, &options->values[i],
                             NULL);
        }
        ASSERT(e == OK); /* the table breaks its own limits */
        (void)snprintf(options->values[i].where, sizeof(options->values[i].where), "default");
    }
    return options;
}

void options_free(struct options *options)
{
    if (options == NULL) {
        return;
    }
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        free(options->values[i].text);
    }
    free(options);
}

enum err options_set(struct options *options, enum option option, slice text,
                     enum option_source source, const char *where, struct diag *diag)
{
    ASSERT(options != NULL);
    const struct option_info *info = option_info(option);
    if (source == OPTION_FROM_SETTING && (info->flags & OPTION_RUNNING) == 0) {
        return diag_fail(diag, ERR_INVALID, where, "cannot change while the server runs");
    }
    if (source == OPTION_FROM_FILE && (info->flags & OPTION_START) != 0) {
        return diag_fail(diag, ERR_INVALID, where,
                         "%s cannot stand in the file; use the flag or %s", info->name,
                         info->environment);
    }
    struct option_value value = {.source = source};
    if (is_default_empty(info, text)) {
        value.text = mem_text("", 0); /* spelled out, nothing is still nothing */
    } else {
        TRY(option_parse(info, text, where, &value, diag));
    }
    struct option_value *slot = &options->values[option];
    if (source < slot->source) {
        free(value.text);
        return OK;
    }
    static const char *const kinds[] = {"default", "file ", "setting ", "environment ", "flag "};
    (void)snprintf(value.where, sizeof(value.where), "%s%s", kinds[source],
                   source == OPTION_FROM_DEFAULT ? "" : where);
    free(slot->text);
    *slot = value;
    return OK;
}

const char *options_text(const struct options *options, enum option option)
{
    return options->values[option].text;
}

uint64_t options_u64(const struct options *options, enum option option)
{
    enum option_type type = option_info(option)->type;
    ASSERT(type == OPTION_TYPE_SIZE || type == OPTION_TYPE_DURATION || type == OPTION_TYPE_INTEGER);
    return options->values[option].number;
}

bool options_bool(const struct options *options, enum option option)
{
    ASSERT(option_info(option)->type == OPTION_TYPE_BOOLEAN);
    return options->values[option].number != 0;
}

size_t options_choice(const struct options *options, enum option option)
{
    ASSERT(option_info(option)->type == OPTION_TYPE_CHOICE);
    return (size_t)options->values[option].number;
}

void options_address(const struct options *options, enum option option,
                     char host_out[OPTION_HOST_BYTES_MAX + 1], uint16_t *port_out)
{
    ASSERT(option_info(option)->type == OPTION_TYPE_ADDRESS);
    slice host = {0};
    bool is_address =
        option_split_address(slice_from_cstr(options->values[option].text), &host, port_out);
    ASSERT(is_address); /* it was checked when it was set */
    if (host.len > 0) {
        memcpy(host_out, host.ptr, host.len);
    }
    host_out[host.len] = '\0';
}

enum option_source options_source(const struct options *options, enum option option)
{
    return options->values[option].source;
}

const char *options_where(const struct options *options, enum option option)
{
    return options->values[option].where;
}

static void format_choice(const char *choices, uint64_t position, struct buf *out)
{
    for (; position > 0; position--) {
        choices = strchr(choices, ' ') + 1;
    }
    buf_append(out, (slice){(const uint8_t *)choices, strcspn(choices, " ")});
}

void options_format(const struct options *options, enum option option, struct buf *out)
{
    const struct option_info *info = option_info(option);
    const struct option_value *value = &options->values[option];
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
        option_format_number(info->type, value->number, out);
        break;
    case OPTION_TYPE_BOOLEAN:
        buf_append_cstr(out, value->number != 0 ? "true" : "false");
        break;
    case OPTION_TYPE_CHOICE:
        format_choice(info->choices, value->number, out);
        break;
    }
}
