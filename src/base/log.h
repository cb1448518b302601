/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * log - what the process says about itself, to stderr, one line a statement.
 *
 * A constant message and typed pairs: LOG_INFO("segment sealed", kv_u64("segment", id)). logfmt
 * on a terminal, JSON elsewhere. Never event bodies, keys or tokens; there is no kv for a secret.
 * Rooms do not log: they return enum err and a diag. Those that act on their own do, once.
 *
 * A line has at most 4,096 bytes; a pair that has no room is left out, and "cut" says so.
 *
 * Threads: any; a line is written by one write().
 */

#include <stdatomic.h>

#include "base/slice.h"

enum log_level {
    LOG_LEVEL_ERROR, /* someone must act */
    LOG_LEVEL_WARN,  /* someone should look this week */
    LOG_LEVEL_INFO,  /* the program changed its state */
    LOG_LEVEL_DEBUG, /* for us */
};

struct kv {
    const char *key;
    slice text;
    int64_t number;
    bool is_number;
};

static inline struct kv kv_str(const char *key, const char *text)
{
    return (struct kv){.key = key, .text = slice_from_cstr(text)};
}

static inline struct kv kv_slice(const char *key, slice text)
{
    return (struct kv){.key = key, .text = text};
}

static inline struct kv kv_u64(const char *key, uint64_t number)
{
    return (struct kv){.key = key, .number = (int64_t)number, .is_number = true};
}

void log_set_level(enum log_level most_verbose);
/* The output descriptor; JSON or logfmt. The default is stderr, by whether it is a terminal. */
void log_set_output(int fd, bool json);
bool log_parse_level(slice name, enum log_level *out);

/* For what may happen with every request: {0} lets one line through each second. */
struct log_limit {
    _Atomic int64_t passed_us;
    _Atomic uint64_t left_out;
};

/* Whether a line may be written now, by a clock that only goes forward; *left_out gets how many
 * were not since the last one. */
bool log_limit_pass(struct log_limit *limit, int64_t now_us, uint64_t *left_out);

void log_write(enum log_level level, const char *message, const struct kv *pairs, size_t count);

#define LOG_AT(level, message, ...)                                                                \
    log_write((level), (message), (const struct kv[]){{0}, ##__VA_ARGS__} + 1,                     \
              sizeof((const struct kv[]){{0}, ##__VA_ARGS__}) / sizeof(struct kv) - 1)
#define LOG_ERROR(message, ...) LOG_AT(LOG_LEVEL_ERROR, message, ##__VA_ARGS__)
#define LOG_WARN(message, ...)  LOG_AT(LOG_LEVEL_WARN, message, ##__VA_ARGS__)
#define LOG_INFO(message, ...)  LOG_AT(LOG_LEVEL_INFO, message, ##__VA_ARGS__)
#define LOG_DEBUG(message, ...) LOG_AT(LOG_LEVEL_DEBUG, message, ##__VA_ARGS__)
