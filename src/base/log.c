/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"

#include <stdatomic.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"

enum { LOG_LINE_BYTES_MAX = 4096, LOG_END_BYTES_MAX = 16, LOG_LIMIT_US = 1000 * 1000 };

static const char *const level_names[] = {"error", "warn", "info", "debug"};
static _Atomic int verbosity = LOG_LEVEL_INFO;
static _Atomic int output_fd = STDERR_FILENO;
static _Atomic int output_json = -1; /* -1: not decided yet */

void log_set_level(enum log_level most_verbose)
{
    atomic_store(&verbosity, (int)most_verbose);
}

void log_set_output(int fd, bool json)
{
    atomic_store(&output_fd, fd);
    atomic_store(&output_json, json ? 1 : 0);
}

bool log_parse_level(slice name, enum log_level *out)
{
    for (size_t i = 0; i < COUNT_OF(level_names); i++) {
        if (slice_equal(name, slice_from_cstr(level_names[i]))) {
            *out = (enum log_level)i;
            return true;
        }
    }
    return false;
}

static bool needs_quotes(slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        uint8_t byte = text.ptr[i];
        if (byte <= ' ' || byte == '"' || byte == '=' || byte == '\\' || byte == 0x7f) {
            return true;
        }
    }
    return text.len == 0;
}

static void append_quoted(struct buf *line, slice text)
{
    buf_append_byte(line, '"');
    for (size_t i = 0; i < text.len; i++) {
        uint8_t byte = text.ptr[i];
        if (byte == '"' || byte == '\\') {
            buf_append_byte(line, '\\');
            buf_append_byte(line, byte);
        } else if (byte < 0x20 || byte == 0x7f) {
            buf_append_format(line, "\\u%04x", byte);
        } else {
            buf_append_byte(line, byte);
        }
    }
    buf_append_byte(line, '"');
}

static void append_pair(struct buf *line, const struct kv *pair, bool json)
{
    buf_append_cstr(line, json ? ",\"" : " ");
    buf_append_cstr(line, pair->key);
    buf_append_cstr(line, json ? "\":" : "=");
    if (pair->is_number) {
        buf_append_i64(line, pair->number);
    } else if (json || needs_quotes(pair->text)) {
        append_quoted(line, pair->text);
    } else {
        buf_append(line, pair->text);
    }
}

/* A pair that has no room is left out: what is half there nobody can read. False. */
static bool append_whole_pair(struct buf *line, const struct kv *pair, bool json)
{
    size_t before = line->len;
    append_pair(line, pair, json);
    bool is_whole = !line->failed;
    if (!is_whole) {
        line->len = before;
        line->failed = false;
    }
    return is_whole;
}

static void append_head(struct buf *line, enum log_level level, const char *message, bool json)
{
    struct timespec now = {0};
    struct tm utc = {0};
    (void)clock_gettime(CLOCK_REALTIME, &now);
    (void)gmtime_r(&now.tv_sec, &utc);
    char stamp[32];
    size_t n = strftime(stamp, sizeof(stamp), "%Y-%m-%dT%H:%M:%S", &utc);
    buf_append_cstr(line, json ? "{\"time\":\"" : "time=");
    buf_append(line, (slice){(const uint8_t *)stamp, n});
    buf_append_format(line, ".%03dZ", (int)(now.tv_nsec / 1000000));
    buf_append_format(line,
                      json ? "\",\"level\":\"%s\",\"msg\":" : " level=%s msg=", level_names[level]);
    append_quoted(line, slice_from_cstr(message));
}

bool log_limit_pass(struct log_limit *limit, int64_t now_us, uint64_t *left_out)
{
    int64_t passed_us = atomic_load_explicit(&limit->passed_us, memory_order_relaxed);
    bool is_due = passed_us == 0 || now_us - passed_us >= LOG_LIMIT_US;
    if (!is_due || !atomic_compare_exchange_strong(&limit->passed_us, &passed_us, now_us)) {
        atomic_fetch_add_explicit(&limit->left_out, 1, memory_order_relaxed);
        return false;
    }
    *left_out = atomic_exchange(&limit->left_out, 0);
    return true;
}

void log_write(enum log_level level, const char *message, const struct kv *pairs, size_t count)
{
    if ((int)level > atomic_load(&verbosity)) {
        return;
    }
    int fd = atomic_load(&output_fd);
    int json = atomic_load(&output_json);
    if (json < 0) {
        json = isatty(fd) == 1 ? 0 : 1;
    }
    CLEANUP(buf_release) struct buf line = BUF_INIT(LOG_LINE_BYTES_MAX - LOG_END_BYTES_MAX);
    append_head(&line, level, message, json == 1);
    bool is_whole = true;
    for (size_t i = 0; i < count; i++) {
        is_whole = append_whole_pair(&line, &pairs[i], json == 1) && is_whole;
    }
    line.max = LOG_LINE_BYTES_MAX;
    if (json == 1) {
        buf_append_cstr(&line, is_whole ? "}\n" : ",\"cut\":true}\n");
    } else {
        buf_append_cstr(&line, is_whole ? "\n" : " cut=true\n");
    }
    ssize_t written = write(fd, line.ptr, line.len);
    UNUSED(written); /* there is nobody left to tell */
}
