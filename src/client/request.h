/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * request - one HTTP exchange through libcurl, and what its answer means.
 *
 * Every function of the library is one or more of these. Of this room alone.
 *
 * Threads: as the client.
 */

#include <cairn/client.h>
#include <curl/curl.h>
#include <jansson.h>

#include "client/text.h"

#define ANSWER_BYTES_MAX (512u * 1024 * 1024)

struct cairn_client {
    CURL *curl;
    char *server;  /* "http://host:port", without a slash at the end */
    bool is_local; /* it is on this machine */
    char *authorization;
    char *user_agent;
    char *ca_file; /* NULL: the system's */
    long timeout_ms, connect_timeout_ms;
    unsigned retries;
    struct text answer; /* the body of the last exchange */
    struct cairn_problem problem;
    char curl_error[CURL_ERROR_SIZE];
};

struct request {
    const char *target;       /* path and query */
    const char *method;       /* NULL: a POST where there is a content_type, else a GET */
    const char *content_type; /* NULL: a GET */
    const char *accept;       /* NULL: anything */
    const char *last_event_id;
    slice body;         /* of a POST without `read` */
    cairn_read_fn read; /* of a POST in pieces */
    void *read_context;
    /* Given the bytes of a good answer as they come, in place of client->answer. */
    bool (*take)(void *context, slice bytes);
    void *take_context;
    bool is_stream; /* no deadline for the whole */
};

/*
 * Sends and waits. OK: the status is 200 to 299 and client->answer (NUL-terminated) holds the body.
 * Otherwise client->problem says why, and client->answer holds what came.
 */
enum cairn_result request_run(struct cairn_client *client, const struct request *request);

/* Forgets the last problem; every public call begins with it. */
void problem_clear(struct cairn_client *client);
/* Fills the problem with a sentence of our own and returns `result`. */
enum cairn_result problem_fail(struct cairn_client *client, enum cairn_result result,
                               const char *sentence);

/* The answer as JSON, owned by the caller; NULL when it is none. */
json_t *answer_json(const struct cairn_client *client);
/* A whole number member, `fallback` when absent. */
uint64_t json_member_u64(const json_t *object, const char *name, uint64_t fallback);
/* A text member into a fixed array, cut to fit; unchanged when absent. */
void json_member_text(const json_t *object, const char *name, char *out, size_t size);

/* The same, and hands the answer out. len_out may be NULL. */
enum cairn_result request_give(struct cairn_client *client, const struct request *request,
                               char **text_out, size_t *len_out);
/* GETs `target` and hands the answer out. */
enum cairn_result request_text(struct cairn_client *client, const struct text *target,
                               char **text_out, size_t *len_out);
