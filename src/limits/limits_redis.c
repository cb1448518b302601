/* SPDX-License-Identifier: Apache-2.0 */
#include "limits/limits_redis.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/mem.h"
#include "limits/limit_ops.h"
#include "limits/limit_script.h"
#include "os/random.h"

enum { NUMBERS_OF_A_WINDOW = 4, KEY_BYTES_MAX = 160, TEXT_BYTES_MAX = 8192 };
static_assert(1 + LIMIT_SUBJECTS_MAX * (1 + 2 * LIMIT_WINDOWS_MAX) + 4 +
                      LIMIT_SUBJECTS_MAX * (1 + 3 * LIMIT_WINDOWS_MAX) <=
                  LIMIT_LINK_WORDS_MAX - 2,
              "the longest request fits");

struct remote {
    struct limits limits;
    struct limit_link *link;
    struct limits_redis_options options;
    uint64_t server; /* random, so that no two servers name a request the same */
    _Atomic uint64_t number;
    _Atomic uint64_t allowed[LIMIT_KIND_COUNT], refused[LIMIT_KIND_COUNT];
    _Atomic uint64_t passed_unjudged, refused_unjudged;
};

static struct remote *remote_of(struct limits *limits)
{
    return (struct remote *)limits;
}

/* ---- Asking ---- */

/* The words of a script: their bytes, one behind the other, and where each ends. */
struct words {
    struct buf text;
    size_t ends[LIMIT_LINK_WORDS_MAX];
    slice slices[LIMIT_LINK_WORDS_MAX];
    size_t count;
};

static void words_release(struct words *words)
{
    buf_release(&words->text);
}

static void word_end(struct words *words)
{
    ASSERT(words->count < LIMIT_LINK_WORDS_MAX);
    words->ends[words->count++] = words->text.len;
}

static void word_number(struct words *words, uint64_t number)
{
    buf_append_u64(&words->text, number);
    word_end(words);
}

static void word_key(struct words *words, const char *what, enum limit_kind kind, uint32_t seconds,
                     slice id)
{
    buf_append_format(&words->text, "cairn:limit:%s:%s:", what, limit_kind_name(kind));
    if (seconds > 0) {
        buf_append_format(&words->text, "%" PRIu32 ":", seconds);
    }
    buf_append(&words->text, id);
    word_end(words);
}

/* When all are there: the bytes stay where they are from now on. */
static const slice *words_slices(struct words *words)
{
    ASSERT(!words->text.failed);
    size_t start = 0;
    for (size_t i = 0; i < words->count; i++) {
        words->slices[i] = (slice){words->text.ptr + start, words->ends[i] - start};
        start = words->ends[i];
    }
    return words->slices;
}

static void write_keys(struct words *words, const struct limit_subject *subjects, size_t count)
{
    size_t keys = 0;
    for (size_t i = 0; i < count; i++) {
        keys += 1 + 2 * subjects[i].window_count;
    }
    word_number(words, keys);
    for (size_t i = 0; i < count; i++) {
        const struct limit_subject *subject = &subjects[i];
        word_key(words, "stats", subject->kind, 0, subject->id);
        for (size_t w = 0; w < subject->window_count; w++) {
            word_key(words, "log", subject->kind, subject->windows[w].seconds, subject->id);
            word_key(words, "sums", subject->kind, subject->windows[w].seconds, subject->id);
        }
    }
}

static void write_arguments(struct words *words, const struct limit_subject *subjects, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        word_number(words, subjects[i].window_count);
        for (size_t w = 0; w < subjects[i].window_count; w++) {
            word_number(words, subjects[i].windows[w].seconds);
            word_number(words, subjects[i].windows[w].limit);
            word_number(words, subjects[i].windows[w].burst);
        }
    }
}

