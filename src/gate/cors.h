/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * cors - which web pages of others may read our answers (the Fetch standard's CORS protocol).
 *
 * Closed unless origins are named: then no answer has an Access-Control header, and no browser
 * hands it on. A named origin is matched exactly; "*" and "null" cannot be named. Credentials are
 * never allowed: a page shows a key, as any client does.
 *
 * Threads: set up once, then read by all.
 */

#include "http/request.h"

#define CORS_ORIGINS_MAX      32
#define CORS_ORIGIN_BYTES_MAX 256

struct cors {
    slice origins[CORS_ORIGINS_MAX]; /* of the text that was parsed */
    size_t count;
};

/* "https://a.example, http://localhost:3000", between them spaces or commas; "" is none. They are
 * as browsers send them: scheme, host in lower case, a port that is not the scheme's own. INVALID,
 * LIMIT. `text` outlives *out. */
enum err cors_parse(slice text, struct cors *out, struct diag *diag);

/* Adds what the answer to this request needs, a preflight's too. */
void cors_answer(const struct cors *cors, struct http_request *request);
