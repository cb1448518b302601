/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger/active.h"

#include <stdlib.h>

#include "base/hash.h"
#include "base/mem.h"
#include "columns/bloom_live.h"

enum {
    SLOTS_FIRST = 256,
};
#define COPIES_BYTES_MAX ((size_t)4 << 30)

/* Where a value is. Its hash stands beside it, so that most of a probe's misses cost no
 * look at the value. */
struct text_slot {
    uint32_t hash;
    uint32_t code; /* 0: empty */
};

/* A column of texts: codes[row] is 0 for absent, else 1 + the index of the value. */
struct text_column {
    uint32_t *codes;
    slice *values;
    struct text_slot *slots; /* slot_mask + 1 of them; only its writer looks here */
    uint32_t slot_mask;
    _Atomic uint32_t value_count;
};

/* A part of a row: where in it. Of length 0: the row has none. */
struct row_part {
    uint32_t at, len;
};

/* Where a row's bytes are: in memory, or in a WAL file. Neither: erased. Until it is told where in
 * the WAL a row is, it is in the memory it was added from. */
struct row_place {
    const uint8_t *ptr;
    struct wal_file *file;
    uint64_t at; /* of the row itself, behind the head of its entry */
    uint32_t len;
    struct row_part data, metadata; /* so that sealing, which asks twice, need not decode the row */
};

struct kept {
    void *memory;
    void (*release)(void *context, void *memory);
    void *context;
    struct kept *next;
};

struct active {
    _Atomic uint32_t refs;
    uint64_t serial;
    uint64_t first_seq;
    uint64_t hash_seed;
    uint32_t count;
    _Atomic int64_t time_min_us, time_max_us;
    _Atomic bool time_unordered;
    int64_t last_time_us;
    struct text_column *_Atomic texts[FIELD_COUNT];
    int64_t *_Atomic numbers[FIELD_COUNT];
    struct uuid *ids;
    struct leaf_hash *leaves;
    struct leaf_hash tile_roots[ROWS_TILES_MAX];
    struct row_place *places;
    struct arena copies;
    struct kept *kept;
    struct bloom_live bloom; /* of its full tiles */
    struct row_set *erased;  /* set up before anyone else sees the segment; NULL: none */
    struct wal_file **files; /* as many as it takes: each start begins one, large rows fill them */
    size_t file_count, file_capacity;
};

struct active *active_new(uint64_t first_seq, uint64_t hash_seed)
{
    ASSERT(first_seq % ROWS_MAX == 0);
    static _Atomic uint64_t serials;
    struct active *active = mem_zeroed(sizeof(*active));
    atomic_init(&active->refs, 1);
    active->serial = atomic_fetch_add(&serials, 1) + 1;
    active->first_seq = first_seq;
    active->hash_seed = hash_seed;
    atomic_init(&active->time_min_us, INT64_MAX);
    atomic_init(&active->time_max_us, INT64_MIN);
    active->last_time_us = INT64_MIN;
    active->ids = mem_array(ROWS_MAX, sizeof(*active->ids));
    active->leaves = mem_pages(ROWS_MAX * sizeof(*active->leaves));
    active->places = mem_pages(ROWS_MAX * sizeof(*active->places));
    arena_init(&active->copies, COPIES_BYTES_MAX);
    return active;
}

struct active *active_ref(struct active *active)
{
    atomic_fetch_add_explicit(&active->refs, 1, memory_order_relaxed);
    return active;
}

static void text_column_free(struct text_column *column)
{
    if (column != NULL) {
        free(column->codes);
        free(column->values);
        free(column->slots);
        free(column);
    }
}

static void free_kept(struct active *active)
{
    while (active->kept != NULL) {
        struct kept *kept = active->kept;
        active->kept = kept->next;
        kept->release(kept->context, kept->memory);
        free(kept);
    }
}

