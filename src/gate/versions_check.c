/* SPDX-License-Identifier: Apache-2.0 */
/* versions_check - the policy of the life of versions and routes, as rules over their tables. */
#include "gate/versions.h"

/* A life whose texts have been understood. */
struct parsed {
    const char *name;
    struct version introduced, deprecated, removed;
    struct version_day deprecated_on; /* the release of `deprecated` */
    struct version_day announced, sunset;
};

static enum err broken(struct diag *diag, const char *name, const char *rule)
{
    return diag_fail(diag, ERR_INVALID, name, "%s (docs/versions.md)", rule);
}

static bool parse_optional(const char *text, struct version *out)
{
    return text == NULL || version_parse(slice_from_cstr(text), out);
}

static bool parse_day(const char *text, struct version_day *out)
{
    return text != NULL && version_day_parse(slice_from_cstr(text), out);
}

static enum err check_end(const struct version_table *table, const struct parsed *life,
                          struct diag *diag)
{
    struct version_day supported = version_day_add(life->deprecated_on, VERSION_SUPPORT_MONTHS);
    struct version_day told = version_day_add(life->announced, VERSION_NOTICE_MONTHS);
    struct version_day removed_on = {0};
    if (version_compare(life->deprecated, life->introduced) <= 0) {
        return broken(diag, life->name, "is deprecated by a version that is not a later one");
    }
    if (life->removed.minor != 0 || version_compare(life->removed, life->deprecated) <= 0) {
        return broken(diag, life->name, "is removed by what is not a later major version");
    }
    if (version_day_compare(life->sunset, supported) < 0) {
        return broken(diag, life->name, "ends less than 12 months after it was deprecated");
    }
    if (version_day_compare(life->sunset, told) < 0) {
        return broken(diag, life->name, "ends less than 6 months after its end was announced");
    }
    if (version_release_day(table, life->removed, &removed_on) &&
        version_day_compare(removed_on, life->sunset) < 0) {
        return broken(diag, life->name, "is removed by a version that came before its last day");
    }
    return OK;
}

enum err version_life_check(const struct version_table *table, const struct version_life *life,
                            const char *name, struct diag *diag)
{
    struct parsed parsed = {.name = name};
    struct version_day introduced_on = {0};
    if (!parse_optional(life->introduced, &parsed.introduced) ||
        !parse_optional(life->deprecated, &parsed.deprecated) ||
        !parse_optional(life->removed, &parsed.removed)) {
        return broken(diag, name, "names what is not a version");
    }
    if (life->introduced != NULL &&
        !version_release_day(table, parsed.introduced, &introduced_on)) {
        return broken(diag, name, "is introduced by a version that is not in the table");
    }
    if (life->deprecated == NULL) {
        return life->removed == NULL && life->sunset == NULL && life->announced == NULL
                   ? OK
                   : broken(diag, name, "ends without having been deprecated");
    }
    if (!version_release_day(table, parsed.deprecated, &parsed.deprecated_on)) {
        return broken(diag, name, "is deprecated by a version that is not in the table");
    }
    if (life->removed == NULL || !parse_day(life->sunset, &parsed.sunset) ||
        !parse_day(life->announced, &parsed.announced)) {
        return broken(diag, name, "is deprecated, but does not say when it ends");
    }
    return check_end(table, &parsed, diag);
}

/* Of neighbours in the table, `older` comes behind `newer`. */
static enum err check_order(const struct version_entry *newer, const struct version_entry *older,
                            struct diag *diag)
{
    struct version a = {0};
    struct version b = {0};
    struct version_day a_day = {0};
    struct version_day b_day = {0};
    if (!version_parse(slice_from_cstr(newer->name), &a) ||
        !version_parse(slice_from_cstr(older->name), &b) || version_compare(a, b) <= 0) {
        return broken(diag, newer->name, "is not newer than the one below it");
    }
    if (!parse_day(newer->released, &a_day) || !parse_day(older->released, &b_day) ||
        version_day_compare(a_day, b_day) <= 0) {
        return broken(diag, newer->name, "was not released after the one below it");
    }
    return OK;
}

enum err version_table_check(const struct version_table *table, struct diag *diag)
{
    if (table->count == 0 || table->count > VERSIONS_MAX) {
        return broken(diag, "versions", "the table has no versions, or too many");
    }
    if (table->entries[0].life.deprecated != NULL) {
        return broken(diag, table->entries[0].name, "is the current version, and deprecated");
    }
    for (size_t i = 0; i < table->count; i++) {
        const struct version_entry *entry = &table->entries[i];
        struct version_day released = {0};
        if (!parse_day(entry->released, &released) || entry->changes[0] == NULL) {
            return broken(diag, entry->name, "does not say when it was released, or what changed");
        }
        if (i + 1 < table->count) {
            TRY(check_order(entry, entry + 1, diag));
        }
        TRY(version_life_check(table, &entry->life, entry->name, diag));
    }
    return OK;
}
