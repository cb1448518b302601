/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * limit_entry - what one organisation, key or address may ask for, and what it has left: an entry
 * of the list of limits.
 *
 * An organisation is shown with the limits that it has now, also one that asked for nothing yet; a
 * key or an address with those that it was judged by last.
 *
 * Threads: the pool; with Redis it waits for that.
 */

#include <jansson.h>

#include "gate/gate.h"
#include "limits/limits.h"
#include "limits/quota.h"

#define REDIS_AWAY "the counts are in Redis, which does not answer now"

struct limit_tier;

/* Texts are borrowed from what it was made of, or point into it: it stays where it is. */
struct limit_entry {
    struct limit_subject subject;
    struct limit_usage usage; /* zeros if it is not known */
    struct limit_answer answer;
    const char *name;              /* of an organisation; NULL: it is none */
    const struct limit_tier *tier; /* of an organisation */
    struct quota_answer quota;     /* of an organisation */
};

/* `organization` is as the catalog has it. BUSY: Redis is away. */
enum err limit_entry_organization(const struct api *api, const json_t *organization,
                                  struct limit_entry *out, struct diag *diag);
/* One that limits_list() or limits_find() gave. BUSY. */
enum err limit_entry_usage(const struct api *api, const struct limit_usage *usage,
                           struct limit_entry *out, struct diag *diag);

/* In all windows. */
uint64_t limit_entry_refused(const struct limit_usage *usage);

/* A new reference. */
json_t *limit_entry_json(const struct limit_entry *entry);

/* A member that is a number. */
void limit_json_count(json_t *object, const char *name, uint64_t number);