void active_unref(struct active *active)
{
    if (active == NULL || atomic_fetch_sub_explicit(&active->refs, 1, memory_order_acq_rel) != 1) {
        return;
    }
    for (size_t i = 0; i < FIELD_COUNT; i++) {
        text_column_free(atomic_load(&active->texts[i]));
        free(atomic_load(&active->numbers[i]));
    }
    for (size_t i = 0; i < active->file_count; i++) {
        wal_file_unuse(active->files[i]);
    }
    free(active->files);
    free_kept(active);
    bloom_live_release(&active->bloom);
    arena_release(&active->copies);
    free(active->ids);
    free(active->leaves);
    free(active->places);
    free(active->erased);
    free(active);
}

uint64_t active_first_seq(const struct active *active)
{
    return active->first_seq;
}

uint64_t active_serial(const struct active *active)
{
    return active->serial;
}

uint32_t active_count(const struct active *active)
{
    return active->count;
}

const struct leaf_hash *active_leaves(const struct active *active)
{
    return active->leaves;
}

void active_set_tile_root(struct active *active, uint32_t tile, const struct leaf_hash *root)
{
    active->tile_roots[tile] = *root;
}

const struct leaf_hash *active_tile_roots(const struct active *active)
{
    return active->tile_roots;
}

void active_keep(struct active *active, void *memory, void (*release)(void *context, void *memory),
                 void *context)
{
    struct kept *kept = mem_zeroed(sizeof(*kept));
    *kept = (struct kept){memory, release, context, active->kept};
    active->kept = kept;
}

/* ---- Adding ---- */

static slice copied(struct active *active, slice bytes)
{
    slice copy = {0};
    ASSERT(arena_copy(&active->copies, bytes, &copy)); /* rows are bounded, so the sum is */
    return copy;
}

static struct text_column *text_column_of(struct active *active, size_t field)
{
    struct text_column *column = atomic_load_explicit(&active->texts[field], memory_order_relaxed);
    if (column == NULL) {
        column = mem_zeroed(sizeof(*column));
        column->codes = mem_array(ROWS_MAX, sizeof(*column->codes));
        column->values = mem_array(ROWS_MAX, sizeof(*column->values));
        column->slots = mem_array(SLOTS_FIRST, sizeof(*column->slots));
        column->slot_mask = SLOTS_FIRST - 1;
        atomic_store_explicit(&active->texts[field], column, memory_order_release);
    }
    return column;
}

/* Twice as many: at most half of them are in use, and a column of few values stays small. */
static void more_slots(struct text_column *column)
{
    uint32_t mask = 2 * column->slot_mask + 1;
    size_t bytes = ((size_t)mask + 1) * sizeof(struct text_slot);
    struct text_slot *slots = mem_pages(bytes);
    memset(slots, 0, bytes); /* not by calloc(): pages that are read first are had twice */
    for (uint32_t i = 0; i <= column->slot_mask; i++) {
        uint32_t at = column->slots[i].hash & mask;
        while (column->slots[i].code != 0 && slots[at].code != 0) {
            at = (at + 1) & mask;
        }
        slots[at] = column->slots[i].code != 0 ? column->slots[i] : slots[at];
    }
    free(column->slots);
    column->slots = slots;
    column->slot_mask = mask;
}

/* A text on its way into its column. */
struct pending_text {
    struct text_column *column;
    slice text;
    uint32_t hash;
};

static uint32_t first_slot(const struct pending_text *pending)
{
    return pending->hash & pending->column->slot_mask;
}

static struct pending_text begin_text(struct active *active, size_t field, slice text)
{
    const struct pending_text pending = {
        .column = text_column_of(active, field),
        .text = text,
        .hash = (uint32_t)(hash_bytes(text, active->hash_seed) >> 32),
    };
    __builtin_prefetch(&pending.column->slots[first_slot(&pending)]);
    return pending;
}

