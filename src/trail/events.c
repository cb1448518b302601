/* SPDX-License-Identifier: Apache-2.0 */
/* events - reading: query, one event, its proof, timeline, stats. All run in the pool. */
#include "base/mem.h"
#include "gate/auth.h"
#include "gate/gate.h"
#include "gate/legacy.h"
#include "gate/metrics.h"
#include "json/write.h"
#include "os/clock.h"
#include "trail/reader.h"
#include "trail/trail.h"

enum {
    PROOF_WAIT_MS = 2000,
    EVENT_BYTES_MAX = 4 * 1024 * 1024,
    FILTER_BYTES_MAX = 8 * 1024 * 1024,
};

/* A query, from its parameters to where its answer goes. */
struct reading {
    struct http_request *request;
    struct query_context context;
    struct query query;
    struct arena arena;
    int64_t began_us;
};

static void reading_release(struct reading *reading)
{
    query_release(&reading->query);
    arena_release(&reading->arena);
}

static enum err begin(struct http_request *request, const struct query_defaults *defaults,
                      struct reading *reading, struct diag *diag)
{
    struct query_param *params = NULL;
    size_t count = 0;
    const struct legacy *legacy = legacy_of(api_of(request), request);
    *reading = (struct reading){.request = request,
                                .arena = ARENA_INIT(FILTER_BYTES_MAX),
                                .began_us = clock_monotonic_us()};
    reader_context(request, &reading->context);
    TRY(reader_params(request, &params, &count));
    if (legacy != NULL) {
        legacy_params(legacy, params, count);
    }
    return query_parse(&reading->context, params, count, defaults, &reading->arena, &reading->query,
                       diag);
}

/* The answer, or why there is none; and how long it took. */
static void end(struct reading *reading, enum err e, const struct diag *diag)
{
    struct http_response *response = reading->request->response;
    if (e != OK) {
        buf_clear(&response->body);
        api_fail(reading->request, e, diag);
    } else {
        response->content_type = HTTP_TYPE_JSON;
    }
    api_metrics_query_took(api_of(reading->request)->metrics,
                           clock_monotonic_us() - reading->began_us);
}

void api_events_query(struct http_request *request)
{
    struct diag diag = {0};
    struct query_answer answer = {0};
    CLEANUP(reading_release) struct reading reading = {0};
    const struct legacy *legacy = legacy_of(api_of(request), request);
    const struct query_defaults defaults = {.limit = legacy != NULL ? legacy->limit_max : 0};
    enum err e = begin(request, &defaults, &reading, &diag);
    if (e == OK) {
        reading.query.shape = legacy != NULL ? legacy->list : NULL;
        e = query_page(&reading.context, &reading.query, &request->response->body, &answer, &diag);
    }
    end(&reading, e, &diag);
    if (e == OK) {
        api_link_next(request, answer.next_cursor);
    }
}

void api_timeline_get(struct http_request *request)
{
    struct diag diag = {0};
    struct query_answer answer = {0};
    slice id = http_path_param(request, "correlation_id");
    const struct filter *filter = NULL;
    CLEANUP(arena_release) struct arena arena = ARENA_INIT(KIB(64));
    CLEANUP(buf_release) struct buf escaped = BUF_INIT(KIB(16));
    const struct filter_context now = {.now_us = clock_now_us()};
    CLEANUP(reading_release) struct reading reading = {0};
    for (size_t i = 0; i < id.len; i++) { /* an id is a value, whatever stands in it */
        if (id.ptr[i] == '*' || id.ptr[i] == '\\' || id.ptr[i] == '!' || id.ptr[i] == '"') {
            buf_append_byte(&escaped, '\\');
        }
        buf_append_byte(&escaped, id.ptr[i]);
    }
    enum err e = filter_make_leaf(SLICE("correlation_id"), FILTER_EQUAL, buf_slice(&escaped), &now,
                                  &arena, &filter, &diag);
    if (e == OK) {
        const struct query_defaults defaults = {.order = STORE_TIME_ASC,
                                                .limit = QUERY_LIMIT_MAX,
                                                .extra = filter};
        e = begin(request, &defaults, &reading, &diag);
    }
    reading.request = request;
    if (e == OK) {
        e = query_timeline(&reading.context, &reading.query, id, &request->response->body, &answer,
                           &diag);
    }
    end(&reading, e, &diag);
    if (e == OK) {
        api_link_next(request, answer.next_cursor);
    }
}

void api_stats_get(struct http_request *request)
{
    struct diag diag = {0};
    CLEANUP(reading_release) struct reading reading = {0};
    CLEANUP(arena_release) struct arena groups = ARENA_INIT(MIB(64));
    enum err e = begin(request, &(struct query_defaults){0}, &reading, &diag);
    if (e == OK) {
        e = query_stats(&reading.context, &reading.query, &groups, &request->response->body, &diag);
    }
    end(&reading, e, &diag);
}

