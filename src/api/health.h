/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * health - how the parts are, from how long they took to answer.
 *
 * Threads: any.
 */

#include <stdbool.h>
#include <stdint.h>

/* The worse, the larger. */
enum health_state { HEALTHY, DEGRADED, UNHEALTHY };

#define HEALTH_DEGRADED_US  INT64_C(100000) /* from here on */
#define HEALTH_UNHEALTHY_US INT64_C(500000) /* above this */

static inline enum health_state health_of(int64_t took_us, bool has_failed)
{
    if (has_failed || took_us > HEALTH_UNHEALTHY_US) {
        return UNHEALTHY;
    }
    return took_us >= HEALTH_DEGRADED_US ? DEGRADED : HEALTHY;
}

static inline enum health_state health_worse(enum health_state a, enum health_state b)
{
    return a > b ? a : b;
}

const char *health_name(enum health_state state); /* "healthy" */

struct api;
/* How the server is, with all its parts; *part_out is the worst of them. Blocks for as long as they
 * take. */
enum health_state health_look(const struct api *api, const char **part_out);

struct json_writer;
/* A figure with three digits behind the point. */
void health_decimal(struct json_writer *json, const char *key, double number);