/* The value that the first slot names, which most often is this one; NULL: another one or none. */
static const slice *likely_value(const struct pending_text *pending)
{
    struct text_slot slot = pending->column->slots[first_slot(pending)];
    bool is_likely = slot.code != 0 && slot.hash == pending->hash;
    return is_likely ? &pending->column->values[slot.code - 1] : NULL;
}

static void end_text(struct active *active, const struct pending_text *pending, bool stable)
{
    struct text_column *column = pending->column;
    uint32_t at = first_slot(pending);
    for (; column->slots[at].code != 0; at = (at + 1) & column->slot_mask) {
        const struct text_slot *slot = &column->slots[at];
        if (slot->hash == pending->hash &&
            slice_equal(column->values[slot->code - 1], pending->text)) {
            column->codes[active->count] = slot->code;
            return;
        }
    }
    uint32_t index = atomic_load_explicit(&column->value_count, memory_order_relaxed);
    column->values[index] = stable ? pending->text : copied(active, pending->text);
    column->slots[at] = (struct text_slot){pending->hash, index + 1};
    column->codes[active->count] = index + 1;
    atomic_store_explicit(&column->value_count, index + 1, memory_order_release);
    if (index + 1 > column->slot_mask / 2) {
        more_slots(column);
    }
}

/*
 * The texts of one row. A look at each column's dictionary is three steps from one cache line to
 * the next (slot, value, its text), none of which is near; taken side by side for all columns, the
 * memory answers them together.
 */
static void end_texts(struct active *active, const struct pending_text *pending, size_t count,
                      bool stable)
{
    const slice *likely[FIELD_COUNT];
    for (size_t i = 0; i < count; i++) {
        likely[i] = likely_value(&pending[i]);
        __builtin_prefetch(likely[i]); /* of NULL, too: a prefetch never fails */
    }
    for (size_t i = 0; i < count; i++) {
        if (likely[i] != NULL) {
            __builtin_prefetch(likely[i]->ptr);
        }
    }
    for (size_t i = 0; i < count; i++) {
        end_text(active, &pending[i], stable);
    }
}

static void add_number(struct active *active, size_t field, int64_t number)
{
    int64_t *column = atomic_load_explicit(&active->numbers[field], memory_order_relaxed);
    if (column == NULL) {
        column = mem_array(ROWS_MAX, sizeof(*column));
        for (size_t i = 0; i < ROWS_MAX; i++) {
            column[i] = ROWS_ABSENT;
        }
        atomic_store_explicit(&active->numbers[field], column, memory_order_release);
    }
    column[active->count] = number;
}

static void add_time(struct active *active, int64_t time_us)
{
    if (time_us < active->last_time_us) {
        atomic_store_explicit(&active->time_unordered, true, memory_order_relaxed);
    }
    active->last_time_us = time_us;
    if (time_us < atomic_load_explicit(&active->time_min_us, memory_order_relaxed)) {
        atomic_store_explicit(&active->time_min_us, time_us, memory_order_relaxed);
    }
    if (time_us > atomic_load_explicit(&active->time_max_us, memory_order_relaxed)) {
        atomic_store_explicit(&active->time_max_us, time_us, memory_order_relaxed);
    }
}

static void add_uuid(struct active *active, size_t field, const struct uuid *uuid)
{
    if (field == FIELD_EVENT_ID) {
        active->ids[active->count] = *uuid;
        return;
    }
    char text[UUID_TEXT_BYTES];
    uuid_format(uuid, text);
    const struct pending_text pending =
        begin_text(active, field, (slice){(const uint8_t *)text, sizeof(text)});
    end_text(active, &pending, false);
}

