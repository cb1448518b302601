/* SPDX-License-Identifier: Apache-2.0 */
#include "http/server.h"

#include <stdlib.h>

#include "base/mem.h"
#include "http/loop.h"
#include "os/signal.h"

/* ---- Options ---- */

static void set_default(uint32_t *value, uint32_t otherwise)
{
    *value = *value == 0 ? otherwise : *value;
}

static void set_default_size(size_t *value, size_t otherwise)
{
    *value = *value == 0 ? otherwise : *value;
}

static void fill_defaults(struct http_options *options)
{
    options->listen = options->listen == NULL ? "127.0.0.1:0" : options->listen;
    set_default(&options->loops, 1);
    set_default(&options->pool_threads, 4);
    set_default(&options->pool_queue, 256);
    set_default(&options->waiter_threads_max, 64);
    set_default(&options->backlog, 4096);
    set_default(&options->connections_max, 16384);
    set_default(&options->connections_per_address_max, 4096);
    set_default(&options->line_bytes_max, 8 * 1024);
    set_default(&options->fields_bytes_max, 16 * 1024);
    set_default(&options->fields_max, HTTP_FIELDS_MAX);
    set_default_size(&options->body_bytes_max, KIB(64));
    set_default_size(&options->response_bytes_max, MIB(16));
    set_default_size(&options->stream_bytes_max, KIB(256));
    set_default_size(&options->arena_bytes_max, MIB(1));
    set_default(&options->head_ms, 10000);
    set_default(&options->body_ms, 10000);
    set_default(&options->body_rate, 16384);
    set_default(&options->idle_ms, 60000);
    set_default(&options->write_ms, 30000);
    set_default(&options->linger_ms, 1000);
    set_default(&options->stop_ms, 10000);
    set_default(&options->tick_ms, 1000);
}

static enum err check_options(const struct http_options *options, struct diag *diag)
{
    bool is_head_small = options->line_bytes_max <= INT16_MAX &&
                         options->fields_bytes_max <= INT16_MAX &&
                         options->fields_max <= HTTP_FIELDS_MAX;
    if (!is_head_small) {
        return diag_fail(diag, ERR_INVALID, "limits",
                         "the head of a request may be up to 32 KiB "
                         "a part, with up to 100 lines");
    }
    if (options->response_bytes_max > INT32_MAX || options->stream_bytes_max > INT32_MAX) {
        return diag_fail(diag, ERR_INVALID, "limits", "an answer may be up to 2 GiB");
    }
    return OK;
}

/* "host:port", "[host]:port", ":port"; at the last colon. */
static bool split_listen(const char *listen, char host[256], char port[8])
{
    const char *colon = strrchr(listen, ':');
    if (colon == NULL || strlen(colon + 1) > 5 || strlen(colon + 1) == 0) {
        return false;
    }
    size_t len = (size_t)(colon - listen);
    if (len >= 2 && listen[0] == '[' && colon[-1] == ']') {
        listen++;
        len -= 2;
    }
    if (len > 255) {
        return false;
    }
    memcpy(host, listen, len);
    host[len] = '\0';
    memcpy(port, colon + 1, strlen(colon + 1) + 1);
    return strspn(port, "0123456789") == strlen(port);
}

static enum err resolve(const char *listen, struct sockaddr_storage *out, struct diag *diag)
{
    char host[256];
    char port[8];
    if (!split_listen(listen, host, port)) {
        return diag_fail(diag, ERR_INVALID, "listen", "%s is not host:port", listen);
    }
    uv_loop_t loop;
    uv_getaddrinfo_t request = {0};
    if (uv_loop_init(&loop) != 0) {
        return diag_fail(diag, ERR_IO, "listen", "cannot make a loop");
    }
    bool is_any = host[0] == '\0' || strcmp(host, "*") == 0;
    const struct addrinfo hints = {
        .ai_family = AF_UNSPEC,
        .ai_socktype = SOCK_STREAM,
        .ai_flags = AI_PASSIVE | AI_NUMERICSERV,
    };
    int error = uv_getaddrinfo(&loop, &request, NULL, is_any ? "::" : host, port, &hints);
    if (error == 0 && request.addrinfo->ai_addrlen <= sizeof(*out)) {
        memcpy(out, request.addrinfo->ai_addr, request.addrinfo->ai_addrlen);
    }
    uv_freeaddrinfo(error == 0 ? request.addrinfo : NULL);
    (void)uv_loop_close(&loop);
    return error == 0
               ? OK
               : diag_fail(diag, ERR_INVALID, "listen", "%s: %s", listen, uv_strerror(error));
}

/* ---- Life ---- */

static uint16_t port_of(const struct sockaddr_storage *address)
{
    if (address->ss_family == AF_INET6) {
        struct sockaddr_in6 six;
        memcpy(&six, address, sizeof(six));
        return ntohs(six.sin6_port);
    }
    struct sockaddr_in four;
    memcpy(&four, address, sizeof(four));
    return ntohs(four.sin_port);
}

