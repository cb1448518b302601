/* SPDX-License-Identifier: Apache-2.0 */
#include "kinds/value.h"

#include <stdlib.h>

#include "base/mem.h"
#include "codec/time.h"
#include "filter/filter.h"

enum {
    LIST_ITEM_BYTES_MAX = 100,
    HOST_LABEL_BYTES_MAX = 63,
    DOCUMENT_DEPTH_MAX = 32, /* with what is around it, an event takes it */
};

static json_t *wrong(struct kind_errors *errors, const struct kind_field *field, const char *what)
{
    kind_wrong(errors, field->name, "%s", what);
    return NULL;
}

static slice text_of(const json_t *value)
{
    return (slice){(const uint8_t *)json_string_value(value), json_string_length(value)};
}

/* ---- Texts ---- */

static bool has_control(slice text, bool may_have_lines)
{
    for (size_t i = 0; i < text.len; i++) {
        uint8_t byte = text.ptr[i];
        bool is_space = may_have_lines && (byte == '\n' || byte == '\t');
        if ((byte < ' ' && !is_space) || byte == 0x7f) {
            return true;
        }
    }
    return false;
}

static json_t *take_text(const struct kind_field *field, const json_t *value,
                         struct kind_errors *errors)
{
    slice text = text_of(value);
    if ((int64_t)text.len < field->least || (int64_t)text.len > field->most) {
        kind_wrong(errors, field->name, "has %zu bytes; %lld to %lld are taken", text.len,
                   (long long)field->least, (long long)field->most);
        return NULL;
    }
    if (has_control(text, field->type == KIND_TEXT)) {
        return wrong(errors, field, "has control characters");
    }
    return json_copy((json_t *)(uintptr_t)value);
}

static bool byte_is_host(uint8_t byte)
{
    return (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'z') || byte == '-' ||
           byte == '_';
}

/* Labels of 1 to 63 letters, digits, '-' and '_', with dots between; an IPv6 address has colons. */
static bool is_host(slice text)
{
    size_t label = 0;
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == '.' || text.ptr[i] == ':') {
            if (label == 0 && text.ptr[i] == '.') {
                return false;
            }
            label = 0;
        } else if (!byte_is_host(text.ptr[i]) || ++label > HOST_LABEL_BYTES_MAX) {
            return false;
        }
    }
    return text.len > 0 && text.ptr[text.len - 1] != '.';
}

static json_t *take_host(const struct kind_field *field, const json_t *value,
                         struct kind_errors *errors)
{
    char lower[256] = "";
    slice text = text_of(value);
    if (text.len >= sizeof(lower)) {
        return wrong(errors, field, "is longer than a host name may be");
    }
    for (size_t i = 0; i < text.len; i++) {
        lower[i] = (char)byte_lower(text.ptr[i]);
    }
    return is_host((slice){(const uint8_t *)lower, text.len})
               ? json_stringn(lower, text.len)
               : wrong(errors, field, "is not a host name");
}

static json_t *take_email(const struct kind_field *field, const json_t *value,
                          struct kind_errors *errors)
{
    slice text = text_of(value);
    const uint8_t *at = text.len > 0 ? memchr(text.ptr, '@', text.len) : NULL;
    bool is_plain = at != NULL && at > text.ptr && at + 1 < text.ptr + text.len &&
                    memchr(at + 1, '@', (size_t)(text.ptr + text.len - at - 1)) == NULL;
    for (size_t i = 0; i < text.len && is_plain; i++) {
        is_plain =
            text.ptr[i] > ' ' && text.ptr[i] < 0x7f && strchr("\"(),:;<>[]\\", text.ptr[i]) == NULL;
    }
    return is_plain ? take_text(field, value, errors)
                    : wrong(errors, field, "is not an e-mail address");
}

static json_t *take_url(const struct kind_field *field, const json_t *value,
                        struct kind_errors *errors)
{
    slice text = text_of(value);
    size_t scheme = 0;
    while (scheme < text.len && text.ptr[scheme] != ':') {
        uint8_t byte = text.ptr[scheme];
        if (!(byte >= 'a' && byte <= 'z') && byte != '+') {
            return wrong(errors, field, "is not an absolute URL with its scheme in lower case");
        }
        scheme++;
    }
    for (size_t i = scheme; i < text.len; i++) {
        if (text.ptr[i] <= ' ' || text.ptr[i] >= 0x7f) {
            return wrong(errors, field, "has characters that a URL must escape");
        }
    }
    return scheme > 0 && scheme + 1 < text.len
               ? take_text(field, value, errors)
               : wrong(errors, field, "is not an absolute URL with its scheme in lower case");
}

static json_t *take_time(const struct kind_field *field, const json_t *value,
                         struct kind_errors *errors)
{
    int64_t time_us = 0;
    char text[TIME_TEXT_BYTES];
    if (!time_parse_rfc3339(text_of(value), &time_us)) {
        return wrong(errors, field, "is not a time as RFC 3339 writes it");
    }
    time_format_rfc3339(time_us, text);
    return json_stringn(text, sizeof(text));
}

static json_t *take_filter(const struct kind_field *field, const json_t *value,
                           struct kind_errors *errors)
{
    CLEANUP(arena_release) struct arena arena = ARENA_INIT(MIB(1));
    const struct filter_context context = {0};
    const struct filter *filter = NULL;
    struct diag diag = {0};
    json_t *taken = take_text(field, value, errors);
    if (taken != NULL && filter_parse(text_of(value), &context, &arena, &filter, &diag) != OK) {
        kind_wrong(errors, field->name, "%s: %s", diag.where, diag.text);
        json_decref(taken);
        return NULL;
    }
    filter_release(filter);
    return taken;
}

