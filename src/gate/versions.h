/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * versions - the versions of the API, and the policy of their life (docs/versions.md).
 *
 * The path's v1 never changes; what a client sees is a version that it asks for. A version or a
 * route that goes is deprecated first, by a version that is released; it is served for at least
 * twelve months after that, its end is announced at least six months before, and it ends in a major
 * version. Versions are compared as numbers: 2.10 is newer than 2.9.
 *
 * Threads: any; nothing here changes.
 */

#include "base/err.h"
#include "base/slice.h"

/* ---- Numbers and days ---- */

struct version {
    uint16_t major, minor;
};

/* "2.0", "2" (the same), "v2.0"; numbers of at most 4 digits. False leaves *out untouched. */
bool version_parse(slice text, struct version *out);
/* Less than, equal to or greater than 0, as for memcmp(). */
int version_compare(struct version a, struct version b);

struct version_day {
    uint16_t year; /* from 1970 */
    uint8_t month, day;
};

/* "2025-11-10", a day that there is. False leaves *out untouched. */
bool version_day_parse(slice text, struct version_day *out);
int version_day_compare(struct version_day a, struct version_day b);
/* The same day `months` later; the last of the month where there is no such day. */
struct version_day version_day_add(struct version_day day, unsigned months);
/* Seconds since 1970 at its beginning, UTC. */
int64_t version_day_seconds(struct version_day day);

/* ---- Lives ---- */

#define VERSION_SUPPORT_MONTHS 12 /* at least, from deprecation to the end */
#define VERSION_NOTICE_MONTHS  6  /* at least, from the announcement of the end to it */

/* Nobody asked for it for so long, which is no less than the notice: it may go. */
#define VERSION_UNUSED_DAYS (VERSION_NOTICE_MONTHS * 31)

/* Of a version or of a route. Versions are "2.0", days "2025-11-10"; NULL where there is none. */
struct version_life {
    const char *introduced; /* by this version; NULL of a route: always there */
    const char *deprecated; /* by this version, on the day of its release */
    const char *announced;
    const char *sunset;    /* the day of the end */
    const char *removed;   /* the major version that is without it */
    const char *successor; /* the path to use instead, of a route */
};

#define VERSION_CHANGES_MAX 8
struct version_entry {
    const char *name; /* "2.0" */
    const char *released;
    struct version_life life;
    const char *changes[VERSION_CHANGES_MAX]; /* the rest are NULL */
};

/* Newest first; the first is the current version, and the default. */
struct version_table {
    const struct version_entry *entries;
    size_t count;
};
extern const struct version_table all_versions;
/* The day on which `version` was released. False when it is not in the table. */
bool version_release_day(const struct version_table *table, struct version version,
                         struct version_day *out);
#define VERSIONS_MAX 8

/* INVALID, and the sentence says which row breaks which rule. Days are compared with each other
 * only, so that what started once starts always. */
enum err version_table_check(const struct version_table *table, struct diag *diag);
/* The same for the life of a route, called `name`, among the versions of `table`. */
enum err version_life_check(const struct version_table *table, const struct version_life *life,
                            const char *name, struct diag *diag);

enum version_status {
    VERSION_CURRENT,
    VERSION_SUPPORTED,
    VERSION_DEPRECATED,
    VERSION_REMOVED, /* the current version is the one without it, or a later one */
};
enum version_status version_status(const struct version_table *table,
                                   const struct version_entry *entry);
const char *version_status_name(enum version_status status); /* "current" */

/* `life` (may be NULL) has ended, or is going to, by the current version of `table`. */
bool version_is_removed(const struct version_table *table, const struct version_life *life);
bool version_is_deprecated(const struct version_table *table, const struct version_life *life);

/* ---- Negotiation ---- */

/* What a request and its organisation say; empty where they say nothing. */
struct version_wishes {
    slice accept_version; /* of the header Accept-Version; the first that is given counts */
    slice x_api_version;
    slice api_version;  /* of the query */
    slice organisation; /* its default */
};

/* The entry of a version that is served; NULL when there is none. */
const struct version_entry *version_find(const struct version_table *table, slice text);

/* The version to answer in, never NULL: what is asked for if it is served, else the organisation's
 * default if that is served, else the current one. */
const struct version_entry *version_negotiate(const struct version_table *table,
                                              const struct version_wishes *wishes);

/* A route that came later than `entry` has no shape in it: it is answered in the version that
 * introduced it. Else `entry`. */
const struct version_entry *version_at_least(const struct version_table *table,
                                             const struct version_entry *entry,
                                             const struct version_life *life);