static void add_values(struct active *active, const struct event *event, bool stable)
{
    struct pending_text pending[FIELD_COUNT];
    size_t count = 0;
    for (uint64_t left = event->present; left != 0; left &= left - 1) {
        size_t field = (size_t)__builtin_ctzll(left);
        const union value *value = &event->value[field];
        switch (fields[field].type) {
        case TYPE_UUID:
            add_uuid(active, field, &value->uuid);
            break;
        case TYPE_TEXT:
        case TYPE_ADDRESS:
        case TYPE_CHOICE:
            pending[count++] = begin_text(active, field, value->text);
            break;
        case TYPE_TIME:
        case TYPE_INTEGER:
        case TYPE_BOOLEAN:
            add_number(active, field, value->number);
            break;
        case TYPE_JSON:
            break; /* stays in the row */
        }
    }
    end_texts(active, pending, count, stable);
}

static struct row_part part_of(slice row, const struct event *event, enum field field)
{
    if (!event_has(event, field)) {
        return (struct row_part){0};
    }
    slice text = event->value[field].text;
    return (struct row_part){(uint32_t)(text.ptr - row.ptr), (uint32_t)text.len};
}

void active_add(struct active *active, slice row, bool stable, const struct event *event,
                const struct leaf_hash *leaf)
{
    ASSERT(active->count < ROWS_MAX);
    add_values(active, event, stable);
    if (event_has(event, FIELD_EVENT_TIMESTAMP)) {
        add_time(active, event->value[FIELD_EVENT_TIMESTAMP].number);
    }
    if (row.len == 0) {
        active->erased =
            active->erased != NULL ? active->erased : mem_zeroed(sizeof(struct row_set));
        row_set_add(active->erased, active->count);
    }
    active->leaves[active->count] = *leaf;
    active->places[active->count] = (struct row_place){
        .ptr = row.len > 0 ? row.ptr : NULL,
        .len = (uint32_t)row.len,
        .data = part_of(row, event, FIELD_EVENT_DATA),
        .metadata = part_of(row, event, FIELD_EVENT_METADATA),
    };
    active->count++;
}

static void use_file(struct active *active, struct wal_file *file)
{
    for (size_t i = active->file_count; i > 0; i--) {
        if (active->files[i - 1] == file) {
            return;
        }
    }
    ASSERT(active->file_count < ROWS_MAX); /* each of them has a row */
    if (active->file_count == active->file_capacity) {
        active->file_capacity = active->file_capacity > 0 ? 2 * active->file_capacity : 8;
        active->files =
            mem_resize(active->files, active->file_capacity * sizeof(struct wal_file *));
    }
    wal_file_use(file);
    active->files[active->file_count++] = file;
}

void active_locate(struct active *active, uint32_t first, uint32_t n, bool stable,
                   struct wal_file *file, uint64_t at)
{
    use_file(active, file);
    for (uint32_t i = 0; i < n; i++) {
        struct row_place *place = &active->places[first + i];
        place->ptr = stable ? place->ptr : NULL;
        place->file = file;
        place->at = at + WAL_ENTRY_HEAD_BYTES;
        at = place->at + place->len;
    }
}

void active_locate_row(struct active *active, uint32_t row, struct wal_file *file, uint64_t at,
                       uint32_t len)
{
    use_file(active, file);
    ASSERT(active->places[row].len == len);
    active->places[row].ptr = NULL;
    active->places[row].file = file;
    active->places[row].at = at;
}

uint32_t active_row_len(const struct active *active, uint32_t row)
{
    return active->places[row].len;
}

/* ---- Reading ---- */

enum err active_read_row(const struct active *active, uint32_t row, struct wal_window *window,
                         slice *row_out)
{
    const struct row_place *place = &active->places[row];
    if (place->len == 0) {
        return ERR_GONE;
    }
    if (place->ptr != NULL) {
        *row_out = (slice){place->ptr, place->len};
        return OK;
    }
    ASSERT(place->file != NULL);
    return wal_window_read(window, place->file, place->at, place->len, row_out);
}

struct active_reader {
    struct rows_reader base;
    const struct active *active;
    struct wal_window window;
};

