/* SPDX-License-Identifier: Apache-2.0 */
/* log - the log's proofs: checkpoint, tiles, entry bundles, consistency, keys. */
#include "codec/base64.h"
#include "gate/gate.h"
#include "json/write.h"
#include "os/clock.h"
#include "trail/trail.h"

enum { OVERLAP_SECONDS_MAX = 366 * 24 * 3600 };

static bool param_u64(const struct http_request *request, const char *name, uint64_t *out)
{
    slice text = {0};
    return http_query(request, name, &text) && slice_parse_u64(text, out);
}

void api_checkpoint_get(struct http_request *request)
{
    struct diag diag = {0};
    uint64_t size = 0;
    enum err e = store_checkpoint(api_of(request)->store, &request->response->body, &size, &diag);
    if (e != OK) {
        api_fail(request, e, &diag);
        return;
    }
    request->response->content_type = HTTP_TYPE_TEXT;
    http_response_header_cstr(request->response, "Cache-Control", "max-age=1");
}

/* The size of the newest checkpoint: nothing beyond it is shown in tiles. */
static enum err signed_size(struct store *store, uint64_t *size, struct diag *diag)
{
    CLEANUP(buf_release) struct buf note = BUF_INIT(NOTE_BYTES_MAX);
    return store_checkpoint(store, &note, size, diag);
}

static enum err write_tile(struct http_request *request, struct diag *diag)
{
    struct store *store = api_of(request)->store;
    struct tile tile;
    uint64_t size = 0;
    slice path = request->path;
    (void)slice_take_literal(&path, SLICE("/tile/"));
    if (tile_parse(path, &tile) != OK) {
        return diag_fail(diag, ERR_NOT_FOUND, "", "not the path of a tile");
    }
    TRY(signed_size(store, &size, diag));
    if (!tile_exists(&tile, size)) {
        return diag_fail(diag, ERR_NOT_FOUND, "", "the log has no such tile yet");
    }
    if (tile.is_entries) {
        return store_entries(store, &tile, &request->response->body, diag);
    }
    enum err e = tile_write_hashes(&tile, store_node, store, &request->response->body);
    return e == ERR_GONE ? diag_fail(diag, e, "", "inside erased events") : e;
}

void api_tile_get(struct http_request *request)
{
    struct diag diag = {0};
    enum err e = write_tile(request, &diag);
    if (e != OK) {
        buf_clear(&request->response->body);
        api_fail(request, e, &diag);
        return;
    }
    request->response->content_type = "application/octet-stream";
    http_response_header_cstr(request->response, "Cache-Control",
                              "public, max-age=31536000, immutable");
}

static void write_key(struct json_writer *json, const struct store_key *key)
{
    CLEANUP(buf_release) struct buf vkey = BUF_INIT(NOTE_VKEY_BYTES_MAX);
    note_verifier_format(&key->verifier, &vkey);
    json_begin_object(json, NULL);
    json_str(json, "vkey", buf_slice(&vkey));
    json_cstr(json, "kind", key->verifier.type == NOTE_ED25519 ? "log" : "cosigner");
    json_time_or_null(json, "created", key->created_us);
    json_time_or_null(json, "retires", key->retires_us);
    json_bool(json, "signs", key->retires_us == 0 || key->retires_us > clock_now_us());
    json_end_object(json);
}

/* Everything that a verifier needs, in one answer. */
static enum err write_log(struct store *store, struct buf *out, struct diag *diag)
{
    struct store_identity identity;
    uint64_t size = 0;
    CLEANUP(buf_release) struct buf note = BUF_INIT(NOTE_BYTES_MAX);
    CLEANUP(buf_release) struct buf vkey = BUF_INIT(NOTE_VKEY_BYTES_MAX);
    store_identity(store, &identity);
    TRY(store_checkpoint(store, &note, &size, diag));
    note_verifier_format(&identity.keys[0].verifier, &vkey);
    struct json_writer json = json_writer_to(out);
    json_begin_object(&json, NULL);
    json_cstr(&json, "origin", identity.origin);
    json_str(&json, "vkey", buf_slice(&vkey));
    json_u64(&json, "size", store_size(store));
    json_u64(&json, "checkpoint_size", size);
    json_str(&json, "checkpoint", buf_slice(&note));
    json_begin_array(&json, "keys");
    for (size_t i = 0; i < identity.key_count; i++) {
        write_key(&json, &identity.keys[i]);
    }
    return json_end(&json);
}

void api_log_get(struct http_request *request)
{
    struct diag diag = {0};
    enum err e = write_log(api_of(request)->store, &request->response->body, &diag);
    if (e != OK) {
        buf_clear(&request->response->body);
        api_fail(request, e, &diag);
        return;
    }
    request->response->content_type = HTTP_TYPE_JSON;
}

static enum err rotate(const struct http_request *request, struct diag *diag)
{
    uint64_t overlap_s = 0;
    slice text = {0};
    if (http_query(request, "overlap_seconds", &text) &&
        (!param_u64(request, "overlap_seconds", &overlap_s) || overlap_s > OVERLAP_SECONDS_MAX)) {
        return diag_fail(diag, ERR_INVALID, "overlap_seconds",
                         "expected seconds, at most a year of them");
    }
    return store_rotate_key(api_of(request)->store, (int64_t)overlap_s * 1000000, diag);
}

void api_log_rotate(struct http_request *request)
{
    struct diag diag = {0};
    enum err e = rotate(request, &diag);
    if (e != OK) {
        api_fail(request, e, &diag);
        return;
    }
    api_log_get(request);
}

static enum err write_consistency(struct http_request *request, struct diag *diag)
{
    struct store *store = api_of(request)->store;
    struct merkle_proof proof = {0};
    uint64_t old_size = 0;
    uint64_t new_size = store_size(store);
    slice text = {0};
    if (!param_u64(request, "old", &old_size)) {
        return diag_fail(diag, ERR_INVALID, "old", "expected a size of the log");
    }
    if (http_query(request, "new", &text) && !param_u64(request, "new", &new_size)) {
        return diag_fail(diag, ERR_INVALID, "new", "expected a size of the log");
    }
    if (old_size > new_size || new_size > store_size(store)) {
        return diag_fail(diag, ERR_INVALID, old_size > new_size ? "old" : "new",
                         "old may not be above new, nor new above %llu",
                         (unsigned long long)store_size(store));
    }
    TRY(merkle_prove_consistency(old_size, new_size, store_node, store, &proof));
    struct json_writer json = json_writer_to(&request->response->body);
    json_begin_object(&json, NULL);
    json_u64(&json, "old", old_size);
    json_u64(&json, "new", new_size);
    json_begin_array(&json, "proof");
    for (size_t i = 0; i < proof.count; i++) {
        CLEANUP(buf_release) struct buf hash = BUF_INIT(64);
        base64_append(&hash, (slice){proof.hashes[i].bytes, MERKLE_HASH_BYTES});
        json_str(&json, NULL, buf_slice(&hash));
    }
    return json_end(&json);
}

void api_consistency_get(struct http_request *request)
{
    struct diag diag = {0};
    enum err e = write_consistency(request, &diag);
    if (e != OK) {
        buf_clear(&request->response->body);
        api_fail(request, e, &diag);
        return;
    }
    request->response->content_type = HTTP_TYPE_JSON;
}
