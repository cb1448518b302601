/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * endpoint - where a server is, as people write it: "host", "host:port", "[v6]:port", with http://
 * or https:// before it and a path behind it.
 *
 * Nothing is looked up. A user and a password, a query or a fragment are refused, and so is an
 * address without a host: curl would take the next word of the URL for one.
 *
 * Threads: any.
 */

#include <cairn/client.h>

#include "base/slice.h"

/* Slices of the text that was parsed. */
struct endpoint {
    bool is_https;
    slice host; /* of IPv6 without its brackets */
    slice port; /* the scheme's own when none is written; digits as they stand there */
    slice path; /* without slashes at its end; may be empty */
};

/* False: the text is no address of a server. */
bool endpoint_parse(slice text, struct endpoint *out);

/* "http://host:port/path", no slash at its end: of malloc(), the caller's. INVALID, MEMORY. */
enum cairn_result endpoint_url(const char *text, char **out);

/* Whether it is on this machine for certain: localhost, 127.0.0.0/8, ::1. */
bool endpoint_is_loopback(const struct endpoint *endpoint);

/* The same port by the same scheme of the same host, where localhost may stand for the loopback
 * address that `own` names. */
bool endpoint_is(const struct endpoint *given, const struct endpoint *own);
