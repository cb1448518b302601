/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * limit_link_url - where Redis is: redis://[[user]:password@]host[:port][/database]
 *
 * User and password may hold %XX; an IPv6 address stands in brackets. rediss:// (TLS) is refused:
 * the hiredis of Debian 12 has no TLS. Redis is then reached through a tunnel or a private network.
 *
 * Threads: any.
 */

#include "base/err.h"
#include "base/slice.h"

struct limit_link_url {
    char host[256];
    char user[64], password[256]; /* "" when there is none */
    int port;                     /* 6379 when none is named */
    int database;                 /* 0 to 65535; 0 when none is named */
};

/* INVALID, with a sentence that does not repeat the URL, since that may hold a password. */
enum err limit_link_url_parse(slice text, struct limit_link_url *out, struct diag *diag);
