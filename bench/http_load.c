/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http_load - posts events to a server on this machine and measures how long that takes.
 *
 *   http_load port=N [key=FILE] [path=/api/v1/audit/events] [events=100000] [lines=0]
 *             [connections=1] [seed=42] [start_s=1768435200] [keep=FILE] [keep_every=10000]
 *             [body=TEXT]
 *
 * `lines` is how many events a request has, as NDJSON; 0: one, as JSON. `keep` gets every so
 * manieth event, for who wants to find some of them again. `body` is sent instead of events, as
 * with path=/api/v1/rules. Requests are made before the clock starts, so that a load costs little
 * more than the kernel's copies. One thread, one request at a time on each connection; any answer
 * but 201 ends it. Prints one line of JSON.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/mem.h"
#include "bench/figures.h"
#include "bench/generate.h"
#include "os/clock.h"

enum {
    CONNECTIONS_MAX = 4096,
    ANSWER_BYTES_MAX = 16 * 1024,
    KEY_BYTES_MAX = 256,
    EVENT_SPACING_US = 3000000,
};

struct load_options {
    uint64_t port, events, lines, connections, seed, start_s, keep_every;
    const char *path, *key_file, *keep, *body;
};

/* All requests, one behind the other. */
struct requests {
    struct buf bytes;
    size_t *ends;
    size_t count;
    size_t next; /* to be sent */
};

struct connection {
    int fd;
    slice left; /* of the request that is being sent */
    bool wants_out;
    int64_t sent_us;
    size_t answer_len;
    uint8_t answer[ANSWER_BYTES_MAX + 1];
};

static void die(const char *what)
{
    (void)fprintf(stderr, "http_load: %s: %s\n", what, errno != 0 ? strerror(errno) : "gave up");
    exit(1);
}

/* ---- Requests ---- */

static void read_key(const char *path, char out[KEY_BYTES_MAX])
{
    out[0] = '\0';
    if (path == NULL) {
        return;
    }
    FILE *file = fopen(path, "re");
    if (file == NULL || fgets(out, KEY_BYTES_MAX, file) == NULL) {
        die(path);
    }
    (void)fclose(file);
    out[strcspn(out, "\r\n")] = '\0';
}

/* Appends the newest line of `body` to the file, if one is wanted. */
static void keep_line(const char *path, const struct buf *body, size_t from)
{
    FILE *file = fopen(path, "ae");
    if (file == NULL || fwrite(body->ptr + from, 1, body->len - from, file) != body->len - from) {
        die(path);
    }
    (void)fclose(file);
}

static void next_body(const struct load_options *options, struct generator *generator,
                      struct buf *body)
{
    if (options->body == NULL) {
        generator_next(generator, body);
    } else {
        buf_append_format(body, "%s\n", options->body);
    }
}

static void make_requests(const struct load_options *options, struct requests *out)
{
    char key[KEY_BYTES_MAX];
    OWNED(generator)
    generator = generator_new(options->seed, (int64_t)options->start_s * 1000000, EVENT_SPACING_US);
    CLEANUP(buf_release) struct buf body = BUF_INIT((size_t)1 << 30);
    uint64_t many = options->lines > 0 ? options->lines : 1;
    read_key(options->key_file, key);
    buf_init(&out->bytes, (size_t)1 << 40);
    out->ends = mem_array((size_t)(options->events / many) + 1, sizeof(*out->ends));
    for (uint64_t left = options->events; left > 0;) {
        uint64_t n = left < many ? left : many;
        buf_clear(&body);
        for (uint64_t i = 0; i < n; i++) {
            size_t from = body.len;
            next_body(options, generator, &body);
            if (options->keep != NULL && (left - i) % options->keep_every == 0) {
                keep_line(options->keep, &body, from);
            }
        }
        body.len -= options->lines > 0 ? 0 : 1; /* one event is no line */
        buf_append_format(&out->bytes,
                          "POST %s HTTP/1.1\r\nHost: 127.0.0.1\r\nX-API-Key: %s\r\n"
                          "Content-Type: application/%s\r\nContent-Length: %zu\r\n\r\n",
                          options->path, key, options->lines > 0 ? "x-ndjson" : "json", body.len);
        buf_append(&out->bytes, buf_slice(&body));
        out->ends[out->count++] = out->bytes.len;
        left -= n;
    }
}

static bool take_request(struct requests *requests, slice *out)
{
    if (requests->next == requests->count) {
        return false;
    }
    size_t from = requests->next == 0 ? 0 : requests->ends[requests->next - 1];
    *out = (slice){requests->bytes.ptr + from, requests->ends[requests->next] - from};
    requests->next++;
    return true;
}

/* ---- Connections ---- */

static void watch(int epoll, struct connection *connection, int how)
{
    struct epoll_event event = {
        .events = EPOLLIN | (connection->wants_out ? (uint32_t)EPOLLOUT : 0),
        .data.ptr = connection,
    };
    if (epoll_ctl(epoll, how, connection->fd, &event) != 0) {
        die("epoll_ctl");
    }
}

static void open_connection(int epoll, uint16_t port, struct connection *connection)
{
    const struct sockaddr_in address = {
        .sin_family = AF_INET,
        .sin_port = htons(port),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
    const int yes = 1;
    connection->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connection->fd < 0 ||
        connect(connection->fd, (const struct sockaddr *)&address, sizeof(address)) != 0 ||
        setsockopt(connection->fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes)) != 0) {
        die("connect");
    }
    watch(epoll, connection, EPOLL_CTL_ADD);
}

