/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/connect.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "crypto/secret.h"
#include "os/file.h"

enum { SMALL_FILE_BYTES_MAX = 4096 };

static bool byte_is_visible(uint8_t byte)
{
    return byte > ' ' && byte < 0x7f;
}

char *connection_from_lock(slice lock)
{
    while (lock.len > 0 && !slice_take_literal(&lock, SLICE("listen "))) {
        (void)slice_take(&lock, 1);
    }
    slice address = slice_take_while(&lock, byte_is_visible);
    if (address.len == 0) {
        return NULL;
    }
    struct buf out = BUF_INIT(KIB(4));
    if (slice_take_literal(&address, SLICE("https://"))) {
        buf_append_cstr(&out, "https://");
    }
    if (slice_take_literal(&address, SLICE("0.0.0.0:")) ||
        slice_take_literal(&address, SLICE(":"))) {
        buf_append_cstr(&out, "127.0.0.1:"); /* "every address" is none to connect to */
    } else if (slice_take_literal(&address, SLICE("[::]:"))) {
        buf_append_cstr(&out, "[::1]:");
    }
    buf_append(&out, address);
    char *text = mem_text(buf_cstr(&out), out.len);
    buf_release(&out);
    return text;
}

static enum err read_small(const struct dir *dir, const char *name, struct secret_file *out,
                           struct diag *diag)
{
    return file_read_all(dir, name, SMALL_FILE_BYTES_MAX, &out->bytes, &out->len, diag);
}

/* What the directory knows, where the caller does not know it yet. */
static enum err look_into(const char *path, bool wants_key, struct connection *out,
                          struct diag *diag)
{
    OWNED(dir) dir = NULL;
    TRY(dir_open(path, false, &dir, diag));
    CLEANUP(secret_file_release) struct secret_file lock = {0};
    CLEANUP(secret_file_release) struct secret_file key_file = {0};
    if (out->server == NULL && dir_has(dir, "LOCK")) {
        TRY(read_small(dir, "LOCK", &lock, diag));
        out->server = connection_from_lock(secret_file_slice(&lock));
    }
    if (wants_key && out->key == NULL && dir_has(dir, "admin.key")) {
        TRY(read_small(dir, "admin.key", &key_file, diag));
        slice rest = secret_file_slice(&key_file);
        slice key = slice_take_while(&rest, byte_is_visible);
        out->key = mem_text((const char *)key.ptr, key.len);
    }
    return OK;
}

static char *copy_first(const char *first, const char *second)
{
    const char *text = first != NULL ? first : second;
    return text == NULL || text[0] == '\0' ? NULL : mem_text(text, strlen(text));
}

enum err connection_find(const struct cli_common *common, char *(*environment)(const char *name),
                         struct connection *out, struct diag *diag)
{
    struct connection found = {
        .server = copy_first(common->server, environment("CAIRN_SERVER")),
        .key = copy_first(common->key, environment("CAIRN_API_KEY")),
        .ca = copy_first(common->ca, environment("CAIRN_CA")),
    };
    char *data CLEANUP(mem_freep) = copy_first(common->data, environment("CAIRN_DATA"));
    bool is_given = data != NULL;
    /* A key found by chance goes only to the server that the same place names. */
    bool wants_key = found.server == NULL || common->data != NULL;
    enum err e = OK;
    if (is_given || found.server == NULL) {
        struct diag ignored = {0};
        e = look_into(is_given ? data : "./cairn-data", wants_key, &found,
                      is_given ? diag : &ignored);
    }
    if (e != OK && is_given && common->data != NULL) {
        connection_release(&found);
        return e;
    }
    *out = found;
    return OK;
}

void connection_release(struct connection *connection)
{
    if (connection->key != NULL) {
        secret_wipe(connection->key, strlen(connection->key));
    }
    free(connection->server);
    free(connection->key);
    free(connection->ca);
    *connection = (struct connection){0};
}

void target_append(struct buf *target, const char *text)
{
    for (; *text != '\0'; text++) {
        uint8_t byte = (uint8_t)*text;
        bool is_plain = (byte >= '0' && byte <= '9') || (byte >= 'A' && byte <= 'Z') ||
                        (byte >= 'a' && byte <= 'z') || byte == '-' || byte == '.' || byte == '_';
        if (is_plain) {
            buf_append_byte(target, byte);
        } else {
            buf_append_format(target, "%%%02X", byte);
        }
    }
}

enum cli_exit cli_connect(const struct cli *cli, struct cairn_client **out)
{
    struct connection CLEANUP(connection_release) connection = {0};
    struct diag diag = {0};
    enum err e = connection_find(&cli->common, getenv, &connection, &diag);
    if (e != OK) {
        return cli_fail(cli, e, &diag);
    }
    struct cairn_options options = {.server = connection.server,
                                    .key = connection.key,
                                    .user_agent = "cairn-cli",
                                    .ca_file = connection.ca};
    enum cairn_result result = cairn_client_new(&options, out);
    if (result == CAIRN_INVALID) {
        return cli_usage(cli, "%s is no server's address, or the key is no key",
                         connection.server == NULL ? "127.0.0.1:8090" : connection.server);
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
