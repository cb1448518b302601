/* SPDX-License-Identifier: Apache-2.0 */
#include "ingest/requirements.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/mem.h"
#include "catalog/catalog.h"
#include "os/thread.h"

enum {
    /* In units of 10 to 30 ns: a few milliseconds for a request, and for each event ten times what
     * a schema of good will takes. */
    WORK_FIRST = 200 * 1000,
    WORK_EVENT = 1000,
    WORK_BYTE = 2,
    WORK_SAVED_MAX = 1000 * 1000,
};

struct place {
    char *org;
    struct required *required; /* never NULL */
};

struct requirements {
    struct catalog *catalog;
    _Atomic uint64_t generation; /* 0: nobody has ever required anything */
    struct mutex lock;           /* of the rest */
    struct place *places;        /* by organisation */
    size_t count, capacity;
};

/* ---- Life ---- */

struct requirements *requirements_new(void)
{
    struct requirements *requirements = mem_zeroed(sizeof(*requirements));
    mutex_init(&requirements->lock);
    return requirements;
}

void requirements_free(struct requirements *requirements)
{
    if (requirements == NULL) {
        return;
    }
    for (size_t i = 0; i < requirements->count; i++) {
        required_unref(requirements->places[i].required);
        free(requirements->places[i].org);
    }
    free(requirements->places);
    mutex_release(&requirements->lock);
    free(requirements);
}

/* ---- Places, under the lock ---- */

/* Where the organisation is, or would be. */
static size_t find_place(const struct requirements *requirements, slice org, bool *is_there)
{
    size_t low = 0;
    size_t high = requirements->count;
    *is_there = false;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = slice_compare(slice_from_cstr(requirements->places[middle].org), org);
        *is_there |= order == 0;
        low = order < 0 ? middle + 1 : low;
        high = order < 0 ? high : middle;
    }
    return low;
}

static void add_place(struct requirements *requirements, size_t at, slice org,
                      struct required *required)
{
    if (requirements->count == requirements->capacity) {
        requirements->capacity = requirements->capacity > 0 ? 2 * requirements->capacity : 16;
        requirements->places = mem_resize(requirements->places,
                                          requirements->capacity * sizeof(*requirements->places));
    }
    struct place *place = &requirements->places[at];
    memmove(place + 1, place, (requirements->count - at) * sizeof(*place));
    *place = (struct place){mem_text((const char *)org.ptr, org.len), required};
    requirements->count++;
}

static void remove_place(struct requirements *requirements, size_t at)
{
    struct place *place = &requirements->places[at];
    free(place->org);
    requirements->count--;
    memmove(place, place + 1, (requirements->count - at) * sizeof(*place));
}

static struct required *find_required(const struct requirements *requirements, slice org)
{
    bool is_there = false;
    size_t at = find_place(requirements, org, &is_there);
    return is_there ? requirements->places[at].required : NULL;
}

/* ---- Changing ---- */

static struct required *take_now(struct requirements *requirements, slice org)
{
    mutex_lock(&requirements->lock);
    struct required *now = required_ref(find_required(requirements, org));
    mutex_unlock(&requirements->lock);
    return now;
}

/* Takes over `next`. Those who hold the value before keep it until they ask again. */
static void put(struct requirements *requirements, slice org, struct required *next)
{
    bool is_there = false;
    mutex_lock(&requirements->lock);
    size_t at = find_place(requirements, org, &is_there);
    struct required *old = is_there ? requirements->places[at].required : NULL;
    if (is_there && next == NULL) {
        remove_place(requirements, at);
    } else if (is_there) {
        requirements->places[at].required = next;
    } else if (next != NULL) {
        add_place(requirements, at, org, next);
    }
    if (is_there || next != NULL) {
        atomic_fetch_add_explicit(&requirements->generation, 1, memory_order_release);
    }
    mutex_unlock(&requirements->lock);
    required_unref(old);
}

/* ---- From the catalog; one thread at a time, in the order of commits ---- */

static slice text_member(const json_t *object, const char *name)
{
    const json_t *value = json_object_get(object, name);
    return (slice){(const uint8_t *)json_string_value(value), json_string_length(value)};
}

static void put_categories(struct requirements *requirements, slice org, const json_t *object)
{
    slice names[REQUIRED_CATEGORIES_MAX];
    size_t count = 0;
    size_t i = 0;
    json_t *name = NULL;
    json_array_foreach(json_object_get(object, "event_categories"), i, name)
    {
        if (count < REQUIRED_CATEGORIES_MAX && json_is_string(name)) {
            names[count++] =
                (slice){(const uint8_t *)json_string_value(name), json_string_length(name)};
        }
    }
    struct required *now = take_now(requirements, org);
    if (now != NULL || count > 0) {
        put(requirements, org, required_with_categories(now, names, count));
    }
    required_unref(now);
}

/* What is checked by it; NULL: nothing is, since its mode is off, or there is none. */
static struct schema *compile(slice org, const json_t *object)
{
    struct schema *schema = NULL;
    struct diag diag = {0};
    if (object == NULL || slice_equal(text_member(object, "mode"), SLICE("off"))) {
        return NULL;
    }
    CLEANUP(mem_freep) char *text = json_dumps(json_object_get(object, "schema"), KIND_JSON);
    if (text == NULL || schema_compile(slice_from_cstr(text), &schema, &diag) != OK) {
        LOG_WARN("a schema that is stored cannot be compiled; nothing is checked by it",
                 kv_slice("org", org), kv_slice("event_type", text_member(object, "event_type")),
                 kv_str("where", diag.where), kv_str("why", diag.text));
    }
    return schema;
}