/* ---- Choices and lists ---- */

bool value_is_choice(const char *choices, const char *word)
{
    size_t len = strlen(word);
    for (const char *at = choices; *at != '\0';) {
        size_t next = strcspn(at, " ");
        if (next == len && memcmp(at, word, len) == 0) {
            return true;
        }
        at += next;
        at += *at == ' ' ? 1 : 0;
    }
    return false;
}

static json_t *take_choice(const struct kind_field *field, const json_t *value,
                           struct kind_errors *errors)
{
    if (!value_is_choice(field->choices, json_string_value(value))) {
        kind_wrong(errors, field->name, "is none of: %s", field->choices);
        return NULL;
    }
    return json_copy((json_t *)(uintptr_t)value);
}

static bool item_is_fine(const struct kind_field *field, const json_t *item)
{
    if (!json_is_string(item)) {
        return false;
    }
    if (field->type == KIND_CHOICES) {
        return value_is_choice(field->choices, json_string_value(item));
    }
    slice text = text_of(item);
    return text.len > 0 && text.len <= LIST_ITEM_BYTES_MAX && !has_control(text, false);
}

static bool is_repeated(const json_t *list, size_t at)
{
    for (size_t i = 0; i < at; i++) {
        if (json_equal(json_array_get(list, i), json_array_get(list, at))) {
            return true;
        }
    }
    return false;
}

static json_t *take_list(const struct kind_field *field, const json_t *value,
                         struct kind_errors *errors)
{
    size_t count = json_array_size(value);
    if ((int64_t)count < field->least || (int64_t)count > field->most) {
        kind_wrong(errors, field->name, "has %zu entries; %lld to %lld are taken", count,
                   (long long)field->least, (long long)field->most);
        return NULL;
    }
    for (size_t i = 0; i < count; i++) {
        if (!item_is_fine(field, json_array_get(value, i))) {
            kind_wrong(errors, field->name, "entry %zu is none of: %s", i,
                       field->choices != NULL ? field->choices : "names of 1 to 100 bytes");
            return NULL;
        }
        if (is_repeated(value, i)) {
            kind_wrong(errors, field->name, "entry %zu is there twice", i);
            return NULL;
        }
    }
    return json_deep_copy(value);
}

/* ---- Others ---- */

static json_t *take_integer(const struct kind_field *field, const json_t *value,
                            struct kind_errors *errors)
{
    json_int_t number = json_integer_value(value);
    if (number < field->least || number > field->most) {
        kind_wrong(errors, field->name, "is not within %lld to %lld", (long long)field->least,
                   (long long)field->most);
        return NULL;
    }
    return json_integer(number);
}

static bool is_deeper(const json_t *value, uint32_t depth)
{
    const char *name = NULL;
    json_t *member = NULL;
    size_t i = 0;
    if (depth == 0) {
        return json_is_object(value) || json_is_array(value);
    }
    json_object_foreach((json_t *)(uintptr_t)value, name, member)
    {
        if (is_deeper(member, depth - 1)) {
            return true;
        }
    }
    json_array_foreach(value, i, member)
    {
        if (is_deeper(member, depth - 1)) {
            return true;
        }
    }
    return false;
}

static json_t *take_document(const struct kind_field *field, const json_t *value,
                             struct kind_errors *errors)
{
    if (is_deeper(value, DOCUMENT_DEPTH_MAX)) {
        kind_wrong(errors, field->name, "is nested deeper than %d", DOCUMENT_DEPTH_MAX);
        return NULL;
    }
    size_t bytes = json_dumpb(value, NULL, 0, KIND_JSON);
    if ((int64_t)bytes > field->most) {
        kind_wrong(errors, field->name, "has %zu bytes; %lld are taken", bytes,
                   (long long)field->most);
        return NULL;
    }
    return json_deep_copy(value);
}

struct type_info {
    const char *expected;
    json_type type;
    json_t *(*take)(const struct kind_field *field, const json_t *value,
                    struct kind_errors *errors);
};

static const struct type_info types[] = {
    [KIND_TEXT] = {"a string", JSON_STRING, take_text},
    [KIND_NAME] = {"a string", JSON_STRING, take_text},
    [KIND_HOST] = {"a host name", JSON_STRING, take_host},
    [KIND_EMAIL] = {"an e-mail address", JSON_STRING, take_email},
    [KIND_URL] = {"a URL", JSON_STRING, take_url},
    [KIND_INTEGER] = {"a whole number", JSON_INTEGER, take_integer},
    [KIND_BOOLEAN] = {"true or false", JSON_TRUE, NULL},
    [KIND_CHOICE] = {"a string", JSON_STRING, take_choice},
    [KIND_CHOICES] = {"a list of strings", JSON_ARRAY, take_list},
    [KIND_NAMES] = {"a list of strings", JSON_ARRAY, take_list},
    [KIND_TIME] = {"a time as RFC 3339 writes it", JSON_STRING, take_time},
    [KIND_FILTER] = {"a filter", JSON_STRING, take_filter},
    [KIND_DOCUMENT] = {"an object", JSON_OBJECT, take_document},
    [KIND_REFERENCE] = {"an id", JSON_STRING, take_text},
};

json_t *value_take(const struct kind_field *field, const json_t *value, struct kind_errors *errors)
{
    const struct type_info *info = &types[field->type];
    bool is_of_type =
        json_typeof(value) == info->type || (field->type == KIND_BOOLEAN && json_is_false(value));
    if (!is_of_type) {
        kind_wrong(errors, field->name, "expected %s", info->expected);
        return NULL;
    }
    return info->take != NULL ? info->take(field, value, errors)
                              : json_boolean(json_is_true(value));
}
