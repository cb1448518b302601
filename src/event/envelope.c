/* SPDX-License-Identifier: Apache-2.0 */
#include "event/reader.h"

static bool is_string(const struct rest_member *member)
{
    return member != NULL && member->value.kind == JSON_IS_STRING;
}

/* {version?, service, operation, status, payload, source_payload?, attempt?, retry_reason?} */
static bool is_envelope_a(struct reader *reader)
{
    static const slice allowed[] = {
        SLICE_INIT("operation"),      SLICE_INIT("status"),  SLICE_INIT("payload"),
        SLICE_INIT("version"),        SLICE_INIT("attempt"), SLICE_INIT("retry_reason"),
        SLICE_INIT("source_payload"),
    };
    if (reader->given != FIELD_BIT(FIELD_SERVICE) || reader->refused != OK ||
        !is_string(rest_find(reader, SLICE("operation"))) ||
        rest_find(reader, SLICE("status")) == NULL || rest_find(reader, SLICE("payload")) == NULL) {
        return false;
    }
    for (size_t i = 0; i < reader->rest_count; i++) {
        size_t k = 0;
        while (k < COUNT_OF(allowed) && !slice_equal(reader->rest[i].name, allowed[k])) {
            k++;
        }
        if (k == COUNT_OF(allowed)) {
            return false;
        }
    }
    return true;
}

/* The whole body as event_data; no member of it goes anywhere else. */
static enum err body_is_data(struct reader *reader)
{
    union value value;
    if (reader->body.depth + 1 > reader->depth_max) {
        return diag_fail(reader->diag, ERR_INVALID, "",
                         "is nested too deep to be kept in event_data");
    }
    enum err e =
        value_from_json(FIELD_EVENT_DATA, &reader->body, reader->arena, &value, reader->diag);
    if (e != OK) {
        return diag_fail(reader->diag, e, "", "must have at most %u bytes",
                         fields[FIELD_EVENT_DATA].max);
    }
    reader_set(reader, FIELD_EVENT_DATA, value);
    reader->rest_count = 0;
    reader->refused = OK;
    return OK;
}

/* event_type = <service>.<operation>, as the envelope has them. */
static enum err type_of_parts(struct reader *reader)
{
    slice service = reader->event->value[FIELD_SERVICE].text;
    slice operation = {0};
    if (text_from_json(&rest_find(reader, SLICE("operation"))->value, reader->arena, &operation) !=
        OK) {
        return diag_fail(reader->diag, ERR_LIMIT, "", "the event takes too much memory");
    }
    size_t len = service.len + 1 + operation.len;
    uint8_t *type = arena_take(reader->arena, len);
    if (type == NULL) {
        return diag_fail(reader->diag, ERR_LIMIT, "", "the event takes too much memory");
    }
    memcpy(type, service.ptr, service.len);
    type[service.len] = '.';
    memcpy(type + service.len + 1, operation.ptr, operation.len);

    union value value;
    enum err e = value_from_text(FIELD_EVENT_TYPE, (slice){type, len}, reader->arena, &value, NULL);
    if (e != OK || operation.len == 0) {
        return diag_fail(reader->diag, ERR_INVALID, "/operation",
                         "makes no event type: <service>.<operation> has 1 to %u characters",
                         fields[FIELD_EVENT_TYPE].max);
    }
    reader_set(reader, FIELD_EVENT_TYPE, value);
    return OK;
}

static enum err open_a(struct reader *reader)
{
    reader->event->present &=
        FIELD_BIT(FIELD_SERVICE) | FIELD_BIT(FIELD_EVENT_ACTION) | FIELD_BIT(FIELD_EVENT_OUTCOME);
    if (reader->options->header_event_type.len == 0) {
        TRY(type_of_parts(reader));
    }
    return body_is_data(reader);
}

/* {version?, service, event_type, timestamp, data}: data is event_data. */
static enum err open_b(struct reader *reader)
{
    struct rest_member *data = rest_find(reader, SLICE("data"));
    uint64_t needed = FIELD_BIT(FIELD_SERVICE) | FIELD_BIT(FIELD_EVENT_TYPE);
    if (data == NULL || (reader->given & needed) != needed ||
        (reader->given & FIELD_BIT(FIELD_EVENT_DATA)) != 0 ||
        rest_find(reader, SLICE("timestamp")) == NULL) {
        return OK;
    }
    union value value;
    TRY(value_from_json(FIELD_EVENT_DATA, &data->value, reader->arena, &value, reader->diag));
    reader_set(reader, FIELD_EVENT_DATA, value);
    data->is_used = true;
    return OK;
}

enum err envelope_open(struct reader *reader)
{
    bool has_type = event_has(reader->event, FIELD_EVENT_TYPE) ||
                    (reader->given & FIELD_BIT(FIELD_EVENT_TYPE)) != 0;
    if (has_type) {
        return open_b(reader);
    }
    if (is_envelope_a(reader)) {
        return open_a(reader);
    }
    if (reader->options->header_event_type.len > 0) {
        reader->event->present = 0;
        reader->has_odd_ip = false;
        return body_is_data(reader);
    }
    return diag_fail(reader->diag, ERR_INVALID, field_pointer(FIELD_EVENT_TYPE), "is required");
}

const char *event_data_pointer(slice json)
{
    CLEANUP(arena_release) struct arena arena = ARENA_INIT(READ_LINE_BYTES_MAX);
    bool has_type = false;
    bool has_data = false;
    struct json_scan scan;
    json_scan_init(&scan, json, JSON_DEPTH_MAX, &arena);
    enum err e = json_scan_open_object(&scan);
    for (bool more = true; e == OK && more;) {
        slice name = {0};
        struct json_value value = {.kind = JSON_IS_NULL};
        e = json_scan_member(&scan, &name, &more);
        e = e == OK && more ? json_scan_value(&scan, &value) : e;
        const struct field_name *known = field_name_find(name);
        bool is_said = known != NULL && value.kind != JSON_IS_NULL;
        has_type |= is_said && known->field == FIELD_EVENT_TYPE;
        has_data |= is_said && known->field == FIELD_EVENT_DATA;
    }
    if (!has_type) {
        return ""; /* envelope A, or what came with a type in the headers */
    }
    return has_data ? "/event_data" : "/data";
}
