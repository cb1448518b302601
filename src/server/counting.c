/* SPDX-License-Identifier: Apache-2.0 */
#include "server/counting.h"

#include <stdlib.h>

#include "access/callers.h"
#include "base/log.h"
#include "base/mem.h"
#include "catalog/catalog.h"
#include "limits/limit_link.h"
#include "limits/limit_script.h"
#include "limits/limits_local.h"
#include "limits/limits_redis.h"
#include "limits/quota.h"
#include "os/clock.h"
#include "os/ticker.h"

enum { TURN_US = 1000 * 1000, CONNECTIONS_BESIDE_HANDLERS = 2 };

struct counting {
    struct catalog *catalog;
    struct limit_link *link; /* NULL: everything is counted in memory */
    struct limits *limits;
    struct quota *quota;
    bool is_closed;
    struct ticker ticker;  /* woken by whoever noticed an outage, or its end */
    uint64_t told_outages; /* of the ticker's thread, as the next three */
    bool told_away;
    int64_t away_since_us;
    bool fails_to_store;
};

/* ---- Redis goes and comes back ---- */

/* By whoever noticed, a loop perhaps: the thread looks what it was. */
static void poke(void *context, bool is_away, const char *error)
{
    struct counting *counting = context;
    UNUSED(is_away);
    UNUSED(error);
    ticker_wake(&counting->ticker);
}

static json_t *outage_data(const struct counting *counting, bool is_away,
                           const struct limit_link_state *state)
{
    json_t *data =
        json_pack("{s:s, s:s, s:s, s:s, s:I}", "component", "redis", "error_code",
                  is_away ? "redis_away" : "redis_back", "error_message",
                  is_away ? "Redis is away: the counts that servers share cannot be reached"
                          : "Redis is back",
                  "when_away", counting->is_closed ? "closed" : "open", "outages",
                  (json_int_t)state->outages);
    if (!is_away) {
        int64_t away_us = clock_now_us() - counting->away_since_us;
        (void)json_object_set_new(data, "away_ms", json_integer(away_us > 0 ? away_us / 1000 : 0));
    }
    return data;
}

static enum err put_event(struct catalog *catalog, const json_t *data, bool is_away,
                          struct diag *diag)
{
    const struct catalog_author author = {
        .org = SLICE(SYSTEM_ORGANIZATION),
        .actor_type = SLICE("system"),
        .actor_id = SLICE("cairn"),
    };
    TRY(catalog_begin(catalog, diag));
    enum err e =
        catalog_note(catalog, &author, "system.error", is_away ? "failure" : "success", data, diag);
    return catalog_end(catalog, e, diag);
}

static void tell(const struct counting *counting, bool is_away,
                 const struct limit_link_state *state)
{
    struct diag diag = {0};
    if (is_away) {
        LOG_WARN("Redis is away", kv_str("why", state->error),
                 kv_str("requests", counting->is_closed ? "refused" : "pass uncounted"));
    } else {
        LOG_INFO("Redis is back", kv_u64("outages", state->outages));
    }
    json_t *data = outage_data(counting, is_away, state);
    if (put_event(counting->catalog, data, is_away, &diag) != OK) {
        LOG_WARN("this is without an event", kv_str("where", diag.where), kv_str("why", diag.text));
    }
    json_decref(data);
}

/* Every outage is told, also one that is over by now. */
static void watch(struct counting *counting)
{
    const slice ping[] = {SLICE("PING")};
    CLEANUP(limit_reply_freep) redisReply *reply = NULL;
    struct limit_link_state state;
    enum err e = limit_link_call(counting->link, ping, COUNT_OF(ping), &reply);
    UNUSED(e); /* the state says it */
    limit_link_state(counting->link, &state);
    bool is_new = state.outages > counting->told_outages;
    if (counting->told_away && (is_new || !state.is_away)) {
        tell(counting, false, &state);
        counting->told_away = false;
    }
    if (is_new) {
        counting->away_since_us = state.is_away ? state.away_since_us : clock_now_us();
        tell(counting, true, &state);
        counting->told_outages = state.outages;
        counting->told_away = true;
    }
}

/* ---- Counts of a month ---- */

