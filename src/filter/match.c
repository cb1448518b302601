/* SPDX-License-Identifier: Apache-2.0 */
#include "filter/filter.h"
#include "filter/regex.h"
#include "filter/tokens.h"
#include "filter/values.h"

bool value_holds(enum filter_op op, int order)
{
    switch (op) {
    case FILTER_EQUAL:
        return order == 0;
    case FILTER_LESS:
        return order < 0;
    case FILTER_LESS_EQUAL:
        return order <= 0;
    case FILTER_GREATER:
        return order > 0;
    case FILTER_GREATER_EQUAL:
        return order >= 0;
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
    return false;
}

static bool has_prefix(slice text, slice prefix)
{
    return slice_take_literal(&text, prefix);
}

static bool equal_text(const struct filter *leaf, slice text)
{
    if (leaf->network.byte_count > 0) {
        return network_has(&leaf->network, text);
    }
    return slice_equal(text, leaf->text);
}

/* Only choices compare as text, by rank. */
static bool compare_choice(const struct filter *leaf, slice text)
{
    int rank = choice_rank(leaf->field, text);
    return rank >= 0 && value_holds(leaf->op, rank < leaf->number ? -1 : rank > leaf->number);
}

bool filter_leaf_text(const struct filter *leaf, slice text)
{
    switch (leaf->op) {
    case FILTER_EQUAL:
        return equal_text(leaf, text);
    case FILTER_PREFIX:
        return has_prefix(text, leaf->text);
    case FILTER_REGEX:
        return regex_match(leaf->regex, text);
    case FILTER_LESS:
    case FILTER_LESS_EQUAL:
    case FILTER_GREATER:
    case FILTER_GREATER_EQUAL:
        return compare_choice(leaf, text);
    case FILTER_PRESENT:
        return true;
    case FILTER_WORDS:
        return words_match(leaf->text, text);
    case FILTER_ALL:
    case FILTER_AND:
    case FILTER_OR:
    case FILTER_NOT:
        break;
    }
    ASSERT(false);
    return false;
}

bool filter_leaf_number(const struct filter *leaf, int64_t number)
{
    if (leaf->op == FILTER_PRESENT) {
        return true;
    }
    ASSERT(leaf->has_number);
    return value_holds(leaf->op, number < leaf->number ? -1 : number > leaf->number);
}

bool filter_leaf_uuid(const struct filter *leaf, const struct uuid *uuid)
{
    if (leaf->op == FILTER_EQUAL) {
        return uuid_equal(uuid, &leaf->uuid);
    }
    char text[UUID_TEXT_BYTES];
    uuid_format(uuid, text);
    return filter_leaf_text(leaf, (slice){(const uint8_t *)text, sizeof(text)});
}

static bool match_field(const struct filter *leaf, const struct event *event, enum field field)
{
    const union value *value = &event->value[field];
    switch (fields[field].type) {
    case TYPE_UUID:
        return filter_leaf_uuid(leaf, &value->uuid);
    case TYPE_TIME:
    case TYPE_INTEGER:
    case TYPE_BOOLEAN:
        return filter_leaf_number(leaf, value->number);
    case TYPE_TEXT:
    case TYPE_ADDRESS:
    case TYPE_CHOICE:
        return filter_leaf_text(leaf, value->text);
    case TYPE_JSON:
        break;
    }
    ASSERT(leaf->op == FILTER_PRESENT);
    return true;
}

static bool match_json(const struct filter *leaf, const struct event *event, enum field field)
{
    return event_has(event, field) && filter_leaf_json(leaf, event->value[field].text);
}

uint64_t filter_words_fields(void)
{
    uint64_t set = 0;
    for (size_t i = 0; i < FIELD_COUNT; i++) {
        enum field_type type = fields[i].type;
        bool is_text = type == TYPE_TEXT || type == TYPE_ADDRESS || type == TYPE_CHOICE;
        set |= is_text || type == TYPE_UUID ? FIELD_BIT(i) : 0;
    }
    return set;
}

static bool match_words(const struct filter *leaf, const struct event *event)
{
    uint64_t left = event->present & filter_words_fields();
    for (; left != 0; left &= left - 1) {
        if (match_field(leaf, event, (enum field)__builtin_ctzll(left))) {
            return true;
        }
    }
    return match_json(leaf, event, FIELD_EVENT_DATA) ||
           match_json(leaf, event, FIELD_EVENT_METADATA);
}

static bool match_leaf(const struct filter *leaf, const struct event *event)
{
    switch (leaf->target) {
    case FILTER_ON_FIELD:
        return event_has(event, leaf->field) && match_field(leaf, event, leaf->field);
    case FILTER_ON_DATA:
        return match_json(leaf, event, FIELD_EVENT_DATA);
    case FILTER_ON_METADATA:
        return match_json(leaf, event, FIELD_EVENT_METADATA);
    case FILTER_ON_ANY:
        break;
    }
    return match_words(leaf, event);
}

/* Whether all (or, for an OR, not one) of the children answer `wanted`. */
static bool match_children(const struct filter *filter, const struct event *event, bool wanted)
{
    for (size_t i = 0; i < filter->child_count; i++) {
        if (filter_match(filter->children[i], event) != wanted) {
            return false;
        }
    }
    return true;
}

/* The depth of recursion is that of the tree, at most FILTER_DEPTH_MAX. */
bool filter_match(const struct filter *filter, const struct event *event)
{
    switch (filter->op) {
    case FILTER_ALL:
        return true;
    case FILTER_AND:
        return match_children(filter, event, true);
    case FILTER_OR:
        return !match_children(filter, event, false);
    case FILTER_NOT:
        return !filter_match(filter->children[0], event);
    case FILTER_EQUAL:
    case FILTER_PREFIX:
    case FILTER_REGEX:
    case FILTER_LESS:
    case FILTER_LESS_EQUAL:
    case FILTER_GREATER:
    case FILTER_GREATER_EQUAL:
    case FILTER_PRESENT:
    case FILTER_WORDS:
        break;
    }
    return match_leaf(filter, event);
}
