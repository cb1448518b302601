/* SPDX-License-Identifier: Apache-2.0 */
#include "event/complete.h"

#include "event/fresh_id.h"
#include "event/value.h"

enum { US_OF_SECOND = 1000000 };

static void set_text(struct event *event, enum field field, slice text)
{
    if (text.len > 0 && !event_has(event, field)) {
        event->value[field].text = text_cut(text, fields[field].max);
        event->present |= FIELD_BIT(field);
    }
}

static void fill_defaults(const struct read_options *options, struct event *event)
{
    ASSERT(event_has(event, FIELD_EVENT_TYPE));
    slice type = event->value[FIELD_EVENT_TYPE].text;
    const uint8_t *first = memchr(type.ptr, '.', type.len);
    const uint8_t *last = memrchr(type.ptr, '.', type.len);
    slice head = first == NULL ? type : (slice){type.ptr, (size_t)(first - type.ptr)};
    slice tail = type;
    if (last != NULL) {
        (void)slice_take(&tail, (size_t)(last - type.ptr) + 1);
    }
    set_text(event, FIELD_EVENT_CATEGORY, head);
    set_text(event, FIELD_EVENT_ACTION, tail);
    if (!event_has(event, FIELD_EVENT_TIMESTAMP)) {
        event->value[FIELD_EVENT_TIMESTAMP].number = options->now_us;
        event->present |= FIELD_BIT(FIELD_EVENT_TIMESTAMP);
    }
    if (!event_has(event, FIELD_EVENT_ID)) {
        event->value[FIELD_EVENT_ID].uuid = fresh_id(options->now_us);
        event->present |= FIELD_BIT(FIELD_EVENT_ID);
    }
}

static enum err check_age(const struct read_options *options, const struct event *event,
                          struct diag *diag)
{
    int64_t ahead_us = event->value[FIELD_EVENT_TIMESTAMP].number - options->now_us;
    const char *where = field_pointer(FIELD_EVENT_TIMESTAMP);
    if (options->past_us_max > 0 && -ahead_us > options->past_us_max) {
        return diag_fail(diag, ERR_INVALID, where, "is more than %lld seconds in the past",
                         (long long)(options->past_us_max / US_OF_SECOND));
    }
    if (options->future_us_max > 0 && ahead_us > options->future_us_max) {
        return diag_fail(diag, ERR_INVALID, where, "is more than %lld seconds in the future",
                         (long long)(options->future_us_max / US_OF_SECOND));
    }
    return OK;
}

enum err event_complete(const struct read_options *options, struct event *event, struct diag *diag)
{
    ASSERT(options->org.len > 0);
    ASSERT(options->now_us >= 0);
    fill_defaults(options, event);
    TRY(check_age(options, event, diag));
    event->value[FIELD_RECORDED_AT].number = options->now_us;
    event->value[FIELD_ORG].text = options->org;
    event->present |= FIELD_BIT(FIELD_RECORDED_AT) | FIELD_BIT(FIELD_ORG);
    if (options->source_format.len > 0) {
        event->value[FIELD_SOURCE_FORMAT].text = options->source_format;
        event->present |= FIELD_BIT(FIELD_SOURCE_FORMAT);
    }
    return OK;
}
