/* SPDX-License-Identifier: Apache-2.0 */
/*
 * All of it stands on the normal spelling of json/json.h: [-]<digits>e<power>, the digits without
 * zeros at either end. Such a number is an integer if its power is not negative.
 *
 *   a = A * 10^p is a multiple of m = M * 10^q  if and only if  M divides A * 10^(p-q)
 *
 * For p < q that is never so unless a is 0: 10 would divide A.
 */
#include "validate/number.h"

#include "json/json.h"

enum { NORMAL_BYTES = 64, EXTRA_BYTES = 20, COUNT_DIGITS_MAX = 19 };

struct normal {
    bool is_negative;
    slice digits; /* "0" for zero */
    int64_t power;
};

static struct normal normal_of(slice text)
{
    struct normal normal = {0};
    normal.is_negative = slice_take_literal(&text, SLICE("-"));
    const uint8_t *mark = memchr(text.ptr, 'e', text.len);
    normal.digits = text;
    if (mark == NULL) {
        return normal;
    }
    normal.digits = slice_take(&text, (size_t)(mark - text.ptr));
    (void)slice_take(&text, 1);
    bool is_small = slice_take_literal(&text, SLICE("-"));
    uint64_t power = 0;
    bool is_read = slice_parse_u64(text, &power); /* it is at most 10^15 and some digits */
    ASSERT(is_read);
    normal.power = is_small ? -(int64_t)power : (int64_t)power;
    return normal;
}

/* The normal spelling in `small` or, where that is too short, in the arena. */
static enum err read_normal(slice number, char small[NORMAL_BYTES], struct arena *arena,
                            struct normal *out)
{
    char *room = small;
    size_t room_bytes = NORMAL_BYTES;
    if (number.len + EXTRA_BYTES > NORMAL_BYTES) {
        room_bytes = number.len + EXTRA_BYTES;
        room = arena_take(arena, room_bytes);
        if (room == NULL) {
            return ERR_LIMIT;
        }
    }
    size_t len = json_decimal_normalise(number, room, room_bytes);
    ASSERT(len > 0);
    *out = normal_of((slice){(const uint8_t *)room, len});
    return OK;
}

enum err number_divisor_read(slice number, struct number_divisor *out)
{
    CLEANUP(arena_release) struct arena arena = ARENA_INIT(KIB(256));
    char small[NORMAL_BYTES];
    struct normal normal = {0};
    TRY(read_normal(number, small, &arena, &normal));
    if (normal.is_negative || slice_equal(normal.digits, SLICE("0"))) {
        return ERR_INVALID;
    }
    uint64_t digits = 0;
    if (normal.digits.len > NUMBER_DIVISOR_DIGITS_MAX || !slice_parse_u64(normal.digits, &digits)) {
        return ERR_LIMIT;
    }
    *out = (struct number_divisor){digits, normal.power};
    return OK;
}

static uint64_t multiply(uint64_t a, uint64_t b, uint64_t modulus)
{
    return (uint64_t)((__uint128_t)a * b % modulus);
}

static uint64_t power_of_ten(uint64_t power, uint64_t modulus)
{
    uint64_t result = 1 % modulus;
    uint64_t base = 10 % modulus;
    for (; power > 0; power >>= 1) {
        result = (power & 1) != 0 ? multiply(result, base, modulus) : result;
        base = multiply(base, base, modulus);
    }
    return result;
}

enum err number_is_multiple(slice number, struct number_divisor divisor, struct arena *arena,
                            bool *is_multiple_out)
{
    char small[NORMAL_BYTES];
    struct normal normal = {0};
    TRY(read_normal(number, small, arena, &normal));
    bool is_zero = slice_equal(normal.digits, SLICE("0"));
    if (is_zero || normal.power < divisor.power) {
        *is_multiple_out = is_zero;
        return OK;
    }
    uint64_t rest = 0;
    for (size_t i = 0; i < normal.digits.len; i++) {
        rest = (rest * 10 + (uint64_t)(normal.digits.ptr[i] - '0')) % divisor.digits;
    }
    uint64_t zeros = power_of_ten((uint64_t)(normal.power - divisor.power), divisor.digits);
    *is_multiple_out = multiply(rest, zeros, divisor.digits) == 0;
    return OK;
}

static bool has_only_digits(slice number)
{
    (void)slice_take_literal(&number, SLICE("-"));
    for (size_t i = 0; i < number.len; i++) {
        if ((unsigned)number.ptr[i] - '0' > 9) {
            return false;
        }
    }
    return true;
}

/* With a point, the last digit behind it that is not zero must be moved in front of it. */
bool number_is_integer(slice number)
{
    if (has_only_digits(number)) {
        return true;
    }
    CLEANUP(arena_release) struct arena arena = ARENA_INIT(number.len + KIB(32));
    char small[NORMAL_BYTES];
    struct normal normal = {0};
    enum err error = read_normal(number, small, &arena, &normal);
    ASSERT(error == OK);
    return normal.power >= 0;
}

bool number_to_count(slice number, uint64_t *out)
{
    CLEANUP(arena_release) struct arena arena = ARENA_INIT(number.len + KIB(32));
    char small[NORMAL_BYTES];
    struct normal normal = {0};
    enum err error = read_normal(number, small, &arena, &normal);
    ASSERT(error == OK);
    if (normal.power < 0 || (normal.is_negative && !slice_equal(normal.digits, SLICE("0")))) {
        return false;
    }
    uint64_t count = 0;
    if (normal.power > COUNT_DIGITS_MAX || !slice_parse_u64(normal.digits, &count)) {
        count = UINT64_MAX;
    }
    for (int64_t i = 0; i < normal.power && count < UINT64_MAX; i++) {
        count = count > UINT64_MAX / 10 ? UINT64_MAX : count * 10;
    }
    *out = count;
    return true;
}
