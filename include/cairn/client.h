/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cairn/client.h - the client library of Cairn, the audit-trail server.
 *
 * C99, C++ safe. Every name starts with cairn_ or CAIRN_. The library never ends the process, never
 * logs, and installs no signal handlers. Every function that can fail returns an enum cairn_result;
 * cairn_client_problem() then says what was wrong, in the server's own words where it answered.
 *
 * An event that has no event_id is given one before it is sent, so that sending it again after a
 * broken connection stores it once.
 *
 * Threads: a client and what was opened on it belong to one thread at a time; any number of clients
 * may live side by side.
 */
#ifndef CAIRN_CLIENT_H
#define CAIRN_CLIENT_H

#include <stddef.h>
#include <stdint.h>

#if defined(__cplusplus)
extern "C" {
#endif

#if defined(__GNUC__)
#define CAIRN_API __attribute__((visibility("default")))
#else
#define CAIRN_API
#endif

/* The library's version, "0.1.0". Static; never NULL. */
CAIRN_API const char *cairn_version(void);

/* The numbers are never changed; new ones may come. */
enum cairn_result {
    CAIRN_OK = 0,
    CAIRN_INVALID = 1,      /* the request or an event in it is wrong */
    CAIRN_NOT_FOUND = 2,    /* no such thing, or none this key may see */
    CAIRN_DENIED = 3,       /* no key, an unknown key, or a key without the right */
    CAIRN_CONFLICT = 4,     /* the event_id is there with other content */
    CAIRN_LIMIT = 5,        /* too large, or too many requests */
    CAIRN_BUSY = 6,         /* try again later */
    CAIRN_FULL = 7,         /* the server's disk is full */
    CAIRN_GONE = 8,         /* it was there and was erased */
    CAIRN_SERVER = 9,       /* the server failed, or it is not a Cairn server */
    CAIRN_UNREACHABLE = 10, /* no connection, or it broke before the answer */
    CAIRN_MEMORY = 11,      /* out of memory */
    CAIRN_STOPPED = 12      /* a function of the caller asked to stop */
};

/* "not_found". Static; never NULL. */
CAIRN_API const char *cairn_result_name(enum cairn_result result);

/* ---- Client ---- */

struct cairn_client;

/* Set it to zeros first: zero and NULL are the defaults. The texts are copied. */
struct cairn_options {
    const char *server;      /* "http://127.0.0.1:8090"; the scheme may be left out */
    const char *key;         /* an API key; NULL: none is sent */
    long timeout_ms;         /* for one request; 0: 60,000. Streams and tails have none */
    long connect_timeout_ms; /* 0: 10,000 */
    unsigned retries;        /* of a stream in a row without progress; 0: 8 */
    const char *user_agent;  /* NULL: "libcairn/<version>" */
    const char *ca_file;     /* PEM: who may vouch for an https server; NULL: the system's CAs */
};

/* Makes no connection yet. INVALID: the server or the key cannot be one; MEMORY. On OK the caller
 * ends *client_out with cairn_client_free(). */
CAIRN_API enum cairn_result cairn_client_new(const struct cairn_options *options,
                                             struct cairn_client **client_out);
CAIRN_API void cairn_client_free(struct cairn_client *client); /* NULL is fine */

/* What the last call that failed has to say. */
struct cairn_problem {
    int status;         /* HTTP status; 0: there was no answer */
    long retry_after_s; /* what the server asked for; 0: nothing */
    uint64_t event;     /* which event of the call was refused, from 1; 0: not about one */
    char title[128];
    char detail[512];  /* one sentence; never empty after a failure */
    char pointer[128]; /* the JSON pointer of the member that is wrong, or "" */
    char request_id[64];
};
/* Lasts until the next call with this client; never NULL. */
CAIRN_API const struct cairn_problem *cairn_client_problem(const struct cairn_client *client);

/* Ends a text that the library handed out. NULL is fine. */
CAIRN_API void cairn_free(void *text);

/* ---- Sending ---- */

struct cairn_receipt {
    char event_id[37];
    char leaf_hash[65]; /* lowercase hex */
    uint64_t seq;       /* its place in the log, from 0 */
    int duplicate;      /* it was there already */
};

/* One event, a JSON object. OK means that it is durable and has its place in the log.
 * UNREACHABLE, SERVER: nobody knows; send it again with the event_id of *receipt_out, which is set
 * also on failure (and empty when the object could not be read). */
CAIRN_API enum cairn_result cairn_send(struct cairn_client *client, const char *json, size_t len,
                                       struct cairn_receipt *receipt_out);

struct cairn_counts {
    uint64_t stored;
    uint64_t duplicates;          /* there already, those of a repeated send included */
    uint64_t refused;             /* left out, with skip_refused */
    uint64_t first_seq, last_seq; /* of what was stored, if anything was */
};

/* Called for each event that was left out; `event` counts from 1. */
typedef void (*cairn_refused_fn)(void *context, uint64_t event, const char *pointer,
                                 const char *detail);

/* Set it to zeros first. The texts are borrowed until the stream or call ends. */
struct cairn_send_options {
    const char *format;  /* a foreign format such as "cloudtrail"; NULL: Cairn's own */
    int skip_refused;    /* store the valid events, leave the others out */
    int backfill;        /* take events of any age */
    size_t window_bytes; /* how much a stream holds before it sends; 0: 4 MiB */
    cairn_refused_fn on_refused;
    void *context; /* of on_refused */
};

/* Fills `buffer` and returns how many bytes it holds; 0 at the end; less than 0 stops. */
typedef long (*cairn_read_fn)(void *context, char *buffer, size_t size);

/* Sends what `read` gives as one request, as it is, in pieces as it comes: NDJSON, or a document of
 * the foreign format. *counts_out is set on failure too: what was stored before. Not resumed. */
CAIRN_API enum cairn_result cairn_upload(struct cairn_client *client,
                                         const struct cairn_send_options *options,
                                         cairn_read_fn read, void *context,
                                         struct cairn_counts *counts_out);

struct cairn_stream;

/* Events one after the other, sent in windows, each sent again from where it broke. The stream
 * borrows the client until cairn_stream_free(). Foreign formats cannot be streamed so: INVALID. */
CAIRN_API enum cairn_result cairn_stream_open(struct cairn_client *client,
                                              const struct cairn_send_options *options,
                                              struct cairn_stream **stream_out);
/* Adds one JSON object; sends when the window is full. INVALID also when it is no object, LIMIT
 * when it has more than 2 MiB; then it was not added. After any other failure the events before
 * cairn_stream_done() are durable, and problem.event says which was refused; the stream is then
 * spent. */
CAIRN_API enum cairn_result cairn_stream_write(struct cairn_stream *stream, const char *json,
                                               size_t len);
/* Sends what is held. OK: every event written so far is durable or was reported as refused. A busy
 * server is waited for: longer each time, and as long as it asks, if that is a minute at most. */
CAIRN_API enum cairn_result cairn_stream_flush(struct cairn_stream *stream);
/* How many events of this stream the server has answered for. */
CAIRN_API uint64_t cairn_stream_done(const struct cairn_stream *stream);
CAIRN_API struct cairn_counts cairn_stream_counts(const struct cairn_stream *stream);
/* Does not flush; NULL is fine. */
CAIRN_API void cairn_stream_free(struct cairn_stream *stream);

/* ---- Reading ---- */

/* Set it to zeros first. */
struct cairn_query {
    const char *filter; /* the filter language; NULL: every event */
    const char *since, *until;
    const char *order;  /* "asc", "desc", "seq" */
    const char *fields; /* separated by commas; NULL: all */
    uint64_t limit;     /* 0: all; pages are followed */
    int want_total;
};

/* Given one event as JSON, on one line, without a terminator. Anything but 0 stops. */
typedef int (*cairn_event_fn)(void *context, const char *json, size_t len);

/* *total_out (may be NULL) is set when it was asked for. STOPPED when `fn` stopped. */
CAIRN_API enum cairn_result cairn_query(struct cairn_client *client,
                                        const struct cairn_query *query, cairn_event_fn fn,
                                        void *context, uint64_t *total_out);

/* All events of a correlation, oldest first. */
CAIRN_API enum cairn_result cairn_timeline(struct cairn_client *client, const char *correlation_id,
                                           cairn_event_fn fn, void *context);

/* Given one live event and the id to resume behind it. Anything but 0 stops. */
typedef int (*cairn_tail_fn)(void *context, const char *id, const char *json, size_t len);

/* Live events that match, until `fn` stops (STOPPED), or the server refuses, or it cannot be
 * reached again. A broken connection is resumed. `after` is the id of the last event seen; NULL:
 * from now on. */
CAIRN_API enum cairn_result cairn_tail(struct cairn_client *client, const char *filter,
                                       const char *after, cairn_tail_fn fn, void *context);

/* The rest gives a whole answer: NUL-terminated, ended with cairn_free(). len_out may be NULL. */

/* One event; `raw` gives the canonical line and a line feed. */
CAIRN_API enum cairn_result cairn_event(struct cairn_client *client, const char *event_id, int raw,
                                        char **text_out, size_t *len_out);
/* A tlog-proof file for one event. */
CAIRN_API enum cairn_result cairn_proof(struct cairn_client *client, const char *event_id,
                                        char **text_out, size_t *len_out);

/* Set it to zeros first. */
struct cairn_stats_query {
    const char *filter;
    const char *since, *until;
    const char *group_by; /* up to two fields, separated by a comma */
    const char *interval; /* "1h" */
    unsigned top;         /* groups; 0: the server's default */
};
CAIRN_API enum cairn_result cairn_stats(struct cairn_client *client,
                                        const struct cairn_stats_query *query, char **text_out,
                                        size_t *len_out);
/* {origin, vkey, size, checkpoint} */
CAIRN_API enum cairn_result cairn_log(struct cairn_client *client, char **text_out,
                                      size_t *len_out);
/* The newest signed tree head. */
CAIRN_API enum cairn_result cairn_checkpoint(struct cairn_client *client, char **text_out,
                                             size_t *len_out);
/* {old, new, proof} */
CAIRN_API enum cairn_result cairn_consistency(struct cairn_client *client, uint64_t old_size,
                                              uint64_t new_size, char **text_out, size_t *len_out);
/* The components' health. On BUSY (a component is down) the text is set too. */
CAIRN_API enum cairn_result cairn_health(struct cairn_client *client, char **text_out,
                                         size_t *len_out);
/* Any other GET; `target` is a path with its query, "/api/v1/version". */
CAIRN_API enum cairn_result cairn_get(struct cairn_client *client, const char *target,
                                      char **text_out, size_t *len_out);
/* A change: `method` is POST, PUT, PATCH or DELETE, `json` the body or NULL. The answer may be
 * empty. It is sent once: whether a change was made whose answer did not come is unknown. */
CAIRN_API enum cairn_result cairn_change(struct cairn_client *client, const char *method,
                                         const char *target, const char *json, char **text_out,
                                         size_t *len_out);

#if defined(__cplusplus)
}
#endif

#endif
