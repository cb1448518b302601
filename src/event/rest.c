/* SPDX-License-Identifier: Apache-2.0 */
#include "event/reader.h"
#include "json/json.h"
#include "json/pointer.h"

enum { QUOTED_BYTES_MAX = 6 }; /* of one byte of a name: \u001f */

struct rest_member *rest_find(struct reader *reader, slice name)
{
    for (size_t i = 0; i < reader->rest_count; i++) {
        if (slice_equal(reader->rest[i].name, name) && reader->rest[i].value.kind != JSON_IS_NULL) {
            return &reader->rest[i];
        }
    }
    return NULL;
}

enum err rest_find_fields(struct reader *reader)
{
    struct rest_member *best[FIELD_COUNT]; /* read only where a bit of `found` is set */
    uint64_t found = 0;
    for (size_t i = 0; i < reader->rest_count; i++) {
        struct rest_member *member = &reader->rest[i];
        if (member->known == NULL || (reader->given & FIELD_BIT(member->known->field)) != 0) {
            continue;
        }
        enum field field = member->known->field;
        bool is_first = (found & FIELD_BIT(field)) == 0;
        if (!is_first && best[field]->known->rank < member->known->rank) {
            continue;
        }
        union value value;
        enum err e = value_from_json(field, &member->value, reader->arena, &value, NULL);
        if (e == OK) {
            reader_set(reader, field, value);
            best[field] = member;
            found |= FIELD_BIT(field);
        } else if (e != ERR_INVALID) {
            return diag_fail(reader->diag, e, "", "the event takes too much memory");
        }
    }
    for (; found != 0; found &= found - 1) {
        best[__builtin_ctzll(found)]->is_used = true;
    }
    return OK;
}

/* Bytes that the unused members need in event_metadata, at most. */
static enum err measure(const struct reader *reader, size_t *names_out, size_t *values_out)
{
    size_t names = 0;
    size_t values = 0;
    for (size_t i = 0; i < reader->rest_count; i++) {
        const struct rest_member *member = &reader->rest[i];
        if (member->is_used) {
            continue;
        }
        names += member->name.len;
        values += member->value.raw.len - member->value.spaces + sizeof("\"\":,");
        if (member->value.depth + 2 > reader->depth_max) {
            char where[sizeof(reader->diag->where)] = "";
            json_pointer_append(where, sizeof(where), member->name);
            return diag_fail(reader->diag, ERR_INVALID, where,
                             "is nested too deep to be kept in event_metadata");
        }
    }
    *names_out = names;
    *values_out = values;
    return OK;
}

static void write_members(const struct reader *reader, slice own, struct buf *out)
{
    if (own.len > 2) { /* more than {} */
        buf_append(out, (slice){own.ptr, own.len - 1});
    }
    uint8_t separator = own.len > 2 ? ',' : '{';
    for (size_t i = 0; i < reader->rest_count; i++) {
        const struct rest_member *member = &reader->rest[i];
        if (member->is_used) {
            continue;
        }
        buf_append_byte(out, separator);
        json_quote(out, member->name);
        buf_append_byte(out, ':');
        if (member->value.spaces == 0) {
            buf_append(out, member->value.raw);
        } else {
            json_compact(member->value.raw, out);
        }
        separator = ',';
    }
    buf_append_byte(out, '}');
}

/* The client's own members and ours share one object now: none may be there twice. */
static enum err check_clash(const struct reader *reader, slice metadata)
{
    struct diag clash = {0};
    enum err e = json_check(metadata, reader->depth_max, reader->arena, NULL, &clash);
    if (e == ERR_INVALID) {
        return diag_fail(reader->diag, e, clash.where, "is also a member of event_metadata");
    }
    return e == OK ? OK : diag_fail(reader->diag, e, "", "the event takes too much memory");
}

enum err rest_keep(struct reader *reader)
{
    size_t names = 0;
    size_t values = 0;
    TRY(measure(reader, &names, &values));
    if (values == 0) {
        return OK;
    }
    bool has_own = event_has(reader->event, FIELD_EVENT_METADATA);
    slice own = has_own ? reader->event->value[FIELD_EVENT_METADATA].text : (slice){0};
    size_t bytes = own.len + names * QUOTED_BYTES_MAX + values + 2;
    uint8_t *memory = arena_take(reader->arena, bytes);
    if (memory == NULL) {
        return diag_fail(reader->diag, ERR_LIMIT, "", "the event takes too much memory");
    }
    /* A buf over memory that is large enough never grows, so it never frees. */
    struct buf out = {.ptr = memory, .capacity = bytes, .max = bytes};
    write_members(reader, own, &out);
    ASSERT(!out.failed);
    if (out.len > fields[FIELD_EVENT_METADATA].max) {
        return diag_fail(reader->diag, ERR_LIMIT, field_pointer(FIELD_EVENT_METADATA),
                         "must have at most %u bytes, with all members of other names",
                         fields[FIELD_EVENT_METADATA].max);
    }
    if (own.len > 2) {
        TRY(check_clash(reader, buf_slice(&out)));
    }
    reader_set(reader, FIELD_EVENT_METADATA, (union value){.text = buf_slice(&out)});
    return OK;
}
