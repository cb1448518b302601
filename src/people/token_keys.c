/* SPDX-License-Identifier: Apache-2.0 */
#include "people/token_keys.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "codec/base64.h"
#include "crypto/secret.h"
#include "crypto/sha256.h"
#include "keyfile/key_file.h"
#include "os/random.h"
#include "os/thread.h"

#define LABEL_WORD "kid"
/* A token that was signed last lives so long, and both leeways. */
#define OVERLAP_US ((int64_t)(TOKEN_LIFETIME_MAX_S + 2 * TOKEN_LEEWAY_S) * 1000000)

enum { FILE_NAME_BYTES = TOKEN_KID_BYTES + sizeof(KEY_FILE_SUFFIX), X_BYTES = 43 };

struct token_keys {
    const struct dir *dir;                 /* NULL: no files */
    struct mutex writer;                   /* one at a time changes files; taken before `lock` */
    struct mutex lock;                     /* of the rest */
    struct token_key keys[TOKEN_KEYS_MAX]; /* newest first */
    size_t count;
    uint64_t epoch;
};

/* ---- One key ---- */

void token_key_release(struct token_key *key)
{
    secret_wipe(key->seed, sizeof(key->seed));
}

static void append_x(const struct token_key *key, struct buf *out)
{
    base64url_append(out, (slice){key->public_key, sizeof(key->public_key)});
}

/* RFC 7638: SHA-256 over the required members in this order, without white space. */
static void set_kid(struct token_key *key)
{
    uint8_t hash[SHA256_BYTES];
    CLEANUP(buf_release) struct buf text = BUF_INIT(128);
    buf_append_cstr(&text, "{\"crv\":\"Ed25519\",\"kty\":\"OKP\",\"x\":\"");
    append_x(key, &text);
    buf_append_cstr(&text, "\"}");
    ASSERT(!text.failed);
    sha256(buf_slice(&text), hash);
    buf_clear(&text);
    base64url_append(&text, (slice){hash, sizeof(hash)});
    ASSERT(text.len == TOKEN_KID_BYTES);
    memcpy(key->kid, text.ptr, text.len);
    key->kid[text.len] = '\0';
}

static enum err make_key(const uint8_t seed[ED25519_SEED_BYTES], int64_t created_us,
                         struct token_key *out, struct diag *diag)
{
    struct token_key key = {.created_us = created_us};
    if (ed25519_public(seed, key.public_key) != OK) {
        return diag_fail(diag, ERR_IO, "key", "the library cannot make the public key");
    }
    set_kid(&key);
    memcpy(key.seed, seed, sizeof(key.seed));
    *out = key;
    token_key_release(&key);
    return OK;
}

static void file_name(const struct token_key *key, char out[FILE_NAME_BYTES])
{
    (void)snprintf(out, FILE_NAME_BYTES, "%s" KEY_FILE_SUFFIX, key->kid);
}

/* ---- The set, under the lock ---- */

struct token_keys *token_keys_new(void)
{
    struct token_keys *keys = mem_zeroed(sizeof(*keys));
    mutex_init(&keys->writer);
    mutex_init(&keys->lock);
    return keys;
}

void token_keys_free(struct token_keys *keys)
{
    if (keys == NULL) {
        return;
    }
    mutex_release(&keys->writer);
    mutex_release(&keys->lock);
    secret_wipe(keys, sizeof(*keys));
    free(keys);
}

static enum err insert(struct token_keys *keys, const struct token_key *key, struct diag *diag)
{
    if (keys->count == TOKEN_KEYS_MAX) {
        return diag_fail(diag, ERR_LIMIT, "keys", "more than %d keys for tokens", TOKEN_KEYS_MAX);
    }
    size_t at = keys->count++;
    for (; at > 0 && key->created_us > keys->keys[at - 1].created_us; at--) {
        keys->keys[at] = keys->keys[at - 1];
    }
    keys->keys[at] = *key;
    return OK;
}

static bool verifies_at(const struct token_keys *keys, size_t at, int64_t now_us)
{
    return at == 0 || now_us < keys->keys[at - 1].created_us + OVERLAP_US;
}

/* Forgets all keys from `first` on; their names are for whoever removes the files. */
static size_t forget(struct token_keys *keys, size_t first,
                     char names[TOKEN_KEYS_MAX][FILE_NAME_BYTES])
{
    size_t count = 0;
    for (size_t i = first; i < keys->count; i++) {
        file_name(&keys->keys[i], names[count++]);
        token_key_release(&keys->keys[i]);
    }
    keys->count -= count;
    return count;
}

/* ---- Files, by one writer ---- */

