/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The keywords about members of an object, all in one pass over them: each member's name is looked
 * up once among the names that the schema knows, and those that were seen are marked, so that
 * `required` looks at marks.
 */
#include <stdlib.h>

#include "validate/trial.h"

/* ---- Compiling ---- */

static enum err check_name_list(struct compiler *compiler, const struct node *source)
{
    if (source->kind != JSON_IS_ARRAY) {
        return document_fail(compiler->diag, ERR_INVALID, source, "expected a list of names");
    }
    for (const struct node *at = source->first; at != NULL; at = at->next) {
        if (at->kind != JSON_IS_STRING) {
            return document_fail(compiler->diag, ERR_INVALID, at, "expected a name, a string");
        }
    }
    return OK;
}

static enum err compile_patterns(struct compiler *compiler, struct members *members,
                                 const struct node *source)
{
    struct member_pattern *patterns = NULL;
    TRY(part_take(compiler, source->count * sizeof(*patterns), &patterns));
    for (const struct node *at = source->first; at != NULL; at = at->next) {
        TRY(part_pattern(compiler, at, at->name, &patterns[at->index].pattern));
        TRY(part_compile(compiler, at, &patterns[at->index].part));
    }
    members->patterns = patterns;
    members->pattern_count = source->count;
    members->patterns_source = source;
    return OK;
}

static enum err compile_properties(struct compiler *compiler, const struct node *source)
{
    for (const struct node *at = source->first; at != NULL; at = at->next) {
        const struct part *part = NULL; /* members_finish() finds it by its place */
        TRY(part_compile(compiler, at, &part));
    }
    return OK;
}

enum err members_keyword(struct compiler *compiler, struct part *part, const struct node *source)
{
    struct members *members = part->members;
    slice name = source->name;
    if (slice_equal(name, SLICE("additionalProperties"))) {
        members->additional_source = source;
        return part_compile(compiler, source, &members->additional);
    }
    if (slice_equal(name, SLICE("required"))) {
        members->required_source = source;
        return check_name_list(compiler, source);
    }
    if (source->kind != JSON_IS_OBJECT) {
        return part_refuse(compiler, source, "an object");
    }
    if (slice_equal(name, SLICE("patternProperties"))) {
        return compile_patterns(compiler, members, source);
    }
    if (slice_equal(name, SLICE("properties"))) {
        members->properties_source = source;
        return compile_properties(compiler, source);
    }
    members->dependencies_source = source;
    for (const struct node *at = source->first; at != NULL; at = at->next) {
        TRY(check_name_list(compiler, at));
    }
    return OK;
}

static int compare_names(const void *a, const void *b)
{
    return slice_compare(((const struct member_name *)a)->name,
                         ((const struct member_name *)b)->name);
}

int members_find(const struct members *members, slice name)
{
    uint32_t from = 0;
    uint32_t to = members->name_count;
    while (from < to) {
        uint32_t middle = from + (to - from) / 2;
        int order = slice_compare(name, members->names[middle].name);
        if (order == 0) {
            return (int)middle;
        }
        if (order < 0) {
            to = middle;
        } else {
            from = middle + 1;
        }
    }
    return -1;
}

/* How many children a keyword's value has, none when it is not given. */
static uint32_t count_of(const struct node *source)
{
    return source != NULL ? source->count : 0;
}

/* All names that keywords give, with repeats, in `names`. Returns how many. */
static uint32_t gather(const struct compiler *compiler, const struct members *members,
                       struct member_name *names)
{
    uint32_t count = 0;
    const struct node *first =
        members->properties_source != NULL ? members->properties_source->first : NULL;
    for (const struct node *at = first; at != NULL; at = at->next) {
        names[count++] = (struct member_name){at->name, compiler->parts[at->number]};
    }
    first = members->required_source != NULL ? members->required_source->first : NULL;
    for (const struct node *at = first; at != NULL; at = at->next) {
        names[count++].name = at->text;
    }
    first = members->dependencies_source != NULL ? members->dependencies_source->first : NULL;
    for (const struct node *at = first; at != NULL; at = at->next) {
        names[count++].name = at->name;
        for (const struct node *need = at->first; need != NULL; need = need->next) {
            names[count++].name = need->text;
        }
    }
    return count;
}

