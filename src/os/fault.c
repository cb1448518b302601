/* SPDX-License-Identifier: Apache-2.0 */
#include "os/fault.h"

#include <errno.h>

#include "os/thread.h"

struct fault_plan *_Atomic fault_installed;

static struct mutex deciding = MUTEX_INIT;

void fault_install(struct fault_plan *plan)
{
    mutex_lock(&deciding);
    atomic_store(&fault_installed, plan);
    mutex_unlock(&deciding);
}

bool fault_is_off(const struct fault_plan *plan)
{
    mutex_lock(&deciding);
    bool is_off = plan->is_off;
    mutex_unlock(&deciding);
    return is_off;
}

uint64_t fault_number(const struct fault_plan *plan)
{
    mutex_lock(&deciding);
    uint64_t number = plan->number;
    mutex_unlock(&deciding);
    return number;
}

/* Under the lock. */
static struct fault decide(struct fault_plan *plan, struct fault_op *op)
{
    op->number = ++plan->number;
    op->number_of_kind = ++plan->number_of_kind[op->kind];
    int error = plan->error != 0 ? plan->error : EIO;
    if (plan->is_off) {
        return (struct fault){.error = EIO};
    }
    switch (plan->decide(plan->ctx, op)) {
    case FAULT_NONE:
        return (struct fault){0};
    case FAULT_FAIL:
        return (struct fault){.error = error};
    case FAULT_SHORT:
        return (struct fault){.error = error, .is_half = true};
    case FAULT_POWER_OFF:
        plan->is_off = true;
        return (struct fault){.error = EIO};
    case FAULT_TORN:
        plan->is_off = true;
        return (struct fault){.error = EIO, .is_half = true};
    case FAULT_UNANSWERED:
        plan->is_off = true;
        return (struct fault){.error = EIO, .is_whole = true};
    case FAULT_SKIP:
        return (struct fault){.is_skipped = true};
    }
    return (struct fault){0};
}

struct fault fault_decide(const struct fault_op *asked)
{
    struct fault_op op = *asked;
    struct fault fault = {0};
    mutex_lock(&deciding);
    struct fault_plan *plan = atomic_load(&fault_installed);
    if (plan != NULL) { /* it may have ended since fault_check() looked */
        fault = decide(plan, &op);
    }
    mutex_unlock(&deciding);
    return fault;
}

static enum fault_action decide_nth(void *ctx, const struct fault_op *op)
{
    const struct fault_nth *nth = ctx;
    bool is_it = nth->any_kind ? op->number == nth->n
                               : op->kind == nth->kind && op->number_of_kind == nth->n;
    return is_it ? nth->action : FAULT_NONE;
}

struct fault_plan fault_plan_nth(struct fault_nth *nth)
{
    ASSERT(nth->n > 0);
    return (struct fault_plan){.decide = decide_nth, .ctx = nth, .error = nth->error};
}

static enum fault_action decide_nothing(void *ctx, const struct fault_op *op)
{
    UNUSED(ctx);
    UNUSED(op);
    return FAULT_NONE;
}

struct fault_plan fault_plan_count(void)
{
    return (struct fault_plan){.decide = decide_nothing};
}
