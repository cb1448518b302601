/* SPDX-License-Identifier: Apache-2.0 */
#include <cairn/client.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "client/endpoint.h"
#include "client/request.h"
#include "client/version.h"

const char *cairn_version(void)
{
    return CAIRN_VERSION;
}

const char *cairn_result_name(enum cairn_result result)
{
    switch (result) {
    case CAIRN_OK:
        return "ok";
    case CAIRN_INVALID:
        return "invalid";
    case CAIRN_NOT_FOUND:
        return "not_found";
    case CAIRN_DENIED:
        return "denied";
    case CAIRN_CONFLICT:
        return "conflict";
    case CAIRN_LIMIT:
        return "limit";
    case CAIRN_BUSY:
        return "busy";
    case CAIRN_FULL:
        return "full";
    case CAIRN_GONE:
        return "gone";
    case CAIRN_SERVER:
        return "server";
    case CAIRN_UNREACHABLE:
        return "unreachable";
    case CAIRN_MEMORY:
        return "memory";
    case CAIRN_STOPPED:
        return "stopped";
    }
    return "unknown";
}

/* curl_global_init() is not safe to run twice at a time in every build of libcurl. */
static pthread_once_t curl_once = PTHREAD_ONCE_INIT;
static CURLcode curl_started = CURLE_FAILED_INIT;

static void start_curl(void)
{
    curl_started = curl_global_init(CURL_GLOBAL_DEFAULT);
}

static bool is_plain(const char *text)
{
    for (; *text != '\0'; text++) {
        if ((unsigned char)*text <= ' ' || *text == 0x7f) {
            return false;
        }
    }
    return true;
}

/* A copy of a text that may be left out: NULL and "" are none. False: no memory. */
static bool copy(const char *text, char **out)
{
    if (text != NULL && text[0] != '\0') {
        *out = strdup(text);
        return *out != NULL;
    }
    return true;
}

static enum cairn_result fill(struct cairn_client *client, const struct cairn_options *options)
{
    struct endpoint endpoint = {0};
    const char *user_agent = options->user_agent;
    client->answer.max = ANSWER_BYTES_MAX;
    client->timeout_ms = options->timeout_ms > 0 ? options->timeout_ms : 60000;
    client->connect_timeout_ms =
        options->connect_timeout_ms > 0 ? options->connect_timeout_ms : 10000;
    client->retries = options->retries > 0 ? options->retries : 8;
    enum cairn_result result =
        endpoint_url(options->server != NULL ? options->server : "127.0.0.1:8090", &client->server);
    if (result != CAIRN_OK) {
        return result;
    }
    client->is_local = endpoint_parse(slice_from_cstr(client->server), &endpoint) &&
                       endpoint_is_loopback(&endpoint);
    client->user_agent = strdup(user_agent != NULL ? user_agent : "libcairn/" CAIRN_VERSION);
    client->curl = curl_easy_init();
    bool has_all = client->user_agent != NULL && client->curl != NULL &&
                   copy(options->ca_file, &client->ca_file) &&
                   copy(options->key, &client->authorization);
    return has_all ? CAIRN_OK : CAIRN_MEMORY;
}

enum cairn_result cairn_client_new(const struct cairn_options *options,
                                   struct cairn_client **client_out)
{
    static const struct cairn_options defaults = {0};
    options = options == NULL ? &defaults : options;
    (void)pthread_once(&curl_once, start_curl);
    if (options->key != NULL && !is_plain(options->key)) {
        return CAIRN_INVALID;
    }
    struct cairn_client *client = calloc(1, sizeof(*client));
    if (client == NULL || curl_started != CURLE_OK) {
        free(client);
        return CAIRN_MEMORY;
    }
    enum cairn_result result = fill(client, options);
    if (result != CAIRN_OK) {
        cairn_client_free(client);
        return result;
    }
    *client_out = client;
    return CAIRN_OK;
}

void cairn_client_free(struct cairn_client *client)
{
    if (client == NULL) {
        return;
    }
    curl_easy_cleanup(client->curl);
    if (client->authorization != NULL) {
        explicit_bzero(client->authorization, strlen(client->authorization));
    }
    free(client->authorization);
    free(client->server);
    free(client->user_agent);
    free(client->ca_file);
    text_release(&client->answer);
    free(client);
}

const struct cairn_problem *cairn_client_problem(const struct cairn_client *client)
{
    return &client->problem;
}

void cairn_free(void *text)
{
    free(text);
}
