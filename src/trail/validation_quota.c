/* SPDX-License-Identifier: Apache-2.0 */
#include "trail/validation_quota.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/log.h"
#include "gate/access_event.h"
#include "gate/auth.h"
#include "json/write.h"
#include "limits/limit_tiers.h"
#include "os/clock.h"

enum { NUMBER_BYTES = 24, MESSAGE_BYTES = 96 };

/* ---- Answers ---- */

static uint64_t whole_seconds(int64_t us)
{
    return us > 0 ? ((uint64_t)us + 999999) / 1000000 : 0;
}

static void add_number(struct http_request *request, const char *name, uint64_t number)
{
    char text[NUMBER_BYTES];
    (void)snprintf(text, sizeof(text), "%" PRIu64, number);
    http_response_header_cstr(request->response, name, text);
}

static void add_headers(struct http_request *request, const struct quota_answer *quota)
{
    if (quota->limit == QUOTA_UNLIMITED || quota->is_uncounted) {
        return;
    }
    add_number(request, "X-Quota-Limit", quota->limit);
    add_number(request, "X-Quota-Remaining", quota->remaining);
    add_number(request, "X-Quota-Reset", whole_seconds(quota->reset_us));
}

struct refusal {
    const struct quota_answer *quota;
    char message[MESSAGE_BYTES];
    uint64_t retry_after_s;
};

static void extend(struct json_writer *json, const void *data)
{
    const struct refusal *refusal = data;
    json_cstr(json, "error", "quota_exceeded");
    json_cstr(json, "message", refusal->message);
    json_u64(json, "retry_after", refusal->retry_after_s);
    json_u64(json, "quota", refusal->quota->limit);
    json_u64(json, "used", refusal->quota->used);
    json_time(json, "reset_at", refusal->quota->reset_us);
}

/* LIM-09, ING-31. Each of them, as each validation that is served leaves one. */
static void note_event(struct http_request *request, const struct refusal *refusal)
{
    const struct caller *caller = request->caller;
    access_put(request, &(struct request_event){.type = "validation.quota_exceeded",
                                                .outcome = "denied",
                                                .resource_type = "organization",
                                                .resource_id = caller->org,
                                                .write_data = extend,
                                                .data = refusal});
}

static void refuse(struct http_request *request, const struct quota_answer *quota, int64_t now_us)
{
    struct refusal refusal = {.quota = quota};
    refusal.retry_after_s = whole_seconds(quota->reset_us - now_us);
    refusal.retry_after_s = refusal.retry_after_s > 0 ? refusal.retry_after_s : 1;
    (void)snprintf(refusal.message, sizeof(refusal.message),
                   "Monthly quota exceeded: %" PRIu64 " validations per month", quota->limit);
    const struct http_problem problem = {
        .status = 429,
        .type = "/docs/problems#quota",
        .detail = slice_from_cstr(refusal.message),
        .extend = extend,
        .extend_data = &refusal,
    };
    add_headers(request, quota);
    add_number(request, "Retry-After", refusal.retry_after_s);
    http_problem_write(request, &problem);
    note_event(request, &refusal);
}

/* ---- Counting ---- */

bool validation_quota_take(struct http_request *request, struct quota_answer *out)
{
    const struct caller *caller = request->caller;
    const struct limit_tier *tier = limit_tier_find(slice_from_cstr(caller->who.tier));
    uint64_t limit = limit_month(tier, &caller->who.limits);
    int64_t now_us = clock_now_us();
    enum err e = quota_take(caller->api->quota, caller->org, limit, now_us, out);
    if (e == OK) {
        return true;
    }
    if (e == ERR_LIMIT) {
        atomic_fetch_add(&caller->api->quota_refused, 1);
        refuse(request, out, now_us);
        return false;
    }
    if (limit == QUOTA_UNLIMITED) { /* it is counted for nobody but the statistics */
        *out = (struct quota_answer){.limit = limit, .is_uncounted = true};
        return true;
    }
    struct diag diag = {0};
    e = diag_fail(&diag, ERR_BUSY, "", "the server cannot count validations just now");
    api_fail(request, e, &diag);
    return false;
}

void validation_quota_settle(struct http_request *request, const struct quota_answer *taken,
                             bool is_accepted)
{
    const struct caller *caller = request->caller;
    if (is_accepted) {
        add_headers(request, taken);
    } else if (quota_give_back(caller->api->quota, caller->org, taken, clock_now_us()) != OK) {
        LOG_WARN("a validation that failed counts, because Redis is away",
                 kv_slice("org", caller->org), kv_slice("request_id", request->request_id));
    }
}
