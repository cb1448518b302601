/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * metrics - counts of what came in, by service, operation and outcome, with a bounded number of
 * label sets: what comes after the last one is counted as "other".
 *
 * Threads: any.
 */

#include "base/buf.h"
#include "ingest/required.h"

#define INGEST_LABEL_SETS_MAX 500

struct ingest_metrics;
struct ingest_metrics *ingest_metrics_new(void); /* never NULL */
void ingest_metrics_free(struct ingest_metrics *metrics);

/* Which label set an event counts in; looked up while the event is at hand. */
uint32_t ingest_metrics_label(struct ingest_metrics *metrics, const struct event *event);
/* One more event of that label set was stored. */
void ingest_metrics_count(struct ingest_metrics *metrics, uint32_t label);
void ingest_metrics_refused(struct ingest_metrics *metrics);
/* An event was held against what its organisation requires. */
void ingest_metrics_checked(struct ingest_metrics *metrics, enum required_outcome outcome);

/* Appends audit_events_total, audit_events_refused_total and audit_schema_checks_total as
 * Prometheus text. */
void ingest_metrics_write(struct ingest_metrics *metrics, struct buf *out);
