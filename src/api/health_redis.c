/* SPDX-License-Identifier: Apache-2.0 */
#include "api/health_redis.h"

#include "gate/gate.h"
#include "json/write.h"
#include "limits/limit_link.h"
#include "limits/limit_script.h"
#include "os/clock.h"

static bool is_in_line(uint8_t byte)
{
    return byte != '\r' && byte != '\n';
}

static bool is_line_end(uint8_t byte)
{
    return !is_in_line(byte);
}

/* "used_memory:1048576", a line of many. */
static bool find_figure(slice info, slice name, uint64_t *out)
{
    while (info.len > 0) {
        slice line = slice_take_while(&info, is_in_line);
        (void)slice_take_while(&info, is_line_end);
        if (slice_take_literal(&line, name) && slice_take_literal(&line, SLICE(":"))) {
            return slice_parse_u64(line, out);
        }
    }
    return false;
}

bool redis_info_read(slice info, struct redis_figures *out)
{
    struct redis_figures read = {0};
    bool is_whole = find_figure(info, SLICE("used_memory"), &read.memory_used_bytes) &&
                    find_figure(info, SLICE("used_memory_peak"), &read.memory_peak_bytes) &&
                    find_figure(info, SLICE("connected_clients"), &read.connected_clients) &&
                    find_figure(info, SLICE("total_commands_processed"), &read.commands_processed);
    if (is_whole) {
        *out = read;
    }
    return is_whole;
}

void redis_look(const struct api *api, struct redis_health *out)
{
    const slice info[] = {SLICE("INFO")};
    CLEANUP(limit_reply_freep) redisReply *reply = NULL;
    *out = (struct redis_health){.is_configured = api->redis != NULL};
    if (!out->is_configured) {
        return;
    }
    int64_t began_us = clock_monotonic_us();
    enum err e = limit_link_call(api->redis, info, COUNT_OF(info), &reply);
    out->took_us = clock_monotonic_us() - began_us;
    out->has_figures =
        e == OK && reply->type == REDIS_REPLY_STRING &&
        redis_info_read((slice){(const uint8_t *)reply->str, (size_t)reply->len}, &out->figures);
    out->state = health_of(out->took_us, !out->has_figures);
}

/* null where Redis did not say. */
static void write_count(struct json_writer *json, const char *key, bool is_known, uint64_t count)
{
    if (is_known) {
        json_u64(json, key, count);
    } else {
        json_null(json, key);
    }
}

static void write_megabytes(struct json_writer *json, const char *key, bool is_known,
                            uint64_t bytes)
{
    if (is_known) {
        health_decimal(json, key, (double)bytes / (1024 * 1024));
    } else {
        json_null(json, key);
    }
}

void redis_write(struct json_writer *json, const struct redis_health *redis, bool is_whole)
{
    const struct redis_figures *figures = &redis->figures;
    bool is_known = redis->has_figures;
    if (!redis->is_configured) {
        json_cstr(json, "status", "disabled");
        return;
    }
    json_cstr(json, "status", health_name(redis->state));
    health_decimal(json, "response_time_ms", (double)redis->took_us / 1000);
    write_megabytes(json, "memory_used_mb", is_known, figures->memory_used_bytes);
    if (is_whole) {
        write_megabytes(json, "memory_peak_mb", is_known, figures->memory_peak_bytes);
    }
    write_count(json, "connected_clients", is_known, figures->connected_clients);
    if (is_whole) {
        write_count(json, "total_commands_processed", is_known, figures->commands_processed);
    }
}
