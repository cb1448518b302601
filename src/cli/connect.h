/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * connect - which server, with which key, and what to say when it does not go well.
 *
 * The server: --server, CAIRN_SERVER, the file LOCK of the data directory, 127.0.0.1:8090.
 * The key: --key, CAIRN_API_KEY, the file admin.key of the data directory. That key belongs to the
 * server of the same directory: it is not sent to a server that was named otherwise, unless --data
 * was given beside it.
 *
 * Threads: one.
 */

#include <cairn/client.h>

#include "cli/cli.h"

/* Owned texts; NULL when there is none. */
struct connection {
    char *server;
    char *key;
    char *ca; /* a file */
};

/* What a LOCK file says: the address behind "listen ", made reachable (0.0.0.0 becomes 127.0.0.1),
 * with its scheme if that is https.
 * NULL if there is none. The caller frees it. */
char *connection_from_lock(slice lock);

/* `environment` looks a variable up (getenv, or a test's). INVALID, NOT_FOUND, IO: --data names a
 * directory that cannot be read. */
enum err connection_find(const struct cli_common *common, char *(*environment)(const char *name),
                         struct connection *out, struct diag *diag);
void connection_release(struct connection *connection);

/* Appends a part of a request's target, with all escaped that might mean something there. */
void target_append(struct buf *target, const char *text);

/* CLI_OK: *out is the caller's, to end with cairn_client_free(). Else it was said why. */
enum cli_exit cli_connect(const struct cli *cli, struct cairn_client **out);

/* Connects, lets `ask` do its work, and ends the client: what it returns, or why there is none. */
enum cli_exit cli_ask(const struct cli *cli,
                      enum cli_exit (*ask)(const struct cli *cli, struct cairn_client *client));

/* Says what the last call of `client` had to say, and returns the fitting exit code. A reader that
 * went away (STOPPED) is no failure. */
enum cli_exit cli_fail_client(const struct cli *cli, const struct cairn_client *client,
                              enum cairn_result result);
enum cli_exit cli_exit_of_result(enum cairn_result result);
