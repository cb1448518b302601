/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger/keys.h"

#include <stdio.h>

#include "base/mem.h"
#include "codec/crc32c.h"
#include "codec/hex.h"
#include "codec/time.h"
#include "crypto/secret.h"
#include "os/random.h"

enum {
    KEY_FILE_BYTES_MAX = 1024,
    KEY_NAME_BYTES = 16,
    CHECKSUM_BYTES = 16,
};

static void key_file_name(uint32_t id, char out[KEY_NAME_BYTES])
{
    (void)snprintf(out, KEY_NAME_BYTES, "%08x.key", id);
}

void keys_release(struct log_keys *keys)
{
    for (size_t i = 0; i < keys->count; i++) {
        note_signer_release(&keys->keys[i].signer);
    }
    keys->count = 0;
}

/* Takes "<word> <value>\n". */
static bool take_line(slice *text, const char *word, slice *value)
{
    slice rest = *text;
    if (!slice_take_literal(&rest, slice_from_cstr(word)) ||
        !slice_take_literal(&rest, SLICE(" "))) {
        return false;
    }
    const uint8_t *end = rest.len > 0 ? memchr(rest.ptr, '\n', rest.len) : NULL;
    if (end == NULL) {
        return false;
    }
    *value = slice_take(&rest, (size_t)(end - rest.ptr));
    (void)slice_take(&rest, 1);
    *text = rest;
    return true;
}

static void format_checksum(slice text, char out[CHECKSUM_BYTES + 1])
{
    (void)snprintf(out, CHECKSUM_BYTES + 1, "crc32c %08x\n", crc32c(0, text));
}

/* Whether `rest`, the end of `whole`, is the checksum of what comes before it: without one, another
 * time would be as good as the one that was written. */
static bool has_checksum(slice whole, slice rest)
{
    char expected[CHECKSUM_BYTES + 1];
    format_checksum((slice){whole.ptr, whole.len - rest.len}, expected);
    return slice_equal(rest, slice_from_cstr(expected));
}

static bool parse_fields(slice text, struct note_verifier *verifier, struct log_key *key,
                         uint8_t seed[ED25519_SEED_BYTES])
{
    slice whole = text;
    slice vkey = {0};
    slice created = {0};
    slice retires = {0};
    slice seed_hex = {0};
    return slice_take_literal(&text, SLICE("cairn-key 1\n")) && take_line(&text, "vkey", &vkey) &&
           take_line(&text, "created", &created) && take_line(&text, "retires", &retires) &&
           take_line(&text, "seed", &seed_hex) && has_checksum(whole, text) &&
           note_verifier_parse(vkey, verifier, NULL) == OK &&
           time_parse_rfc3339(created, &key->created_us) &&
           (slice_equal(retires, SLICE("-")) || time_parse_rfc3339(retires, &key->retires_us)) &&
           seed_hex.len == 2 * (size_t)ED25519_SEED_BYTES && hex_decode(seed_hex, seed);
}

static enum err parse_key(const char *name, slice text, struct log_key *out, struct diag *diag)
{
    struct log_key key = {0};
    struct note_verifier verifier = {0};
    uint8_t seed[ED25519_SEED_BYTES] = {0};
    char expected[KEY_NAME_BYTES];
    if (!parse_fields(text, &verifier, &key, seed)) {
        return diag_fail(diag, ERR_CORRUPT, name, "not a key file");
    }
    enum err e =
        note_signer_init(&key.signer, slice_from_cstr(verifier.name), verifier.type, seed, diag);
    secret_wipe(seed, sizeof(seed));
    TRY(e);
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

enum err keys_read(const struct dir *dir, struct log_keys *out, struct diag *diag)
{
    CLEANUP(dir_names_release) struct dir_names names = {0};
    *out = (struct log_keys){0};
    TRY(dir_list(dir, &names, diag));
    for (size_t i = 0; i < names.count; i++) {
        size_t len = strlen(names.names[i]);
        if (len < 4 || strcmp(names.names[i] + len - 4, ".key") != 0) {
            continue;
        }
        uint8_t *bytes = NULL;
        size_t bytes_len = 0;
        TRY(file_read_all(dir, names.names[i], KEY_FILE_BYTES_MAX, &bytes, &bytes_len, diag));
        struct log_key key = {0};
        enum err e = parse_key(names.names[i], (slice){bytes, bytes_len}, &key, diag);
        secret_wipe(bytes, bytes_len);
        mem_freep(&bytes);
        TRY(e);
        TRY(insert(out, &key, diag));
    }
    return OK;
}

static void append_time(struct buf *out, int64_t us)
{
    char text[TIME_TEXT_BYTES];
    time_format_rfc3339(us, text);
    buf_append(out, (slice){(const uint8_t *)text, sizeof(text)});
}

static enum err write_key(const struct dir *dir, const struct log_key *key, struct diag *diag)
{
    CLEANUP(buf_release) struct buf text = BUF_INIT(KEY_FILE_BYTES_MAX);
    char name[KEY_NAME_BYTES];
    char seed_hex[2 * ED25519_SEED_BYTES];
    char checksum[CHECKSUM_BYTES + 1];
    hex_encode((slice){key->signer.seed, ED25519_SEED_BYTES}, seed_hex);
    buf_append_cstr(&text, "cairn-key 1\nvkey ");
    note_verifier_format(&key->signer.verifier, &text);
    buf_append_cstr(&text, "\ncreated ");
    append_time(&text, key->created_us);
    buf_append_cstr(&text, "\nretires ");
    if (key->retires_us == 0) {
        buf_append_byte(&text, '-');
    } else {
        append_time(&text, key->retires_us);
    }
    buf_append_cstr(&text, "\nseed ");
    buf_append(&text, (slice){(const uint8_t *)seed_hex, sizeof(seed_hex)});
    buf_append_byte(&text, '\n');
    format_checksum(buf_slice(&text), checksum);
    buf_append_cstr(&text, checksum);
    key_file_name(key->signer.verifier.id, name);
    enum err e = file_replace(dir, name, buf_slice(&text), diag);
    secret_wipe(text.ptr, text.len);
    secret_wipe(seed_hex, sizeof(seed_hex));
    return e;
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
