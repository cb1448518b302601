/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * forwarded - who is behind a proxy: X-Forwarded-For and X-Forwarded-Proto, from those only that
 * are trusted to tell it.
 *
 * Each proxy adds the address that it sees at the right, so whatever stands further left than the
 * first address that is no trusted proxy was written by a stranger.
 *
 * Threads: any; http_forwarded() on the loop.
 */

#include "http/server.h"
#include "message/networks.h"

/* The rightmost address of the lines (in the order sent; several are one list) that is no trusted
 * proxy. If all are trusted, the leftmost. Where one is malformed the search ends: the client is
 * the address right of it, at last the peer itself. Ports are left out; empty places skipped. */
void http_forwarded_client(const struct http_networks *trusted, const uint8_t peer[16],
                           const slice *lines, size_t count, uint8_t client_out[16]);

/* Middleware: if the peer is a trusted proxy, sets the request's peer, is_forwarded, is_https, and
 * counts the request for the client's address; 503 when that one has its maximum. `data` is not
 * used. */
enum http_pass http_forwarded(struct http_request *request, void *data);
