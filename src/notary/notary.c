/* SPDX-License-Identifier: Apache-2.0 */
#include "notary/notary.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"
#include "notary/keys.h"
#include "os/clock.h"
#include "os/random.h"
#include "os/thread.h"

#define CHECKPOINT_NAME "checkpoint"
#define ORIGIN_NAME     "origin"
#define COSIGNER_END    "/clock" /* of its name, behind the origin */

enum {
    INTERVAL_MS = 1000,
    COSIGN_INTERVAL_MS = 60 * 1000,
    HURRY_MS = 20, /* between two checkpoints that somebody waits for */
};

/* `lock` covers everything but the directories; signing works on copies. */
struct notary {
    const struct dir *data_dir;
    struct dir *keys_dir;
    struct notary_options options;
    char origin[NOTE_NAME_BYTES_MAX + 1];
    struct mutex lock;
    struct condition wake;    /* to the thread */
    struct condition signed_; /* from it */
    struct log_keys keys;
    uint64_t committed; /* as notary_wake() told */
    struct buf note;    /* the newest checkpoint */
    uint64_t signed_size;
    bool has_note;
    size_t waiting;
    bool stopping;
    bool running;
    struct thread thread;
};

/* ---- Origin and keys ---- */

static bool origin_is_fine(slice origin)
{
    uint8_t seed[ED25519_SEED_BYTES] = {0};
    struct note_signer signer = {0};
    bool fine = note_signer_init(&signer, origin, NOTE_ED25519, seed, NULL) == OK;
    note_signer_release(&signer);
    return fine;
}

/* A name that no other log has: the host and 48 random bits. */
static void make_origin(char out[NOTE_NAME_BYTES_MAX + 1])
{
    char host[64] = "";
    if (gethostname(host, sizeof(host) - 1) != 0 || host[0] == '\0') {
        (void)snprintf(host, sizeof(host), "localhost");
    }
    (void)snprintf(out, NOTE_NAME_BYTES_MAX + 1, "%s/cairn-%012llx", host,
                   (unsigned long long)(random_u64() >> 16));
    if (!origin_is_fine(slice_from_cstr(out))) {
        (void)snprintf(out, NOTE_NAME_BYTES_MAX + 1, "localhost/cairn-%012llx",
                       (unsigned long long)(random_u64() >> 16));
    }
}

static enum err read_origin(const struct dir *data_dir, char out[NOTE_NAME_BYTES_MAX + 1],
                            struct diag *diag)
{
    CLEANUP(mem_freep) uint8_t *bytes = NULL;
    size_t len = 0;
    TRY(file_read_all(data_dir, ORIGIN_NAME, NOTE_NAME_BYTES_MAX + 1, &bytes, &len, diag));
    bool has_end = len > 1 && bytes[len - 1] == '\n';
    if (!has_end || !origin_is_fine((slice){bytes, len - 1})) {
        return diag_fail(diag, ERR_CORRUPT, ORIGIN_NAME, "not the name of a log");
    }
    memcpy(out, bytes, len - 1);
    out[len - 1] = '\0';
    return OK;
}

static enum err write_origin(struct notary *notary, struct diag *diag)
{
    if (notary->options.origin.len > 0) {
        if (!origin_is_fine(notary->options.origin)) {
            return diag_fail(diag, ERR_INVALID, ORIGIN_NAME,
                             "a log's name has 1 to %d bytes, no spaces and no plus sign",
                             NOTE_NAME_BYTES_MAX);
        }
        (void)snprintf(notary->origin, sizeof(notary->origin), "%.*s",
                       SLICE_ARG(notary->options.origin));
    } else {
        make_origin(notary->origin);
    }
    CLEANUP(buf_release) struct buf line = BUF_INIT(NOTE_NAME_BYTES_MAX + 1);
    buf_append_cstr(&line, notary->origin);
    buf_append_byte(&line, '\n');
    return file_replace(notary->data_dir, ORIGIN_NAME, buf_slice(&line), diag);
}

static bool has_signing_key(const struct log_keys *keys, enum note_key_type type, int64_t now_us)
{
    for (size_t i = 0; i < keys->count; i++) {
        if (keys->keys[i].signer.verifier.type == type &&
            keys_sign_at(keys, &keys->keys[i], now_us)) {
            return true;
        }
    }
    return false;
}

