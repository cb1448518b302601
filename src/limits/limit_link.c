/* SPDX-License-Identifier: Apache-2.0 */
#include "limits/limit_link.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "limits/limit_link_url.h"
#include "limits/limit_script.h"
#include "os/clock.h"
#include "os/thread.h"

enum { CONNECTIONS = 4, TIMEOUT_MS = 250, BACKOFF_FIRST_MS = 100, BACKOFF_LAST_MS = 5000 };
enum { SHA_BYTES = 40 };

struct connection {
    redisContext *redis;
    char shas[LIMIT_SCRIPT_COUNT][SHA_BYTES]; /* as Redis named the scripts */
};

struct limit_link {
    struct limit_link_url url;
    size_t connections;
    int64_t timeout_us;
    limit_link_changed_fn *changed;
    void *context;

    struct mutex lock;
    struct condition freed;
    struct connection *idle[LIMIT_LINK_CONNECTIONS_MAX]; /* under the lock, as all that follows */
    size_t idle_count, open_count;
    bool is_probing; /* away, and a call tries */
    int64_t retry_at_us, backoff_ms;
    struct limit_link_state state;
};

/* ---- One connection ---- */

static void connection_free(struct connection *connection)
{
    if (connection != NULL) {
        if (connection->redis != NULL) {
            redisFree(connection->redis);
        }
        free(connection);
    }
}
DEFINE_OWNED(connection);

static struct timeval time_left(int64_t until_us)
{
    int64_t left_us = until_us - clock_monotonic_us();
    left_us = left_us > 1000 ? left_us : 1000; /* 0 would be: wait for ever */
    return (struct timeval){.tv_sec = left_us / 1000000, .tv_usec = left_us % 1000000};
}

/* An error is in `diag`, and the connection is not to be used again; except NOSCRIPT, which is
 * NOT_FOUND. */
static enum err command(struct connection *connection, const slice *words, size_t count,
                        int64_t until_us, redisReply **out, struct diag *diag)
{
    ASSERT(count <= LIMIT_LINK_WORDS_MAX);
    const char *texts[LIMIT_LINK_WORDS_MAX];
    size_t lengths[LIMIT_LINK_WORDS_MAX];
    for (size_t i = 0; i < count; i++) {
        texts[i] = (const char *)words[i].ptr;
        lengths[i] = words[i].len;
    }
    redisContext *redis = connection->redis;
    if (clock_monotonic_us() >= until_us || redisSetTimeout(redis, time_left(until_us)) != 0) {
        return diag_fail(diag, ERR_BUSY, "redis", "no time left");
    }
    CLEANUP(limit_reply_freep)
    redisReply *reply = redisCommandArgv(redis, (int)count, texts, lengths);
    if (reply == NULL) {
        bool is_late = redis->err == REDIS_ERR_IO && errno == EAGAIN;
        return diag_fail(diag, ERR_BUSY, "redis", "%s",
                         is_late ? "no answer in time" : redis->errstr);
    }
    if (reply->type == REDIS_REPLY_ERROR) {
        bool is_forgotten = strncmp(reply->str, "NOSCRIPT", 8) == 0;
        return diag_fail(diag, is_forgotten ? ERR_NOT_FOUND : ERR_BUSY, "redis", "%s", reply->str);
    }
    *out = MOVE(reply);
    return OK;
}

static enum err say(struct connection *connection, const slice *words, size_t count,
                    int64_t until_us, struct diag *diag)
{
    CLEANUP(limit_reply_freep) redisReply *reply = NULL;
    return command(connection, words, count, until_us, &reply, diag);
}

static enum err load_script(struct connection *connection, enum limit_script script,
                            int64_t until_us, struct diag *diag)
{
    CLEANUP(limit_reply_freep) redisReply *reply = NULL;
    const slice words[] = {SLICE("SCRIPT"), SLICE("LOAD"), limit_script_text(script)};
    TRY(command(connection, words, COUNT_OF(words), until_us, &reply, diag));
    ASSERT(reply != NULL);
    if (reply->type != REDIS_REPLY_STRING || (size_t)reply->len != SHA_BYTES) {
        return diag_fail(diag, ERR_BUSY, "redis", "SCRIPT LOAD was answered with no hash");
    }
    memcpy(connection->shas[script], reply->str, SHA_BYTES);
    return OK;
}

