/* SPDX-License-Identifier: Apache-2.0 */
#include <pthread.h>
#include <stdatomic.h>

#include "base/hash.h"
#include "event/event.h"
#include "event/names.h"

const struct field_info fields[FIELD_COUNT] = {
#define FIELD(id, stored, name, type, max, flags, other_names)                                     \
    [FIELD_##id] = {SLICE_INIT(name), SLICE_INIT(other_names), TYPE_##type, max, flags},
#include "event/fields.def"
#undef FIELD
};

/*
 * All names, canonical and other, behind a hash without collisions: slots of one byte, and a seed
 * for which no two names share a slot. The seed is searched once, when the first name is asked
 * for; with sixteen slots for a name a few tries suffice.
 */
enum {
    NAMES_MAX = 192,
    SLOTS = 2048,
    SEEDS_MAX = 100000,
};

/* A name as three words: equal words are equal names up to 16 bytes, and no name is longer. */
struct key {
    uint64_t first, last, len;
};

static struct field_name names[NAMES_MAX + 1]; /* [0] is unused: slot 0 means none */
static struct key keys[NAMES_MAX + 1];
static uint8_t slots[SLOTS];
static uint64_t slot_seed;
static size_t name_count;
static pthread_once_t names_once = PTHREAD_ONCE_INIT;
static atomic_bool names_ready; /* spares the call of pthread_once() */

static inline struct key key_of(slice name)
{
    struct key key = {0, 0, name.len};
    if (name.len >= 8) {
        memcpy(&key.first, name.ptr, 8);
        memcpy(&key.last, name.ptr + name.len - 8, 8);
    } else if (name.len >= 4) {
        memcpy(&key.first, name.ptr, 4);
        memcpy(&key.last, name.ptr + name.len - 4, 4);
    } else if (name.len > 0) {
        key.first = (uint64_t)name.ptr[0] << 8 | name.ptr[name.len / 2];
        key.last = name.ptr[name.len - 1];
    }
    return key;
}

static inline size_t slot_of(const struct key *key, uint64_t seed)
{
    uint64_t word = (key->first ^ (key->last << 31 | key->last >> 33)) + key->len;
    return (size_t)(((word ^ seed) * UINT64_C(0x9e3779b97f4a7c15)) >> 53) % SLOTS;
}

static bool fill_slots(uint64_t seed)
{
    memset(slots, 0, sizeof(slots));
    for (size_t i = 1; i <= name_count; i++) {
        size_t at = slot_of(&keys[i], seed);
        if (slots[at] != 0) {
            return false;
        }
        slots[at] = (uint8_t)i;
    }
    slot_seed = seed;
    return true;
}

static void add_name(slice name, enum field field, uint8_t rank)
{
    ASSERT(name_count < NAMES_MAX);
    ASSERT(name.len > 0 && name.len <= 16);
    names[++name_count] = (struct field_name){name, field, rank};
    keys[name_count] = key_of(name);
}

static void collect_names(void)
{
    for (enum field field = 0; field < FIELD_COUNT; field++) {
        slice rest = fields[field].other_names;
        uint8_t rank = 0;
        add_name(fields[field].name, field, rank);
        while (rest.len > 0) {
            const uint8_t *space = memchr(rest.ptr, ' ', rest.len);
            size_t len = space == NULL ? rest.len : (size_t)(space - rest.ptr);
            add_name(slice_take(&rest, len), field, ++rank);
            slice_skip_spaces(&rest);
        }
    }
    uint64_t tries = 0;
    while (!fill_slots(hash_u64(tries, HASH_STORED))) {
        tries++;
        ASSERT(tries < SEEDS_MAX); /* two equal names in fields.def never part */
    }
    atomic_store_explicit(&names_ready, true, memory_order_release);
}

const struct field_name *field_name_find(slice name)
{
    if (!atomic_load_explicit(&names_ready, memory_order_acquire)) {
        (void)pthread_once(&names_once, collect_names);
    }
    struct key key = key_of(name);
    size_t found = slots[slot_of(&key, slot_seed)];
    bool same = keys[found].len == key.len && keys[found].first == key.first &&
                keys[found].last == key.last;
    return found != 0 && same ? &names[found] : NULL;
}

bool field_find(slice name, enum field *out)
{
    const struct field_name *found = field_name_find(name);
    if (found == NULL) {
        return false;
    }
    *out = found->field;
    return true;
}

struct choice {
    slice name;
    int rank;
};

static const struct choice severities[] = {
    {SLICE_INIT("debug"), 0},  {SLICE_INIT("info"), 1},      {SLICE_INIT("low"), 1},
    {SLICE_INIT("notice"), 2}, {SLICE_INIT("warning"), 3},   {SLICE_INIT("medium"), 3},
    {SLICE_INIT("error"), 4},  {SLICE_INIT("high"), 4},      {SLICE_INIT("critical"), 5},
    {SLICE_INIT("alert"), 6},  {SLICE_INIT("emergency"), 7},
};
static const struct choice outcomes[] = {
    {SLICE_INIT("success"), 0}, {SLICE_INIT("failure"), 1}, {SLICE_INIT("pending"), 2},
    {SLICE_INIT("denied"), 3},  {SLICE_INIT("unknown"), 4},
};

static const struct choice *choices_of(enum field field, size_t *count)
{
    ASSERT(fields[field].type == TYPE_CHOICE);
    *count = field == FIELD_SEVERITY ? COUNT_OF(severities) : COUNT_OF(outcomes);
    return field == FIELD_SEVERITY ? severities : outcomes;
}

bool choice_at(enum field field, size_t index, slice *out)
{
    size_t count = 0;
    const struct choice *choices = choices_of(field, &count);
    if (index >= count) {
        return false;
    }
    *out = choices[index].name;
    return true;
}

static const struct choice *find_choice(enum field field, slice name)
{
    size_t count = 0;
    const struct choice *choices = choices_of(field, &count);
    for (size_t i = 0; i < count; i++) {
        if (slice_equal_any_case(choices[i].name, name)) {
            return &choices[i];
        }
    }
    return NULL;
}

bool choice_find(enum field field, slice name, slice *lower_case)
{
    const struct choice *choice = find_choice(field, name);
    if (choice == NULL) {
        return false;
    }
    *lower_case = choice->name;
    return true;
}

int choice_rank(enum field field, slice name)
{
    const struct choice *choice = find_choice(field, name);
    return choice != NULL && slice_equal(choice->name, name) ? choice->rank : -1;
}