static const struct active *active_of(const struct rows *rows)
{
    return ((const struct active_rows *)rows)->active;
}

static slice active_text_value(const struct rows_text_column *column, uint32_t index, char *scratch)
{
    UNUSED(scratch); /* nothing is packed here */
    const struct text_column *texts = column->owner;
    return texts->values[index];
}

static bool active_text_column(const struct rows *rows, enum field field,
                               struct rows_text_column *out)
{
    const struct active *active = active_of(rows);
    const struct text_column *column =
        atomic_load_explicit(&active->texts[field], memory_order_acquire);
    if (column == NULL) {
        return false;
    }
    *out = (struct rows_text_column){
        .codes = column->codes,
        .width = ROWS_CODE_U32,
        .has_absent = true,
        .value_count = atomic_load_explicit(&column->value_count, memory_order_acquire),
        .ops = rows->ops,
        .owner = column,
        .field = field,
    };
    return true;
}

static bool active_numbers(const struct rows *rows, enum field field, uint32_t first, uint32_t n,
                           int64_t *out)
{
    const int64_t *column =
        atomic_load_explicit(&active_of(rows)->numbers[field], memory_order_acquire);
    if (column == NULL) {
        return false;
    }
    memcpy(out, column + first, n * sizeof(*out));
    return true;
}

static void active_id(const struct rows *rows, uint32_t row, struct uuid *out)
{
    *out = active_of(rows)->ids[row];
}

static enum err active_payload(struct rows_reader *reader, uint32_t row, slice *data,
                               slice *metadata)
{
    struct active_reader *self = (struct active_reader *)reader;
    const struct row_place *place = &self->active->places[row];
    slice bytes = {0};
    TRY(active_read_row(self->active, row, &self->window, &bytes));
    if (place->ptr == NULL) { /* read back: it may be damaged */
        struct event event;
        TRY(event_from_row(bytes, &event, NULL));
    }
    *data = (slice){bytes.ptr + place->data.at, place->data.len};
    *metadata = (slice){bytes.ptr + place->metadata.at, place->metadata.len};
    return OK;
}

static enum err active_leaf(struct rows_reader *reader, uint32_t row, struct leaf_hash *out)
{
    *out = active_of(reader->rows)->leaves[row];
    return OK;
}

static void active_bloom(const struct rows *rows, uint64_t token, uint64_t tiles[4])
{
    struct active *active = ((const struct active_rows *)rows)->active;
    bloom_live_ask(&active->bloom, rows, token, tiles);
}

static struct rows_reader *active_reader_new(const struct rows *rows)
{
    struct active_reader *reader = mem_zeroed(sizeof(*reader));
    reader->base.rows = rows;
    reader->active = active_of(rows);
    wal_window_init(&reader->window);
    return &reader->base;
}

static void active_reader_free(struct rows_reader *reader)
{
    struct active_reader *self = (struct active_reader *)reader;
    if (self != NULL) {
        wal_window_release(&self->window);
        free(self);
    }
}

static const struct rows_ops active_ops = {
    .text_column = active_text_column,
    .text_value = active_text_value,
    .numbers = active_numbers,
    .id = active_id,
    .payload = active_payload,
    .leaf = active_leaf,
    .bloom = active_bloom,
    .reader_new = active_reader_new,
    .reader_free = active_reader_free,
};

void active_rows_init(struct active *active, uint32_t count, struct active_rows *out)
{
    *out = (struct active_rows){
        .rows =
            {
                .ops = &active_ops,
                .first_seq = active->first_seq,
                .count = count,
                .time_min_us = atomic_load_explicit(&active->time_min_us, memory_order_relaxed),
                .time_max_us = atomic_load_explicit(&active->time_max_us, memory_order_relaxed),
                .time_ordered =
                    !atomic_load_explicit(&active->time_unordered, memory_order_relaxed),
                .erased = active->erased,
            },
        .active = active,
    };
}
