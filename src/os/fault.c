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
    }
    return (struct fault){0};
}

struct fault fault_decide(enum fault_kind kind, const char *name, uint64_t offset, uint64_t len)
{
    struct fault_op op = {.kind = kind, .name = name, .offset = offset, .len = len};
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
