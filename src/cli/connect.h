/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * connect - which server, with which key, and what to say when it does not go well.
 *
 * The server, the first that there is: --server; the one of --data; CAIRN_SERVER; the one of
 * CAIRN_DATA; the one of ./cairn-data; 127.0.0.1:8090. The one of a directory is the process that
 * holds its lock (place.h).
 *
 * Which key goes to which server:
 * - One that lies in a directory, admin.key, goes to the server of that directory and to no other,
 *   whatever else is named beside it.
 * - One that was given, --key or CAIRN_API_KEY, goes to a server that a person named, itself or by
 *   its directory, or to that of ./cairn-data if it is the same user's. It is stronger than
 *   admin.key; but CAIRN_API_KEY goes with CAIRN_SERVER, and is not the key of --data's.
 * - To 127.0.0.1:8090, of which nobody said that it is Cairn, goes none.
 * A ./cairn-data that is not the same user's, or whose server listens elsewhere, has to be named.
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

/* `environment` looks a variable up (getenv, or a test's).
 * INVALID: the key is none, or nobody named a server to which it may go.
 * DENIED: --server is not the server of --data, and there is no other key.
 * BUSY, NOT_FOUND, IO, and DENIED of one that was not named either: a directory has no server to
 * tell (place.h). */
enum err connection_find(const struct cli_common *common, char *(*environment)(const char *name),
                         struct connection *out, struct diag *diag);
void connection_release(struct connection *connection);

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
