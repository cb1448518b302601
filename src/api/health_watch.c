/* SPDX-License-Identifier: Apache-2.0 */
#include "api/health_watch.h"

#include <stdlib.h>

#include "access/callers.h"
#include "base/log.h"
#include "base/mem.h"
#include "gate/gate.h"
#include "ingest/journal.h"
#include "json/write.h"
#include "os/ticker.h"

enum { EVENT_BYTES_MAX = 1024, TURN_US = 1000000 };

struct health_watch {
    const struct api *api;
    struct ticker ticker;
    uint64_t waited_us;      /* of the thread, as the next */
    enum health_state state; /* HEALTHY before the first look */
};

static void put_event(const struct api *api, enum health_state state, const char *part)
{
    CLEANUP(buf_release) struct buf text = BUF_INIT(EVENT_BYTES_MAX);
    struct json_writer json = json_writer_to(&text);
    json_begin_object(&json, NULL);
    json_cstr(&json, "event_type", "system.error");
    json_cstr(&json, "event_outcome", "failure");
    json_cstr(&json, "actor_type", "system");
    json_cstr(&json, "actor_id", "cairn");
    json_cstr(&json, "resource_type", "component");
    json_cstr(&json, "resource_id", part);
    json_cstr(&json, "error_code", "health");
    json_cstr(&json, "error_message", health_name(state));
    if (json_end(&json) == OK && api->journal != NULL) {
        journal_put(api->journal, SLICE(SYSTEM_ORGANIZATION), buf_slice(&text));
    }
}

static void look(struct health_watch *watch)
{
    const char *part = NULL;
    enum health_state before = watch->state;
    enum health_state state = health_look(watch->api, &part);
    watch->state = state;
    if (state > before) {
        LOG_WARN("the health is worse", kv_str("status", health_name(state)),
                 kv_str("component", part));
        put_event(watch->api, state, part);
    } else if (state < before) {
        LOG_INFO("the health is better", kv_str("status", health_name(state)),
                 kv_str("component", part));
    }
}

/* In short turns, so that another interval counts within a second. */
static void turn(void *context, bool is_last)
{
    struct health_watch *watch = context;
    const struct running *running = watch->api->running;
    if (is_last) {
        return;
    }
    watch->waited_us += TURN_US;
    bool is_due = watch->waited_us >= running_u64(running, OPTION_HEALTH_INTERVAL_MS) * 1000;
    if (is_due && running_bool(running, OPTION_HEALTH_ENABLED) &&
        atomic_load(&watch->api->is_ready)) {
        look(watch);
    }
    watch->waited_us = is_due ? 0 : watch->waited_us;
}

enum err health_watch_start(const struct api *api, struct health_watch **out, struct diag *diag)
{
    struct health_watch *watch = mem_zeroed(sizeof(*watch));
    watch->api = api;
    ticker_init(&watch->ticker);
    enum err e = ticker_start(&watch->ticker, "health", TURN_US, turn, watch, diag);
    if (e != OK) {
        health_watch_stop(watch);
        return e;
    }
    *out = watch;
    return OK;
}

void health_watch_stop(struct health_watch *watch)
{
    if (watch == NULL) {
        return;
    }
    ticker_release(&watch->ticker);
    free(watch);
}