static void put_schema(struct requirements *requirements, slice org, slice event_type,
                       const json_t *object)
{
    struct schema *schema = compile(org, object);
    struct required *now = take_now(requirements, org);
    if (now != NULL || schema != NULL) {
        bool is_strict = slice_equal(text_member(object, "mode"), SLICE("reject"));
        put(requirements, org,
            required_with_schema(now, event_type, is_strict ? REQUIRED_REJECT : REQUIRED_WARN,
                                 schema));
    }
    required_unref(now);
}

static void put_object(struct requirements *requirements, const struct kind *kind,
                       const json_t *object)
{
    if (kind == &kind_organizations) {
        put_categories(requirements, text_member(object, "id"), object);
    } else {
        put_schema(requirements, text_member(object, "org"), text_member(object, "event_type"),
                   object);
    }
}

static void hear_change(void *context, const struct kind *kind, slice org, slice id)
{
    struct requirements *requirements = context;
    json_t *object = NULL;
    struct diag diag = {0};
    if (kind != &kind_schemas && kind != &kind_organizations) {
        return;
    }
    enum err e = catalog_get(requirements->catalog, kind, org, id, &object, &diag);
    if (e == OK) {
        put_object(requirements, kind, object);
    } else if (e == ERR_NOT_FOUND && kind == &kind_schemas) {
        put_schema(requirements, org, id, NULL);
    } else if (e == ERR_NOT_FOUND) {
        put(requirements, id, NULL);
    } else { /* what was required before still is */
        LOG_ERROR("a change of what is required of events could not be read",
                  kv_str("where", diag.where), kv_str("why", diag.text));
    }
    json_decref(object);
}

static enum err load(void *context, const struct kind *kind, const json_t *object, bool *is_enough)
{
    UNUSED(is_enough);
    put_object(context, kind, object);
    return OK;
}

enum err requirements_load(struct requirements *requirements, struct catalog *catalog,
                           struct diag *diag)
{
    const struct catalog_list all = {0};
    requirements->catalog = catalog;
    TRY(catalog_each(catalog, &kind_organizations, &all, load, requirements, diag));
    TRY(catalog_each(catalog, &kind_schemas, &all, load, requirements, diag));
    catalog_listen(catalog, hear_change, requirements);
    return OK;
}

enum err requirements_admit(struct requirements *requirements, slice org, slice event_type,
                            slice schema, struct diag *diag)
{
    OWNED(schema) compiled = NULL;
    size_t count = 0;
    size_t memory = 0;
    TRY(schema_compile(schema, &compiled, diag));
    struct required *now = take_now(requirements, org);
    required_size(now, event_type, &count, &memory);
    required_unref(now);
    if (count >= REQUIRED_SCHEMAS_MAX) {
        return diag_fail(diag, ERR_CONFLICT, "/mode",
                         "an organisation has at most %d schemas that are not off",
                         REQUIRED_SCHEMAS_MAX);
    }
    if (memory + schema_memory(compiled) > REQUIRED_MEMORY_MAX) {
        return diag_fail(diag, ERR_CONFLICT, "/mode",
                         "the schemas of the organisation that are not off take too much memory");
    }
    return OK;
}

enum err requirements_find(struct requirements *requirements, slice org, slice event_type,
                           struct arena *arena, slice *schema_out, struct diag *diag)
{
    json_t *object = NULL;
    TRY(catalog_get(requirements->catalog, &kind_schemas, org, event_type, &object, diag));
    CLEANUP(mem_freep) char *text = json_dumps(json_object_get(object, "schema"), KIND_JSON);
    json_decref(object);
    ASSERT(text != NULL);
    return arena_copy(arena, slice_from_cstr(text), schema_out)
               ? OK
               : diag_fail(diag, ERR_LIMIT, "", "the schema takes too much memory");
}

/* ---- Holding ---- */

void requirements_drop(struct requirements_hold *hold)
{
    required_unref(hold->required);
    *hold = (struct requirements_hold){0};
}

void requirements_take(struct requirements *requirements, slice org, struct requirements_hold *hold)
{
    uint64_t generation = atomic_load_explicit(&requirements->generation, memory_order_acquire);
    if (generation == hold->generation) {
        return;
    }
    struct required *old = hold->required;
    hold->work = hold->generation == 0 ? WORK_FIRST : hold->work;
    mutex_lock(&requirements->lock);
    hold->required = required_ref(find_required(requirements, org));
    hold->generation = atomic_load_explicit(&requirements->generation, memory_order_relaxed);
    mutex_unlock(&requirements->lock);
    required_unref(old);
}

enum required_outcome requirements_check(struct requirements_hold *hold,
                                         const struct required_event *sent, size_t bytes,
                                         struct diag *diag)
{
    uint64_t work = hold->work + WORK_EVENT + WORK_BYTE * (uint64_t)bytes;
    hold->work = work < WORK_SAVED_MAX ? work : WORK_SAVED_MAX;
    return required_check(hold->required, sent, &hold->work, diag);
}
