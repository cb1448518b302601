/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * handlers - what answers each route (routes.c), by the file that it is in.
 *
 * Threads: those that park are called on the loop, all others run in a pool.
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

void api_key_create(struct http_request *request); /* keys.c */
void api_key_revoke(struct http_request *request);
void api_key_rotate(struct http_request *request);
void api_key_usage_get(struct http_request *request); /* key_usage_answer.c */

void api_signup(struct http_request *request); /* login.c */
void api_login(struct http_request *request);
void api_refresh(struct http_request *request);
void api_logout(struct http_request *request);
void api_me(struct http_request *request);

void api_password(struct http_request *request); /* account.c */
void api_totp_begin(struct http_request *request);
void api_totp_confirm(struct http_request *request);
void api_totp_end(struct http_request *request);
void api_totp_reset(struct http_request *request);
void api_token_keys_rotate(struct http_request *request);

void api_limits_get(struct http_request *request); /* limits.c */
void api_limits_reset(struct http_request *request);
void api_limits_analytics(struct http_request *request); /* limits_analytics.c */
