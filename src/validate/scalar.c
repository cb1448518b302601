/* SPDX-License-Identifier: Apache-2.0 */
/* The keywords about a value by itself: its type, what it may be, numbers, strings, sizes. */
#include "validate/trial.h"

enum { HASHED_BYTES = 2, COUNTED_BYTES = 16 };

bool holds_type(struct trial *trial, const struct assertion *assertion, const struct node *value)
{
    bool is_number = value->kind == JSON_IS_NUMBER;
    if ((assertion->types & KIND_BIT(value->kind)) != 0) {
        return true;
    }
    if (is_number && (assertion->types & ABOUT_INTEGER) != 0) {
        if (!trial_pays(trial, value->text.len / COUNTED_BYTES)) {
            return false;
        }
        if (number_is_integer(value->text)) {
            return true;
        }
    }
    slice wanted = name_excerpt(assertion->source->raw);
    return trial_violated(trial, value, "type", assertion->source, "%s where %.*s is expected",
                          kind_phrase(value->kind), SLICE_ARG(wanted));
}

/* The first constant whose hash is not less. */
static uint32_t lower_bound(const struct assertion *assertion, uint64_t hash)
{
    uint32_t from = 0;
    uint32_t to = assertion->constants.count;
    while (from < to) {
        uint32_t middle = from + (to - from) / 2;
        if (assertion->constants.list[middle].hash < hash) {
            from = middle + 1;
        } else {
            to = middle;
        }
    }
    return from;
}

/* What is hashed and compared. Of a member's name, which is checked as a string, that is all. */
static size_t bytes_of(const struct node *value)
{
    return value->kind == JSON_IS_STRING ? value->text.len : value->raw.len;
}

static bool is_listed(struct trial *trial, const struct assertion *assertion,
                      const struct node *value)
{
    uint64_t hash = 0;
    if ((assertion->constants.kinds & KIND_BIT(value->kind)) == 0 ||
        !trial_pays(trial, bytes_of(value) / HASHED_BYTES) ||
        !trial_goes_on(trial, document_hash(value, trial->arena, &hash))) {
        return false;
    }
    uint32_t at = lower_bound(assertion, hash);
    const struct constant *list = assertion->constants.list;
    for (; at < assertion->constants.count && list[at].hash == hash; at++) {
        bool same = false;
        size_t bytes = bytes_of(value) + bytes_of(list[at].value);
        if (!trial_pays(trial, 1 + bytes / HASHED_BYTES) ||
            !trial_goes_on(trial, document_same(value, list[at].value, trial->arena, &same))) {
            return false;
        }
        if (same) {
            return true;
        }
    }
    return false;
}

bool holds_constants(struct trial *trial, const struct assertion *assertion,
                     const struct node *value)
{
    if (is_listed(trial, assertion, value)) {
        return true;
    }
    if (strcmp(assertion->name, "const") == 0) {
        return trial_violated(trial, value, assertion->name, assertion->source,
                              "is not the one value that is allowed");
    }
    return trial_violated(trial, value, assertion->name, assertion->source,
                          "is none of the %u values that are allowed", assertion->constants.count);
}

/* ---- Numbers ---- */

/* How the value compares with the keyword's number. False: the trial has ended. */
static bool compare(struct trial *trial, const struct assertion *assertion,
                    const struct node *value, int *order)
{
    if (!trial_pays(trial, (value->text.len + assertion->number.len) / COUNTED_BYTES)) {
        return false;
    }
    *order = json_decimal_compare(value->text, assertion->number);
    return true;
}

static bool out_of_range(struct trial *trial, const struct assertion *assertion,
                         const struct node *value, const char *relation)
{
    slice bound = name_excerpt(assertion->number);
    return trial_violated(trial, value, assertion->name, assertion->source, "must be %s %.*s",
                          relation, SLICE_ARG(bound));
}

bool holds_minimum(struct trial *trial, const struct assertion *assertion, const struct node *value)
{
    int order = 0;
    return compare(trial, assertion, value, &order) &&
           (order >= 0 || out_of_range(trial, assertion, value, "at least"));
}

