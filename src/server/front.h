/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * front - what the options say of the server's door: TLS, trusted proxies, origins, accounts of a
 * cluster.
 *
 * Threads: main.
 */

#include "access/token_review.h"
#include "http/server.h"
#include "options/options.h"

bool front_has_tls(const struct options *options);

/* INVALID: one of certificate and key is missing, or the options of clients contradict each other:
 * nobody is to think that certificates are checked when they are not. *out points into the
 * options. */
enum err front_read_tls(const struct options *options, struct http_tls_options *out,
                        struct diag *diag);
enum err front_read_proxies(const struct options *options, struct http_networks *out,
                            struct diag *diag);
/* Everything that is said of the door can be used, as far as that is known without its files. */
enum err front_check(const struct options *options, struct diag *diag);

/* Service accounts of Kubernetes; *out stays NULL where none is named. INVALID: an account cannot
 * be read, a file is missing. */
enum err front_open_reviews(const struct options *options, struct token_review **out,
                            struct diag *diag);

/* Whether that host is this machine. */
bool front_is_loopback(const char *host);

/* Logs which certificate is shown, and warns of one that ends soon, and of a door without TLS that
 * is open to other machines in production. */
void front_tell(const struct options *options, struct http_server *server);

/* Reads certificate, key and client CA again. If they cannot be used the old ones stay; the log
 * says why. */
void front_reload(const struct options *options, struct http_server *server);
