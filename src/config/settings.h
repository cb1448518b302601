/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * settings - what the routes of settings share: who may, which option, how it is shown.
 *
 * A setting is an object of the catalog like others, named by its option. What the routes show is
 * the option: it is always there, with a value from somewhere, whether or not it has a setting.
 *
 * Threads: the pool.
 */

#include "config/config.h"

/* Settings reach the whole server: DENIED to all but owners and administrators of the first
 * organisation. */
enum err settings_check_caller(const struct http_request *request, struct diag *diag);

/* The option that the path names. NOT_FOUND, with the name that was meant perhaps. */
enum err settings_option(const struct http_request *request, enum option *out, struct diag *diag);

/* The setting as it is stored: a new reference, NULL where there is none. */
enum err settings_stored(struct catalog *catalog, enum option option, json_t **out,
                         struct diag *diag);

/* "0" where nothing is stored. A setting that was removed and made again never has an old one. */
#define SETTINGS_ETAG_BYTES 64
void settings_etag(const json_t *stored, char out[SETTINGS_ETAG_BYTES]);

/* Answers with the option as it is now, and its ETag. */
void settings_answer(struct http_request *request, enum option option);