/* All listen before any accepts, so that a failure leaves no client behind. */
static enum err open_loops(struct http_server *server, struct diag *diag)
{
    struct sockaddr_storage address = {0};
    TRY(resolve(server->options.listen, &address, diag));
    server->loops = mem_array(server->options.loops, sizeof(struct http_loop));
    while (server->loop_count < server->options.loops) {
        struct http_loop *loop = &server->loops[server->loop_count++];
        TRY(loop_open(loop, server, (struct sockaddr *)&address, diag));
    }
    server->port = port_of(&address);
    for (uint32_t i = 0; i < server->loop_count; i++) {
        TRY(loop_start(&server->loops[i], diag));
    }
    return OK;
}

/* ---- TLS ---- */

struct http_tls *server_tls(struct http_server *server)
{
    mutex_lock(&server->tls_lock);
    struct http_tls *tls = http_tls_ref(server->tls);
    mutex_unlock(&server->tls_lock);
    return tls;
}

enum err http_server_reload_tls(struct http_server *server, const struct http_tls_options *options,
                                struct diag *diag)
{
    if (!server->has_tls) {
        return diag_fail(diag, ERR_INVALID, "tls", "the server was started without TLS");
    }
    struct http_tls *fresh = NULL;
    TRY(http_tls_new(options, conn_tls_bio(), &fresh, diag));
    mutex_lock(&server->tls_lock);
    struct http_tls *old = server->tls;
    server->tls = fresh;
    mutex_unlock(&server->tls_lock);
    http_tls_unref(old);
    return OK;
}

enum err http_server_certificate(struct http_server *server, struct http_certificate *out)
{
    if (!server->has_tls) {
        return ERR_NOT_FOUND;
    }
    struct http_tls *tls = server_tls(server);
    *out = tls->certificate;
    http_tls_unref(tls);
    return OK;
}

/* ---- Life ---- */

static enum err open_pools(struct http_server *server, struct diag *diag)
{
    const struct http_options *options = &server->options;
    const struct pool_options workers = {"request", options->pool_threads, options->pool_threads,
                                         options->pool_queue};
    const struct pool_options waiters = {"change", 1, options->waiter_threads_max,
                                         options->pool_queue};
    TRY(pool_new(&workers, &server->pool, diag));
    return pool_new(&waiters, &server->waiters, diag);
}

enum err http_server_start(const struct http_options *options, struct http_server **out,
                           struct diag *diag)
{
    OWNED(http_server) server = mem_zeroed(sizeof(*server));
    mutex_init(&server->tls_lock);
    server->options = *options;
    fill_defaults(&server->options);
    TRY(check_options(&server->options, diag));
    const struct http_times times = {server->options.head_ms, server->options.idle_ms,
                                     server->options.write_ms, server->options.stop_ms};
    http_server_set_times(server, &times);
    server->head_limits = (struct http_head_limits){
        .line_bytes_max = server->options.line_bytes_max,
        .fields_bytes_max = server->options.fields_bytes_max,
        .fields_max = server->options.fields_max,
    };
    signals_ignore_pipe();
    if (options->tls != NULL) {
        TRY(http_tls_new(options->tls, conn_tls_bio(), &server->tls, diag));
        server->has_tls = true;
    }
    server->options.tls = NULL; /* the caller's; only read during the start */
    TRY(http_router_new(options->routes, options->route_count, &server->router, diag));
    server->peers =
        peers_new(server->options.connections_max, server->options.connections_per_address_max);
    TRY(open_pools(server, diag));
    TRY(open_loops(server, diag));
    *out = MOVE(server);
    return OK;
}

void http_server_set_times(struct http_server *server, const struct http_times *times)
{
    server->head_ms = times->head_ms;
    server->idle_ms = times->idle_ms;
    server->write_ms = times->write_ms;
    server->stop_ms = times->stop_ms;
}

uint16_t http_server_port(const struct http_server *server)
{
    return server->port;
}

struct http_counts http_server_counts(struct http_server *server)
{
    struct pool_counts pool = pool_counts(server->pool);
    struct pool_counts waiters = pool_counts(server->waiters);
    return (struct http_counts){
        .connections = peers_count(server->peers),
        .accepted = server->accepted,
        .refused = server->refused,
        .tls_failed = server->tls_failed,
        .pool_threads = pool.threads,
        .pool_busy = pool.busy,
        .pool_waiting = pool.waiting,
        .waiter_threads = waiters.threads,
        .waiter_busy = waiters.busy,
        .waiter_waiting = waiters.waiting,
    };
}

void http_server_stop(struct http_server *server)
{
    if (server->is_stopped) {
        return;
    }
    server->is_stopped = true;
    server->is_stopping = true;
    for (uint32_t i = 0; i < server->loop_count; i++) {
        if (server->loops[i].thread.is_started) {
            loop_stop(&server->loops[i]);
        }
    }
    for (uint32_t i = 0; i < server->loop_count; i++) {
        loop_join(&server->loops[i]);
    }
    pool_end(server->pool); /* what still runs finds its client gone */
    pool_end(server->waiters);
}

void http_server_free(struct http_server *server)
{
    if (server == NULL) {
        return;
    }
    http_server_stop(server);
    for (uint32_t i = 0; i < server->loop_count; i++) {
        loop_close(&server->loops[i]);
    }
    free(server->loops);
    pool_free(server->pool);
    pool_free(server->waiters);
    peers_free(server->peers);
    http_tls_unref(server->tls);
    mutex_release(&server->tls_lock);
    http_router_free(server->router);
    free(server);
}