static enum err make_keys(struct notary *notary, struct diag *diag)
{
    int64_t now_us = clock_now_us();
    slice origin = slice_from_cstr(notary->origin);
    char cosigner[NOTE_NAME_BYTES_MAX + 1];
    slice beginning = slice_cut(origin, NOTE_NAME_BYTES_MAX - (sizeof(COSIGNER_END) - 1));
    (void)snprintf(cosigner, sizeof(cosigner), "%.*s" COSIGNER_END, SLICE_ARG(beginning));
    if (!has_signing_key(&notary->keys, NOTE_ED25519, now_us)) {
        TRY(keys_make(notary->keys_dir, &notary->keys, origin, NOTE_ED25519, now_us, diag));
    }
    if (!notary->options.no_cosigner && !has_signing_key(&notary->keys, NOTE_COSIGNATURE, now_us)) {
        TRY(keys_make(notary->keys_dir, &notary->keys, slice_from_cstr(cosigner), NOTE_COSIGNATURE,
                      now_us, diag));
    }
    return OK;
}

static enum err open_identity(struct notary *notary, bool is_new, struct diag *diag)
{
    /* What a process left that died before its own sync is relied on from now on. */
    TRY(dir_sync(notary->data_dir, diag));
    bool has_origin = dir_has(notary->data_dir, ORIGIN_NAME);
    if (!has_origin && !is_new) {
        return diag_fail(diag, ERR_CORRUPT, ORIGIN_NAME, "is missing, though the log holds events");
    }
    TRY(has_origin ? read_origin(notary->data_dir, notary->origin, diag)
                   : write_origin(notary, diag));
    TRY(dir_open_in(notary->data_dir, "keys", true, &notary->keys_dir, diag));
    TRY(dir_sync(notary->keys_dir, diag));
    TRY(keys_read(notary->keys_dir, &notary->keys, diag));
    if (is_new) { /* also when a crash came between the origin and the keys */
        return make_keys(notary, diag);
    }
    if (!has_signing_key(&notary->keys, NOTE_ED25519, clock_now_us())) {
        return diag_fail(diag, ERR_CORRUPT, "keys", "no key that may sign for this log");
    }
    return OK;
}

static uint32_t or_default(uint32_t value, uint32_t otherwise)
{
    return value != 0 ? value : otherwise;
}

enum err notary_open(const struct dir *data_dir, const struct notary_options *options, bool is_new,
                     struct notary **out, struct diag *diag)
{
    struct notary *notary = mem_zeroed(sizeof(*notary));
    notary->data_dir = data_dir;
    notary->options = *options;
    notary->options.interval_ms = or_default(options->interval_ms, INTERVAL_MS);
    notary->options.cosign_interval_ms =
        or_default(options->cosign_interval_ms, COSIGN_INTERVAL_MS);
    buf_init(&notary->note, NOTE_BYTES_MAX);
    mutex_init(&notary->lock);
    condition_init(&notary->wake);
    condition_init(&notary->signed_);
    enum err e = open_identity(notary, is_new, diag);
    if (e != OK) {
        notary_free(notary);
        return e;
    }
    *out = notary;
    return OK;
}

void notary_free(struct notary *notary)
{
    if (notary == NULL) {
        return;
    }
    ASSERT(!notary->running);
    keys_release(&notary->keys);
    buf_release(&notary->note);
    dir_free(notary->keys_dir);
    condition_release(&notary->wake);
    condition_release(&notary->signed_);
    mutex_release(&notary->lock);
    free(notary);
}

static void describe_keys(const char *origin, const struct log_keys *keys,
                          struct store_identity *out)
{
    *out = (struct store_identity){.key_count = keys->count};
    (void)snprintf(out->origin, sizeof(out->origin), "%s", origin);
    for (size_t i = 0; i < keys->count; i++) {
        out->keys[i] = (struct store_key){
            .verifier = keys->keys[i].signer.verifier,
            .created_us = keys->keys[i].created_us,
            .retires_us = keys->keys[i].retires_us,
        };
    }
}

void notary_identity(struct notary *notary, struct store_identity *out)
{
    mutex_lock(&notary->lock);
    describe_keys(notary->origin, &notary->keys, out);
    mutex_unlock(&notary->lock);
}

enum err notary_read_identity(const struct dir *data_dir, struct store_identity *out,
                              struct diag *diag)
{
    char origin[NOTE_NAME_BYTES_MAX + 1];
    struct log_keys keys = {0};
    OWNED(dir) keys_dir = NULL;
    TRY(read_origin(data_dir, origin, diag));
    TRY(dir_open_in(data_dir, "keys", false, &keys_dir, diag));
    enum err e = keys_read(keys_dir, &keys, diag);
    if (e == OK) {
        describe_keys(origin, &keys, out);
    }
    keys_release(&keys);
    return e;
}