static enum err ask(struct remote *remote, const struct limit_subject *subjects, size_t count,
                    int64_t now_us, bool counts, redisReply **out)
{
    CLEANUP(words_release) struct words words = {.text = BUF_INIT(TEXT_BYTES_MAX)};
    write_keys(&words, subjects, count);
    word_number(&words, counts ? 1 : 0);
    word_number(&words, remote->options.takes_callers_time ? (uint64_t)now_us : 0);
    buf_append_format(&words.text, "%016" PRIx64 ":%" PRIu64, remote->server, remote->number++);
    word_end(&words);
    word_number(&words, count);
    write_arguments(&words, subjects, count);
    const slice *slices = words_slices(&words);
    return limit_link_run(remote->link, LIMIT_SCRIPT_JUDGE, slices, words.count, out);
}

/* ---- Understanding ---- */

/* Number `index` of the answer, 0 where there is none. */
static int64_t number_at(const redisReply *reply, size_t index)
{
    bool is_there = reply->type == REDIS_REPLY_ARRAY && index < reply->elements &&
                    reply->element[index]->type == REDIS_REPLY_INTEGER;
    return is_there ? reply->element[index]->integer : 0;
}

static uint32_t count_at(const redisReply *reply, size_t index)
{
    int64_t number = number_at(reply, index);
    return number > 0 ? (uint32_t)number : 0;
}

static void read_states(const redisReply *reply, const struct limit_subject *subjects, size_t count,
                        struct limit_time now, struct limit_answer *out)
{
    for (size_t i = 0; i < count; i++) {
        for (size_t w = 0; w < subjects[i].window_count; w++) {
            const struct limit_window *window = &subjects[i].windows[w];
            if (!limit_window_is_on(window)) {
                continue;
            }
            size_t from = out->state_count * NUMBERS_OF_A_WINDOW;
            out->states[out->state_count++] = (struct limit_state){
                .kind = subjects[i].kind,
                .window = *window,
                .most = limit_most(window),
                .remaining = count_at(reply, from + 1),
                .wait_us = number_at(reply, from + 2),
                .reset_us = now.wall_us + number_at(reply, from + 3),
            };
        }
    }
}

static enum err unjudged(struct remote *remote, struct limit_answer *out)
{
    if (remote->options.is_closed) {
        remote->refused_unjudged++;
        return ERR_BUSY;
    }
    remote->passed_unjudged++;
    out->is_unmetered = true;
    return OK;
}

static enum err remote_judge(struct limits *limits, const struct limit_subject *subjects,
                             size_t count, struct limit_time now, bool counts,
                             struct limit_answer *out)
{
    struct remote *remote = remote_of(limits);
    CLEANUP(limit_reply_freep) redisReply *reply = NULL;
    if (ask(remote, subjects, count, now.steady_us, counts, &reply) != OK) {
        return unjudged(remote, out);
    }
    read_states(reply, subjects, count, now, out);
    size_t numbers = out->state_count * NUMBERS_OF_A_WINDOW;
    if (reply->type != REDIS_REPLY_ARRAY || reply->elements != numbers + 1) {
        out->state_count = 0; /* somebody else's script, or no Redis at all */
        return unjudged(remote, out);
    }
    /* Behind the states, which are those after the request: whether it was refused. */
    limit_answer_decide(out, number_at(reply, numbers) != 0);
    if (!counts) {
        return OK;
    }
    if (out->is_refused) {
        remote->refused[out->states[out->decisive].kind]++;
        return OK;
    }
    for (size_t i = 0; i < count; i++) {
        remote->allowed[subjects[i].kind]++;
    }
    return OK;
}

/* ---- Administration ---- */

/* A number and what is behind it. */
static uint64_t take_number(slice *text)
{
    slice digits = slice_take_while(text, byte_is_digit);
    uint64_t number = 0;
    (void)slice_parse_u64(digits, &number);
    if (text->len > 0) {
        (void)slice_take(text, 1);
    }
    return number;
}