static enum err log_in(const struct limit_link_url *url, struct connection *connection,
                       int64_t until_us, struct diag *diag)
{
    if (url->password[0] != '\0') {
        slice words[3] = {SLICE("AUTH")};
        size_t count = 1;
        if (url->user[0] != '\0') {
            words[count++] = slice_from_cstr(url->user);
        }
        words[count++] = slice_from_cstr(url->password);
        TRY(say(connection, words, count, until_us, diag));
    }
    if (url->database != 0) {
        char number[16];
        (void)snprintf(number, sizeof(number), "%d", url->database);
        const slice words[] = {SLICE("SELECT"), slice_from_cstr(number)};
        TRY(say(connection, words, COUNT_OF(words), until_us, diag));
    }
    return OK;
}

static enum err connection_open(const struct limit_link_url *url, int64_t until_us,
                                struct connection **out, struct diag *diag)
{
    OWNED(connection) connection = mem_zeroed(sizeof(*connection));
    connection->redis = redisConnectWithTimeout(url->host, url->port, time_left(until_us));
    if (connection->redis == NULL || connection->redis->err != 0) {
        return diag_fail(diag, ERR_BUSY, "redis", "%s:%d: %s", url->host, url->port,
                         connection->redis != NULL ? connection->redis->errstr : "no memory");
    }
    TRY(log_in(url, connection, until_us, diag));
    for (int script = 0; script < LIMIT_SCRIPT_COUNT; script++) {
        TRY(load_script(connection, (enum limit_script)script, until_us, diag));
    }
    *out = MOVE(connection);
    return OK;
}

/* ---- All of them ---- */

enum err limit_link_open(const struct limit_link_options *options, struct limit_link **out,
                         struct diag *diag)
{
    struct limit_link_url url;
    TRY(limit_link_url_parse(options->url, &url, diag));
    ASSERT(options->connections <= LIMIT_LINK_CONNECTIONS_MAX);
    struct limit_link *link = mem_zeroed(sizeof(*link));
    link->url = url;
    link->connections = options->connections > 0 ? options->connections : CONNECTIONS;
    link->timeout_us = (int64_t)(options->timeout_ms > 0 ? options->timeout_ms : TIMEOUT_MS) * 1000;
    link->changed = options->changed;
    link->context = options->context;
    mutex_init(&link->lock);
    condition_init(&link->freed);
    *out = link;
    return OK;
}

/* Under the lock, or of a link that nobody uses any more. */
static void close_idle(struct limit_link *link)
{
    while (link->idle_count > 0) {
        connection_free(link->idle[--link->idle_count]);
        link->open_count--;
    }
}

void limit_link_free(struct limit_link *link)
{
    if (link == NULL) {
        return;
    }
    close_idle(link);
    ASSERT(link->open_count == 0);
    condition_release(&link->freed);
    mutex_release(&link->lock);
    explicit_bzero(&link->url, sizeof(link->url));
    free(link);
}

/* A place among the connections, and the idle one that holds it, or NULL: then it is to be opened.
 * BUSY: Redis is away, or every place is taken until the time is up. */
static enum err take_place(struct limit_link *link, int64_t until_us, struct connection **out)
{
    mutex_lock(&link->lock);
    link->state.calls++;
    enum err e = OK;
    for (;;) {
        if (link->state.is_away && (link->is_probing || clock_monotonic_us() < link->retry_at_us)) {
            e = ERR_BUSY;
            break;
        }
        if (link->idle_count > 0 || link->open_count < link->connections) {
            break;
        }
        int64_t left_us = until_us - clock_monotonic_us();
        if (left_us <= 0) {
            e = ERR_BUSY;
            break;
        }
        (void)condition_wait_us(&link->freed, &link->lock, left_us);
    }
    *out = NULL;
    if (e != OK) {
        link->state.failures++;
    } else if (link->idle_count > 0) {
        *out = link->idle[--link->idle_count];
    } else {
        link->open_count++;
    }
    link->is_probing = link->is_probing || (e == OK && link->state.is_away);
    mutex_unlock(&link->lock);
    return e;
}

/* Under the lock: what a call without an answer means. True: nobody knew yet. */
static bool note_failure(struct limit_link *link, const struct diag *diag)
{
    bool is_news = !link->state.is_away;
    int64_t now_us = clock_monotonic_us();
    link->state.failures++;
    if (is_news || now_us >= link->retry_at_us) { /* else one that set out before it was known */
        link->backoff_ms = is_news ? BACKOFF_FIRST_MS : link->backoff_ms * 2;
        link->backoff_ms = link->backoff_ms < BACKOFF_LAST_MS ? link->backoff_ms : BACKOFF_LAST_MS;
        link->retry_at_us = now_us + link->backoff_ms * 1000;
    }
    if (is_news) {
        link->state.is_away = true;
        link->state.away_since_us = clock_now_us();
        link->state.outages++;
    }
    (void)snprintf(link->state.error, sizeof(link->state.error), "%.*s", LIMIT_LINK_ERROR_BYTES - 1,
                   diag->text);
    return is_news;
}

