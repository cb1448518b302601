/* SPDX-License-Identifier: Apache-2.0 */
/* The keywords about elements of an array. */
#include <stdlib.h>

#include "validate/trial.h"

/* ---- Compiling ---- */

static enum err compile_prefix(struct compiler *compiler, struct elements *elements,
                               const struct node *source)
{
    if (source->kind != JSON_IS_ARRAY || source->count == 0) {
        return part_refuse(compiler, source, "a list of schemas, at least one");
    }
    TRY(part_take(compiler, source->count * sizeof(struct part *), &elements->prefix));
    elements->prefix_count = source->count;
    for (const struct node *at = source->first; at != NULL; at = at->next) {
        TRY(part_compile(compiler, at, &elements->prefix[at->index]));
    }
    return OK;
}

enum err elements_keyword(struct compiler *compiler, struct part *part, const struct node *source)
{
    struct elements *elements = part->elements;
    slice name = source->name;
    if (slice_equal(name, SLICE("prefixItems"))) {
        return compile_prefix(compiler, elements, source);
    }
    if (slice_equal(name, SLICE("items"))) {
        return part_compile(compiler, source, &elements->items);
    }
    if (slice_equal(name, SLICE("contains"))) {
        elements->contains_source = source;
        return part_compile(compiler, source, &elements->contains);
    }
    bool is_min = slice_equal(name, SLICE("minContains"));
    uint64_t *count = is_min ? &elements->contains_min : &elements->contains_max;
    if (source->kind != JSON_IS_NUMBER || !number_to_count(source->text, count)) {
        return part_refuse(compiler, source, "a whole number from 0 on");
    }
    *(is_min ? &elements->min_source : &elements->max_source) = source;
    return OK;
}

/* ---- Checking ---- */

enum { SORT_UNITS = 8 }; /* of one element of an array that is sorted */

static bool holds_contains(struct trial *trial, const struct elements *elements,
                           const struct node *array)
{
    uint64_t found = 0;
    for (const struct node *at = array->first; at != NULL; at = at->next) {
        found += trial_asks(trial, elements->contains, at) ? 1 : 0;
        if (trial->error != OK) {
            return false;
        }
    }
    if (found < elements->contains_min) {
        bool is_given = elements->min_source != NULL;
        return trial_violated(trial, array, is_given ? "minContains" : "contains",
                              is_given ? elements->min_source : elements->contains_source,
                              "%llu elements fit contains, expected at least %llu",
                              (unsigned long long)found,
                              (unsigned long long)elements->contains_min);
    }
    if (found > elements->contains_max) {
        return trial_violated(trial, array, "maxContains", elements->max_source,
                              "%llu elements fit contains, expected at most %llu",
                              (unsigned long long)found,
                              (unsigned long long)elements->contains_max);
    }
    return true;
}

bool holds_elements(struct trial *trial, const struct assertion *assertion,
                    const struct node *array)
{
    const struct elements *elements = assertion->elements;
    bool holds = true;
    for (const struct node *at = array->first; at != NULL; at = at->next) {
        const struct part *part =
            at->index < elements->prefix_count ? elements->prefix[at->index] : elements->items;
        if (part == NULL) {
            break;
        }
        holds &= trial_apply(trial, part, at);
        if (trial->is_over || (!holds && trial->is_quiet)) {
            return false;
        }
    }
    return elements->contains == NULL ? holds : holds & holds_contains(trial, elements, array);
}

static int compare_hashes(const void *a, const void *b)
{
    const struct constant *left = a;
    const struct constant *right = b;
    if (left->hash != right->hash) {
        return left->hash > right->hash ? 1 : -1;
    }
    return left->value->index > right->value->index ? 1 : -1;
}

/* Whether list[at] equals one of those before it that share its hash; that one's index, *twin. */
static bool has_twin(struct trial *trial, const struct constant *list, uint32_t at, uint32_t *twin)
{
    for (uint32_t i = at; i > 0 && list[i - 1].hash == list[at].hash; i--) {
        bool same = false;
        uint64_t bytes = list[i - 1].value->raw.len;
        if (!trial_pays(trial, 1 + bytes / 2) ||
            !trial_goes_on(trial,
                           document_same(list[i - 1].value, list[at].value, trial->arena, &same))) {
            return false;
        }
        if (same) {
            *twin = list[i - 1].value->index;
            return true;
        }
    }
    return false;
}

bool holds_unique(struct trial *trial, const struct assertion *assertion, const struct node *array)
{
    if (array->count < 2 || !trial_pays(trial, SORT_UNITS * array->count + array->raw.len / 2)) {
        return array->count < 2;
    }
    struct constant *list = arena_take(trial->arena, array->count * sizeof(*list));
    if (list == NULL) {
        return trial_goes_on(trial, ERR_LIMIT);
    }
    for (const struct node *at = array->first; at != NULL; at = at->next) {
        list[at->index].value = at;
        if (!trial_goes_on(trial, document_hash(at, trial->arena, &list[at->index].hash))) {
            return false;
        }
    }
    qsort(list, array->count, sizeof(*list), compare_hashes);
    uint32_t twin = 0;
    for (uint32_t i = 1; i < array->count && trial->error == OK; i++) {
        if (has_twin(trial, list, i, &twin)) {
            return trial_violated(trial, array, "uniqueItems", assertion->source,
                                  "elements %u and %u are equal", twin, list[i].value->index);
        }
    }
    return trial->error == OK;
}
