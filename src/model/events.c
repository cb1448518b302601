/* SPDX-License-Identifier: Apache-2.0 */
#include "model/events.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/mem.h"
#include "codec/time.h"

#define SECOND_US INT64_C(1000000)

static const char *const orgs[] = {"default", "acme", "other"};

static void set_text(struct event *event, enum field field, slice text)
{
    event->present |= FIELD_BIT(field);
    event->value[field].text = text;
}

static slice format_text(struct arena *arena, const char *name, uint64_t number)
{
    char text[64];
    slice copy = {0};
    (void)snprintf(text, sizeof(text), "%s-%" PRIu64, name, number);
    ASSERT(arena_copy(arena, slice_from_cstr(text), &copy));
    return copy;
}

/* ---- Events ---- */

/* Most events are a little later than the one before; some come late, together, or from far off. */
static int64_t odd_time(struct filter_random *random, uint64_t number)
{
    int64_t now_us = SAMPLE_NOW_US + (int64_t)number * SECOND_US;
    switch (random_below(random, 16)) {
    case 0:
        return 0;
    case 1:
        return TIME_US_MAX;
    case 2:
        return SAMPLE_NOW_US + (int64_t)random_below(random, 3) * 60 * SECOND_US;
    case 3:
    case 4:
        return now_us - (int64_t)random_below(random, 86400) * SECOND_US;
    case 5:
        return now_us + (int64_t)random_below(random, 600) * SECOND_US + 1;
    default:
        return now_us;
    }
}

static struct uuid odd_id(struct filter_random *random, int64_t time_us)
{
    uint8_t bytes[10];
    for (size_t i = 0; i < sizeof(bytes); i++) {
        bytes[i] = (uint8_t)random_below(random, 256);
    }
    struct uuid id = uuid_make_v7(time_us, bytes);
    if (random_below(random, 3) == 0) { /* a version that says nothing of time */
        for (size_t i = 0; i < 6; i++) {
            id.bytes[i] = (uint8_t)random_below(random, 256);
        }
        id.bytes[6] = (uint8_t)((id.bytes[6] & 0x0f) | 0x40);
    }
    return id;
}

/* A string that alone is larger than an entry of the tlog, or than a block of payload. */
static slice large_data(struct filter_random *random, struct arena *arena)
{
    size_t len = 1000 + (size_t)random_below(random, 90000);
    uint8_t *text = arena_take(arena, len);
    ASSERT(text != NULL);
    text[0] = text[len - 1] = '"';
    uint64_t letters = 0;
    for (size_t i = 1; i + 1 < len; i++) {
        letters = i % 32 == 1 ? random_below(random, UINT64_MAX) : letters >> 1;
        text[i] = (uint8_t)(i % 9 == 0 ? ' ' : 'a' + letters % 26);
    }
    return (slice){text, len};
}

void model_random_event(struct filter_random *random, uint64_t number, struct arena *arena,
                        struct event *out)
{
    CLEANUP(buf_release) struct buf json = BUF_INIT(MIB(1));
    slice copy = {0};
    random_event_json(random, &json);
    ASSERT(arena_copy(arena, buf_slice(&json), &copy));
    ASSERT(sample_event(copy, arena, out, NULL) == OK);
    int64_t time_us = odd_time(random, number);
    out->value[FIELD_EVENT_TIMESTAMP].number = time_us;
    out->value[FIELD_EVENT_ID].uuid = odd_id(random, time_us);
    out->value[FIELD_RECORDED_AT].number = SAMPLE_NOW_US + (int64_t)number * SECOND_US + 7;
    set_text(out, FIELD_ORG, slice_from_cstr(orgs[random_below(random, COUNT_OF(orgs))]));
    if (random_below(random, 3) > 0) {
        set_text(out, FIELD_CORRELATION_ID, format_text(arena, "flow", number / 4));
    }
    if (random_below(random, 3) == 0) {
        set_text(out, FIELD_RESOURCE_ID, format_text(arena, "thing", random_below(random, 20)));
    }
    if (random_below(random, 3) == 0) {
        set_text(out, FIELD_TRACE_ID, format_text(arena, "trace", number));
    }
}

/* ---- Offers ---- */

/* Says something else than what it repeats, most of the time. */
static void change(struct filter_random *random, struct arena *arena, struct event *event)
{
    switch (random_below(random, 5)) {
    case 0:
        set_text(event, FIELD_EVENT_TYPE, SLICE("changed.type"));
        break;
    case 1:
        event->value[FIELD_EVENT_TIMESTAMP].number ^= 1;
        break;
    case 2:
        set_text(event, FIELD_USER_AGENT, SLICE("curl")); /* which nothing stored has */
        break;
    case 3:
        set_text(event, FIELD_EVENT_METADATA, SLICE("{\"a\":1,\"b\":2}"));
        break;
    default: /* another organisation's event of the same id is another event */
        set_text(event, FIELD_ORG, format_text(arena, "org", random_below(random, 2)));
        break;
    }
}

