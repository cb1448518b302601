/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/connect.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "cli/place.h"
#include "client/endpoint.h"
#include "crypto/secret.h"

#define DATA_DEFAULT "./cairn-data"

/* ---- What was said ---- */

/* By a flag, or by the variable of the same meaning; NULL: by neither. */
struct said {
    char *text;
    bool is_flag; /* then the variable does not count, not even where the flag is "" */
};

struct words {
    struct said server, key, ca, data;
};

static struct said hear(const char *flag, char *(*environment)(const char *name), const char *name)
{
    const char *text = flag != NULL ? flag : environment(name);
    bool is_empty = text == NULL || text[0] == '\0';
    return (struct said){.text = is_empty ? NULL : mem_text(text, strlen(text)),
                         .is_flag = flag != NULL};
}

static void wipe_text(char **text)
{
    if (*text != NULL) {
        secret_wipe(*text, strlen(*text));
    }
    free(*text);
    *text = NULL;
}

static void words_release(struct words *words)
{
    free(words->server.text);
    wipe_text(&words->key.text);
    free(words->ca.text);
    free(words->data.text);
}

static enum err check_key(const struct said *key, struct diag *diag)
{
    for (const char *at = key->text; at != NULL && *at != '\0'; at++) {
        if ((uint8_t)*at <= ' ' || *at == 0x7f) {
            return diag_fail(diag, ERR_INVALID, key->is_flag ? "--key" : "CAIRN_API_KEY",
                             "is no key: there is a space or a control character in it");
        }
    }
    return OK;
}

/* ---- Which server, which key ---- */

/* --data stands beside --server: its key counts if they are the same. */
static enum err add_key_of(const char *data, struct connection *out, struct diag *diag)
{
    CLEANUP(place_release) struct place place = {0};
    struct endpoint given, own;
    TRY(place_look(data, PLACE_NAMED, true, &place, diag));
    if (!endpoint_parse(slice_from_cstr(out->server), &given)) {
        return OK; /* who connects will say it */
    }
    if (!endpoint_parse(slice_from_cstr(place.server), &own) || !endpoint_is(&given, &own)) {
        return diag_fail(diag, ERR_DENIED, data,
                         "its key is for its own server, %.60s, and for no other: give one with "
                         "CAIRN_API_KEY",
                         place.server);
    }
    if (!given.is_https) { /* who is localhost? With https the certificate tells */
        free(out->server);
        out->server = MOVE(place.server);
    }
    out->key = MOVE(place.key);
    return OK;
}

static enum err take_server(struct words *words, struct connection *out, struct diag *diag)
{
    bool has_data = words->data.text != NULL && words->data.is_flag;
    out->server = MOVE(words->server.text);
    out->key = MOVE(words->key.text);
    return out->key == NULL && has_data ? add_key_of(words->data.text, out, diag) : OK;
}

static enum err take_place(const char *data, enum place_trust trust, struct words *words,
                           struct connection *out, struct diag *diag)
{
    CLEANUP(place_release) struct place place = {0};
    TRY(place_look(data, trust, words->key.text == NULL, &place, diag));
    out->server = MOVE(place.server);
    out->key = words->key.text != NULL ? MOVE(words->key.text) : MOVE(place.key);
    return OK;
}

/* Nobody named anything. */
static enum err take_default(struct words *words, struct connection *out, struct diag *diag)
{
    struct diag why = {0};
    enum err e = take_place(DATA_DEFAULT, PLACE_FOUND, words, out, &why);
    if (e == ERR_DENIED) { /* it is probably meant, and has to be named */
        return diag_fail(diag, e, why.where, "%s", why.text);
    }
    if (e == OK || words->key.text == NULL) {
        return OK;
    }
    bool is_there = e != ERR_NOT_FOUND;
    return diag_fail(diag, e == ERR_BUSY ? e : ERR_INVALID, is_there ? why.where : "",
                     "%.80s%sa key is sent only to a server that is named, with --server or "
                     "CAIRN_SERVER",
                     is_there ? why.text : "", is_there ? "; " : "");
}

static enum err choose(struct words *words, struct connection *out, struct diag *diag)
{
    bool is_data_stronger = words->data.text != NULL && words->data.is_flag;
    if (words->server.text != NULL && (words->server.is_flag || !is_data_stronger)) {
        return take_server(words, out, diag);
    }
    if (words->server.text != NULL && !words->key.is_flag) {
        wipe_text(&words->key.text); /* of CAIRN_SERVER, which does not count here */
    }
    return words->data.text != NULL ? take_place(words->data.text, PLACE_NAMED, words, out, diag)
                                    : take_default(words, out, diag);
}

