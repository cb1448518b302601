/* SPDX-License-Identifier: Apache-2.0 */
#include "gate/versions.h"

#define CHANGES(...)                                                                               \
    {                                                                                              \
        __VA_ARGS__                                                                                \
    }
#define VERSION(version, day, deprecated_by, announced_on, sunset_on, removed_by, list)            \
    {.name = (version),                                                                            \
     .released = (day),                                                                            \
     .life = {.introduced = (version),                                                             \
              .deprecated = (deprecated_by),                                                       \
              .announced = (announced_on),                                                         \
              .sunset = (sunset_on),                                                               \
              .removed = (removed_by)},                                                            \
     .changes = list},
static const struct version_entry entries[] = {
#include "gate/versions.def"
};
#undef VERSION
#undef CHANGES

const struct version_table all_versions = {entries, COUNT_OF(entries)};

/* ---- Numbers ---- */

static bool take_number(slice *text, size_t digits_max, uint16_t *out)
{
    unsigned number = 0;
    size_t digits = 0;
    while (digits < text->len && text->ptr[digits] >= '0' && text->ptr[digits] <= '9') {
        if (digits == digits_max) {
            return false;
        }
        number = number * 10 + (unsigned)(text->ptr[digits++] - '0');
    }
    (void)slice_take(text, digits);
    *out = (uint16_t)number;
    return digits > 0;
}

bool version_parse(slice text, struct version *out)
{
    struct version version = {0};
    (void)slice_take_literal(&text, SLICE("v"));
    bool is_fine = take_number(&text, 4, &version.major);
    if (is_fine && slice_take_literal(&text, SLICE("."))) {
        is_fine = take_number(&text, 4, &version.minor);
    }
    if (!is_fine || text.len > 0) {
        return false;
    }
    *out = version;
    return true;
}

int version_compare(struct version a, struct version b)
{
    return a.major != b.major ? (int)a.major - (int)b.major : (int)a.minor - (int)b.minor;
}

/* ---- Days ---- */

static uint8_t days_of(uint16_t year, uint8_t month)
{
    static const uint8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool is_leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return month == 2 && is_leap ? 29 : days[month - 1];
}

bool version_day_parse(slice text, struct version_day *out)
{
    uint16_t year = 0;
    uint16_t month = 0;
    uint16_t day = 0;
    if (text.len != 10 || !take_number(&text, 4, &year) || !slice_take_literal(&text, SLICE("-")) ||
        !take_number(&text, 2, &month) || !slice_take_literal(&text, SLICE("-")) ||
        !take_number(&text, 2, &day) || text.len > 0) {
        return false;
    }
    if (year < 1970 || month < 1 || month > 12 || day < 1 || day > days_of(year, (uint8_t)month)) {
        return false;
    }
    *out = (struct version_day){year, (uint8_t)month, (uint8_t)day};
    return true;
}

int version_day_compare(struct version_day a, struct version_day b)
{
    return ((int)a.year * 12 + a.month) * 31 + a.day - (((int)b.year * 12 + b.month) * 31 + b.day);
}

struct version_day version_day_add(struct version_day day, unsigned months)
{
    unsigned all = (unsigned)day.year * 12 + day.month - 1 + months;
    struct version_day later = {(uint16_t)(all / 12), (uint8_t)(all % 12 + 1), day.day};
    uint8_t last = days_of(later.year, later.month);
    later.day = later.day < last ? later.day : last;
    return later;
}

int64_t version_day_seconds(struct version_day day)
{
    int64_t days = day.day - 1;
    for (uint16_t year = 1970; year < day.year; year++) {
        days += days_of(year, 2) == 29 ? 366 : 365;
    }
    for (uint8_t month = 1; month < day.month; month++) {
        days += days_of(day.year, month);
    }
    return days * 86400;
}

/* ---- Where a version stands ---- */

bool version_release_day(const struct version_table *table, struct version version,
                         struct version_day *out)
{
    for (size_t i = 0; i < table->count; i++) {
        const struct version_entry *entry = &table->entries[i];
        struct version listed = {0};
        if (version_parse(slice_from_cstr(entry->name), &listed) &&
            version_compare(listed, version) == 0) {
            return entry->released != NULL &&
                   version_day_parse(slice_from_cstr(entry->released), out);
        }
    }
    return false;
}

/* Of a text of our own tables, which were checked. */
static struct version own_version(const char *text)
{
    struct version version = {0};
    ASSERT(version_parse(slice_from_cstr(text), &version));
    return version;
}

static bool is_reached(const struct version_table *table, const char *version)
{
    return version != NULL &&
           version_compare(own_version(version), own_version(table->entries[0].name)) <= 0;
}

bool version_is_removed(const struct version_table *table, const struct version_life *life)
{
    return life != NULL && is_reached(table, life->removed);
}

bool version_is_deprecated(const struct version_table *table, const struct version_life *life)
{
    return life != NULL && is_reached(table, life->deprecated);
}

enum version_status version_status(const struct version_table *table,
                                   const struct version_entry *entry)
{
    if (entry == table->entries) {
        return VERSION_CURRENT;
    }
    if (version_is_removed(table, &entry->life)) {
        return VERSION_REMOVED;
    }
    return version_is_deprecated(table, &entry->life) ? VERSION_DEPRECATED : VERSION_SUPPORTED;
}

const char *version_status_name(enum version_status status)
{
    static const char *const names[] = {"current", "supported", "deprecated", "removed"};
    return names[status];
}

/* ---- Negotiation ---- */

const struct version_entry *version_find(const struct version_table *table, slice text)
{
    struct version wanted = {0};
    if (!version_parse(text, &wanted)) {
        return NULL;
    }
    for (size_t i = 0; i < table->count; i++) {
        const struct version_entry *entry = &table->entries[i];
        if (version_compare(own_version(entry->name), wanted) == 0) {
            return version_is_removed(table, &entry->life) ? NULL : entry;
        }
    }
    return NULL;
}

const struct version_entry *version_negotiate(const struct version_table *table,
                                              const struct version_wishes *wishes)
{
    slice asked = wishes->accept_version.len > 0  ? wishes->accept_version
                  : wishes->x_api_version.len > 0 ? wishes->x_api_version
                                                  : wishes->api_version;
    const struct version_entry *found = asked.len > 0 ? version_find(table, asked) : NULL;
    if (found == NULL && wishes->organisation.len > 0) {
        found = version_find(table, wishes->organisation);
    }
    return found != NULL ? found : table->entries;
}

const struct version_entry *version_at_least(const struct version_table *table,
                                             const struct version_entry *entry,
                                             const struct version_life *life)
{
    if (life == NULL || life->introduced == NULL) {
        return entry;
    }
    struct version first = own_version(life->introduced);
    if (version_compare(own_version(entry->name), first) >= 0) {
        return entry;
    }
    const struct version_entry *introduced = version_find(table, slice_from_cstr(life->introduced));
    return introduced != NULL ? introduced : table->entries;
}
