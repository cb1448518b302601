/* SPDX-License-Identifier: Apache-2.0 */
#include "columns/rows.h"

#include "codec/time.h"
#include "columns/codes.h"
#include "columns/column.h"

#define ALL_FIELDS     (FIELD_BIT(FIELD_COUNT) - 1)
#define PAYLOAD_FIELDS (FIELD_BIT(FIELD_EVENT_DATA) | FIELD_BIT(FIELD_EVENT_METADATA))
static_assert(FIELD_COUNT < 64, "the set of all fields is one bit less than the next");

/* Where packed values are unpacked to, one behind the other. */
struct scratch {
    char *at;
    char *end;
};

/* Two ways of writing one value would give one line, but not be found by one filter: only the one
 * that the writer uses is right. */
static bool set_uuid(slice text, struct uuid *out)
{
    char again[UUID_TEXT_BYTES];
    if (!uuid_parse(text, out)) {
        return false;
    }
    uuid_format(out, again);
    return memcmp(again, text.ptr, sizeof(again)) == 0;
}

static bool is_number_of(enum field field, int64_t number)
{
    switch (fields[field].type) {
    case TYPE_TIME:
        return number >= 0 && number <= TIME_US_MAX;
    case TYPE_INTEGER:
        return number >= 0 && number <= (int64_t)fields[field].max;
    case TYPE_BOOLEAN:
        return number == 0 || number == 1;
    case TYPE_UUID:
    case TYPE_TEXT:
    case TYPE_ADDRESS:
    case TYPE_CHOICE:
    case TYPE_JSON:
        break;
    }
    return false;
}

static bool set_text(struct event *event, enum field field, slice text)
{
    if (fields[field].type == TYPE_UUID) {
        if (!set_uuid(text, &event->value[field].uuid)) {
            return false;
        }
    } else {
        event->value[field].text = text;
    }
    event->present |= FIELD_BIT(field);
    return true;
}

static enum err read_text(const struct rows *rows, uint32_t row, enum field field,
                          struct scratch *scratch, struct event *out)
{
    struct rows_text_column column;
    if (!rows->ops->text_column(rows, field, &column)) {
        return OK;
    }
    uint32_t code = code_of_row(&column, row);
    if (column.has_absent && code == 0) {
        return OK;
    }
    uint32_t index = code - (column.has_absent ? 1 : 0);
    if (index >= column.value_count) {
        return ERR_CORRUPT;
    }
    ASSERT(scratch->end - scratch->at >= ROWS_TEXT_SCRATCH_BYTES);
    slice text = column.ops->text_value(&column, index, scratch->at);
    if (text.ptr == NULL || !set_text(out, field, text)) {
        return ERR_CORRUPT;
    }
    if (text.ptr == (const uint8_t *)scratch->at) {
        scratch->at += text.len;
    }
    return OK;
}

static enum err read_number(const struct rows *rows, uint32_t row, enum field field,
                            struct event *out)
{
    int64_t number = ROWS_ABSENT;
    if (!rows->ops->numbers(rows, field, row, 1, &number) || number == ROWS_ABSENT) {
        return OK;
    }
    if (!is_number_of(field, number)) {
        return ERR_CORRUPT;
    }
    out->value[field].number = number;
    out->present |= FIELD_BIT(field);
    return OK;
}

static enum err read_columns(const struct rows *rows, uint32_t row, uint64_t wanted, char *scratch,
                             struct event *out)
{
    struct scratch rest = {scratch, scratch + ROWS_EVENT_SCRATCH_BYTES};
    for (; wanted != 0; wanted &= wanted - 1) {
        enum field field = (enum field)__builtin_ctzll(wanted);
        if (field_is_text_column(field)) {
            TRY(read_text(rows, row, field, &rest, out));
        } else if (field_is_number_column(field)) {
            TRY(read_number(rows, row, field, out));
        } else if (field == FIELD_EVENT_ID) {
            rows->ops->id(rows, row, &out->value[field].uuid);
            out->present |= FIELD_BIT(field);
        }
    }
    return OK;
}

static enum err read_payload(struct rows_reader *reader, uint32_t row, struct event *out)
{
    slice data = {0};
    slice metadata = {0};
    TRY(reader->rows->ops->payload(reader, row, &data, &metadata));
    if (data.len > 0) {
        (void)set_text(out, FIELD_EVENT_DATA, data);
    }
    if (metadata.len > 0) {
        (void)set_text(out, FIELD_EVENT_METADATA, metadata);
    }
    return OK;
}

enum err rows_event_fields(struct rows_reader *reader, uint32_t row, uint64_t wanted, char *scratch,
                           struct event *out)
{
    const struct rows *rows = reader->rows;
    ASSERT(row < rows->count);
    if (rows->erased != NULL && row_set_has(rows->erased, row)) {
        return ERR_GONE;
    }
    out->present = 0;
    TRY(read_columns(rows, row, wanted & ALL_FIELDS, scratch, out));
    return (wanted & PAYLOAD_FIELDS) != 0 ? read_payload(reader, row, out) : OK;
}

enum err rows_event(struct rows_reader *reader, uint32_t row, char *scratch, struct event *out)
{
    return rows_event_fields(reader, row, ALL_FIELDS, scratch, out);
}
