/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/time.h"
#include "filter/values.h"

#define SECOND_US INT64_C(1000000)
#define DAY_US    (24 * 3600 * SECOND_US)

enum { DATE_BYTES = 10 };

bool value_parse_time(slice text, int64_t *us_out)
{
    if (text.len != DATE_BYTES) {
        return time_parse_rfc3339(text, us_out);
    }
    uint8_t instant[DATE_BYTES + sizeof("T00:00:00Z") - 1];
    memcpy(instant, text.ptr, DATE_BYTES);
    memcpy(instant + DATE_BYTES, "T00:00:00Z", sizeof("T00:00:00Z") - 1);
    return time_parse_rfc3339((slice){instant, sizeof(instant)}, us_out);
}

/* Takes a number whose product with `unit_us` is a time. */
static bool take_count(slice *rest, int64_t *out)
{
    slice digits = slice_take_while(rest, byte_is_digit);
    int64_t number = 0;
    for (size_t i = 0; i < digits.len; i++) {
        number = number * 10 + (digits.ptr[i] - '0');
        if (number > TIME_US_MAX / SECOND_US) {
            return false;
        }
    }
    *out = number;
    return digits.len > 0;
}

/* "24h" and the like: how long ago. */
static bool parse_ago(slice text, int64_t now_us, int64_t *out_us)
{
    static const struct unit {
        slice name;
        int64_t us;
    } units[] = {
        {SLICE_INIT("s"), SECOND_US},        {SLICE_INIT("m"), 60 * SECOND_US},
        {SLICE_INIT("h"), 3600 * SECOND_US}, {SLICE_INIT("d"), DAY_US},
        {SLICE_INIT("w"), 7 * DAY_US},
    };
    int64_t count = 0;
    if (!take_count(&text, &count)) {
        return false;
    }
    for (size_t i = 0; i < COUNT_OF(units); i++) {
        if (slice_equal(text, units[i].name) && count <= now_us / units[i].us) {
            *out_us = now_us - count * units[i].us;
            return true;
        }
    }
    return false;
}

static bool parse_epoch_seconds(slice text, int64_t *out_us)
{
    int64_t seconds = 0;
    if (!take_count(&text, &seconds) || text.len > 0) {
        return false;
    }
    *out_us = seconds * SECOND_US;
    return true;
}

static bool parse_day_name(slice text, int64_t now_us, int64_t *out_us)
{
    int64_t today_us = now_us - now_us % DAY_US;
    if (slice_equal(text, SLICE("now"))) {
        *out_us = now_us;
    } else if (slice_equal(text, SLICE("today"))) {
        *out_us = today_us;
    } else if (slice_equal(text, SLICE("yesterday")) && today_us >= DAY_US) {
        *out_us = today_us - DAY_US;
    } else {
        return false;
    }
    return true;
}

bool filter_parse_time(slice text, int64_t now_us, int64_t *out_us)
{
    return value_parse_time(text, out_us) || parse_day_name(text, now_us, out_us) ||
           parse_epoch_seconds(text, out_us) || parse_ago(text, now_us, out_us);
}

/* A range of times; empty when `from_us` is past `to_us`. */
struct range {
    int64_t from_us, to_us;
};

static const struct range whole = {INT64_MIN, INT64_MAX};
static const struct range nothing = {INT64_MAX, INT64_MIN};

static struct range intersect(struct range a, struct range b)
{
    return (struct range){
        .from_us = a.from_us > b.from_us ? a.from_us : b.from_us,
        .to_us = a.to_us < b.to_us ? a.to_us : b.to_us,
    };
}

static struct range unite(struct range a, struct range b)
{
    if (a.from_us > a.to_us || b.from_us > b.to_us) {
        return a.from_us > a.to_us ? b : a;
    }
    return (struct range){
        .from_us = a.from_us < b.from_us ? a.from_us : b.from_us,
        .to_us = a.to_us > b.to_us ? a.to_us : b.to_us,
    };
}

static struct range leaf_range(const struct filter *leaf)
{
    if (leaf->target != FILTER_ON_FIELD || leaf->field != FIELD_EVENT_TIMESTAMP) {
        return whole;
    }
    int64_t us = leaf->number;
    switch (leaf->op) {
    case FILTER_EQUAL:
        return (struct range){us, us};
    case FILTER_LESS:
        return (struct range){INT64_MIN, us - 1};
    case FILTER_LESS_EQUAL:
        return (struct range){INT64_MIN, us};
    case FILTER_GREATER:
        return (struct range){us + 1, INT64_MAX};
    case FILTER_GREATER_EQUAL:
        return (struct range){us, INT64_MAX};
    case FILTER_ALL:
    case FILTER_AND:
    case FILTER_OR:
    case FILTER_NOT:
    case FILTER_PREFIX:
    case FILTER_REGEX:
    case FILTER_PRESENT:
    case FILTER_WORDS:
        break;
    }
    return whole;
}

static struct range filter_range(const struct filter *filter)
{
    if (filter->op != FILTER_AND && filter->op != FILTER_OR) {
        return leaf_range(filter); /* of NOT too: it says nothing */
    }
    struct range range = filter->op == FILTER_AND ? whole : nothing;
    for (size_t i = 0; i < filter->child_count; i++) {
        struct range child = filter_range(filter->children[i]);
        range = filter->op == FILTER_AND ? intersect(range, child) : unite(range, child);
    }
    return range;
}

void filter_time_bounds(const struct filter *filter, int64_t *from_us, int64_t *to_us)
{
    struct range range = intersect((struct range){*from_us, *to_us}, filter_range(filter));
    *from_us = range.from_us;
    *to_us = range.to_us;
}