bool holds_maximum(struct trial *trial, const struct assertion *assertion, const struct node *value)
{
    int order = 0;
    return compare(trial, assertion, value, &order) &&
           (order <= 0 || out_of_range(trial, assertion, value, "at most"));
}

bool holds_above(struct trial *trial, const struct assertion *assertion, const struct node *value)
{
    int order = 0;
    return compare(trial, assertion, value, &order) &&
           (order > 0 || out_of_range(trial, assertion, value, "greater than"));
}

bool holds_below(struct trial *trial, const struct assertion *assertion, const struct node *value)
{
    int order = 0;
    return compare(trial, assertion, value, &order) &&
           (order < 0 || out_of_range(trial, assertion, value, "less than"));
}

bool holds_multiple(struct trial *trial, const struct assertion *assertion,
                    const struct node *value)
{
    bool is_multiple = false;
    if (!trial_pays(trial, value->text.len) ||
        !trial_goes_on(trial, number_is_multiple(value->text, assertion->divisor, trial->arena,
                                                 &is_multiple))) {
        return false;
    }
    slice divisor = name_excerpt(assertion->source->text);
    return is_multiple || trial_violated(trial, value, "multipleOf", assertion->source,
                                         "must be a multiple of %.*s", SLICE_ARG(divisor));
}

/* ---- Strings ---- */

static uint64_t code_points(slice text)
{
    uint64_t count = 0;
    for (size_t i = 0; i < text.len; i++) {
        count += (text.ptr[i] & 0xc0) != 0x80 ? 1 : 0;
    }
    return count;
}

bool holds_length_min(struct trial *trial, const struct assertion *assertion,
                      const struct node *value)
{
    if (!trial_pays(trial, value->text.len / COUNTED_BYTES)) {
        return false;
    }
    return code_points(value->text) >= assertion->count ||
           trial_violated(trial, value, "minLength", assertion->source,
                          "must have at least %llu characters",
                          (unsigned long long)assertion->count);
}

bool holds_length_max(struct trial *trial, const struct assertion *assertion,
                      const struct node *value)
{
    if (!trial_pays(trial, value->text.len / COUNTED_BYTES)) {
        return false;
    }
    return code_points(value->text) <= assertion->count ||
           trial_violated(trial, value, "maxLength", assertion->source,
                          "must have at most %llu characters",
                          (unsigned long long)assertion->count);
}

bool holds_pattern(struct trial *trial, const struct assertion *assertion, const struct node *value)
{
    bool found = false;
    if (!trial_goes_on(trial, pattern_search(assertion->pattern, value->text, trial->work, &found,
                                             trial->diag))) {
        return false;
    }
    slice wanted = name_excerpt(assertion->source->text);
    return found || trial_violated(trial, value, "pattern", assertion->source,
                                   "does not match %.*s", SLICE_ARG(wanted));
}

bool holds_form(struct trial *trial, const struct assertion *assertion, const struct node *value)
{
    if (!trial_pays(trial, value->text.len / COUNTED_BYTES)) {
        return false;
    }
    slice wanted = assertion->source->text;
    return assertion->has_form(value->text) ||
           trial_violated(trial, value, "format", assertion->source, "is no %.*s",
                          SLICE_ARG(wanted));
}

/* ---- Sizes of arrays and objects ---- */

bool holds_count_min(struct trial *trial, const struct assertion *assertion,
                     const struct node *value)
{
    return value->count >= assertion->count ||
           trial_violated(trial, value, assertion->name, assertion->source,
                          "must have at least %llu %s", (unsigned long long)assertion->count,
                          value->kind == JSON_IS_ARRAY ? "elements" : "members");
}

bool holds_count_max(struct trial *trial, const struct assertion *assertion,
                     const struct node *value)
{
    return value->count <= assertion->count ||
           trial_violated(trial, value, assertion->name, assertion->source,
                          "must have at most %llu %s", (unsigned long long)assertion->count,
                          value->kind == JSON_IS_ARRAY ? "elements" : "members");
}
