/* SPDX-License-Identifier: Apache-2.0 */
#include "ingest/required.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "event/read.h"
#include "json/pointer.h"

enum { MESSAGE_BYTES_MAX = 110 }; /* with what is around it, a struct diag has room for it */

/* Shared by all values that have it. */
struct demand {
    _Atomic uint32_t references;
    enum required_mode mode;
    struct schema *schema;
    size_t type_len;
    char type[REQUIRED_TYPE_BYTES_MAX];
};

struct required {
    _Atomic uint32_t references;
    struct demand **demands; /* by type */
    size_t demand_count;
    slice *categories; /* sorted; they point behind the list */
    size_t category_count;
};

/* ---- Life ---- */

static void unref_demand(struct demand *demand)
{
    if (atomic_fetch_sub_explicit(&demand->references, 1, memory_order_acq_rel) == 1) {
        schema_free(demand->schema);
        free(demand);
    }
}

struct required *required_ref(struct required *required)
{
    if (required != NULL) {
        atomic_fetch_add_explicit(&required->references, 1, memory_order_relaxed);
    }
    return required;
}

void required_unref(struct required *required)
{
    if (required == NULL ||
        atomic_fetch_sub_explicit(&required->references, 1, memory_order_acq_rel) != 1) {
        return;
    }
    for (size_t i = 0; i < required->demand_count; i++) {
        unref_demand(required->demands[i]);
    }
    free(required->demands);
    free(required->categories);
    free(required);
}

/* ---- Making ---- */

static int compare_names(const void *a, const void *b)
{
    return slice_compare(*(const slice *)a, *(const slice *)b);
}

static void set_categories(struct required *required, const slice *names, size_t count)
{
    size_t bytes = 0;
    if (count == 0) {
        return;
    }
    for (size_t i = 0; i < count; i++) {
        bytes += names[i].len;
    }
    slice *list = mem_zeroed(count * sizeof(*list) + bytes);
    uint8_t *text = (uint8_t *)(list + count);
    for (size_t i = 0; i < count; i++) {
        memcpy(text, names[i].ptr, names[i].len);
        list[i] = (slice){text, names[i].len};
        text += names[i].len;
    }
    qsort(list, count, sizeof(*list), compare_names);
    required->categories = list;
    required->category_count = count;
}

static slice type_of(const struct demand *demand)
{
    return (slice){(const uint8_t *)demand->type, demand->type_len};
}

/* Takes over the demands of `old` but the one for `event_type`. */
static void keep_demands(struct required *required, const struct required *old, slice event_type)
{
    required->demands =
        mem_array(1 + (old != NULL ? old->demand_count : 0), sizeof(struct demand *));
    for (size_t i = 0; old != NULL && i < old->demand_count; i++) {
        if (!slice_equal(type_of(old->demands[i]), event_type)) {
            atomic_fetch_add_explicit(&old->demands[i]->references, 1, memory_order_relaxed);
            required->demands[required->demand_count++] = old->demands[i];
        }
    }
}

static void add_demand(struct required *required, struct demand *demand)
{
    size_t at = required->demand_count++;
    while (at > 0 && slice_compare(type_of(required->demands[at - 1]), type_of(demand)) > 0) {
        required->demands[at] = required->demands[at - 1];
        at--;
    }
    required->demands[at] = demand;
}

/* NULL, where nothing is left to ask for. */
static struct required *finish(struct required *required)
{
    atomic_init(&required->references, 1);
    if (required->demand_count == 0 && required->category_count == 0) {
        required_unref(required);
        return NULL;
    }
    return required;
}

struct required *required_with_categories(const struct required *old, const slice *names,
                                          size_t count)
{
    struct required *required = mem_zeroed(sizeof(*required));
    keep_demands(required, old, (slice){0});
    set_categories(required, names, count);
    return finish(required);
}

struct required *required_with_schema(const struct required *old, slice event_type,
                                      enum required_mode mode, struct schema *schema)
{
    struct required *required = mem_zeroed(sizeof(*required));
    keep_demands(required, old, event_type);
    if (old != NULL) {
        set_categories(required, old->categories, old->category_count);
    }
    if (schema != NULL) {
        ASSERT(event_type.len > 0 && event_type.len <= REQUIRED_TYPE_BYTES_MAX);
        struct demand *demand = mem_zeroed(sizeof(*demand));
        atomic_init(&demand->references, 1);
        demand->mode = mode;
        demand->schema = schema;
        demand->type_len = event_type.len;
        memcpy(demand->type, event_type.ptr, event_type.len);
        add_demand(required, demand);
    }
    return finish(required);
}

