/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * handlers - what answers the routes that tell of the server itself, by the file that it is in.
 *
 * Threads: the one that parks is called on the loop, all others run in a pool.
 */

#include "http/server.h"

extern const struct http_parked api_health_live; /* health.c */
void api_health_ready(struct http_request *request);
void api_health(struct http_request *request);
void api_health_detailed(struct http_request *request);
void api_health_database(struct http_request *request);
void api_health_redis(struct http_request *request);
void api_health_basic(struct http_request *request);
void api_health_checks(struct http_request *request);
void api_version_get(struct http_request *request); /* version_answers.c */
void api_version_usage_get(struct http_request *request);
