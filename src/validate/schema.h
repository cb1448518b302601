/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * schema - JSON Schema: a part of draft 2020-12, compiled once and checked many times.
 *
 * docs/validation.md lists the keywords. A keyword that is not checked is refused when the schema
 * is compiled, so that nothing is passed over in silence. Numbers are decimals of any length, and
 * compare exactly.
 *
 * One check does a bounded amount of work, whatever the schema and the document are: past
 * SCHEMA_WORK_MAX it ends with an error, never with "valid".
 *
 * Threads: a schema is immutable and may be shared by any number of threads.
 */

#include "base/arena.h"
#include "base/err.h"
#include "base/slice.h"

#define SCHEMA_BYTES_MAX       KIB(64)
#define SCHEMA_DEPTH_MAX       64   /* nested arrays and objects of a schema's text */
#define SCHEMA_PARTS_MAX       4096 /* schemas within a schema */
#define SCHEMA_NAMES_MAX       1024 /* members that one part names */
#define SCHEMA_PATTERNS_MAX    64   /* each of at most 1,024 bytes */
#define SCHEMA_CHAIN_MAX       64  /* parts that apply to one value by $ref, allOf, not and so on */
#define SCHEMA_CHECK_DEPTH_MAX 512 /* parts that wait for each other while a document is checked */

#define SCHEMA_DOCUMENT_BYTES_MAX  KIB(256)
#define SCHEMA_DOCUMENT_MEMORY_MAX MIB(64)
#define SCHEMA_WORK_MAX            4000000 /* units of 10 to 30 ns: a tenth of a second at worst */

struct schema;

/*
 * Compiles `json`, which need not outlive the call. On OK the caller ends *out with schema_free().
 * INVALID: diag->where is the JSON pointer into the schema, the sentence names the keyword. LIMIT:
 * past one of the maxima above.
 */
enum err schema_compile(slice json, struct schema **out, struct diag *diag);

void schema_free(struct schema *schema);
DEFINE_OWNED(schema);

/* The bytes that it holds, about, when it is in use. */
size_t schema_memory(const struct schema *schema);

/* What does not fit. All of it is valid until the sink returns, `found` and `expected` as long as
 * the document and the schema. */
struct node;
struct schema_violation {
    const struct node *place; /* for those in this room */
    slice pointer;            /* RFC 6901, into the document */
    const char *keyword;      /* of the schema: "maxLength"; "false" for the schema `false` */
    slice message;            /* a sentence without a full stop */
    slice found;              /* the value there as compact JSON; of a member's name, empty */
    slice expected;           /* the keyword's value as compact JSON */
};

typedef void (*schema_violation_fn)(void *context, const struct schema_violation *violation);

struct schema_sink {
    schema_violation_fn tell;
    void *context;
    size_t violations_max; /* at least 1; the check ends with the last of them */
};

/*
 * Whether a document has the form. `json` is compact JSON that a scan has accepted before, as the
 * event_data of an event is. `sink` hears what does not fit; without one (NULL) the check ends at
 * the first violation, which is quicker.
 * LIMIT: the document is too long, too deep for this schema, or the check too much work, as
 * diag->text says; INVALID: damaged JSON. Then there is no verdict, whatever the sink has heard.
 */
enum err schema_check(const struct schema *schema, slice json, const struct schema_sink *sink,
                      bool *is_valid_out, struct diag *diag);

/* The same within `*work` units, if these are less; then *work is what is left of them. */
enum err schema_check_within(const struct schema *schema, slice json, uint64_t *work,
                             const struct schema_sink *sink, bool *is_valid_out, struct diag *diag);
