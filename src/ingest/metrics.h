/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * metrics - counts of what came in, by service, operation and outcome, with a bounded number of
 * label sets: what comes after the last one is counted as "other".
 *
 * Threads: any.
 */

#include "base/buf.h"
#include "event/event.h"

#define INGEST_LABEL_SETS_MAX 500

struct ingest_metrics;
struct ingest_metrics *ingest_metrics_new(void); /* never NULL */
void ingest_metrics_free(struct ingest_metrics *metrics);

void ingest_metrics_count(struct ingest_metrics *metrics, const struct event *event);
void ingest_metrics_refused(struct ingest_metrics *metrics);

/* Appends audit_events_total and audit_events_refused_total as Prometheus text. */
void ingest_metrics_write(struct ingest_metrics *metrics, struct buf *out);
