/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The event reader against jansson: what it accepts is JSON to jansson, too, and every member that
 * jansson finds is in the event with the same value: in its field, in event_metadata, or with the
 * whole body in event_data. Known differences of jansson, which are left out: numbers that overflow
 * its long or double, a NUL in a name.
 */
#include <arpa/inet.h>
#include <jansson.h>
#include <stdio.h>
#include <strings.h>
#include <time.h>

#include "event/read.h"
#include "event_input.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool jansson_differs_here(const json_error_t *error)
{
    enum json_error_code code = json_error_code(error);
    return code == json_error_numeric_overflow || code == json_error_null_byte_in_key;
}

/* ---- Values, read here once more ---- */

static bool same_address(const char *a, const char *b)
{
    uint8_t bytes_a[16];
    uint8_t bytes_b[16];
    for (int family = AF_INET; family != 0; family = family == AF_INET ? AF_INET6 : 0) {
        if (inet_pton(family, a, bytes_a) == 1) {
            return inet_pton(family, b, bytes_b) == 1 &&
                   memcmp(bytes_a, bytes_b, family == AF_INET ? 4 : 16) == 0;
        }
    }
    return false;
}

/* Of a text that the reader took: its form is right. */
static int64_t time_of(const char *text)
{
    struct tm tm = {0};
    char sign = '+';
    int hours = 0;
    int minutes = 0;
    int64_t us = 0;
    int at = 0;
    int got = sscanf(text, "%4d-%2d-%2d%*1[Tt]%2d:%2d:%2d%n", &tm.tm_year, &tm.tm_mon, &tm.tm_mday,
                     &tm.tm_hour, &tm.tm_min, &tm.tm_sec, &at);
    ASSERT(got == 6 && at == 19);
    const char *rest = text + at;
    if (*rest == '.') {
        rest++;
        for (int64_t unit = 100000; *rest >= '0' && *rest <= '9'; rest++, unit /= 10) {
            us += (*rest - '0') * unit;
        }
    }
    if (*rest != 'Z' && *rest != 'z') {
        sign = *rest;
        ASSERT(sscanf(rest + 1, "%2d:%2d", &hours, &minutes) == 2);
    }
    tm.tm_year -= 1900;
    tm.tm_mon -= 1;
    int64_t offset_s = ((int64_t)hours * 60 + minutes) * 60 * (sign == '-' ? -1 : 1);
    return ((int64_t)timegm(&tm) - offset_s) * 1000000 + us;
}

/* Whether `field` of the line says what a member of the document does. */
static bool same_value(enum field field, const json_t *ours, const json_t *sent)
{
    const char *a = json_string_value(ours);
    const char *b = json_string_value(sent);
    switch (fields[field].type) {
    case TYPE_UUID:
    case TYPE_CHOICE:
        return a != NULL && b != NULL && strcasecmp(a, b) == 0;
    case TYPE_TIME:
        return a != NULL && b != NULL && strlen(b) >= 20 && time_of(a) == time_of(b);
    case TYPE_ADDRESS:
        return a != NULL && b != NULL && same_address(a, b);
    case TYPE_TEXT:
    case TYPE_INTEGER:
    case TYPE_BOOLEAN:
    case TYPE_JSON:
        break;
    }
    return json_equal(ours, sent) == 1;
}

static const json_t *member(const json_t *object, slice name)
{
    char text[64];
    ASSERT(name.len < sizeof(text));
    (void)snprintf(text, sizeof(text), "%.*s", SLICE_ARG(name));
    return json_object_get(object, text);
}

/* Whether each member of one object is in another. */
static bool is_within(json_t *part, const json_t *whole)
{
    const char *name = NULL;
    json_t *value = NULL;
    json_object_foreach(part, name, value)
    {
        const json_t *other = json_object_get(whole, name);
        if (other == NULL || !json_equal(other, value)) {
            return false;
        }
    }
    return true;
}

/* Whether the event says what one member of the document does. */
static bool is_kept(const json_t *line, const char *name, json_t *value)
{
    const json_t *kept = json_object_get(json_object_get(line, "event_metadata"), name);
    enum field field = FIELD_EVENT_ID;
    bool is_known = field_find(slice_from_cstr(name), &field);
    if ((kept != NULL && json_equal(kept, value)) || (is_known && json_is_null(value))) {
        return true;
    }
    if (is_known && field == FIELD_EVENT_METADATA) { /* other members are there, too */
        return is_within(value, json_object_get(line, "event_metadata"));
    }
    const json_t *ours = is_known ? member(line, fields[field].name) : NULL;
    if (ours != NULL && same_value(field, ours, value)) {
        return true;
    }
    if (is_known && field == FIELD_ACTOR_IP) { /* no address */
        return json_equal(json_object_get(line, "source_address"), value);
    }
    return strcmp(name, "data") == 0 && json_equal(json_object_get(line, "event_data"), value);
}

static void compare(slice json, const struct event *event)
{
    json_error_t error = {0};
    struct buf text = BUF_INIT(MIB(8));
    const char *name = NULL;
    json_t *value = NULL;
    json_t *theirs = json_loadb((const char *)json.ptr, json.len,
                                JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &error);
    if (theirs == NULL) {
        ASSERT(jansson_differs_here(&error));
        return;
    }
    ASSERT(json_is_object(theirs));
    event_write_line(event, &text);
    json_t *line = json_loadb((const char *)text.ptr, text.len,
                              JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &error);
    ASSERT(line != NULL);
    bool is_whole = json_equal(json_object_get(line, "event_data"), theirs);
    json_object_foreach(theirs, name, value)
    {
        ASSERT(is_whole || is_kept(line, name, value));
    }
    json_decref(line);
    json_decref(theirs);
    buf_release(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct event_input input;
    if (event_input_read(&input, data, size) == OK) {
        compare(input.bytes, &input.event);
    }
    event_input_release(&input);
    return 0;
}
