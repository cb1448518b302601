/* SPDX-License-Identifier: Apache-2.0 */
#include "validate/forms.h"

#include "base/macros.h"
#include "codec/address.h"
#include "codec/hex.h"
#include "codec/uuid.h"

enum {
    HOST_BYTES_MAX = 253,
    LABEL_BYTES_MAX = 63,
    LOCAL_PART_BYTES_MAX = 64,
    MINUTES_OF_A_DAY = 24 * 60,
};

static bool is_letter(uint8_t byte)
{
    return ((unsigned)byte | 0x20) - 'a' < 26;
}

static bool is_hex(uint8_t byte)
{
    return hex_digit(byte) >= 0;
}

static bool is_one_of(uint8_t byte, slice bytes)
{
    return memchr(bytes.ptr, byte, bytes.len) != NULL;
}

/* ---- Dates and times ---- */

/* Just `count` digits at the front of *rest. */
static bool take_digits(slice *rest, size_t count, unsigned *out)
{
    unsigned number = 0;
    if (rest->len < count) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        if (!byte_is_digit(rest->ptr[i])) {
            return false;
        }
        number = number * 10 + (unsigned)(rest->ptr[i] - '0');
    }
    (void)slice_take(rest, count);
    *out = number;
    return true;
}

static unsigned days_of(unsigned year, unsigned month)
{
    static const uint8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool is_leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return month == 2 && is_leap ? 29 : days[month - 1];
}

static bool take_date(slice *rest)
{
    unsigned year = 0;
    unsigned month = 0;
    unsigned day = 0;
    return take_digits(rest, 4, &year) && slice_take_literal(rest, SLICE("-")) &&
           take_digits(rest, 2, &month) && month >= 1 && month <= 12 &&
           slice_take_literal(rest, SLICE("-")) && take_digits(rest, 2, &day) && day >= 1 &&
           day <= days_of(year, month);
}

/* Z or +hh:mm; *minutes is what local time is ahead of UTC. */
static bool take_offset(slice *rest, int *minutes)
{
    if (rest->len == 0) {
        return false;
    }
    uint8_t sign = slice_take(rest, 1).ptr[0];
    if (sign == 'Z' || sign == 'z') {
        *minutes = 0;
        return true;
    }
    unsigned hour = 0;
    unsigned minute = 0;
    if ((sign != '+' && sign != '-') || !take_digits(rest, 2, &hour) || hour > 23 ||
        !slice_take_literal(rest, SLICE(":")) || !take_digits(rest, 2, &minute) || minute > 59) {
        return false;
    }
    int ahead = (int)(hour * 60 + minute);
    *minutes = sign == '-' ? -ahead : ahead;
    return true;
}

static bool take_fraction(slice *rest)
{
    if (!slice_take_literal(rest, SLICE("."))) {
        return true;
    }
    return slice_take_while(rest, byte_is_digit).len > 0;
}

static bool take_time(slice *rest)
{
    unsigned hour = 0;
    unsigned minute = 0;
    unsigned second = 0;
    int ahead = 0;
    if (!take_digits(rest, 2, &hour) || hour > 23 || !slice_take_literal(rest, SLICE(":")) ||
        !take_digits(rest, 2, &minute) || minute > 59 || !slice_take_literal(rest, SLICE(":")) ||
        !take_digits(rest, 2, &second) || second > 60 || !take_fraction(rest) ||
        !take_offset(rest, &ahead)) {
        return false;
    }
    int utc = ((int)(hour * 60 + minute) - ahead + MINUTES_OF_A_DAY) % MINUTES_OF_A_DAY;
    return second < 60 || utc == MINUTES_OF_A_DAY - 1;
}

static bool is_date(slice text)
{
    return take_date(&text) && text.len == 0;
}

static bool is_time(slice text)
{
    return take_time(&text) && text.len == 0;
}

static bool is_date_time(slice text)
{
    bool has_t = take_date(&text) && text.len > 0 && (text.ptr[0] | 0x20) == 't';
    if (!has_t) {
        return false;
    }
    (void)slice_take(&text, 1);
    return is_time(text);
}

/* ---- Addresses and names ---- */

static bool is_uuid(slice text)
{
    struct uuid uuid;
    return uuid_parse(text, &uuid);
}

static bool is_address(slice text, bool is_v6)
{
    char normal[ADDRESS_TEXT_BYTES_MAX];
    size_t len = 0;
    bool has_colon = text.len > 0 && memchr(text.ptr, ':', text.len) != NULL;
    return has_colon == is_v6 && address_normalise(text, normal, &len);
}

static bool is_ipv4(slice text)
{
    return is_address(text, false);
}

static bool is_ipv6(slice text)
{
    return is_address(text, true);
}

static bool is_label_byte(uint8_t byte)
{
    return is_letter(byte) || byte_is_digit(byte) || byte == '-';
}

static bool is_hostname(slice text)
{
    if (text.len == 0 || text.len > HOST_BYTES_MAX) {
        return false;
    }
    do {
        slice label = slice_take_while(&text, is_label_byte);
        if (label.len == 0 || label.len > LABEL_BYTES_MAX || label.ptr[0] == '-' ||
            label.ptr[label.len - 1] == '-') {
            return false;
        }
        if (text.len == 0) {
            return true;
        }
    } while (slice_take_literal(&text, SLICE(".")));
    return false;
}

/* ---- Mail addresses ---- */

static bool is_atom_byte(uint8_t byte)
{
    return is_letter(byte) || byte_is_digit(byte) || is_one_of(byte, SLICE("!#$%&'*+-/=?^_`{|}~"));
}

