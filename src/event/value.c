/* SPDX-License-Identifier: Apache-2.0 */
#include "event/value.h"

#include "base/utf8.h"
#include "codec/address.h"
#include "codec/time.h"
#include "event/names.h"

static const char *const pointers[FIELD_COUNT] = {
#define FIELD(id, stored, name, type, max, flags, other_names) [FIELD_##id] = "/" name,
#include "event/fields.def"
#undef FIELD
};

const char *field_pointer(enum field field)
{
    return pointers[field];
}

static enum err invalid(enum field field, struct diag *diag, const char *sentence)
{
    return diag_fail(diag, ERR_INVALID, pointers[field], "%s", sentence);
}

static inline bool starts_character(uint8_t byte)
{
    return (byte & 0xc0) != 0x80;
}

slice text_cut(slice text, size_t characters)
{
    size_t at = 0;
    for (; at < text.len; at++) {
        if (starts_character(text.ptr[at]) && characters-- == 0) {
            break;
        }
    }
    return (slice){text.ptr, at};
}

static enum err text_value(enum field field, slice text, slice *out, struct diag *diag)
{
    size_t max = fields[field].max;
    if (text.len == 0) {
        return invalid(field, diag, "must not be empty");
    }
    if (text.len > max && text_cut(text, max).len < text.len) {
        return diag_fail(diag, ERR_INVALID, pointers[field], "must have at most %zu characters",
                         max);
    }
    *out = text;
    return OK;
}

static enum err address_value(enum field field, slice text, struct arena *arena, slice *out,
                              struct diag *diag)
{
    char normal[ADDRESS_TEXT_BYTES_MAX];
    size_t len = 0;
    if (!address_normalise(text, normal, &len)) {
        return invalid(field, diag, "must be an IPv4 or IPv6 address");
    }
    if (len == text.len && memcmp(normal, text.ptr, len) == 0) {
        *out = text;
        return OK;
    }
    if (!arena_copy(arena, (slice){(const uint8_t *)normal, len}, out)) {
        return diag_fail(diag, ERR_LIMIT, "", "the event takes too much memory");
    }
    return OK;
}

static enum err choice_value(enum field field, slice text, slice *out, struct diag *diag)
{
    if (choice_find(field, text, out)) {
        return OK;
    }
    return invalid(field, diag,
                   field == FIELD_SEVERITY
                       ? "must be one of debug info low notice warning medium error high critical "
                         "alert emergency"
                       : "must be one of success failure pending denied unknown");
}

/* A text without escapes that is known to be UTF-8. */
static enum err from_plain(enum field field, slice text, struct arena *arena, union value *out,
                           struct diag *diag)
{
    switch (fields[field].type) {
    case TYPE_UUID:
        return uuid_parse(text, &out->uuid) ? OK : invalid(field, diag, "must be a UUID");
    case TYPE_TIME:
        return time_parse_rfc3339(text, &out->number)
                   ? OK
                   : invalid(field, diag, "must be an RFC 3339 time of the years 1970 to 9999");
    case TYPE_TEXT:
        return text_value(field, text, &out->text, diag);
    case TYPE_ADDRESS:
        return address_value(field, text, arena, &out->text, diag);
    case TYPE_CHOICE:
        return choice_value(field, text, &out->text, diag);
    case TYPE_INTEGER:
        return invalid(field, diag, "must be an integer");
    case TYPE_BOOLEAN:
        return invalid(field, diag, "must be true or false");
    case TYPE_JSON:
        break;
    }
    return invalid(field, diag, "must be an object");
}

enum err value_from_text(enum field field, slice text, struct arena *arena, union value *out,
                         struct diag *diag)
{
    if (!utf8_is_valid(text) || (text.len > 0 && memchr(text.ptr, 0, text.len) != NULL)) {
        return invalid(field, diag, "must be UTF-8 without NUL");
    }
    return from_plain(field, text, arena, out, diag);
}

