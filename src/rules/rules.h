/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * rules - a document is checked against rules that come with it: what POST /api/v1/validate does.
 *
 *   {"output": <the document>, "rules": [{"type": "range", "name": "...", ...}, ...]}
 *   {"output": <the document>, "event_type": "order.paid"}
 *
 * docs/validation.md describes the kinds of rules. A rule asks about the value at a path, and says
 * nothing when there is none: that is what `required` is for. Documents are never changed. No rule
 * is code: a `constraint` is the filter language over the document. The work of a request is
 * bounded as that of a schema is.
 *
 * Threads: any.
 */

#include "base/arena.h"
#include "base/err.h"
#include "base/slice.h"
#include "json/write.h"

#define RULES_MAX                100
#define RULES_BYTES_MAX          KIB(256) /* the text of all rules of a request */
#define RULES_DOCUMENT_BYTES_MAX KIB(256)
#define RULES_DEPTH_MAX          64  /* nested arrays and objects of the request */
#define RULES_PATTERNS_MAX       100 /* of a request, those in its schemas and constraints too */
#define RULES_PATH_KEYS_MAX      32
#define RULES_TEXT_BYTES_MAX     1000    /* name, message, suggestion */
#define RULES_VIOLATIONS_MAX     1000    /* that are listed */
#define RULES_SHOWN_BYTES_MAX    1024    /* of a found or expected value */
#define RULES_MEMORY_BYTES_MAX   MIB(96) /* enough for any request within the maxima */

enum rules_status { RULES_PASSED, RULES_FAILED, RULES_WARNING };
enum rules_severity { RULES_ERROR, RULES_WARN };

struct rules_violation {
    slice rule_name;
    slice type; /* of the rule: "range" */
    slice
        field; /* the dotted path of the value; of a constraint or a whole document it may be "" */
    slice message;
    enum rules_severity severity;
    slice found;      /* compact JSON; empty: there is no value */
    slice expected;   /* compact JSON, or its first RULES_SHOWN_BYTES_MAX + 1 bytes; empty: none */
    slice suggestion; /* ptr NULL: none */
};

struct rules_result {
    enum rules_status status; /* FAILED: an error; WARNING: warnings, no errors */
    uint64_t error_count, warning_count;
    const struct rules_violation *violations; /* in the order of the rules */
    size_t violation_count;                   /* that are listed */
};

/* The schema that is registered for an event type, as JSON in the arena. NOT_FOUND: none is. */
typedef enum err (*rules_find_schema_fn)(void *owner, slice event_type, struct arena *arena,
                                         slice *schema_out, struct diag *diag);

struct rules_context {
    int64_t now_us;                   /* what times like 24h in constraints are relative to */
    rules_find_schema_fn find_schema; /* NULL: none is registered */
    void *owner;
};

/*
 * Reads the request and checks its document. All of the result lives in `arena`, whose maximum
 * should be RULES_MEMORY_BYTES_MAX.
 * INVALID: the request is wrong, or names a schema that is not registered; diag->where is the JSON
 * pointer into it. LIMIT: past one of the maxima above, or too much work; there is no verdict then.
 * What else find_schema() answers goes up.
 */
enum err rules_run(slice request, const struct rules_context *context, struct arena *arena,
                   struct rules_result *out, struct diag *diag);

/* Writes the result's members into an object that is open: status, is_valid, violations,
 * violation_count, auto_corrected, corrected_output, corrections_applied. */
void rules_write(const struct rules_result *result, struct json_writer *writer);
