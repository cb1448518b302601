/* SPDX-License-Identifier: Apache-2.0 */
#include "limits/limit_tiers.h"

#include <strings.h>

#define TIER(name, minute, hour, day, month) {(name), (minute), (hour), (day), (month)},
static const struct limit_tier tiers[] = {
#include "limits/limit_tiers.def"
};
#undef TIER

const struct limit_tier *limit_tier_find(slice name)
{
    for (size_t i = 0; i < COUNT_OF(tiers); i++) {
        if (strlen(tiers[i].name) == name.len &&
            strncasecmp(tiers[i].name, (const char *)name.ptr, name.len) == 0) {
            return &tiers[i];
        }
    }
    return &tiers[0];
}

void limit_organization(const struct limit_tier *tier, const struct limit_custom *custom, slice id,
                        struct limit_subject *out)
{
    *out = (struct limit_subject){
        .kind = LIMIT_ORGANIZATION,
        .id = id,
        .windows = {{60, custom->has_minute ? custom->minute : tier->minute, custom->burst},
                    {3600, custom->has_hour ? custom->hour : tier->hour, 0},
                    {86400, custom->has_day ? custom->day : tier->day, 0}},
        .window_count = 3,
    };
}

void limit_key(const struct limit_tier *tier, slice id, struct limit_subject *out)
{
    bool applies = tier->minute != 0 || tier->hour != 0 || tier->day != 0;
    *out = (struct limit_subject){
        .kind = LIMIT_KEY,
        .id = id,
        .windows = {{1, applies ? LIMIT_KEY_PER_SECOND : 0, 0}},
        .window_count = 1,
    };
}

void limit_failures(slice address, uint32_t limit, uint32_t seconds, struct limit_subject *out)
{
    *out = (struct limit_subject){.kind = LIMIT_ADDRESS,
                                  .id = address,
                                  .windows = {{seconds, limit, 0}},
                                  .window_count = 1};
}

uint64_t limit_month(const struct limit_tier *tier, const struct limit_custom *custom)
{
    if (custom->has_month) {
        return custom->month;
    }
    return tier->month != 0 ? tier->month : UINT64_MAX;
}