static void repeat(struct filter_random *random, const struct event *event, struct arena *arena,
                   struct model_offer *out)
{
    out->event = *event;
    out->event.value[FIELD_RECORDED_AT].number += SECOND_US; /* never compared */
    if (random_below(random, 6) == 0) { /* seldom: one of them refuses a whole batch */
        change(random, arena, &out->event);
    }
    out->sent = out->event.present & ~(FIELD_BIT(FIELD_RECORDED_AT) | FIELD_BIT(FIELD_ORG));
    if (random_below(random, 3) == 0) { /* a client that leaves to the server what it may */
        out->sent &= ~FIELD_BIT(random_below(random, FIELD_COUNT));
        out->sent &= ~FIELD_BIT(FIELD_EVENT_TIMESTAMP);
    }
}

void model_random_offer(struct filter_random *random, const struct model *model,
                        const struct model_offer *earlier, size_t earlier_count,
                        struct arena *arena, struct model_offer *out)
{
    uint64_t kind = random_below(random, 8);
    if (kind == 0 && earlier_count > 0) {
        size_t at = (size_t)random_below(random, earlier_count);
        repeat(random, &earlier[at].event, arena, out);
    } else if (kind <= 2 && model->count > 0) {
        uint64_t seq = random_below(random, model->count);
        repeat(random, &model->events[seq].event, arena, out);
    } else {
        model_random_event(random, model->count + earlier_count, arena, &out->event);
        if (random_below(random, 40) == 0) {
            set_text(&out->event, FIELD_EVENT_DATA, large_data(random, arena));
        }
        out->sent = out->event.present & ~(FIELD_BIT(FIELD_RECORDED_AT) | FIELD_BIT(FIELD_ORG));
    }
}

/* ---- Filters ---- */

/* One value of a stored event, exactly. */
static void append_value(struct filter_random *random, const struct event *event, struct buf *out)
{
    static const enum field asked[] = {
        FIELD_EVENT_ID, FIELD_CORRELATION_ID, FIELD_TRACE_ID,        FIELD_RESOURCE_ID,
        FIELD_ORG,      FIELD_ACTOR_IP,       FIELD_PARENT_EVENT_ID, FIELD_DURATION_MS};
    enum field field = asked[random_below(random, COUNT_OF(asked))];
    char scratch[FIELD_TEXT_BYTES_MAX];
    if (!event_has(event, field)) {
        buf_append_format(out, "NOT %.*s:*", SLICE_ARG(fields[field].name));
        return;
    }
    slice text = event_value_text(event, field, scratch);
    buf_append_format(out, "%.*s:\"%.*s\"", SLICE_ARG(fields[field].name), SLICE_ARG(text));
}

static void append_bound(int64_t time_us, const char *operator, struct buf * out)
{
    char text[TIME_TEXT_BYTES];
    time_format_rfc3339(time_us, text);
    buf_append_format(out, "event_timestamp%s%.*s", operator, TIME_TEXT_BYTES, text);
}

static void append_range(struct filter_random *random, const struct model *model, struct buf *out)
{
    const struct event *a = &model->events[random_below(random, model->count)].event;
    const struct event *b = &model->events[random_below(random, model->count)].event;
    append_bound(a->value[FIELD_EVENT_TIMESTAMP].number, random_below(random, 2) ? ">" : ">=", out);
    if (random_below(random, 3) > 0) {
        buf_append_byte(out, ' ');
        append_bound(b->value[FIELD_EVENT_TIMESTAMP].number,
                     random_below(random, 2) ? "<" : "<=", out);
    }
}

void model_random_filter(struct filter_random *random, const struct model *model, struct buf *out)
{
    uint64_t kind = random_below(random, 10);
    if (kind == 0 || model->count == 0) {
        return; /* every event */
    }
    const struct event *some = &model->events[random_below(random, model->count)].event;
    if (kind <= 2) {
        append_value(random, some, out);
    } else if (kind == 3) {
        append_range(random, model, out);
    } else if (kind == 4) {
        append_value(random, some, out);
        buf_append_cstr(out, random_below(random, 2) ? " OR (" : " (");
        random_filter_text(random, out);
        buf_append_byte(out, ')');
    } else if (kind == 5) {
        append_range(random, model, out);
        buf_append_cstr(out, " (");
        random_filter_text(random, out);
        buf_append_byte(out, ')');
    } else {
        random_filter_text(random, out);
    }
}

slice model_random_org(struct filter_random *random)
{
    uint64_t kind = random_below(random, 8);
    if (kind < COUNT_OF(orgs)) {
        return slice_from_cstr(orgs[kind]);
    }
    return kind == 3 ? SLICE("nobody") : (slice){0};
}