/* Gives the place back; `connection` is NULL when it is of no use any more. */
static void give_place(struct limit_link *link, struct connection *connection, enum err e,
                       const struct diag *diag)
{
    mutex_lock(&link->lock);
    bool was_away = link->state.is_away;
    bool is_news = false;
    link->is_probing = link->is_probing && !was_away;
    if (connection != NULL) {
        link->idle[link->idle_count++] = connection;
    } else {
        link->open_count--;
    }
    if (e == OK) {
        is_news = was_away;
        link->state.is_away = false;
        link->state.away_since_us = 0;
    } else {
        close_idle(link); /* they lead to the same Redis */
        is_news = note_failure(link, diag);
    }
    mutex_unlock(&link->lock);
    condition_broadcast(&link->freed);
    if (is_news && link->changed != NULL) {
        link->changed(link->context, e != OK, e != OK ? diag->text : "");
    }
}

/* What a call says on its connection. */
struct errand {
    const slice *words;
    size_t count;
    enum limit_script script;
    bool is_script;
};

static enum err run_errand(struct limit_link *link, struct connection *connection,
                           const struct errand *errand, int64_t until_us, redisReply **out,
                           struct diag *diag)
{
    if (!errand->is_script) {
        return command(connection, errand->words, errand->count, until_us, out, diag);
    }
    slice words[LIMIT_LINK_WORDS_MAX] = {SLICE("EVALSHA"),
                                         {(const uint8_t *)connection->shas[errand->script],
                                          SHA_BYTES}};
    ASSERT(errand->count + 2 <= COUNT_OF(words));
    memcpy(words + 2, errand->words, errand->count * sizeof(words[0]));
    enum err e = command(connection, words, errand->count + 2, until_us, out, diag);
    if (e == ERR_NOT_FOUND) {
        mutex_lock(&link->lock);
        link->state.script_loads++;
        mutex_unlock(&link->lock);
        TRY(load_script(connection, errand->script, until_us, diag));
        e = command(connection, words, errand->count + 2, until_us, out, diag);
    }
    return e == OK ? OK : ERR_BUSY;
}

static enum err errand_on_new(struct limit_link *link, const struct errand *errand,
                              int64_t until_us, struct connection **connection_out,
                              redisReply **out, struct diag *diag)
{
    OWNED(connection) connection = NULL;
    mutex_lock(&link->lock);
    link->state.connects++;
    mutex_unlock(&link->lock);
    TRY(connection_open(&link->url, until_us, &connection, diag));
    ASSERT(connection != NULL);
    TRY(run_errand(link, connection, errand, until_us, out, diag));
    *connection_out = MOVE(connection);
    return OK;
}

static enum err call(struct limit_link *link, const struct errand *errand, redisReply **out)
{
    int64_t until_us = clock_monotonic_us() + link->timeout_us;
    struct diag diag = {0};
    struct connection *connection = NULL;
    TRY(take_place(link, until_us, &connection));
    enum err e = ERR_BUSY;
    if (connection != NULL) {
        e = run_errand(link, connection, errand, until_us, out, &diag);
        if (e != OK) {
            connection_free(connection);
            connection = NULL;
        }
    }
    /* An idle one may have been closed while nobody looked: a restart, a timeout of Redis. */
    if (e != OK && clock_monotonic_us() < until_us) {
        e = errand_on_new(link, errand, until_us, &connection, out, &diag);
    }
    give_place(link, connection, e, &diag);
    return e == OK ? OK : ERR_BUSY;
}

enum err limit_link_call(struct limit_link *link, const slice *words, size_t count,
                         redisReply **out)
{
    const struct errand errand = {.words = words, .count = count};
    return call(link, &errand, out);
}

enum err limit_link_run(struct limit_link *link, enum limit_script script, const slice *words,
                        size_t count, redisReply **out)
{
    const struct errand errand = {.words = words,
                                  .count = count,
                                  .script = script,
                                  .is_script = true};
    return call(link, &errand, out);
}

void limit_link_state(struct limit_link *link, struct limit_link_state *out)
{
    mutex_lock(&link->lock);
    *out = link->state;
    mutex_unlock(&link->lock);
}