static void send_more(int epoll, struct connection *connection)
{
    while (connection->left.len > 0) {
        ssize_t n = send(connection->fd, connection->left.ptr, connection->left.len,
                         MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n < 0 && errno != EAGAIN) {
            die("send");
        }
        if (n < 0) {
            break;
        }
        (void)slice_take(&connection->left, (size_t)n);
    }
    bool wants_out = connection->left.len > 0;
    if (wants_out != connection->wants_out) {
        connection->wants_out = wants_out;
        watch(epoll, connection, EPOLL_CTL_MOD);
    }
}

static bool begin_request(int epoll, struct requests *requests, struct connection *connection)
{
    if (!take_request(requests, &connection->left)) {
        return false;
    }
    connection->sent_us = clock_monotonic_us();
    connection->answer_len = 0;
    send_more(epoll, connection);
    return true;
}

/* Whether the answer is complete; one that is not "stored" ends the run. */
static bool has_answer(struct connection *connection)
{
    static const char length[] = "\r\nContent-Length: ";
    char *text = (char *)connection->answer;
    text[connection->answer_len] = '\0';
    char *head_end = strstr(text, "\r\n\r\n");
    if (head_end == NULL) {
        return false;
    }
    char *at = strcasestr(text, length);
    if (at == NULL || at > head_end || strncmp(text, "HTTP/1.1 201", 12) != 0) {
        (void)fprintf(stderr, "http_load: an answer that was not expected:\n%s\n", text);
        exit(1);
    }
    size_t body_len = strtoull(at + sizeof(length) - 1, NULL, 10);
    return connection->answer_len >= (size_t)(head_end + 4 - text) + body_len;
}

static bool receive(struct connection *connection)
{
    ssize_t n = recv(connection->fd, connection->answer + connection->answer_len,
                     ANSWER_BYTES_MAX - connection->answer_len, MSG_DONTWAIT);
    if (n < 0 && errno == EAGAIN) {
        return false;
    }
    if (n <= 0) {
        die("the server closed a connection");
    }
    connection->answer_len += (size_t)n;
    return has_answer(connection);
}

/* ---- The run ---- */

static void run(const struct load_options *options, struct requests *requests,
                struct samples *waits_us)
{
    static struct epoll_event events[CONNECTIONS_MAX];
    struct connection *connections = mem_array(options->connections, sizeof(*connections));
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    size_t busy = 0;
    for (uint64_t i = 0; i < options->connections; i++) {
        open_connection(epoll, (uint16_t)options->port, &connections[i]);
    }
    double cpu_s = figures_cpu_s();
    int64_t began_us = clock_monotonic_us();
    for (uint64_t i = 0; i < options->connections; i++) {
        busy += begin_request(epoll, requests, &connections[i]) ? 1 : 0;
    }
    while (busy > 0) {
        int n = epoll_wait(epoll, events, CONNECTIONS_MAX, -1);
        for (int i = 0; i < n; i++) {
            struct connection *connection = events[i].data.ptr;
            if ((events[i].events & EPOLLOUT) != 0) {
                send_more(epoll, connection);
            }
            if ((events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0 && receive(connection)) {
                samples_add(waits_us, (uint64_t)(clock_monotonic_us() - connection->sent_us));
                busy -= begin_request(epoll, requests, connection) ? 0 : 1;
            }
        }
    }
    double seconds = (double)(clock_monotonic_us() - began_us) / 1e6;
    cpu_s = figures_cpu_s() - cpu_s;
    (void)printf("{\"events\":%llu,\"requests\":%zu,\"seconds\":%.3f,\"events_per_s\":%.0f,"
                 "\"p50_us\":%llu,\"p99_us\":%llu,\"load_cpu_us_per_event\":%.3f}\n",
                 (unsigned long long)options->events, requests->count, seconds,
                 (double)options->events / seconds,
                 (unsigned long long)samples_part(waits_us, 0.50),
                 (unsigned long long)samples_part(waits_us, 0.99),
                 cpu_s * 1e6 / (double)options->events);
    free(connections);
    (void)close(epoll);
}

int main(int argc, char **argv)
{
    struct load_options options = {
        .path = "/api/v1/audit/events",
        .key_file = words_text(argc, argv, "key"),
        .keep = words_text(argc, argv, "keep"),
        .body = words_text(argc, argv, "body"),
        .keep_every = words_number(argc, argv, "keep_every", 10000),
        .port = words_number(argc, argv, "port", 0),
        .events = words_number(argc, argv, "events", 100000),
        .lines = words_number(argc, argv, "lines", 0),
        .connections = words_number(argc, argv, "connections", 1),
        .seed = words_number(argc, argv, "seed", 42),
        .start_s = words_number(argc, argv, "start_s", 1768435200),
    };
    const char *path = words_text(argc, argv, "path");
    options.path = path != NULL ? path : options.path;
    if (options.port == 0 || options.connections == 0 || options.connections > CONNECTIONS_MAX) {
        (void)fprintf(stderr, "http_load: port=N is needed, and 1 to %d connections\n",
                      CONNECTIONS_MAX);
        return 2;
    }
    struct requests requests = {0};
    CLEANUP(samples_release) struct samples waits_us = {0};
    make_requests(&options, &requests);
    run(&options, &requests, &waits_us);
    buf_release(&requests.bytes);
    free(requests.ends);
    return 0;
}