/* Sorted names without repeats; of one name, the entry that has a part gives it. */
static uint32_t merge(struct member_name *names, uint32_t count)
{
    uint32_t kept = 0;
    qsort(names, count, sizeof(*names), compare_names);
    for (uint32_t i = 0; i < count; i++) {
        if (kept > 0 && slice_equal(names[kept - 1].name, names[i].name)) {
            const struct part *part = names[i].part;
            names[kept - 1].part = part != NULL ? part : names[kept - 1].part;
        } else {
            names[kept++] = names[i];
        }
    }
    return kept;
}

/* The numbers of the names in a list, *out. */
static enum err number_names(struct compiler *compiler, const struct members *members,
                             const struct node *list, const uint32_t **out)
{
    uint32_t *numbers = NULL;
    TRY(part_take(compiler, list->count * sizeof(*numbers), &numbers));
    for (const struct node *at = list->first; at != NULL; at = at->next) {
        numbers[at->index] = (uint32_t)members_find(members, at->text);
    }
    *out = numbers;
    return OK;
}

static enum err number_dependencies(struct compiler *compiler, struct members *members)
{
    struct dependency *dependencies = NULL;
    uint32_t count = members->dependencies_source->count;
    TRY(part_take(compiler, count * sizeof(*dependencies), &dependencies));
    const struct node *at = members->dependencies_source->first;
    for (; at != NULL; at = at->next) {
        struct dependency *dependency = &dependencies[at->index];
        dependency->name = (uint32_t)members_find(members, at->name);
        dependency->count = at->count;
        TRY(number_names(compiler, members, at, &dependency->needs));
    }
    members->dependencies = dependencies;
    members->dependency_count = count;
    return OK;
}

enum err members_finish(struct compiler *compiler, struct part *part)
{
    struct members *members = part->members;
    uint32_t count = count_of(members->properties_source) + count_of(members->required_source) +
                     count_of(members->dependencies_source);
    const struct node *dependencies = members->dependencies_source;
    const struct node *at = dependencies != NULL ? dependencies->first : NULL;
    for (; at != NULL; at = at->next) {
        count += at->count;
    }
    struct member_name *names = NULL;
    TRY(part_take(compiler, count * sizeof(*names), &names));
    members->name_count = merge(names, gather(compiler, members, names));
    members->names = names;
    if (members->name_count > SCHEMA_NAMES_MAX) {
        return document_fail(compiler->diag, ERR_LIMIT, part->source,
                             "a schema names at most %d members", SCHEMA_NAMES_MAX);
    }
    if (members->required_source != NULL) {
        members->required_count = members->required_source->count;
        TRY(number_names(compiler, members, members->required_source, &members->required));
    }
    return dependencies != NULL ? number_dependencies(compiler, members) : OK;
}

/* ---- Checking ---- */

/* The names that were seen, by their numbers. */
struct marks {
    uint64_t words[SCHEMA_NAMES_MAX / 64];
};

static bool has_mark(const struct marks *marks, uint32_t name)
{
    return (marks->words[name / 64] >> (name % 64) & 1) != 0;
}

static bool holds_patterns(struct trial *trial, const struct members *members,
                           const struct node *member, bool *is_covered)
{
    bool holds = true;
    for (uint32_t i = 0; i < members->pattern_count; i++) {
        const struct member_pattern *pattern = &members->patterns[i];
        bool found = false;
        if (!trial_goes_on(trial, pattern_search(pattern->pattern, member->name, trial->work,
                                                 &found, trial->diag))) {
            return false;
        }
        *is_covered |= found;
        holds &= !found || trial_apply(trial, pattern->part, member);
    }
    return holds;
}

