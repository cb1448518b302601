/* SPDX-License-Identifier: Apache-2.0 */
#include "client/request.h"

#include <stdio.h>
#include <stdlib.h>

/* ---- What an answer means ---- */

static enum cairn_result result_of_status(long status)
{
    switch (status) {
    case 401:
    case 403:
        return CAIRN_DENIED;
    case 404:
        return CAIRN_NOT_FOUND;
    case 408:
    case 502:
    case 503:
    case 504:
        return CAIRN_BUSY;
    case 409:
    case 412:
        return CAIRN_CONFLICT;
    case 410:
        return CAIRN_GONE;
    case 413:
    case 429:
        return CAIRN_LIMIT;
    case 507:
        return CAIRN_FULL;
    default:
        break;
    }
    if (status >= 200 && status < 300) {
        return CAIRN_OK;
    }
    return status >= 400 && status < 500 ? CAIRN_INVALID : CAIRN_SERVER;
}

void problem_clear(struct cairn_client *client)
{
    client->problem = (struct cairn_problem){0};
}

enum cairn_result problem_fail(struct cairn_client *client, enum cairn_result result,
                               const char *sentence)
{
    struct cairn_problem *problem = &client->problem;
    (void)snprintf(problem->title, sizeof(problem->title), "%s", cairn_result_name(result));
    (void)snprintf(problem->detail, sizeof(problem->detail), "%s", sentence);
    return result;
}

json_t *answer_json(const struct cairn_client *client)
{
    if (client->answer.len == 0) {
        return NULL;
    }
    return json_loadb(client->answer.ptr, client->answer.len, JSON_ALLOW_NUL, NULL);
}

uint64_t json_member_u64(const json_t *object, const char *name, uint64_t fallback)
{
    const json_t *member = json_object_get(object, name);
    if (!json_is_integer(member) || json_integer_value(member) < 0) {
        return fallback;
    }
    return (uint64_t)json_integer_value(member);
}

void json_member_text(const json_t *object, const char *name, char *out, size_t size)
{
    const char *member = json_string_value(json_object_get(object, name));
    if (member != NULL) {
        (void)snprintf(out, size, "%s", member);
    }
}

static void read_problem(struct cairn_client *client)
{
    struct cairn_problem *problem = &client->problem;
    json_t *json = answer_json(client);
    json_member_text(json, "title", problem->title, sizeof(problem->title));
    json_member_text(json, "detail", problem->detail, sizeof(problem->detail));
    json_member_text(json, "request_id", problem->request_id, sizeof(problem->request_id));
    json_member_text(json, "pointer", problem->pointer, sizeof(problem->pointer));
    problem->event = json_member_u64(json, "line", 0);
    const json_t *first = json_array_get(json_object_get(json, "errors"), 0);
    json_member_text(first, "pointer", problem->pointer, sizeof(problem->pointer));
    if (first != NULL && problem->event == 0 && json_object_get(first, "index") != NULL) {
        problem->event = json_member_u64(first, "index", 0) + 1;
    }
    json_member_text(first, "detail", problem->detail, sizeof(problem->detail));
    if (problem->title[0] == '\0') {
        (void)snprintf(problem->title, sizeof(problem->title), "HTTP status %d", problem->status);
    }
    if (problem->detail[0] == '\0') {
        (void)snprintf(problem->detail, sizeof(problem->detail), "the server answered %d %s",
                       problem->status, problem->title);
    }
    json_decref(json);
}

/* ---- The exchange ---- */

struct exchange {
    struct cairn_client *client;
    const struct request *request;
    bool caller_stopped;
};

static size_t on_read(char *buffer, size_t size, size_t count, void *context)
{
    struct exchange *exchange = context;
    long n = exchange->request->read(exchange->request->read_context, buffer, size * count);
    if (n < 0 || (size_t)n > size * count) {
        exchange->caller_stopped = true;
        return CURL_READFUNC_ABORT;
    }
    return (size_t)n;
}

