/* SPDX-License-Identifier: Apache-2.0 */
#include "notary/keys.h"

#include <assert.h>
#include <stdio.h>

#include "crypto/secret.h"
#include "keyfile/key_file.h"
#include "os/random.h"

#define LABEL_WORD "vkey"

enum { KEY_NAME_BYTES = 16 };

static_assert(NOTE_VKEY_BYTES_MAX <= KEY_FILE_LABEL_BYTES_MAX, "a vkey is a label");

static void key_file_name(uint32_t id, char out[KEY_NAME_BYTES])
{
    (void)snprintf(out, KEY_NAME_BYTES, "%08x" KEY_FILE_SUFFIX, id);
}

void keys_release(struct log_keys *keys)
{
    for (size_t i = 0; i < keys->count; i++) {
        note_signer_release(&keys->keys[i].signer);
    }
    keys->count = 0;
}

/* What a file holds, as a key: its label is the verifier's text. */
static enum err parse_key(const char *name, const struct key_file *file, struct log_key *out,
                          struct diag *diag)
{
    struct note_verifier verifier = {0};
    struct log_key key = {.created_us = file->created_us, .retires_us = file->retires_us};
    char expected[KEY_NAME_BYTES];
    if (note_verifier_parse(slice_from_cstr(file->label), &verifier, NULL) != OK) {
        return diag_fail(diag, ERR_CORRUPT, name, "not a key file");
    }
    TRY(note_signer_init(&key.signer, slice_from_cstr(verifier.name), verifier.type, file->seed,
                         diag));
    key_file_name(verifier.id, expected);
    if (key.signer.verifier.id != verifier.id || strcmp(expected, name) != 0) {
        note_signer_release(&key.signer);
        return diag_fail(diag, ERR_CORRUPT, name,
                         "seed, vkey and file name do not belong together");
    }
    *out = key;
    return OK;
}

/* Log keys before cosigners, the newest first. */
static bool goes_before(const struct log_key *a, const struct log_key *b)
{
    if (a->signer.verifier.type != b->signer.verifier.type) {
        return a->signer.verifier.type == NOTE_ED25519;
    }
    return a->created_us > b->created_us;
}

static enum err insert(struct log_keys *keys, const struct log_key *key, struct diag *diag)
{
    if (keys->count == STORE_KEYS_MAX) {
        return diag_fail(diag, ERR_LIMIT, "keys", "more than %d signing keys", STORE_KEYS_MAX);
    }
    size_t at = keys->count++;
    for (; at > 0 && goes_before(key, &keys->keys[at - 1]); at--) {
        keys->keys[at] = keys->keys[at - 1];
    }
    keys->keys[at] = *key;
    return OK;
}

static enum err take_key(void *context, const char *name, const struct key_file *file,
                         struct diag *diag)
{
    struct log_key key = {0};
    TRY(parse_key(name, file, &key, diag));
    return insert(context, &key, diag);
}

enum err keys_read(const struct dir *dir, struct log_keys *out, struct diag *diag)
{
    *out = (struct log_keys){0};
    return key_files_read(dir, LABEL_WORD, take_key, out, diag);
}

static enum err write_key(const struct dir *dir, const struct log_key *key, struct diag *diag)
{
    char name[KEY_NAME_BYTES];
    CLEANUP(buf_release) struct buf vkey = BUF_INIT(KEY_FILE_LABEL_BYTES_MAX);
    CLEANUP(key_file_release)
    struct key_file file = {.created_us = key->created_us, .retires_us = key->retires_us};
    note_verifier_format(&key->signer.verifier, &vkey);
    (void)snprintf(file.label, sizeof(file.label), "%s", buf_cstr(&vkey));
    memcpy(file.seed, key->signer.seed, sizeof(file.seed));
    key_file_name(key->signer.verifier.id, name);
    return key_file_write(dir, name, LABEL_WORD, &file, diag);
}

bool keys_sign_at(const struct log_keys *keys, const struct log_key *key, int64_t now_us)
{
    if (key->retires_us == 0) {
        return true;
    }
    for (size_t i = 0; i < keys->count; i++) {
        bool is_newer = keys->keys[i].signer.verifier.type == key->signer.verifier.type &&
                        keys->keys[i].created_us > key->created_us;
        if (is_newer && keys->keys[i].created_us >= key->retires_us) {
            return false;
        }
    }
    return now_us < key->retires_us;
}

enum err keys_make(const struct dir *dir, struct log_keys *keys, slice name,
                   enum note_key_type type, int64_t now_us, struct diag *diag)
{
    uint8_t seed[ED25519_SEED_BYTES];
    struct log_key key = {.created_us = now_us};
    for (size_t i = 0; i < keys->count; i++) {
        int64_t after_us = keys->keys[i].created_us + 1;
        key.created_us = after_us > key.created_us ? after_us : key.created_us;
    }
    random_bytes(seed, sizeof(seed));
    enum err e = note_signer_init(&key.signer, name, type, seed, diag);
    secret_wipe(seed, sizeof(seed));
    TRY(e);
    e = keys->count < STORE_KEYS_MAX ? write_key(dir, &key, diag) : OK;
    if (e == OK) {
        e = insert(keys, &key, diag);
    }
    if (e != OK) {
        note_signer_release(&key.signer);
    }
    return e;
}

enum err keys_retire(const struct dir *dir, struct log_key *key, int64_t retires_us,
                     struct diag *diag)
{
    struct log_key changed = *key;
    changed.retires_us = retires_us;
    TRY(write_key(dir, &changed, diag));
    key->retires_us = retires_us;
    return OK;
}
