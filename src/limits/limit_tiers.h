/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * limit_tiers - which limits an organisation has: those of its tier (limit_tiers.def), and its own
 * where it has some.
 *
 * Threads: any.
 */

#include "limits/limits.h"

#define LIMIT_KEY_PER_SECOND 500 /* of one key, where a tier applies */

struct limit_tier {
    const char *name;
    uint32_t minute, hour, day; /* requests; 0: no limit */
    uint32_t month;             /* accepted validations; 0: no limit */
};

/* In any case of letters. One that is not in the table is FREE; never NULL. */
const struct limit_tier *limit_tier_find(slice name);

/* Limits of an organisation's own. {0} has none. */
struct limit_custom {
    bool has_minute, has_hour, has_day, has_month;
    uint32_t minute, hour, day, month; /* 0: none passes a month, and no limit elsewhere */
    uint32_t burst;                    /* of the minute */
};

/* The organisation `id` with its windows. Those of a minute, an hour, a day, in this order. */
void limit_organization(const struct limit_tier *tier, const struct limit_custom *custom, slice id,
                        struct limit_subject *out);

/* A key, with a window of one second where the tier has limits. */
void limit_key(const struct limit_tier *tier, slice id, struct limit_subject *out);

/* `limit` failures in `seconds` of one address; a limit of 0 is off. */
void limit_failures(slice address, uint32_t limit, uint32_t seconds, struct limit_subject *out);

/* Validations in a month; UINT64_MAX: as many as they like. */
uint64_t limit_month(const struct limit_tier *tier, const struct limit_custom *custom);