static size_t on_write(char *bytes, size_t size, size_t count, void *context)
{
    struct exchange *exchange = context;
    struct cairn_client *client = exchange->client;
    slice piece = {(const uint8_t *)bytes, size * count};
    long status = 0;
    (void)curl_easy_getinfo(client->curl, CURLINFO_RESPONSE_CODE, &status);
    if (exchange->request->take != NULL && status >= 200 && status < 300) {
        if (!exchange->request->take(exchange->request->take_context, piece)) {
            exchange->caller_stopped = true;
            return 0;
        }
        return piece.len;
    }
    text_append(&client->answer, piece);
    return client->answer.failed ? 0 : piece.len;
}

static bool add_header(struct curl_slist **list, const char *name, const char *value)
{
    struct text line = {0};
    text_append_cstr(&line, name);
    text_append_cstr(&line, value);
    struct curl_slist *grown = line.failed ? NULL : curl_slist_append(*list, line.ptr);
    text_wipe(&line); /* it may be the key's */
    if (grown == NULL) {
        return false;
    }
    *list = grown;
    return true;
}

static bool add_headers(const struct cairn_client *client, const struct request *request,
                        struct curl_slist **list)
{
    /* A body is sent at once: the wait for 100 Continue costs a round trip each time. */
    bool ok = add_header(list, "Expect:", "");
    ok = ok && add_header(list, "Accept: ", request->accept == NULL ? "*/*" : request->accept);
    ok = ok && add_header(list, "Accept-Version: ", "2.0");
    if (client->authorization != NULL) {
        ok = ok && add_header(list, "Authorization: Bearer ", client->authorization);
    }
    if (request->content_type != NULL) {
        ok = ok && add_header(list, "Content-Type: ", request->content_type);
    }
    if (request->read != NULL) {
        ok = ok && add_header(list, "Transfer-Encoding: ", "chunked");
    }
    if (request->last_event_id != NULL) {
        ok = ok && add_header(list, "Last-Event-ID: ", request->last_event_id);
    }
    return ok;
}

/* The key stands in one of them. */
static void free_headers(struct curl_slist *list)
{
    for (const struct curl_slist *item = list; item != NULL; item = item->next) {
        explicit_bzero(item->data, strlen(item->data));
    }
    curl_slist_free_all(list);
}

/* An option that curl refuses is one it cannot allocate for; the exchange then fails by itself. */
#define SET(option, value) (void)curl_easy_setopt(client->curl, (option), (value))

static void set_options(struct exchange *exchange, const char *url, struct curl_slist *headers)
{
    struct cairn_client *client = exchange->client;
    const struct request *request = exchange->request;
    curl_easy_reset(client->curl);
    SET(CURLOPT_URL, url);
    SET(CURLOPT_HTTPHEADER, headers);
    SET(CURLOPT_USERAGENT, client->user_agent);
    SET(CURLOPT_NOSIGNAL, 1L);
    SET(CURLOPT_PROTOCOLS_STR, "http,https");
    SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    if (client->ca_file != NULL) {
        SET(CURLOPT_CAINFO, client->ca_file);
        SET(CURLOPT_CAPATH, NULL); /* it and nobody else */
    }
    SET(CURLOPT_ERRORBUFFER, client->curl_error);
    SET(CURLOPT_CONNECTTIMEOUT_MS, client->connect_timeout_ms);
    SET(CURLOPT_TIMEOUT_MS, request->is_stream ? 0L : client->timeout_ms);
    SET(CURLOPT_TCP_KEEPALIVE, 1L);
    SET(CURLOPT_TCP_NODELAY, 1L);
    SET(CURLOPT_BUFFERSIZE, 256L * 1024);
    SET(CURLOPT_UPLOAD_BUFFERSIZE, 256L * 1024);
    SET(CURLOPT_ACCEPT_ENCODING, request->is_stream ? NULL : "");
    SET(CURLOPT_WRITEFUNCTION, on_write);
    SET(CURLOPT_WRITEDATA, (void *)exchange);
    if (client->is_local) {
        SET(CURLOPT_NOPROXY, "*"); /* no proxy can know what is on this machine */
    }
    if (request->content_type == NULL) {
        return;
    }
    SET(CURLOPT_POST, 1L);
    if (request->method != NULL) {
        SET(CURLOPT_CUSTOMREQUEST, request->method);
    }
    if (request->read != NULL) {
        SET(CURLOPT_READFUNCTION, on_read);
        SET(CURLOPT_READDATA, (void *)exchange);
    } else {
        SET(CURLOPT_POSTFIELDS, request->body.ptr == NULL ? "" : (const char *)request->body.ptr);
        SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body.len);
    }
}