enum err notary_read_stored(const struct dir *data_dir, const struct store_identity *identity,
                            struct checkpoint *out, struct buf *note, struct diag *diag)
{
    CLEANUP(mem_freep) uint8_t *bytes = NULL;
    size_t len = 0;
    struct note_verifier known[STORE_KEYS_MAX];
    for (size_t i = 0; i < identity->key_count; i++) {
        known[i] = identity->keys[i].verifier;
    }
    TRY(file_read_all(data_dir, CHECKPOINT_NAME, NOTE_BYTES_MAX, &bytes, &len, diag));
    buf_clear(note);
    buf_append(note, (slice){bytes, len});
    enum err e = checkpoint_open(buf_slice(note), slice_from_cstr(identity->origin), known,
                                 identity->key_count, out, diag);
    if (e == ERR_INVALID) { /* what we wrote and synced is not what we read */
        return diag_fail(diag, ERR_CORRUPT, CHECKPOINT_NAME,
                         "is not a checkpoint signed by this log");
    }
    return e;
}

/* ---- Signing ---- */

static enum err sign(struct notary *notary, uint64_t size, const struct merkle_hash *root,
                     struct buf *note, struct diag *diag)
{
    CLEANUP(buf_release) struct buf text = BUF_INIT(KIB(1));
    const struct note_signer *signers[STORE_KEYS_MAX];
    size_t count = 0;
    int64_t now_us = clock_now_us();
    struct log_keys keys = {0};
    mutex_lock(&notary->lock);
    keys = notary->keys;
    mutex_unlock(&notary->lock);
    for (size_t i = 0; i < keys.count; i++) {
        bool wanted =
            !notary->options.no_cosigner || keys.keys[i].signer.verifier.type == NOTE_ED25519;
        if (wanted && keys_sign_at(&keys, &keys.keys[i], now_us)) {
            signers[count++] = &keys.keys[i].signer;
        }
    }
    const struct checkpoint head = {slice_from_cstr(notary->origin), size, *root};
    checkpoint_format(&head, &text);
    enum err e =
        note_sign(buf_slice(&text), signers, count, (uint64_t)(now_us / 1000000), note, diag);
    keys_release(&keys);
    return e;
}

/* Stored first, shown then. */
static enum err issue(struct notary *notary, struct diag *diag)
{
    uint64_t size = 0;
    struct merkle_hash root;
    CLEANUP(buf_release) struct buf note = BUF_INIT(NOTE_BYTES_MAX);
    notary->options.head(notary->options.context, &size, &root);
    TRY(sign(notary, size, &root, &note, diag));
    TRY(file_replace(notary->data_dir, CHECKPOINT_NAME, buf_slice(&note), diag));
    mutex_lock(&notary->lock);
    ASSERT(size >= notary->signed_size);
    struct buf old = notary->note;
    notary->note = note;
    note = old;
    notary->signed_size = size;
    notary->has_note = true;
    condition_broadcast(&notary->signed_);
    mutex_unlock(&notary->lock);
    return OK;
}

/* Sleeps until there is something to sign; false when it is time to end. */
static bool wait_for_work(struct notary *notary, int64_t last_us)
{
    int64_t cosign_us = last_us + (int64_t)notary->options.cosign_interval_ms * 1000;
    mutex_lock(&notary->lock);
    while (!notary->stopping) {
        int64_t now_us = clock_monotonic_us();
        bool grown = notary->committed > notary->signed_size;
        int64_t pause_ms = notary->waiting > 0 ? HURRY_MS : notary->options.interval_ms;
        int64_t due_us = grown ? last_us + pause_ms * 1000 : cosign_us;
        due_us = due_us < cosign_us ? due_us : cosign_us;
        if (now_us >= due_us) {
            break;
        }
        (void)condition_wait_us(&notary->wake, &notary->lock, due_us - now_us);
    }
    bool go_on = !notary->stopping;
    mutex_unlock(&notary->lock);
    return go_on;
}

static void notary_run(void *arg)
{
    struct notary *notary = arg;
    int64_t last_us = clock_monotonic_us();
    while (wait_for_work(notary, last_us)) {
        struct diag diag = {0};
        last_us = clock_monotonic_us();
        if (issue(notary, &diag) != OK) { /* tried again at the next interval */
            notary->options.failed(notary->options.context, &diag);
        }
    }
}