static bool take_dotted_atoms(slice *rest)
{
    do {
        if (slice_take_while(rest, is_atom_byte).len == 0) {
            return false;
        }
    } while (slice_take_literal(rest, SLICE(".")));
    return true;
}

/* From the opening quote to behind the closing one; a backslash quotes any visible byte. */
static bool take_quoted_local(slice *rest)
{
    (void)slice_take(rest, 1);
    while (rest->len > 0) {
        uint8_t byte = slice_take(rest, 1).ptr[0];
        if (byte == '"') {
            return true;
        }
        if (byte == '\\' && rest->len > 0) {
            byte = slice_take(rest, 1).ptr[0];
        }
        if (byte < ' ' || byte > '~') {
            return false;
        }
    }
    return false;
}

static bool is_address_literal(slice text)
{
    if (!slice_take_literal(&text, SLICE("[")) || text.len == 0 || text.ptr[text.len - 1] != ']') {
        return false;
    }
    text.len--;
    return slice_take_literal(&text, SLICE("IPv6:")) ? is_ipv6(text) : is_ipv4(text);
}

static bool is_email(slice text)
{
    slice rest = text;
    bool is_quoted = text.len > 0 && text.ptr[0] == '"';
    if (!(is_quoted ? take_quoted_local(&rest) : take_dotted_atoms(&rest)) ||
        text.len - rest.len > LOCAL_PART_BYTES_MAX || !slice_take_literal(&rest, SLICE("@"))) {
        return false;
    }
    return is_hostname(rest) || is_address_literal(rest);
}

/* ---- URIs ---- */

static bool is_scheme_byte(uint8_t byte)
{
    return is_letter(byte) || byte_is_digit(byte) || byte == '+' || byte == '-' || byte == '.';
}

/* Unreserved, sub-delims, percent-encoded, and `more`: as many as there are. */
static void take_uri_bytes(slice *rest, slice more)
{
    while (rest->len > 0) {
        uint8_t byte = rest->ptr[0];
        if (byte == '%') {
            if (hex_byte((slice){rest->ptr + 1, rest->len - 1}) < 0) {
                return;
            }
            (void)slice_take(rest, 3);
            continue;
        }
        if (!is_letter(byte) && !byte_is_digit(byte) &&
            !is_one_of(byte, SLICE("-._~!$&'()*+,;=")) && !is_one_of(byte, more)) {
            return;
        }
        (void)slice_take(rest, 1);
    }
}

static bool take_ip_literal(slice *rest)
{
    const uint8_t *close = memchr(rest->ptr, ']', rest->len);
    if (close == NULL) {
        return false;
    }
    slice inside = slice_take(rest, (size_t)(close - rest->ptr) + 1);
    inside = (slice){inside.ptr + 1, inside.len - 2};
    if (slice_take_literal(&inside, SLICE("v")) || slice_take_literal(&inside, SLICE("V"))) {
        bool is_future = slice_take_while(&inside, is_hex).len > 0 &&
                         slice_take_literal(&inside, SLICE(".")) && inside.len > 0 &&
                         memchr(inside.ptr, '%', inside.len) == NULL;
        take_uri_bytes(&inside, SLICE(":"));
        return is_future && inside.len == 0;
    }
    return is_ipv6(inside);
}

static bool take_authority(slice *rest)
{
    slice user = *rest;
    take_uri_bytes(&user, SLICE(":"));
    if (slice_take_literal(&user, SLICE("@"))) {
        *rest = user;
    }
    if (rest->len > 0 && rest->ptr[0] == '[') {
        if (!take_ip_literal(rest)) {
            return false;
        }
    } else {
        take_uri_bytes(rest, SLICE(""));
    }
    if (slice_take_literal(rest, SLICE(":"))) {
        (void)slice_take_while(rest, byte_is_digit);
    }
    return rest->len == 0 || is_one_of(rest->ptr[0], SLICE("/?#"));
}

static bool is_uri(slice text)
{
    if (text.len == 0 || !is_letter(text.ptr[0])) {
        return false;
    }
    (void)slice_take_while(&text, is_scheme_byte);
    if (!slice_take_literal(&text, SLICE(":"))) {
        return false;
    }
    if (slice_take_literal(&text, SLICE("//")) && !take_authority(&text)) {
        return false;
    }
    take_uri_bytes(&text, SLICE(":@/"));
    if (slice_take_literal(&text, SLICE("?"))) {
        take_uri_bytes(&text, SLICE(":@/?"));
    }
    if (slice_take_literal(&text, SLICE("#"))) {
        take_uri_bytes(&text, SLICE(":@/?"));
    }
    return text.len == 0;
}

form_fn form_find(slice name)
{
    static const struct {
        slice name;
        form_fn has_form;
    } forms[] = {
        {SLICE_INIT("date-time"), is_date_time},
        {SLICE_INIT("date"), is_date},
        {SLICE_INIT("time"), is_time},
        {SLICE_INIT("uuid"), is_uuid},
        {SLICE_INIT("ipv4"), is_ipv4},
        {SLICE_INIT("ipv6"), is_ipv6},
        {SLICE_INIT("email"), is_email},
        {SLICE_INIT("hostname"), is_hostname},
        {SLICE_INIT("uri"), is_uri},
    };
    for (size_t i = 0; i < COUNT_OF(forms); i++) {
        if (slice_equal(forms[i].name, name)) {
            return forms[i].has_form;
        }
    }
    return NULL;
}