/* "60:10:0,3600:100:0" */
static void read_windows(slice text, struct limit_usage *usage)
{
    while (text.len > 0 && usage->window_count < LIMIT_WINDOWS_MAX) {
        struct limit_window window = {.seconds = (uint32_t)take_number(&text)};
        window.limit = (uint32_t)take_number(&text);
        window.burst = (uint32_t)take_number(&text);
        bool is_sane = window.seconds >= 1 && window.seconds <= LIMIT_SECONDS_MAX &&
                       window.limit <= LIMIT_MOST && window.burst <= LIMIT_MOST;
        if (!is_sane) {
            return;
        }
        usage->windows[usage->window_count++] = window;
    }
}

static slice text_of(const redisReply *reply)
{
    bool is_text = reply->type == REDIS_REPLY_STRING;
    return is_text ? (slice){(const uint8_t *)reply->str, (size_t)reply->len} : (slice){0};
}

static void read_stats(const redisReply *reply, struct limit_usage *usage)
{
    size_t count = reply->type == REDIS_REPLY_ARRAY ? reply->elements : 0;
    for (size_t i = 0; i + 1 < count; i += 2) {
        slice name = text_of(reply->element[i]);
        slice value = text_of(reply->element[i + 1]);
        if (slice_equal(name, SLICE("windows"))) {
            read_windows(value, usage);
        } else if (slice_equal(name, SLICE("allowed"))) {
            usage->allowed = take_number(&value);
        } else if (name.len == 2 && name.ptr[0] == 'r' && name.ptr[1] >= '0' &&
                   name.ptr[1] < '0' + LIMIT_WINDOWS_MAX) {
            usage->refused[name.ptr[1] - '0'] = take_number(&value);
        }
    }
}

static enum err read_used(struct remote *remote, struct limit_time now, struct limit_usage *usage)
{
    struct limit_subject subject = {.kind = usage->kind,
                                    .id = slice_from_cstr(usage->id),
                                    .window_count = usage->window_count};
    memcpy(subject.windows, usage->windows, sizeof(subject.windows));
    CLEANUP(limit_reply_freep) redisReply *reply = NULL;
    TRY(ask(remote, &subject, 1, now.steady_us, false, &reply));
    size_t state = 0;
    for (size_t w = 0; w < usage->window_count; w++) {
        if (limit_window_is_on(&usage->windows[w])) {
            usage->used[w] = count_at(reply, NUMBERS_OF_A_WINDOW * state++);
        }
    }
    return OK;
}

static enum err remote_find(struct limits *limits, enum limit_kind kind, slice id,
                            struct limit_time now, struct limit_usage *out)
{
    struct remote *remote = remote_of(limits);
    CLEANUP(words_release) struct words words = {.text = BUF_INIT(TEXT_BYTES_MAX)};
    buf_append_cstr(&words.text, "HGETALL");
    word_end(&words);
    word_key(&words, "stats", kind, 0, id);
    CLEANUP(limit_reply_freep) redisReply *reply = NULL;
    TRY(limit_link_call(remote->link, words_slices(&words), words.count, &reply));
    struct limit_usage usage = {.kind = kind};
    memcpy(usage.id, id.ptr, id.len);
    read_stats(reply, &usage);
    if (usage.window_count == 0) {
        return ERR_NOT_FOUND;
    }
    TRY(read_used(remote, now, &usage));
    *out = usage;
    return OK;
}

/* One page of a SCAN. *goes_on is false when `each` has had enough. */
static enum err list_page(struct limits *limits, enum limit_kind kind, struct limit_time now,
                          const redisReply *page, limits_each_fn *each, void *context,
                          bool *goes_on)
{
    size_t prefix = strlen("cairn:limit:stats::") + strlen(limit_kind_name(kind));
    size_t count = page->type == REDIS_REPLY_ARRAY ? page->elements : 0;
    for (size_t i = 0; i < count && *goes_on; i++) {
        slice key = text_of(page->element[i]);
        if (key.len <= prefix || key.len - prefix > LIMIT_ID_BYTES_MAX) {
            continue;
        }
        (void)slice_take(&key, prefix);
        struct limit_usage usage;
        enum err e = remote_find(limits, kind, key, now, &usage);
        if (e != OK && e != ERR_NOT_FOUND) {
            return e;
        }
        *goes_on = e != OK || each(context, &usage);
    }
    return OK;
}

