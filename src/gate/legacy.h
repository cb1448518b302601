/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * legacy - the shapes of version 1.0 and of the seeds' own paths, all in one place.
 *
 * Handlers work in the current version. What an older client knows otherwise is changed at two
 * borders: parameters on the way in (legacy_params()), and on the way out rows and pages of events
 * (query_shape), objects of configuration (config/legacy_config.h) and problem documents
 * (legacy_adapt_problem(), before the answer is sent).
 *
 * A path of a seed (api/aliases.def) has its own shape, whatever version is asked for; any other
 * path under /api/ has that of version 1.0 when that is the version of the answer.
 *
 * Threads: any.
 */

#include "gate/negotiate.h"

/* How errors look. */
enum legacy_errors {
    LEGACY_ERROR,  /* {error, message, correlation_id, ...} */
    LEGACY_DETAIL, /* {"detail": {error, message, ...}} */
    LEGACY_STATUS, /* {status: "error", message, correlation_id, ...} */
};

/* A parameter and what it is called here. */
struct legacy_param {
    const char *name;
    const char *canonical;
};

struct legacy {
    enum legacy_errors errors;
    const struct query_shape *list; /* of events; NULL: as always */
    const struct legacy_param *params;
    size_t param_count;
    uint64_t limit_max; /* a larger limit is this one; 0: as always */
    const char *limit_text;
};

extern const struct legacy legacy_v1;         /* version 1.0 */
extern const struct legacy legacy_plain;      /* {error, message} and nothing else */
extern const struct legacy legacy_detail;     /* {detail} and nothing else */
extern const struct legacy legacy_ingest;     /* /ingest */
extern const struct legacy legacy_logs;       /* /audit/logs */
extern const struct legacy legacy_audit_logs; /* /api/audit-logs */
extern const struct legacy legacy_activity;   /* /api/activity/recent */

/* The shape that the answer has; NULL: the current one. */
const struct legacy *legacy_of(const struct api *api, const struct http_request *request);

/* Changes names and limits in place. */
void legacy_params(const struct legacy *legacy, struct query_param *params, size_t count);

/* One event as an object in the shape of `legacy`. False: it has none of its own. `scratch` is
 * overwritten. */
bool legacy_event(const struct legacy *legacy, const struct event *event, struct buf *scratch,
                  struct buf *out);

/* An object with the members that stand behind a list of this shape: what documents tell of it. */
void legacy_page_form(const struct query_shape *shape, struct buf *out);

/* Hook, before an answer: a problem document becomes an error of the shape that it has. */
void legacy_adapt_problem(const struct api *api, struct http_request *request);
