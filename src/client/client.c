/* SPDX-License-Identifier: Apache-2.0 */
#include <cairn/client.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

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

/* "host:port" or "http://host:port/" as "http://host:port". NULL when it cannot be one. */
static char *make_server(const char *given)
{
    bool has_scheme = strncmp(given, "http://", 7) == 0 || strncmp(given, "https://", 8) == 0;
    if (!is_plain(given) || given[0] == '\0' || strpbrk(given, "?#@") != NULL ||
        (!has_scheme && strstr(given, "://") != NULL)) {
        return NULL;
    }
    struct text url = {0};
    text_append_cstr(&url, has_scheme ? "" : "http://");
    text_append_cstr(&url, given);
    if (url.failed) {
        text_release(&url);
        return NULL;
    }
    while (url.len > 0 && url.ptr[url.len - 1] == '/') {
        url.ptr[--url.len] = '\0';
    }
    return url.ptr;
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
    client->answer.max = ANSWER_BYTES_MAX;
    client->timeout_ms = options->timeout_ms > 0 ? options->timeout_ms : 60000;
    client->connect_timeout_ms =
        options->connect_timeout_ms > 0 ? options->connect_timeout_ms : 10000;
    client->retries = options->retries > 0 ? options->retries : 8;
    client->server = make_server(options->server != NULL ? options->server : "127.0.0.1:8090");
    client->user_agent =
        strdup(options->user_agent != NULL ? options->user_agent : "libcairn/" CAIRN_VERSION);
    bool has_ca = options->ca_file != NULL && options->ca_file[0] != '\0';
    client->ca_file = has_ca ? strdup(options->ca_file) : NULL;
    client->authorization =
        options->key != NULL && options->key[0] != '\0' ? strdup(options->key) : NULL;
    client->curl = curl_easy_init();
    bool has_key = options->key == NULL || options->key[0] == '\0' || client->authorization != NULL;
    bool has_all = has_key && (!has_ca || client->ca_file != NULL);
    if (client->server == NULL || client->user_agent == NULL || client->curl == NULL || !has_all) {
        enum cairn_result result = client->server == NULL ? CAIRN_INVALID : CAIRN_MEMORY;
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