static enum err remote_list(struct limits *limits, enum limit_kind kind, struct limit_time now,
                            limits_each_fn *each, void *context)
{
    struct remote *remote = remote_of(limits);
    char pattern[KEY_BYTES_MAX];
    char cursor[24] = "0";
    (void)snprintf(pattern, sizeof(pattern), "cairn:limit:stats:%s:*", limit_kind_name(kind));
    bool goes_on = true;
    do {
        const slice words[] = {SLICE("SCAN"),  slice_from_cstr(cursor),
                               SLICE("MATCH"), slice_from_cstr(pattern),
                               SLICE("COUNT"), SLICE("500")};
        CLEANUP(limit_reply_freep) redisReply *reply = NULL;
        TRY(limit_link_call(remote->link, words, COUNT_OF(words), &reply));
        if (reply->type != REDIS_REPLY_ARRAY || reply->elements != 2) {
            return ERR_BUSY;
        }
        slice next = text_of(reply->element[0]);
        (void)snprintf(cursor, sizeof(cursor), "%.*s", SLICE_ARG(next));
        TRY(list_page(limits, kind, now, reply->element[1], each, context, &goes_on));
    } while (goes_on && strcmp(cursor, "0") != 0 && cursor[0] != '\0');
    return OK;
}

static enum err remote_reset(struct limits *limits, enum limit_kind kind, slice id)
{
    struct remote *remote = remote_of(limits);
    struct limit_usage usage = {0};
    enum err e = remote_find(limits, kind, id, limit_time_now(), &usage);
    if (e != OK) {
        return e == ERR_NOT_FOUND ? OK : e;
    }
    CLEANUP(words_release) struct words words = {.text = BUF_INIT(TEXT_BYTES_MAX)};
    buf_append_cstr(&words.text, "UNLINK");
    word_end(&words);
    for (size_t w = 0; w < usage.window_count; w++) {
        word_key(&words, "log", kind, usage.windows[w].seconds, id);
        word_key(&words, "sums", kind, usage.windows[w].seconds, id);
    }
    CLEANUP(limit_reply_freep) redisReply *reply = NULL;
    return limit_link_call(remote->link, words_slices(&words), words.count, &reply);
}

static void remote_health(struct limits *limits, struct limits_health *out)
{
    struct remote *remote = remote_of(limits);
    struct limit_link_state state;
    limit_link_state(remote->link, &state);
    out->backend = "redis";
    out->is_away = state.is_away;
    out->is_open = !remote->options.is_closed;
    out->away_since_us = state.away_since_us;
    out->outages = state.outages;
    memcpy(out->error, state.error, sizeof(state.error));
    for (size_t kind = 0; kind < LIMIT_KIND_COUNT; kind++) {
        out->allowed[kind] = remote->allowed[kind];
        out->refused[kind] = remote->refused[kind];
    }
    out->passed_unjudged = remote->passed_unjudged;
    out->refused_unjudged = remote->refused_unjudged;
}

static void remote_free(struct limits *limits)
{
    free(limits);
}

static const struct limits_ops remote_ops = {
    .judge = remote_judge,
    .list = remote_list,
    .find = remote_find,
    .reset = remote_reset,
    .health = remote_health,
    .free = remote_free,
    .waits = true,
};

struct limits *limits_redis_new(struct limit_link *link, const struct limits_redis_options *options)
{
    struct remote *remote = mem_zeroed(sizeof(*remote));
    remote->limits.ops = &remote_ops;
    remote->link = link;
    remote->options = *options;
    remote->server = random_u64();
    return &remote->limits;
}