void required_size(const struct required *required, slice event_type, size_t *schemas_out,
                   size_t *memory_out)
{
    *schemas_out = *memory_out = 0;
    for (size_t i = 0; required != NULL && i < required->demand_count; i++) {
        if (!slice_equal(type_of(required->demands[i]), event_type)) {
            (*schemas_out)++;
            *memory_out += schema_memory(required->demands[i]->schema);
        }
    }
}

/* ---- Categories ---- */

/* As many names of the list as there is room for. */
static void list_categories(const struct required *required, char *out, size_t out_bytes)
{
    static const char more[] = ", ...";
    size_t at = 0;
    for (size_t i = 0; i < required->category_count; i++) {
        slice name = required->categories[i];
        if (at + 2 + name.len + sizeof(more) > out_bytes) {
            (void)snprintf(out + at, out_bytes - at, "%s", more);
            return;
        }
        at += (size_t)snprintf(out + at, out_bytes - at, "%s%.*s", i > 0 ? ", " : "",
                               SLICE_ARG(name));
    }
}

static bool has_listed_category(const struct required *required, const struct required_event *sent,
                                struct diag *diag)
{
    slice category = {0}; /* none, where the type begins with a dot */
    if (event_has(sent->event, FIELD_EVENT_CATEGORY)) {
        category = sent->event->value[FIELD_EVENT_CATEGORY].text;
    }
    if (required->category_count == 0 ||
        bsearch(&category, required->categories, required->category_count,
                sizeof(*required->categories), compare_names) != NULL) {
        return true;
    }
    char names[MESSAGE_BYTES_MAX] = "";
    bool is_given = (sent->sent & FIELD_BIT(FIELD_EVENT_CATEGORY)) != 0;
    list_categories(required, names, sizeof(names));
    (void)diag_fail(diag, ERR_INVALID, is_given ? "/event_category" : "/event_type",
                    "%s none of the organisation's: %s", is_given ? "is" : "has a category that is",
                    names);
    return false;
}

/* ---- Data ---- */

static int compare_type(const void *key, const void *item)
{
    return slice_compare(*(const slice *)key, type_of(*(struct demand *const *)item));
}

static const struct demand *find_demand(const struct required *required, slice event_type)
{
    struct demand *const *found = bsearch(&event_type, required->demands, required->demand_count,
                                          sizeof(struct demand *), compare_type);
    return found != NULL ? *found : NULL;
}

static const char *place_of_data(const struct required_event *sent)
{
    bool has_data = event_has(sent->event, FIELD_EVENT_DATA);
    return sent->record.len > 0 && has_data ? event_data_pointer(sent->record) : "/event_data";
}

struct hearing {
    const struct required_event *sent;
    struct diag *diag;
};

/* Of the first violation: the sink takes no more. */
static void hear(void *context, const struct schema_violation *violation)
{
    const struct hearing *hearing = context;
    struct diag *diag = hearing->diag;
    slice message = slice_cut(violation->message, MESSAGE_BYTES_MAX);
    (void)diag_fail(diag, ERR_INVALID, place_of_data(hearing->sent), "%.*s (%s of its schema)",
                    SLICE_ARG(message), violation->keyword);
    json_pointer_join(diag->where, sizeof(diag->where), violation->pointer);
}

static bool fits(const struct demand *demand, const struct required_event *sent, uint64_t *work,
                 struct diag *diag)
{
    struct hearing hearing = {sent, diag};
    const struct schema_sink sink = {.tell = hear, .context = &hearing, .violations_max = 1};
    bool has_data = event_has(sent->event, FIELD_EVENT_DATA);
    slice data = has_data ? sent->event->value[FIELD_EVENT_DATA].text : SLICE("{}");
    struct diag why = {0};
    bool is_valid = false;
    enum err checked = schema_check_within(demand->schema, data, work, &sink, &is_valid, &why);
    if (checked != OK) {
        (void)diag_fail(diag, ERR_INVALID, place_of_data(sent),
                        "cannot be checked against its schema: %s", why.text);
    }
    return checked == OK && is_valid;
}

enum required_outcome required_check(const struct required *required,
                                     const struct required_event *sent, uint64_t *work,
                                     struct diag *diag)
{
    if (!has_listed_category(required, sent, diag)) {
        return REQUIRED_REFUSES;
    }
    const struct demand *demand = find_demand(required, sent->event->value[FIELD_EVENT_TYPE].text);
    if (demand == NULL) {
        return REQUIRED_UNASKED;
    }
    if (fits(demand, sent, work, diag)) {
        return REQUIRED_FITS;
    }
    return demand->mode == REQUIRED_REJECT ? REQUIRED_REFUSES : REQUIRED_WARNS;
}