static enum err remove_files(const struct token_keys *keys,
                             char names[TOKEN_KEYS_MAX][FILE_NAME_BYTES], size_t count,
                             struct diag *diag)
{
    for (size_t i = 0; keys->dir != NULL && i < count; i++) {
        TRY(dir_remove(keys->dir, names[i], diag));
    }
    return keys->dir != NULL && count > 0 ? dir_sync(keys->dir, diag) : OK;
}

/* Ends keys whose last token has expired. They are the oldest, so they stand at the end. */
static enum err prune(struct token_keys *keys, int64_t now_us, struct diag *diag)
{
    char names[TOKEN_KEYS_MAX][FILE_NAME_BYTES];
    mutex_lock(&keys->lock);
    size_t first = 0;
    while (first < keys->count && verifies_at(keys, first, now_us)) {
        first++;
    }
    size_t count = forget(keys, first, names);
    mutex_unlock(&keys->lock);
    return remove_files(keys, names, count, diag);
}

static enum err write_key(const struct token_keys *keys, const struct token_key *key,
                          struct diag *diag)
{
    char name[FILE_NAME_BYTES];
    CLEANUP(key_file_release) struct key_file file = {.created_us = key->created_us};
    if (keys->dir == NULL) {
        return OK;
    }
    (void)snprintf(file.label, sizeof(file.label), "%s", key->kid);
    memcpy(file.seed, key->seed, sizeof(file.seed));
    file_name(key, name);
    enum err e = key_file_write(keys->dir, name, LABEL_WORD, &file, diag);
    if (e != OK) {
        /* It may be there nevertheless, and would end the key that goes on signing at the next
         * start. If it cannot be removed either, that costs some users a login, nothing else. */
        enum err removed = dir_remove(keys->dir, name, NULL);
        UNUSED(removed);
    }
    return e;
}

/* A key newer than all others, on disk; not yet in the set. */
static enum err make_newest(struct token_keys *keys, int64_t now_us, struct token_key *out,
                            struct diag *diag)
{
    uint8_t seed[ED25519_SEED_BYTES];
    mutex_lock(&keys->lock);
    int64_t after_us = keys->count > 0 ? keys->keys[0].created_us + 1 : 0;
    mutex_unlock(&keys->lock);
    random_bytes(seed, sizeof(seed));
    enum err e = make_key(seed, after_us > now_us ? after_us : now_us, out, diag);
    secret_wipe(seed, sizeof(seed));
    TRY(e);
    return write_key(keys, out, diag);
}

static enum err rotate(struct token_keys *keys, int64_t now_us, struct diag *diag)
{
    CLEANUP(token_key_release) struct token_key key = {0};
    TRY(prune(keys, now_us, diag));
    mutex_lock(&keys->lock);
    bool has_room = keys->count < TOKEN_KEYS_MAX;
    mutex_unlock(&keys->lock);
    if (!has_room) {
        return diag_fail(diag, ERR_LIMIT, "keys", "%d keys still have tokens that live",
                         TOKEN_KEYS_MAX);
    }
    TRY(make_newest(keys, now_us, &key, diag));
    mutex_lock(&keys->lock);
    enum err e = insert(keys, &key, diag);
    mutex_unlock(&keys->lock);
    return e;
}

enum err token_keys_rotate(struct token_keys *keys, int64_t now_us, struct diag *diag)
{
    mutex_lock(&keys->writer);
    enum err e = rotate(keys, now_us, diag);
    mutex_unlock(&keys->writer);
    return e;
}

static bool is_older(struct token_keys *keys, int64_t age_us, int64_t now_us)
{
    CLEANUP(token_key_release) struct token_key key = {0};
    token_keys_current(keys, &key);
    return now_us - key.created_us > age_us;
}

enum err token_keys_renew(struct token_keys *keys, int64_t age_us, int64_t now_us,
                          struct diag *diag)
{
    if (!is_older(keys, age_us, now_us)) {
        return OK;
    }
    mutex_lock(&keys->writer);
    /* of those who came together the first has done it */
    enum err e = is_older(keys, age_us, now_us) ? rotate(keys, now_us, diag) : OK;
    mutex_unlock(&keys->writer);
    return e;
}

static enum err replace_all(struct token_keys *keys, int64_t now_us, struct diag *diag)
{
    char names[TOKEN_KEYS_MAX][FILE_NAME_BYTES];
    CLEANUP(token_key_release) struct token_key key = {0};
    TRY(make_newest(keys, now_us, &key, diag));
    mutex_lock(&keys->lock);
    size_t count = forget(keys, 0, names);
    enum err e = insert(keys, &key, diag);
    keys->epoch++;
    mutex_unlock(&keys->lock);
    TRY(e);
    return remove_files(keys, names, count, diag);
}

