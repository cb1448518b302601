/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * limit_text - an answer of the limiter, as HTTP says it.
 *
 * X-RateLimit-* speak of the decisive window. RateLimit and RateLimit-Policy follow
 * draft-ietf-httpapi-ratelimit-headers-10 and list every window:
 *
 *     RateLimit-Policy: "minute";q=10;w=60, "hour";q=100;w=3600
 *     RateLimit: "minute";r=9;t=60, "hour";r=99;t=3600
 *
 * Threads: any.
 */

#include "limits/limits.h"

#define LIMIT_NUMBER_BYTES  24
#define LIMIT_MESSAGE_BYTES 96
#define LIMIT_LIST_BYTES    1024 /* of the most windows with the longest names and numbers */

/* The values of the header fields, each with its NUL. */
struct limit_headers {
    char limit[LIMIT_NUMBER_BYTES];       /* X-RateLimit-Limit: with the burst */
    char remaining[LIMIT_NUMBER_BYTES];   /* X-RateLimit-Remaining */
    char reset[LIMIT_NUMBER_BYTES];       /* X-RateLimit-Reset: seconds since 1970, rounded up */
    char retry_after[LIMIT_NUMBER_BYTES]; /* Retry-After; "" if it was not refused */
    char policy[LIMIT_LIST_BYTES];        /* RateLimit-Policy */
    char rate_limit[LIMIT_LIST_BYTES];    /* RateLimit */
};

/* False, and all of *out "", when nothing was judged: then there are no such fields. */
bool limit_headers(const struct limit_answer *answer, struct limit_time now,
                   struct limit_headers *out);

/* Seconds until the refused request may come again, rounded up: 1 or more. */
uint64_t limit_retry_after_s(const struct limit_answer *answer);

/* "Rate limit exceeded: 10 requests per minute", of the decisive window, without its burst. */
void limit_message(const struct limit_answer *answer, char out[LIMIT_MESSAGE_BYTES]);

/* The name of a window: "minute"; of a key "key-second"; "login-300s". */
void limit_window_name(enum limit_kind kind, uint32_t seconds, char out[LIMIT_NUMBER_BYTES + 16]);
