/* SPDX-License-Identifier: Apache-2.0 */
#include "gate/meter.h"

#include <stdio.h>

#include "base/hash.h"
#include "gate/access_event.h"
#include "gate/auth.h"
#include "http/problem.h"
#include "json/write.h"
#include "limits/limit_text.h"
#include "limits/limit_tiers.h"
#include "os/clock.h"

enum { FAILURE_SECONDS = 60 };

/* ---- Answers ---- */

static void add_headers(struct http_request *request, const struct limit_answer *answer,
                        struct limit_time now)
{
    struct limit_headers headers;
    if (!limit_headers(answer, now, &headers)) {
        return;
    }
    const struct {
        const char *name, *value;
    } lines[] = {
        {"X-RateLimit-Limit", headers.limit}, {"X-RateLimit-Remaining", headers.remaining},
        {"X-RateLimit-Reset", headers.reset}, {"RateLimit-Policy", headers.policy},
        {"RateLimit", headers.rate_limit},    {"Retry-After", headers.retry_after},
    };
    for (size_t i = 0; i < COUNT_OF(lines); i++) {
        if (lines[i].value[0] != '\0') {
            http_response_header_cstr(request->response, lines[i].name, lines[i].value);
        }
    }
}

static void extend(struct json_writer *json, const void *data)
{
    const struct limit_answer *answer = data;
    char message[LIMIT_MESSAGE_BYTES];
    limit_message(answer, message);
    json_cstr(json, "error", "rate_limit_exceeded");
    json_cstr(json, "message", message);
    json_u64(json, "retry_after", limit_retry_after_s(answer));
}

static enum http_pass refuse(struct http_request *request, const struct limit_answer *answer,
                             struct limit_time now)
{
    char message[LIMIT_MESSAGE_BYTES];
    limit_message(answer, message);
    add_headers(request, answer, now);
    const struct http_problem problem = {
        .status = 429,
        .type = "/docs/problems#rate-limit",
        .detail = slice_from_cstr(message),
        .extend = extend,
        .extend_data = answer,
    };
    http_problem_write(request, &problem);
    return HTTP_PASS_ANSWER;
}

struct wait {
    char message[128];
    uint64_t seconds;
};

static void extend_wait(struct json_writer *json, const void *data)
{
    const struct wait *wait = data;
    json_cstr(json, "error", "rate_limit_exceeded");
    json_cstr(json, "message", wait->message);
    json_u64(json, "retry_after", wait->seconds);
}

void meter_wait(struct http_request *request, const char *what, int64_t wait_us)
{
    struct wait wait = {.seconds = (uint64_t)(wait_us + 999999) / 1000000};
    (void)snprintf(wait.message, sizeof(wait.message), "too many %s; wait %llu seconds", what,
                   (unsigned long long)wait.seconds);
    http_response_header_u64(request->response, "Retry-After", wait.seconds);
    const struct http_problem problem = {
        .status = 429,
        .type = "/docs/problems#rate-limit",
        .detail = slice_from_cstr(wait.message),
        .extend = extend_wait,
        .extend_data = &wait,
    };
    http_problem_write(request, &problem);
}

/* LIM-09: that a limit was hit; at most one event a second of an organisation, so that refusing
 * costs less than serving. */
static void note_event(struct http_request *request, struct api *api,
                       const struct limit_answer *answer)
{
    const struct caller *caller = request->caller;
    int64_t now_us = clock_monotonic_us();
    _Atomic int64_t *noted_us =
        &api->limit_noted_us[hash_bytes(caller->org, 0) % COUNT_OF(api->limit_noted_us)];
    int64_t last_us = atomic_load(noted_us);
    bool is_first =
        now_us - last_us >= 1000000 && atomic_compare_exchange_strong(noted_us, &last_us, now_us);
    if (is_first) {
        access_put(request, &(struct request_event){.type = "rate_limit.exceeded",
                                                    .outcome = "denied",
                                                    .resource_type = "organization",
                                                    .resource_id = caller->org,
                                                    .write_data = extend,
                                                    .data = answer});
    }
}

/* ---- Organisations and keys ---- */

struct metered {
    struct limit_subject subjects[2];
    size_t count;
};

/* Those of the request that have limits. */
static void find_metered(const struct caller *caller, struct metered *out)
{
    const struct limit_tier *tier = limit_tier_find(slice_from_cstr(caller->who.tier));
    struct limit_subject key;
    limit_organization(tier, &caller->who.limits, caller->org, &out->subjects[0]);
    bool has_id = caller->who.kind != CALLER_KEY && caller->who.id[0] != '\0';
    limit_key(tier, has_id ? slice_from_cstr(caller->who.id) : caller->actor, &key);
    out->count = limit_subject_is_on(&out->subjects[0]) ? 1 : 0;
    if (limit_subject_is_on(&key)) {
        out->subjects[out->count++] = key;
    }
}

static enum http_pass take(struct http_request *request, struct api *api,
                           const struct metered *metered)
{
    struct limit_answer answer;
    struct limit_time now = limit_time_now();
    enum err e = limits_take(api->limits, metered->subjects, metered->count, now, &answer);
    if (e == ERR_LIMIT) {
        note_event(request, api, &answer);
        return refuse(request, &answer, now);
    }
    if (e != OK) {
        struct diag diag = {0};
        api_fail(request, diag_fail(&diag, e, "", "the server cannot count requests just now"),
                 &diag);
        return HTTP_PASS_ANSWER;
    }
    add_headers(request, &answer, now);
    return HTTP_PASS_ON;
}

enum http_pass meter_request(struct http_request *request, void *data)
{
    struct api *api = data;
    const struct caller *caller = request->caller;
    struct metered metered = {0};
    if (caller->is_known) {
        find_metered(caller, &metered);
    }
    if (metered.count == 0) {
        return HTTP_PASS_ON;
    }
    return limits_wait(api->limits) ? HTTP_PASS_WAIT : take(request, api, &metered);
}

enum http_pass meter_ask(struct http_request *request, void *data)
{
    struct metered metered;
    find_metered(request->caller, &metered);
    return take(request, data, &metered);
}

/* ---- Addresses ---- */

/* False: any number of failures is borne. */
static bool failures_of(const struct http_request *request, const struct api *api,
                        struct limit_subject *out)
{
    uint32_t most = (uint32_t)running_u64(api->running, OPTION_WRONG_KEYS_MAX);
    if (most > 0) {
        limit_failures(request->peer, most, FAILURE_SECONDS, out);
    }
    return most > 0;
}

bool meter_address_is_open(struct http_request *request, struct api *api)
{
    struct limit_subject subject;
    struct limit_answer answer;
    struct limit_time now = limit_time_now();
    if (!failures_of(request, api, &subject)) {
        return true;
    }
    bool is_open = limits_look(api->limits, &subject, 1, now, &answer) != ERR_LIMIT;
    return is_open || refuse(request, &answer, now) == HTTP_PASS_ON;
}

void meter_wrong_key(struct http_request *request, struct api *api)
{
    struct limit_subject subject;
    struct limit_answer answer;
    if (failures_of(request, api, &subject)) {
        enum err e = limits_take(api->limits, &subject, 1, limit_time_now(), &answer);
        UNUSED(e); /* it is counted; this one is refused anyway */
    }
}