enum err notary_start(struct notary *notary, struct diag *diag)
{
    TRY(issue(notary, diag));
    TRY(thread_start(&notary->thread, "notary", notary_run, notary, diag));
    notary->running = true;
    return OK;
}

void notary_stop(struct notary *notary)
{
    if (notary == NULL || !notary->running) {
        return;
    }
    mutex_lock(&notary->lock);
    notary->stopping = true;
    condition_broadcast(&notary->wake);
    mutex_unlock(&notary->lock);
    thread_join(&notary->thread);
    notary->running = false;
    struct diag diag = {0};
    if (notary->committed > notary->signed_size && issue(notary, &diag) != OK) {
        notary->options.failed(notary->options.context, &diag);
    }
}

void notary_wake(struct notary *notary, uint64_t size)
{
    mutex_lock(&notary->lock);
    bool first = notary->committed <= notary->signed_size;
    notary->committed = size;
    if (first) {
        condition_signal(&notary->wake);
    }
    mutex_unlock(&notary->lock);
}

enum err notary_checkpoint(struct notary *notary, struct buf *note_out, uint64_t *size_out)
{
    mutex_lock(&notary->lock);
    ASSERT(notary->has_note);
    buf_append(note_out, buf_slice(&notary->note));
    *size_out = notary->signed_size;
    mutex_unlock(&notary->lock);
    return buf_check(note_out);
}

uint64_t notary_signed_size(struct notary *notary)
{
    mutex_lock(&notary->lock);
    uint64_t size = notary->signed_size;
    mutex_unlock(&notary->lock);
    return size;
}

enum err notary_wait(struct notary *notary, uint64_t size, uint32_t timeout_ms)
{
    int64_t until_us = clock_monotonic_us() + (int64_t)timeout_ms * 1000;
    mutex_lock(&notary->lock);
    notary->waiting++;
    condition_signal(&notary->wake);
    while (notary->signed_size < size) {
        int64_t left_us = until_us - clock_monotonic_us();
        if (left_us <= 0) {
            break;
        }
        (void)condition_wait_us(&notary->signed_, &notary->lock, left_us);
    }
    notary->waiting--;
    bool covered = notary->signed_size >= size;
    mutex_unlock(&notary->lock);
    return covered ? OK : ERR_BUSY;
}

/* A log key that has an end ahead of it: an overlap that lasts. */
static bool overlap_lasts(const struct log_keys *keys, int64_t now_us)
{
    for (size_t i = 0; i < keys->count; i++) {
        if (keys->keys[i].signer.verifier.type == NOTE_ED25519 && keys->keys[i].retires_us != 0 &&
            keys_sign_at(keys, &keys->keys[i], now_us)) {
            return true;
        }
    }
    return false;
}

/* The new key first: a crash in between leaves two that sign without an end, never none. */
static enum err rotate_locked(struct notary *notary, int64_t overlap_us, struct diag *diag)
{
    int64_t now_us = clock_now_us();
    uint32_t old_ids[STORE_KEYS_MAX];
    size_t old_count = 0;
    if (overlap_lasts(&notary->keys, now_us)) {
        return diag_fail(diag, ERR_CONFLICT, "keys", "an earlier rotation's overlap still lasts");
    }
    for (size_t i = 0; i < notary->keys.count; i++) {
        const struct log_key *key = &notary->keys.keys[i];
        if (key->signer.verifier.type == NOTE_ED25519 && key->retires_us == 0) {
            old_ids[old_count++] = key->signer.verifier.id;
        }
    }
    TRY(keys_make(notary->keys_dir, &notary->keys, slice_from_cstr(notary->origin), NOTE_ED25519,
                  now_us, diag));
    int64_t end_us = notary->keys.keys[0].created_us + overlap_us; /* of the new key */
    for (size_t i = 0; i < notary->keys.count; i++) {
        struct log_key *key = &notary->keys.keys[i];
        for (size_t k = 0; k < old_count; k++) {
            if (key->signer.verifier.id == old_ids[k]) {
                TRY(keys_retire(notary->keys_dir, key, end_us, diag));
            }
        }
    }
    return OK;
}

enum err notary_rotate(struct notary *notary, int64_t overlap_us, struct diag *diag)
{
    /* The one place where files are written under the lock: seldom, small, and nobody may sign with
     * half a change. */
    mutex_lock(&notary->lock);
    enum err e = rotate_locked(notary, overlap_us, diag);
    mutex_unlock(&notary->lock);
    return e;
}