/* ---- One event ---- */

struct found {
    struct store_event event;
    uint64_t seqs[STORE_ID_SEQS_MAX];
    size_t seq_count;
    struct arena arena;
};

static void found_release(struct found *found)
{
    arena_release(&found->arena);
}

static enum err find(struct http_request *request, struct found *found, struct diag *diag)
{
    struct uuid id;
    struct query_context context;
    slice org = {0};
    *found = (struct found){.arena = ARENA_INIT(EVENT_BYTES_MAX)};
    if (!uuid_parse(http_path_param(request, "event_id"), &id)) {
        return diag_fail(diag, ERR_INVALID, "event_id", "expected a UUID");
    }
    reader_context(request, &context);
    org = context.org;
    if (http_query(request, "org", &org) && !slice_equal(org, context.org) &&
        !context.may_see_all) {
        return diag_fail(diag, ERR_DENIED, "org", "another organisation's events");
    }
    if (slice_equal(org, SLICE("*"))) {
        return diag_fail(diag, ERR_INVALID, "org",
                         "an id is that of an event of one organisation: name it");
    }
    TRY(store_find_id(context.store, &id, org, found->seqs, &found->seq_count, diag));
    TRY(store_get(context.store, found->seqs[0], org, &found->arena, &found->event, diag));
    bool may_see = false;
    TRY(query_may_see(&context, &found->event.event, &may_see, diag));
    return may_see ? OK : diag_fail(diag, ERR_NOT_FOUND, "", "there is no such event");
}

/* `,"also":[seq,...]`: a repeat beyond the window in which its id was known. */
static void append_also(const struct found *found, struct buf *out)
{
    for (size_t i = 1; i < found->seq_count; i++) {
        buf_append_cstr(out, i == 1 ? ",\"also\":[" : ",");
        buf_append_u64(out, found->seqs[i]);
    }
    if (found->seq_count > 1) {
        buf_append_byte(out, ']');
    }
}

void api_event_get(struct http_request *request)
{
    struct diag diag = {0};
    CLEANUP(found_release) struct found found = {0};
    CLEANUP(buf_release) struct buf line = BUF_INIT(EVENT_BYTES_MAX);
    CLEANUP(buf_release) struct buf also = BUF_INIT(KIB(1));
    struct http_response *response = request->response;
    slice raw = {0};
    enum err e = find(request, &found, &diag);
    if (e != OK) {
        api_fail(request, e, &diag);
        return;
    }
    response->content_type = HTTP_TYPE_JSON;
    if (http_query(request, "raw", &raw) && !slice_equal(raw, SLICE("0"))) {
        event_write_line(&found.event.event, &response->body);
        buf_append_byte(&response->body, '\n');
        return;
    }
    const struct legacy *legacy = legacy_of(api_of(request), request);
    if (legacy_event(legacy, &found.event.event, &line, &response->body)) {
        return;
    }
    append_also(&found, &also);
    render_event(&found.event, &(struct render_fields){0}, buf_slice(&also), &line,
                 &response->body);
}

/* ---- Proof ---- */

static enum err write_proof(struct store *store, uint64_t seq, struct buf *out, struct diag *diag)
{
    struct tlog_proof proof = {.index = seq};
    struct checkpoint head;
    uint64_t size = 0;
    CLEANUP(buf_release) struct buf note = BUF_INIT(NOTE_BYTES_MAX);
    struct store_identity identity;
    struct note_verifier known[STORE_KEYS_MAX];
    enum err e = store_wait_checkpoint(store, seq + 1, PROOF_WAIT_MS);
    if (e != OK) {
        return diag_fail(diag, e, "", "no checkpoint covers the event yet; try again in a moment");
    }
    TRY(store_checkpoint(store, &note, &size, diag));
    store_identity(store, &identity);
    for (size_t i = 0; i < identity.key_count; i++) {
        known[i] = identity.keys[i].verifier;
    }
    TRY(checkpoint_open(buf_slice(&note), slice_from_cstr(identity.origin), known,
                        identity.key_count, &head, diag));
    TRY(merkle_prove_inclusion(seq, head.size, store_node, store, &proof.inclusion));
    proof.checkpoint = buf_slice(&note);
    tlog_proof_format(&proof, out);
    return OK;
}

void api_event_proof(struct http_request *request)
{
    struct diag diag = {0};
    CLEANUP(found_release) struct found found = {0};
    enum err e = find(request, &found, &diag);
    if (e == OK) {
        e = write_proof(api_of(request)->store, found.event.seq, &request->response->body, &diag);
    }
    if (e != OK) {
        buf_clear(&request->response->body);
        api_fail(request, e, &diag);
        return;
    }
    request->response->content_type = HTTP_TYPE_TEXT;
    http_response_header_cstr(request->response, "Content-Disposition",
                              "attachment; filename=\"event.tlog-proof\"");
}
