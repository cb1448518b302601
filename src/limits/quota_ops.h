/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* quota_ops - what a back end of quota.h provides; it embeds `struct quota` as its first member. */

#include "limits/quota.h"

enum quota_word { QUOTA_TAKE, QUOTA_LOOK, QUOTA_GIVE_BACK };

struct quota_change {
    enum quota_word word;
    slice org;
    uint64_t limit;
    int64_t wall_us;
    int32_t taken_month; /* of QUOTA_GIVE_BACK */
};

struct quota_ops {
    /* Sets used and month of *out, and is_uncounted. LIMIT: not taken. BUSY. */
    enum err (*change)(struct quota *quota, const struct quota_change *change,
                       struct quota_answer *out);
    enum err (*flush)(struct quota *quota, quota_store_fn *store, void *context, struct diag *diag);
    void (*free)(struct quota *quota);
};

struct quota {
    const struct quota_ops *ops;
};

/* The month that counts now and what is used in it, when `month` is stored and the clock says
 * `clock_month`; sets *used to 0 when a new one has begun. */
static inline int32_t quota_month_now(int32_t month, int32_t clock_month, uint64_t *used)
{
    if (clock_month > month) {
        *used = 0;
        return clock_month;
    }
    return clock_month == month - 1 ? month : clock_month;
}