static enum err store_counts(void *context, const struct quota_count *counts, size_t count,
                             struct diag *diag)
{
    struct catalog *catalog = context;
    TRY(catalog_begin(catalog, diag));
    enum err e = OK;
    for (size_t i = 0; i < count && e == OK; i++) {
        slice org = {counts[i].org, counts[i].org_len};
        e = catalog_put_quota(catalog, org, counts[i].month, counts[i].used, diag);
    }
    return catalog_end(catalog, e, diag);
}

static void store(struct counting *counting)
{
    struct diag diag = {0};
    enum err e = quota_flush(counting->quota, store_counts, counting->catalog, &diag);
    if (e != OK && !counting->fails_to_store) {
        LOG_ERROR("what was used of quotas is not stored; it is tried again",
                  kv_str("error", err_name(e)), kv_str("where", diag.where),
                  kv_str("why", diag.text));
    }
    counting->fails_to_store = e != OK;
}

static void bring(void *context, slice org, int32_t month, uint64_t used)
{
    if (quota_put(context, org, month, used) != OK) {
        LOG_WARN("too many organisations have a quota", kv_slice("org", org));
    }
}

/* ---- The thread ---- */

static void turn(void *context, bool is_last)
{
    struct counting *counting = context;
    if (counting->link != NULL && !is_last) {
        watch(counting);
    }
    store(counting);
}

/* ---- Life ---- */

static enum err open_redis(struct counting *counting, const struct options *options,
                           struct diag *diag)
{
    size_t connections = options_u64(options, OPTION_HANDLER_THREADS) + CONNECTIONS_BESIDE_HANDLERS;
    const struct limit_link_options link = {
        .url = slice_from_cstr(options_text(options, OPTION_REDIS_URL)),
        .connections =
            connections < LIMIT_LINK_CONNECTIONS_MAX ? connections : LIMIT_LINK_CONNECTIONS_MAX,
        .timeout_ms = (uint32_t)options_u64(options, OPTION_REDIS_TIMEOUT_MS),
        .changed = poke,
        .context = counting,
    };
    const struct limits_redis_options limits = {.is_closed = counting->is_closed};
    TRY(limit_link_open(&link, &counting->link, diag));
    counting->limits = limits_redis_new(counting->link, &limits);
    counting->quota = quota_redis_new(counting->link, counting->is_closed);
    return OK;
}

static enum err open_local(struct counting *counting, struct diag *diag)
{
    counting->limits = limits_local_new(0);
    counting->quota = quota_local_new();
    return catalog_quotas(counting->catalog, bring, counting->quota, diag);
}

static enum err open_counting(struct counting *counting, const struct options *options,
                              struct diag *diag)
{
    bool is_shared = options_text(options, OPTION_REDIS_URL)[0] != '\0';
    counting->is_closed = options_choice(options, OPTION_REDIS_WHEN_AWAY) == 1;
    TRY(is_shared ? open_redis(counting, options, diag) : open_local(counting, diag));
    ticker_wake(&counting->ticker); /* whether Redis is there is wanted now */
    return ticker_start(&counting->ticker, "counting", TURN_US, turn, counting, diag);
}

enum err counting_start(const struct options *options, struct api *api, struct counting **out,
                        struct diag *diag)
{
    struct counting *counting = mem_zeroed(sizeof(*counting));
    counting->catalog = api->catalog;
    ticker_init(&counting->ticker);
    enum err e = open_counting(counting, options, diag);
    if (e != OK) {
        counting_free(counting);
        return e;
    }
    api->limits = counting->limits;
    api->quota = counting->quota;
    api->redis = counting->link;
    api->redis_is_needed = counting->link != NULL && counting->is_closed;
    *out = counting;
    return OK;
}

void counting_stop(struct counting *counting)
{
    if (counting != NULL) {
        ticker_stop(&counting->ticker);
    }
}

void counting_free(struct counting *counting)
{
    if (counting != NULL) {
        counting_stop(counting);
        quota_free(counting->quota);
        limits_free(counting->limits);
        limit_link_free(counting->link);
        ticker_release(&counting->ticker);
        free(counting);
    }
}
