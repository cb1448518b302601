/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * version_report - who still uses what of the API: the versions, and the routes that are deprecated
 * or were removed.
 *
 * It is what is kept of the use of keys (accounts/key_usage.h), and so outlives the process. It
 * tells whom to write to before something goes, and that nobody uses it any more.
 *
 * Threads: any; a report has one owner.
 */

#include "gate/gate.h"
#include "gate/versions.h"

#define VERSION_REPORT_CLIENTS_MAX 1000 /* those beyond are "other" */
#define VERSION_REPORT_WARN_DAYS   30   /* of which the start looks for use */
#define VERSION_CLIENT_BYTES       64

struct version_client {
    char key_id[VERSION_CLIENT_BYTES]; /* "none" without a key, "other" beyond the most */
    size_t subject;                    /* of the report's */
    uint64_t requests;
    int64_t last_us;
};

struct version_subject {
    const char *version; /* NULL: it is a route */
    char route[256];     /* "GET /api/v1/rules/{id}" */
    const struct version_life *life;
    enum version_status status;
    uint64_t requests;
    int64_t last_us;                     /* 0: never, in what is kept */
    char last_key[VERSION_CLIENT_BYTES]; /* who that was */
};

struct version_report {
    int64_t now_us, first_day;
    int64_t since_us;                 /* of counting, as far as it is kept */
    struct version_subject *subjects; /* the versions in their order, then the routes */
    size_t subject_count;
    struct version_client *clients;
    size_t client_count;
};

/* Requests are those of the last `days` days, today included; the last use is that of all that is
 * kept. *out ends with version_report_free(). Errors are those of the catalog. */
enum err version_report_make(const struct api *api, int64_t now_us, uint64_t days,
                             struct version_report **out, struct diag *diag);
void version_report_free(struct version_report *report);
DEFINE_OWNED(version_report);

/* For how many whole days nobody has used it; it counts from the beginning of counting. */
uint64_t version_report_idle_days(const struct version_report *report,
                                  const struct version_subject *subject);

/* At the start: a warning for each thing that was removed, or whose last day is over, and that was
 * used within VERSION_REPORT_WARN_DAYS. */
void version_report_warn(const struct api *api, int64_t now_us);