enum err connection_find(const struct cli_common *common, char *(*environment)(const char *name),
                         struct connection *out, struct diag *diag)
{
    CLEANUP(words_release)
    struct words words = {
        .server = hear(common->server, environment, "CAIRN_SERVER"),
        .key = hear(common->key, environment, "CAIRN_API_KEY"),
        .ca = hear(common->ca, environment, "CAIRN_CA"),
        .data = hear(common->data, environment, "CAIRN_DATA"),
    };
    CLEANUP(connection_release) struct connection found = {0};
    found.ca = MOVE(words.ca.text);
    TRY(check_key(&words.key, diag));
    TRY(choose(&words, &found, diag));
    *out = found;
    found = (struct connection){0};
    return OK;
}

void connection_release(struct connection *connection)
{
    free(connection->server);
    wipe_text(&connection->key);
    free(connection->ca);
    *connection = (struct connection){0};
}

enum cli_exit cli_connect(const struct cli *cli, struct cairn_client **out)
{
    struct connection CLEANUP(connection_release) connection = {0};
    struct diag diag = {0};
    enum err e = connection_find(&cli->common, getenv, &connection, &diag);
    if (e == ERR_INVALID) {
        return cli_usage_diag(cli, &diag);
    }
    if (e != OK) {
        return cli_fail(cli, e, &diag);
    }
    struct cairn_options options = {.server = connection.server,
                                    .key = connection.key,
                                    .user_agent = "cairn-cli",
                                    .ca_file = connection.ca};
    enum cairn_result result = cairn_client_new(&options, out);
    if (result == CAIRN_INVALID) {
        return cli_usage(cli, "what names the server is no address: expected HOST:PORT, perhaps "
                              "with http:// or https:// before it");
    }
    if (result != CAIRN_OK) {
        (void)fprintf(stderr, "cairn %s: out of memory\n", cli->command->name);
        return CLI_UNREACHABLE;
    }
    return CLI_OK;
}

enum cli_exit cli_ask(const struct cli *cli,
                      enum cli_exit (*ask)(const struct cli *cli, struct cairn_client *client))
{
    struct cairn_client *client = NULL;
    enum cli_exit exit = cli_connect(cli, &client);
    if (exit == CLI_OK) {
        exit = ask(cli, client);
        cairn_client_free(client);
    }
    return exit;
}

enum cli_exit cli_exit_of_result(enum cairn_result result)
{
    switch (result) {
    case CAIRN_OK:
    case CAIRN_STOPPED:
        return CLI_OK;
    case CAIRN_INVALID:
    case CAIRN_NOT_FOUND:
    case CAIRN_DENIED:
    case CAIRN_CONFLICT:
    case CAIRN_LIMIT:
    case CAIRN_FULL:
    case CAIRN_GONE:
        return CLI_REFUSED;
    case CAIRN_BUSY:
    case CAIRN_SERVER:
    case CAIRN_UNREACHABLE:
    case CAIRN_MEMORY:
        return CLI_UNREACHABLE;
    }
    return CLI_UNREACHABLE;
}

/* What a person can do about it; "" when the sentence says it. */
static const char *advice(enum cairn_result result, const struct cairn_problem *problem)
{
    if (result == CAIRN_UNREACHABLE && strstr(problem->detail, "certificate") != NULL) {
        return "Name the CA that vouches for it with --ca or CAIRN_CA, and the server as its "
               "certificate does";
    }
    if (result == CAIRN_UNREACHABLE) {
        return "Is it running? Name it with --server or CAIRN_SERVER";
    }
    if (result == CAIRN_DENIED && problem->status == 401) {
        return "Give a key with CAIRN_API_KEY, or the server's data directory with --data";
    }
    if (result == CAIRN_DENIED) {
        return "This key does not have the right; ask for another";
    }
    if (result == CAIRN_BUSY) {
        return "Try again in a moment";
    }
    return result == CAIRN_FULL ? "Free some of the server's disk, then send again" : "";
}

enum cli_exit cli_fail_client(const struct cli *cli, const struct cairn_client *client,
                              enum cairn_result result)
{
    const struct cairn_problem *problem = cairn_client_problem(client);
    if (result == CAIRN_STOPPED) {
        return CLI_OK;
    }
    struct buf line CLEANUP(buf_release) = BUF_INIT(KIB(64));
    buf_append_format(&line, "cairn %s: ", cli->command->name);
    if (problem->pointer[0] != '\0') {
        (void)screen_text(&line, slice_from_cstr(problem->pointer), SIZE_MAX);
        buf_append_cstr(&line, ": ");
    }
    (void)screen_text(&line, slice_from_cstr(problem->detail), SIZE_MAX);
    const char *what_to_do = advice(result, problem);
    buf_append_format(&line, "%s%s", what_to_do[0] == '\0' ? "" : ". ", what_to_do);
    if (problem->request_id[0] != '\0' && problem->status >= 500) {
        buf_append_cstr(&line, " (request ");
        (void)screen_text(&line, slice_from_cstr(problem->request_id), SIZE_MAX);
        buf_append_byte(&line, ')');
    }
    (void)fprintf(stderr, "%s\n", buf_cstr(&line));
    return cli_exit_of_result(result);
}
