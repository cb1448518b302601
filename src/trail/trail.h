/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * trail - events over HTTP: the handlers of the routes that take them, give them back, follow them
 * and prove them.
 *
 * What was answered 201 is kept. A reader is shown the events of its organisation that its key's
 * filter lets through; others are as if they were not there. Bundles of entries, which show the
 * events of all, are for those who may see all.
 *
 * Threads: those that park are called on the loop, all others run in a pool.
 */

#include "http/server.h"

extern const struct http_parked api_events_post; /* write.c */
extern const struct http_parked api_events_batch;
extern const struct http_parked api_ingest_post;
extern const struct http_parked api_mutt_post; /* its own answer, of the path /ingest */
extern const struct http_parked api_tail_get;  /* tail.c */

void api_events_query(struct http_request *request); /* events.c */
void api_event_get(struct http_request *request);
void api_event_proof(struct http_request *request);
void api_timeline_get(struct http_request *request);
void api_stats_get(struct http_request *request);

void api_checkpoint_get(struct http_request *request); /* log.c */
void api_tile_get(struct http_request *request);
void api_log_get(struct http_request *request);
void api_consistency_get(struct http_request *request);
void api_log_rotate(struct http_request *request);

void api_validate_post(struct http_request *request); /* validate.c */