static enum cairn_result conclude(struct exchange *exchange, CURLcode code)
{
    struct cairn_client *client = exchange->client;
    struct cairn_problem *problem = &client->problem;
    long status = 0;
    curl_off_t retry_after = 0;
    (void)curl_easy_getinfo(client->curl, CURLINFO_RESPONSE_CODE, &status);
    (void)curl_easy_getinfo(client->curl, CURLINFO_RETRY_AFTER, &retry_after);
    if (exchange->caller_stopped) {
        return problem_fail(client, CAIRN_STOPPED, "stopped by its caller");
    }
    if (client->answer.failed || code == CURLE_OUT_OF_MEMORY) {
        return problem_fail(client, CAIRN_MEMORY, "the answer does not fit into memory");
    }
    /* A server that refuses early may reset what we still send; its answer counts all the same. */
    bool is_answered = code == CURLE_OK || (status >= 400 && client->answer.len > 0);
    if (!is_answered) {
        const char *why =
            client->curl_error[0] != '\0' ? client->curl_error : curl_easy_strerror(code);
        (void)snprintf(problem->title, sizeof(problem->title), "unreachable");
        (void)snprintf(problem->detail, sizeof(problem->detail), "cannot reach %.200s: %.250s",
                       client->server, why);
        return CAIRN_UNREACHABLE;
    }
    problem->status = (int)status;
    problem->retry_after_s = retry_after > 0 && retry_after < 86400 ? (long)retry_after : 0;
    enum cairn_result result = result_of_status(status);
    if (result != CAIRN_OK) {
        read_problem(client);
    }
    return result;
}

enum cairn_result request_run(struct cairn_client *client, const struct request *request)
{
    struct exchange exchange = {.client = client, .request = request};
    struct text url = {0};
    struct curl_slist *headers = NULL;
    text_clear(&client->answer);
    client->curl_error[0] = '\0';
    problem_clear(client);
    text_append_cstr(&url, client->server);
    text_append_cstr(&url, request->target);

    enum cairn_result result = CAIRN_MEMORY;
    if (url.failed || !add_headers(client, request, &headers)) {
        result = problem_fail(client, CAIRN_MEMORY, "out of memory");
    } else {
        set_options(&exchange, url.ptr, headers);
        result = conclude(&exchange, curl_easy_perform(client->curl));
    }
    free_headers(headers);
    text_release(&url);
    return result;
}

enum cairn_result request_text(struct cairn_client *client, const struct text *target,
                               char **text_out, size_t *len_out)
{
    const struct request request = {.target = target->ptr};
    return target->failed ? problem_fail(client, CAIRN_MEMORY, "out of memory")
                          : request_give(client, &request, text_out, len_out);
}

enum cairn_result request_give(struct cairn_client *client, const struct request *request,
                               char **text_out, size_t *len_out)
{
    enum cairn_result result = request_run(client, request);
    if (result != CAIRN_OK) {
        return result;
    }
    text_append_cstr(&client->answer, ""); /* an empty answer is a text too */
    if (client->answer.failed) {
        return problem_fail(client, CAIRN_MEMORY, "out of memory");
    }
    *text_out = client->answer.ptr;
    if (len_out != NULL) {
        *len_out = client->answer.len;
    }
    client->answer = (struct text){.max = client->answer.max};
    return CAIRN_OK;
}
