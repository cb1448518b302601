/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * health_redis - is the Redis there that servers share, and how is it.
 *
 * Threads: the pool; a look waits for Redis as limits/limit_link.h says.
 */

#include "api/health.h"
#include "base/slice.h"

struct api;
struct json_writer;

struct redis_figures {
    uint64_t memory_used_bytes, memory_peak_bytes;
    uint64_t connected_clients, commands_processed;
};

struct redis_health {
    bool is_configured; /* the rest only then */
    enum health_state state;
    int64_t took_us;
    struct redis_figures figures; /* unless it is unhealthy because it did not answer */
    bool has_figures;
};

void redis_look(const struct api *api, struct redis_health *out);

/* Members of the open object. `is_whole`: also what only /health/redis says. */
void redis_write(struct json_writer *json, const struct redis_health *redis, bool is_whole);

/* What INFO said. False: one of the figures is missing. */
bool redis_info_read(slice info, struct redis_figures *out);
