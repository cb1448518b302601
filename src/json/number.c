/* SPDX-License-Identifier: Apache-2.0 */
#include "json/number.h"

#include "json/json.h"

#define EXPONENT_MAX INT64_C(1000000000000000) /* far beyond the length of any text in memory */

/*
 * A number as sign, significant digits and a power of ten:
 *     value = 0.d1 d2 d3 ... * 10^magnitude,   d1 and the last digit not zero.
 * The digits stay where they are in the text: from `first` on, `digits` of them, a dot among them
 * is skipped. Zero has no digits.
 */
struct decimal {
    const uint8_t *first;
    size_t digits;
    int64_t magnitude;
    bool is_negative;
};

bool json_is_number(slice text)
{
    if (text.len == 0) {
        return false;
    }
    const uint8_t *end = text.ptr + text.len;
    return json_number_end(text.ptr, end) == end;
}

/* The digits of an exponent, at most EXPONENT_MAX. */
static int64_t parse_exponent(const uint8_t *p, const uint8_t *end)
{
    bool is_negative = p < end && *p == '-';
    p += p < end && (*p == '-' || *p == '+') ? 1 : 0;
    int64_t number = 0;
    for (; json_is_digit(p, end); p++) {
        number = number * 10 + (*p - '0');
        number = number > EXPONENT_MAX ? EXPONENT_MAX : number;
    }
    return is_negative ? -number : number;
}

static struct decimal parse(slice text)
{
    struct decimal number = {0};
    const uint8_t *p = text.ptr;
    const uint8_t *end = text.ptr + text.len;
    number.is_negative = text.len > 0 && *p == '-';
    p += number.is_negative ? 1 : 0;

    int64_t whole_digits = 0; /* digits before the dot, counted from the first significant one */
    const uint8_t *last = NULL;
    size_t count = 0; /* digits from the first significant one up to here */
    bool has_dot = false;
    for (; p < end && (*p | 0x20) != 'e'; p++) {
        if (*p == '.') {
            has_dot = true;
            continue;
        }
        if (number.first == NULL && *p == '0') {
            whole_digits -= has_dot ? 1 : 0;
            continue;
        }
        number.first = number.first == NULL ? p : number.first;
        whole_digits += has_dot ? 0 : 1;
        count++;
        if (*p != '0') {
            last = p;
            number.digits = count;
        }
    }
    if (last == NULL) {
        return (struct decimal){0}; /* minus zero is zero */
    }
    number.magnitude = whole_digits + (p < end ? parse_exponent(p + 1, end) : 0);
    return number;
}

/* The next digit at *p, stepping over the dot. */
static inline uint8_t take_digit(const uint8_t **p)
{
    *p += **p == '.' ? 1 : 0;
    return *(*p)++;
}

/* As `parse` leaves them: magnitudes without signs. */
static int compare_digits(const struct decimal *a, const struct decimal *b)
{
    if (a->magnitude != b->magnitude) {
        return a->magnitude < b->magnitude ? -1 : 1;
    }
    const uint8_t *p = a->first;
    const uint8_t *q = b->first;
    size_t both = a->digits < b->digits ? a->digits : b->digits;
    for (size_t i = 0; i < both; i++) {
        int difference = take_digit(&p) - take_digit(&q);
        if (difference != 0) {
            return difference;
        }
    }
    return a->digits == b->digits ? 0 : a->digits < b->digits ? -1 : 1;
}

static int sign_of(const struct decimal *number)
{
    return number->digits == 0 ? 0 : number->is_negative ? -1 : 1;
}

int json_decimal_compare(slice a, slice b)
{
    struct decimal x = parse(a);
    struct decimal y = parse(b);
    int sign = sign_of(&x);
    if (sign != sign_of(&y)) {
        return sign < sign_of(&y) ? -1 : 1;
    }
    return sign == 0 ? 0 : sign * compare_digits(&x, &y);
}

size_t json_decimal_normalise(slice number, char *out, size_t out_bytes)
{
    struct decimal decimal = parse(number);
    if (decimal.digits == 0) {
        if (out_bytes > 0) {
            out[0] = '0';
        }
        return out_bytes > 0 ? 1 : 0;
    }
    char exponent[24];
    int64_t power = decimal.magnitude - (int64_t)decimal.digits;
    uint64_t rest = power < 0 ? (uint64_t)0 - (uint64_t)power : (uint64_t)power;
    size_t at = sizeof(exponent);
    do {
        exponent[--at] = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest > 0);
    if (power < 0) {
        exponent[--at] = '-';
    }
    exponent[--at] = 'e';
    size_t sign = decimal.is_negative ? 1 : 0;
    size_t len = sign + decimal.digits + (sizeof(exponent) - at);
    if (len > out_bytes) {
        return 0;
    }
    if (decimal.is_negative) {
        *out++ = '-';
    }
    const uint8_t *p = decimal.first;
    for (size_t i = 0; i < decimal.digits; i++) {
        *out++ = (char)take_digit(&p);
    }
    memcpy(out, exponent + at, sizeof(exponent) - at);
    return len;
}