enum err text_from_json(const struct json_value *json, struct arena *arena, slice *out)
{
    ASSERT(json->kind == JSON_IS_STRING);
    slice inside = {json->raw.ptr + 1, json->raw.len - 2};
    if (!json->has_escapes) {
        *out = inside;
        return OK;
    }
    uint8_t *plain = arena_take(arena, inside.len);
    if (plain == NULL) {
        return ERR_LIMIT;
    }
    *out = (slice){plain, json_unescape(inside, plain)};
    return OK;
}

/* Decimal digits and nothing else: no sign, fraction or exponent. */
static enum err integer_value(enum field field, slice digits, int64_t *out, struct diag *diag)
{
    int64_t min = field == FIELD_RETENTION_DAYS ? 1 : 0;
    int64_t max = fields[field].max;
    int64_t number = 0;
    for (size_t i = 0; i < digits.len; i++) {
        if ((unsigned)digits.ptr[i] - '0' > 9) {
            return invalid(field, diag, "must be an integer, not negative");
        }
        number = number * 10 + (digits.ptr[i] - '0');
        number = number > max ? max + 1 : number;
    }
    if (number < min || number > max) {
        return diag_fail(diag, ERR_INVALID, pointers[field], "must be %d to %d", (int)min,
                         (int)max);
    }
    *out = number;
    return OK;
}

/* The value less its insignificant white space, which is usually what it already is. */
static enum err json_field_value(enum field field, const struct json_value *json,
                                 struct arena *arena, slice *out, struct diag *diag)
{
    size_t len = json->raw.len - json->spaces;
    if (field == FIELD_EVENT_METADATA && json->kind != JSON_IS_OBJECT) {
        return invalid(field, diag, "must be an object");
    }
    if (len > fields[field].max) {
        return diag_fail(diag, ERR_LIMIT, pointers[field], "must have at most %u bytes",
                         fields[field].max);
    }
    if (json->spaces == 0) {
        *out = json->raw;
        return OK;
    }
    uint8_t *copy = arena_take(arena, len);
    if (copy == NULL) {
        return diag_fail(diag, ERR_LIMIT, "", "the event takes too much memory");
    }
    *out = (slice){copy, json_compact_into(json->raw, copy)};
    return OK;
}

static enum err wrong_kind(enum field field, struct diag *diag)
{
    switch (fields[field].type) {
    case TYPE_INTEGER:
        return invalid(field, diag, "must be an integer");
    case TYPE_BOOLEAN:
        return invalid(field, diag, "must be true or false");
    case TYPE_UUID:
    case TYPE_TIME:
    case TYPE_TEXT:
    case TYPE_ADDRESS:
    case TYPE_CHOICE:
    case TYPE_JSON:
        break;
    }
    return invalid(field, diag, "must be a string");
}

static enum err string_value(enum field field, const struct json_value *json, struct arena *arena,
                             union value *out, struct diag *diag)
{
    slice text = {0};
    if (text_from_json(json, arena, &text) != OK) {
        return diag_fail(diag, ERR_LIMIT, "", "the event takes too much memory");
    }
    if (json->has_escapes && memchr(text.ptr, 0, text.len) != NULL) {
        return invalid(field, diag, "must not contain \\u0000");
    }
    return from_plain(field, text, arena, out, diag);
}

enum err value_from_json(enum field field, const struct json_value *json, struct arena *arena,
                         union value *out, struct diag *diag)
{
    enum field_type type = fields[field].type;
    if (type == TYPE_JSON) {
        return json_field_value(field, json, arena, &out->text, diag);
    }
    if (type == TYPE_BOOLEAN && (json->kind == JSON_IS_TRUE || json->kind == JSON_IS_FALSE)) {
        out->number = json->kind == JSON_IS_TRUE ? 1 : 0;
        return OK;
    }
    if (type == TYPE_INTEGER && json->kind == JSON_IS_NUMBER) {
        return integer_value(field, json->raw, &out->number, diag);
    }
    if (json->kind != JSON_IS_STRING || type == TYPE_BOOLEAN || type == TYPE_INTEGER) {
        return wrong_kind(field, diag);
    }
    return string_value(field, json, arena, out, diag);
}