enum err token_keys_replace_all(struct token_keys *keys, int64_t now_us, struct diag *diag)
{
    mutex_lock(&keys->writer);
    enum err e = replace_all(keys, now_us, diag);
    mutex_unlock(&keys->writer);
    return e;
}

/* ---- Opening ---- */

enum err token_keys_add(struct token_keys *keys, const uint8_t seed[ED25519_SEED_BYTES],
                        int64_t created_us, struct diag *diag)
{
    CLEANUP(token_key_release) struct token_key key = {0};
    TRY(make_key(seed, created_us, &key, diag));
    mutex_lock(&keys->lock);
    enum err e = insert(keys, &key, diag);
    mutex_unlock(&keys->lock);
    return e;
}

static enum err take_file(void *context, const char *name, const struct key_file *file,
                          struct diag *diag)
{
    char expected[FILE_NAME_BYTES];
    CLEANUP(token_key_release) struct token_key key = {0};
    TRY(make_key(file->seed, file->created_us, &key, diag));
    file_name(&key, expected);
    if (strcmp(expected, name) != 0 || strcmp(file->label, key.kid) != 0 || file->retires_us != 0) {
        return diag_fail(diag, ERR_CORRUPT, name, "seed, kid and file name do not belong together");
    }
    return insert(context, &key, diag);
}

/* What a crash left of a key that was never used. */
static enum err remove_unfinished(const struct dir *dir, struct diag *diag)
{
    static const char suffix[] = KEY_FILE_SUFFIX ".tmp";
    CLEANUP(dir_names_release) struct dir_names names = {0};
    TRY(dir_list(dir, &names, diag));
    for (size_t i = 0; i < names.count; i++) {
        size_t len = strlen(names.names[i]);
        if (len >= sizeof(suffix) && strcmp(names.names[i] + len - strlen(suffix), suffix) == 0) {
            TRY(dir_remove(dir, names.names[i], diag));
        }
    }
    return OK;
}

enum err token_keys_open(const struct dir *dir, int64_t now_us, struct token_keys **out,
                         struct diag *diag)
{
    OWNED(token_keys) keys = token_keys_new();
    keys->dir = dir;
    TRY(remove_unfinished(dir, diag));
    TRY(key_files_read(dir, LABEL_WORD, take_file, keys, diag));
    TRY(keys->count > 0 ? prune(keys, now_us, diag) : token_keys_rotate(keys, now_us, diag));
    ASSERT(keys->count > 0);
    *out = MOVE(keys);
    return OK;
}

/* ---- Asking ---- */

void token_keys_current(struct token_keys *keys, struct token_key *out)
{
    mutex_lock(&keys->lock);
    ASSERT(keys->count > 0);
    *out = keys->keys[0];
    mutex_unlock(&keys->lock);
}

bool token_keys_find(struct token_keys *keys, slice kid, int64_t now_us,
                     uint8_t public_out[ED25519_PUBLIC_BYTES])
{
    bool found = false;
    mutex_lock(&keys->lock);
    for (size_t i = 0; !found && i < keys->count; i++) {
        const struct token_key *key = &keys->keys[i];
        found = slice_equal(slice_from_cstr(key->kid), kid) && verifies_at(keys, i, now_us);
        if (found) {
            memcpy(public_out, key->public_key, sizeof(key->public_key));
        }
    }
    mutex_unlock(&keys->lock);
    return found;
}

static void append_jwk(const struct token_key *key, struct buf *out)
{
    buf_append_cstr(out, "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"");
    append_x(key, out);
    buf_append_format(out, "\",\"kid\":\"%s\",\"use\":\"sig\",\"alg\":\"EdDSA\"}", key->kid);
}

void token_keys_jwks(struct token_keys *keys, int64_t now_us, struct buf *out)
{
    buf_append_cstr(out, "{\"keys\":[");
    mutex_lock(&keys->lock);
    for (size_t i = 0; i < keys->count && verifies_at(keys, i, now_us); i++) {
        buf_append_cstr(out, i > 0 ? "," : "");
        append_jwk(&keys->keys[i], out);
    }
    mutex_unlock(&keys->lock);
    buf_append_cstr(out, "]}");
}

uint64_t token_keys_epoch(struct token_keys *keys)
{
    mutex_lock(&keys->lock);
    uint64_t epoch = keys->epoch;
    mutex_unlock(&keys->lock);
    return epoch;
}
