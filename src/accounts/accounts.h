/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * accounts - those who call, over HTTP: keys and users as objects, logins, one's own account; and
 * how much each may ask for and has used.
 *
 * A secret is shown once, in the answer that made it, which no cache keeps. Nobody makes, changes
 * or removes a key or a user who may do more than they.
 *
 * Threads: the pool, in which all these handlers run.
 */

#include "config/config.h"

/* Users: sessions end with the password, the right to be let in, or the user. Keys: they end in
 * time (key_policy.h). */
extern const struct resource resource_users, resource_api_keys;

/* ---- Handlers of routes ---- */

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
