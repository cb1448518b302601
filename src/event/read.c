/* SPDX-License-Identifier: Apache-2.0 */
#include "event/read.h"

#include "event/complete.h"
#include "event/reader.h"

enum {
    DEPTH_DEFAULT = 64,
    REST_FIRST = 16,
};

static enum err out_of_memory(struct reader *reader)
{
    return diag_fail(reader->diag, ERR_LIMIT, "", "the event takes too much memory");
}

/* ---- The members ---- */

static enum err add_rest(struct reader *reader, slice name, const struct json_value *value,
                         const struct field_name *known)
{
    if (reader->rest_count == reader->rest_capacity) {
        size_t capacity = reader->rest_capacity == 0 ? REST_FIRST : reader->rest_capacity * 2;
        struct rest_member *rest = arena_take(reader->arena, capacity * sizeof(*rest));
        if (rest == NULL) {
            return out_of_memory(reader);
        }
        if (reader->rest_count > 0) {
            memcpy(rest, reader->rest, reader->rest_count * sizeof(*rest));
        }
        reader->rest = rest;
        reader->rest_capacity = capacity;
    }
    reader->rest[reader->rest_count++] = (struct rest_member){name, *value, known, false};
    return OK;
}

/* An invalid value is told only once the body turns out to be an event: what comes with a type
 * from the headers may hold anything. */
static void refuse(struct reader *reader, enum err code, const struct diag *why)
{
    if (reader->refused == OK) {
        reader->refused = code;
        reader->refusal = *why;
    }
}

static enum err take_field(struct reader *reader, enum field field, const struct json_value *value)
{
    struct diag why;
    reader->given |= FIELD_BIT(field);
    if ((fields[field].flags & FIELD_SERVER) != 0) {
        refuse(reader, diag_fail(&why, ERR_INVALID, field_pointer(field), "is set by the server"),
               &why);
        return OK;
    }
    enum err e = value_from_json(field, value, reader->arena, &reader->event->value[field], &why);
    if (e == OK) {
        reader->event->present |= FIELD_BIT(field);
        return OK;
    }
    if (e == ERR_INVALID && field == FIELD_ACTOR_IP && value->kind == JSON_IS_STRING) {
        reader->has_odd_ip = true;
        reader->odd_ip = *value;
        return OK;
    }
    refuse(reader, e, &why);
    return OK;
}

static enum err take_members(struct reader *reader, struct json_scan *scan)
{
    for (;;) {
        slice name = {0};
        struct json_value value;
        bool more = false;
        if (json_scan_member(scan, &name, &more) != OK ||
            (more && json_scan_value(scan, &value) != OK)) {
            return json_scan_fail(scan, reader->diag);
        }
        if (!more) {
            return OK;
        }
        uint32_t depth = value.depth + 1;
        reader->body.depth = depth > reader->body.depth ? depth : reader->body.depth;
        const struct field_name *known = field_name_find(name);
        if (known != NULL && value.kind == JSON_IS_NULL) {
            continue; /* says what saying nothing says */
        }
        if (known != NULL && known->rank == 0) {
            TRY(take_field(reader, known->field, &value));
        } else {
            TRY(add_rest(reader, name, &value, known));
        }
    }
}

static enum err take_body(struct reader *reader, slice json)
{
    struct json_scan scan;
    json_scan_init(&scan, json, reader->depth_max, reader->arena);
    uint8_t first = 0;
    (void)json_scan_peek(&scan, &first);
    const uint8_t *start = scan.at;
    size_t spaces = scan.spaces;
    if (json_scan_open_object(&scan) != OK) {
        return json_scan_fail(&scan, reader->diag);
    }
    reader->body = (struct json_value){.kind = JSON_IS_OBJECT, .depth = 1};
    TRY(take_members(reader, &scan));
    reader->body.raw = (slice){start, (size_t)(scan.at - start)};
    reader->body.spaces = scan.spaces - spaces;
    if (json_scan_end(&scan) != OK) {
        return json_scan_fail(&scan, reader->diag);
    }
    return OK;
}

/* ---- What the body does not say ---- */

/* actor_ip that is no address is a name or a proxy's chain: it goes to source_address. */
static enum err place_odd_ip(struct reader *reader)
{
    if (!reader->has_odd_ip) {
        return OK;
    }
    if (event_has(reader->event, FIELD_SOURCE_ADDRESS)) {
        return diag_fail(reader->diag, ERR_INVALID, field_pointer(FIELD_ACTOR_IP),
                         "must be an IPv4 or IPv6 address");
    }
    union value value;
    enum err e =
        value_from_json(FIELD_SOURCE_ADDRESS, &reader->odd_ip, reader->arena, &value, reader->diag);
    if (e != OK) {
        return diag_fail(reader->diag, e, field_pointer(FIELD_ACTOR_IP),
                         "must be an address, or a text of 1 to %u characters",
                         fields[FIELD_SOURCE_ADDRESS].max);
    }
    reader_set(reader, FIELD_SOURCE_ADDRESS, value);
    return OK;
}

static enum err take_header(struct reader *reader, enum field field, const char *header, slice text)
{
    if (text.len == 0 || event_has(reader->event, field)) {
        return OK;
    }
    union value value;
    struct diag why;
    enum err e = value_from_text(field, text, reader->arena, &value, &why);
    if (e != OK) {
        return diag_fail(reader->diag, e, "", "header %s %s", header, why.text);
    }
    reader_set(reader, field, value);
    return OK;
}

static enum err take_headers(struct reader *reader)
{
    const struct read_options *options = reader->options;
    TRY(take_header(reader, FIELD_EVENT_TYPE, "X-Event-Type", options->header_event_type));
    TRY(take_header(reader, FIELD_SERVICE, "X-Service", options->header_service));
    TRY(take_header(reader, FIELD_CORRELATION_ID, "X-Correlation-ID",
                    options->header_correlation_id));
    TRY(take_header(reader, FIELD_RESOURCE_TYPE, "X-Resource-Type", options->header_resource_type));
    return take_header(reader, FIELD_EVENT_OUTCOME, "X-Outcome", options->header_outcome);
}

static enum err read_event(struct reader *reader, slice json)
{
    if (json.len > READ_LINE_BYTES_MAX) {
        return diag_fail(reader->diag, ERR_LIMIT, "", "must have at most %d bytes",
                         READ_LINE_BYTES_MAX);
    }
    TRY(take_body(reader, json));
    TRY(rest_find_fields(reader));
    TRY(envelope_open(reader));
    if (reader->refused != OK) {
        if (reader->diag != NULL) {
            *reader->diag = reader->refusal;
        }
        return reader->refused;
    }
    TRY(place_odd_ip(reader));
    TRY(rest_keep(reader));
    return take_headers(reader);
}

enum err event_read(slice json, const struct read_options *options, struct arena *arena,
                    struct event *out, uint64_t *sent_out, struct diag *diag)
{
    struct reader reader;
    reader.options = options;
    reader.arena = arena;
    reader.event = out;
    reader.diag = diag;
    reader.given = 0;
    reader.has_odd_ip = false;
    reader.refused = OK;
    reader.rest = NULL;
    reader.rest_count = reader.rest_capacity = 0;
    reader.depth_max = options->depth_max == 0 ? DEPTH_DEFAULT : options->depth_max;
    out->present = 0;
    TRY(read_event(&reader, json));
    uint64_t sent = out->present;
    TRY(event_complete(options, out, diag));
    *sent_out = sent;
    return OK;
}
