/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * metrics - what the server counts of itself, as Prometheus text. Labels are bounded: routes by
 * their template, everything else by tables of our own.
 *
 * Threads: any.
 */

#include "http/server.h"

struct api_metrics;
struct api_metrics *api_metrics_new(void); /* never NULL */
void api_metrics_free(struct api_metrics *metrics);

void api_metrics_request(struct api_metrics *metrics, const struct http_request *request,
                         const struct http_outcome *outcome);
void api_metrics_write_took(struct api_metrics *metrics, int64_t us);
void api_metrics_query_took(struct api_metrics *metrics, int64_t us);

/* The handler of GET /metrics. */
void api_metrics_get(struct http_request *request);
