/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * run - a program of steps, done to a ledger and to its model alike; every answer of the one
 * is compared with that of the other. For tests.
 *
 * What a step does follows from its seed, its size and what is stored, so that a program from which
 * steps were dropped is a program still. The report may lie in memory that is shared with another
 * process: it says how far the program came, also when that ended it.
 *
 * Threads: one; the ledger has its own.
 */

#include "ledger/ledger.h"
#include "model/events.h"
#include "os/fault.h"

enum model_step_kind {
    MODEL_APPEND,
    MODEL_SCAN,
    MODEL_PAGES,
    MODEL_COUNT,
    MODEL_GET,
    MODEL_FIND,
    MODEL_TIMELINE,
    MODEL_PROVE,
    MODEL_ENTRIES,
    MODEL_ERASE,
    MODEL_ERASE_CUT,
    MODEL_ROTATE,
    MODEL_RESTART,
    MODEL_POWER_CUT,
    MODEL_SETTLE,
    MODEL_VERIFY,
};
#define MODEL_STEP_KINDS 16

struct model_step {
    enum model_step_kind kind;
    uint64_t seed;
    uint32_t size; /* events of a batch or a page, single events asked for, proofs */
};

struct model_report {
    bool is_done;  /* the program ended as it should */
    char why[600]; /* what differed; "" if nothing, or if the process ended before it could say */
    size_t len;    /* of `steps` */
    char steps[KIB(256)]; /* a line for each step, the last one being the one that failed */
};

/* What the steps share. */
struct model_run {
    struct model *model;
    const char *data_path;
    struct model_report *report;
    struct filter_random random; /* of the step at hand */
    uint32_t size;               /* of it, too */
    struct ledger *ledger;
    struct store *store;
    struct fault_plan plan;
    size_t key_count;
    bool key_overlaps; /* no more rotations: the test does not last that long */
};

/* Runs a program on the ledger under `data_path`, which holds what `model` does. False when they
 * differ; the ledger is closed in any case. */
bool model_run(const char *data_path, struct model *model, const struct model_step *steps,
               size_t count, struct model_report *report);

/* ---- For the steps ---- */

/* Adds to the description of the step at hand. */
void model_say(struct model_run *run, const char *format, ...) PRINTF_LIKE(2, 3);
/* False, for a step to return; the first difference is the one that is kept. */
bool model_differs(struct model_run *run, const char *format, ...) PRINTF_LIKE(2, 3);

/* ask.c: questions, which change nothing. */
bool model_ask_scan(struct model_run *run);
bool model_ask_pages(struct model_run *run);
bool model_ask_count(struct model_run *run);
bool model_ask_get(struct model_run *run);
bool model_ask_find(struct model_run *run);
bool model_ask_timeline(struct model_run *run);
/* Every event, or of very many some, by its seq. */
bool model_ask_all(struct model_run *run);
/* prove.c: questions to the tree. */
bool model_ask_proof(struct model_run *run);
bool model_ask_entries(struct model_run *run);

/* For pages between which events arrive. */
bool model_append(struct model_run *run);