static bool holds_additional(struct trial *trial, const struct members *members,
                             const struct node *member)
{
    if (members->additional->truth == PART_FALSE) {
        slice name = name_excerpt(member->name);
        return trial_violated(trial, member, "additionalProperties", members->additional_source,
                              "no member %.*s is allowed here", SLICE_ARG(name));
    }
    return trial_apply(trial, members->additional, member);
}

static bool holds_member(struct trial *trial, const struct members *members,
                         const struct node *member, struct marks *seen)
{
    int number = members_find(members, member->name);
    bool is_covered = false;
    bool holds = true;
    if (number >= 0) {
        seen->words[number / 64] |= UINT64_C(1) << (number % 64);
        const struct part *part = members->names[number].part;
        if (part != NULL) {
            is_covered = true;
            holds = trial_apply(trial, part, member);
        }
    }
    holds &= holds_patterns(trial, members, member, &is_covered);
    if (!is_covered && members->additional != NULL) {
        holds &= holds_additional(trial, members, member);
    }
    return holds;
}

static bool holds_required(struct trial *trial, const struct members *members,
                           const struct node *object, const struct marks *seen)
{
    bool holds = true;
    for (uint32_t i = 0; i < members->required_count && !trial->is_over; i++) {
        if (!has_mark(seen, members->required[i])) {
            slice name = name_excerpt(members->names[members->required[i]].name);
            holds = trial_violated(trial, object, "required", members->required_source,
                                   "the member %.*s is missing", SLICE_ARG(name));
        }
    }
    return holds;
}

static bool holds_dependency(struct trial *trial, const struct members *members,
                             const struct dependency *dependency, const struct node *object,
                             const struct marks *seen)
{
    bool holds = true;
    for (uint32_t i = 0; i < dependency->count && !trial->is_over; i++) {
        if (!has_mark(seen, dependency->needs[i])) {
            slice name = name_excerpt(members->names[dependency->needs[i]].name);
            slice cause = name_excerpt(members->names[dependency->name].name);
            holds = trial_violated(trial, object, "dependentRequired", members->dependencies_source,
                                   "the member %.*s is missing, which %.*s needs", SLICE_ARG(name),
                                   SLICE_ARG(cause));
        }
    }
    return holds;
}

bool holds_members(struct trial *trial, const struct assertion *assertion,
                   const struct node *object)
{
    const struct members *members = assertion->members;
    struct marks seen;
    memset(&seen, 0, (members->name_count + 63) / 64 * sizeof(seen.words[0]));
    uint64_t names = members->required_count + members->dependency_count;
    if (!trial_pays(trial, object->count + names / 16)) {
        return false;
    }
    bool holds = true;
    for (const struct node *at = object->first; at != NULL; at = at->next) {
        holds &= holds_member(trial, members, at, &seen);
        if (trial->is_over || (!holds && trial->is_quiet)) {
            return false;
        }
    }
    holds &= holds_required(trial, members, object, &seen);
    for (uint32_t i = 0; i < members->dependency_count; i++) {
        const struct dependency *dependency = &members->dependencies[i];
        if (has_mark(&seen, dependency->name)) {
            holds &= trial_pays(trial, 1 + dependency->count / 16) &&
                     holds_dependency(trial, members, dependency, object, &seen);
        }
    }
    return holds;
}

/* A name is checked as the string that it is, at the place of its member. */
bool holds_names(struct trial *trial, const struct assertion *assertion, const struct node *object)
{
    bool holds = true;
    for (const struct node *at = object->first; at != NULL && !trial->is_over; at = at->next) {
        struct node name = {.kind = JSON_IS_STRING,
                            .index = at->index,
                            .name = at->name,
                            .text = at->name,
                            .parent = at->parent};
        holds &= trial_apply(trial, assertion->parts.list[0], &name);
    }
    return holds;
}
