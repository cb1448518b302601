/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/time.h"

enum {
    SECONDS_OF_DAY = 86400,
    US_OF_SECOND = 1000000,
    DAYS_OF_ERA = 146097,      /* 400 years */
    DAYS_BEFORE_1970 = 719468, /* from 0000-03-01, where the eras begin */
    DATE_TIME_BYTES = 19,      /* 2026-01-15T00:00:01 */
};

/* Days since 1970 of a date. Years are counted from March, so that leap days come last. */
static int64_t days_of(unsigned year, unsigned month, unsigned day)
{
    unsigned march_year = month <= 2 ? year - 1 : year;
    unsigned era = march_year / 400;
    unsigned year_of_era = march_year % 400;
    unsigned day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
    unsigned day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return (int64_t)era * DAYS_OF_ERA + day_of_era - DAYS_BEFORE_1970;
}

static unsigned days_in_month(unsigned year, unsigned month)
{
    static const uint8_t days[12] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool is_leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return month == 2 && is_leap ? 29 : days[month - 1];
}

/* Two digits at `p`; bits of *bad are set when they are none. */
static inline unsigned two(const uint8_t *p, unsigned *bad)
{
    unsigned tens = (unsigned)p[0] - '0';
    unsigned ones = (unsigned)p[1] - '0';
    *bad |= (unsigned)(tens > 9) | (unsigned)(ones > 9);
    return tens * 10 + ones;
}

/* The fraction, if there is one: 1 or more digits behind a dot. */
static bool take_fraction(slice *rest, unsigned *us_out)
{
    unsigned us = 0;
    if (rest->len > 0 && rest->ptr[0] == '.') {
        unsigned unit = US_OF_SECOND / 10;
        size_t n = 1;
        while (n < rest->len && (unsigned)rest->ptr[n] - '0' <= 9) {
            us += ((unsigned)rest->ptr[n] - '0') * unit;
            unit /= 10; /* 0 from the seventh digit on: those are cut */
            n++;
        }
        if (n == 1) {
            return false;
        }
        (void)slice_take(rest, n);
    }
    *us_out = us;
    return true;
}

/* Z, or +hh:mm, or -hh:mm, and nothing behind it. */
static bool parse_offset(slice text, int64_t *seconds_out)
{
    if (text.len == 1 && (text.ptr[0] | 0x20) == 'z') {
        *seconds_out = 0;
        return true;
    }
    if (text.len != 6 || (text.ptr[0] != '+' && text.ptr[0] != '-') || text.ptr[3] != ':') {
        return false;
    }
    unsigned bad = 0;
    unsigned hours = two(text.ptr + 1, &bad);
    unsigned minutes = two(text.ptr + 4, &bad);
    if (bad != 0 || hours > 23 || minutes > 59) {
        return false;
    }
    int64_t seconds = (int64_t)hours * 3600 + (int64_t)minutes * 60;
    *seconds_out = text.ptr[0] == '-' ? -seconds : seconds;
    return true;
}

bool time_parse_rfc3339(slice text, int64_t *us_out)
{
    if (text.len <= DATE_TIME_BYTES) {
        return false;
    }
    slice rest = text;
    const uint8_t *p = slice_take(&rest, DATE_TIME_BYTES).ptr;
    unsigned bad = 0;
    unsigned year = two(p, &bad) * 100 + two(p + 2, &bad);
    unsigned month = two(p + 5, &bad);
    unsigned day = two(p + 8, &bad);
    unsigned hour = two(p + 11, &bad);
    unsigned minute = two(p + 14, &bad);
    unsigned second = two(p + 17, &bad);
    bad |= (unsigned)(p[4] != '-') | (unsigned)(p[7] != '-') | (unsigned)((p[10] | 0x20) != 't') |
           (unsigned)(p[13] != ':') | (unsigned)(p[16] != ':');
    if (bad != 0 || year == 0 || month - 1 > 11 || hour > 23 || minute > 59 || second > 59 ||
        day < 1 || day > days_in_month(year, month)) {
        return false;
    }
    unsigned fraction = 0;
    int64_t offset = 0;
    if (!take_fraction(&rest, &fraction) || !parse_offset(rest, &offset)) {
        return false;
    }
    int64_t seconds = days_of(year, month, day) * SECONDS_OF_DAY + (int64_t)hour * 3600 +
                      (int64_t)minute * 60 + second - offset;
    int64_t us = seconds * US_OF_SECOND + fraction;
    if (us < 0 || us > TIME_US_MAX) {
        return false;
    }
    *us_out = us;
    return true;
}

static inline void put_two(char *out, unsigned number)
{
    out[0] = (char)('0' + number / 10);
    out[1] = (char)('0' + number % 10);
}

void time_format_rfc3339(int64_t us, char out[TIME_TEXT_BYTES])
{
    ASSERT(us >= 0 && us <= TIME_US_MAX);
    uint64_t seconds = (uint64_t)us / US_OF_SECOND;
    unsigned fraction = (unsigned)((uint64_t)us % US_OF_SECOND);
    unsigned second_of_day = (unsigned)(seconds % SECONDS_OF_DAY);
    unsigned days = (unsigned)(seconds / SECONDS_OF_DAY) + DAYS_BEFORE_1970;
    unsigned day_of_era = days % DAYS_OF_ERA;
    unsigned year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    unsigned day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    unsigned march_month = (5 * day_of_year + 2) / 153;
    unsigned day = day_of_year - (153 * march_month + 2) / 5 + 1;
    unsigned month = march_month < 10 ? march_month + 3 : march_month - 9;
    unsigned year = days / DAYS_OF_ERA * 400 + year_of_era + (month <= 2 ? 1 : 0);

    memcpy(out, "0000-00-00T00:00:00.000000Z", TIME_TEXT_BYTES);
    put_two(out, year / 100);
    put_two(out + 2, year % 100);
    put_two(out + 5, month);
    put_two(out + 8, day);
    put_two(out + 11, second_of_day / 3600);
    put_two(out + 14, second_of_day / 60 % 60);
    put_two(out + 17, second_of_day % 60);
    put_two(out + 20, fraction / 10000);
    put_two(out + 22, fraction / 100 % 100);
    put_two(out + 24, fraction % 100);
}
