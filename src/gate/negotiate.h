/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * negotiate - which version of the API a request is answered in, what the answer says about it, and
 * who asked for which.
 *
 *     Accept-Version, X-API-Version, ?api_version=, the organisation's default, the current one
 *
 * Every answer under /api/ carries X-API-Version and X-API-Supported-Versions, errors too; what is
 * deprecated adds X-API-Deprecated and X-API-Sunset, and the standard Deprecation (RFC 9745),
 * Sunset (RFC 8594) and Link. Other paths carry none and have no versions.
 *
 * Threads: any.
 */

#include "gate/gate.h"
#include "gate/version_usage.h"

/* A route that is deprecated or was removed, and what its answers say about that. */
struct version_gone {
    const struct http_route *route;
    const struct version_life *life;
    struct buf lines;
};

struct api_versions {
    const struct version_table *table;
    struct version_usage *usage; /* of this process; api/version_report.h has what is kept */
    struct version *numbers;     /* of the table's entries */
    struct buf *lines;           /* of headers, for each version */
    struct buf *lives;           /* and more of them, for those that are deprecated */
    struct version_gone *gone;
    size_t gone_count;
};

/* Checks the policy over the versions and the routes, and makes the lines of headers. INVALID: a
 * row breaks the policy, and the server is not to start. Both tables outlive it. */
enum err api_versions_new(const struct version_table *table, const struct http_route *routes,
                          size_t route_count, struct api_versions **out, struct diag *diag);
void api_versions_free(struct api_versions *versions);
DEFINE_OWNED(api_versions);

/* The path of the request has versions. */
bool api_version_applies(const struct http_request *request);
/* The version that it is answered in; of a path that has versions. Not while it is being found out
 * who calls: what was said of a caller once stays. */
const struct version_entry *api_version_of(const struct api_versions *versions,
                                           const struct http_request *request);

/* Its number. */
struct version api_version_number(const struct api_versions *versions,
                                  const struct http_request *request);

/* Middleware, the first: what was removed answers 410. */
enum http_pass api_version_pass(struct http_request *request, void *data);
/* Hook, before an answer: adds the headers. */
void api_version_headers(const struct api_versions *versions, struct http_request *request);
/* Hook, behind an answer: counts the version for the caller's key, and returns its name; NULL: the
 * path has none. */
const char *api_version_note(const struct api_versions *versions,
                             const struct http_request *request);

/* Appends cairn_api_requests_total by version and key, as Prometheus text. */
void api_version_metrics(const struct api_versions *versions, struct buf *out);
