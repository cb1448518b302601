/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "base/hash.h"
#include "base/mem.h"
#include "event/read.h"
#include "json/json.h"

/*
 * Members of metadata are compared in a table of what is stored, so that a repeat with very many
 * members, in any order, costs no more than reading both. A slot holds a member's name and value;
 * names are as received, and since two spellings of one name are rare, a name that has escapes in
 * one of the two objects makes the repeat count as different only if its bytes differ.
 */
struct member {
    slice name;
    slice value;
};

struct table {
    struct member *slots;
    size_t mask;
    uint64_t secret; /* strangers choose the names */
};

static bool next_member(struct json_walk *walk, struct member *out, bool *damaged)
{
    struct json_item item;
    enum json_item_kind kind = json_walk_next(walk, &item);
    if (kind != JSON_KEY) {
        *damaged = kind != JSON_OBJECT_END;
        return false;
    }
    out->name = item.text;
    *damaged = !json_walk_value(walk, &out->value);
    return !*damaged;
}

static bool open_object(struct json_walk *walk, slice object)
{
    struct json_item item;
    json_walk_init(walk, object);
    return json_walk_next(walk, &item) == JSON_OBJECT_BEGIN;
}

static bool count_members(slice object, size_t *count)
{
    struct json_walk walk;
    struct member member;
    bool damaged = !open_object(&walk, object);
    *count = 0;
    while (!damaged && next_member(&walk, &member, &damaged)) {
        (*count)++;
    }
    return !damaged;
}

static struct member *find_slot(const struct table *table, slice name)
{
    size_t at = (size_t)hash_bytes(name, table->secret) & table->mask;
    while (table->slots[at].name.ptr != NULL && !slice_equal(table->slots[at].name, name)) {
        at = (at + 1) & table->mask;
    }
    return &table->slots[at];
}

static bool all_stored(struct table *table, slice stored, slice repeated)
{
    struct json_walk walk;
    struct member member;
    bool damaged = !open_object(&walk, stored);
    while (!damaged && next_member(&walk, &member, &damaged)) {
        *find_slot(table, member.name) = member;
    }
    damaged = damaged || !open_object(&walk, repeated);
    while (!damaged && next_member(&walk, &member, &damaged)) {
        const struct member *slot = find_slot(table, member.name);
        if (slot->name.ptr == NULL || !slice_equal(slot->value, member.value)) {
            return false;
        }
    }
    return !damaged;
}

static bool repeats_metadata(slice stored, slice repeated)
{
    size_t count = 0;
    if (slice_equal(stored, repeated)) {
        return true;
    }
    if (!count_members(stored, &count)) {
        return false;
    }
    size_t slots = 16;
    while (slots < 2 * count) {
        slots *= 2;
    }
    CLEANUP(mem_freep) void *memory = mem_array(slots, sizeof(struct member));
    struct table table = {memory, slots - 1, hash_secret()};
    return all_stored(&table, stored, repeated);
}

static bool same_value(enum field field, const union value *a, const union value *b)
{
    switch (fields[field].type) {
    case TYPE_UUID:
        return uuid_equal(&a->uuid, &b->uuid);
    case TYPE_TIME:
    case TYPE_INTEGER:
    case TYPE_BOOLEAN:
        return a->number == b->number;
    case TYPE_TEXT:
    case TYPE_ADDRESS:
    case TYPE_CHOICE:
    case TYPE_JSON:
        break;
    }
    return slice_equal(a->text, b->text);
}

bool event_repeats(const struct event *stored, const struct event *repeated, uint64_t sent)
{
    for (uint64_t rest = sent & repeated->present; rest != 0; rest &= rest - 1) {
        enum field field = (enum field)__builtin_ctzll(rest);
        const union value *a = &stored->value[field];
        const union value *b = &repeated->value[field];
        if (!event_has(stored, field)) {
            return false;
        }
        bool same = field == FIELD_EVENT_METADATA ? repeats_metadata(a->text, b->text)
                                                  : same_value(field, a, b);
        if (!same) {
            return false;
        }
    }
    return true;
}
