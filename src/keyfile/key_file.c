/* SPDX-License-Identifier: Apache-2.0 */
#include "keyfile/key_file.h"

#include <stdio.h>

#include "base/buf.h"
#include "codec/crc32c.h"
#include "codec/hex.h"
#include "codec/time.h"
#include "crypto/secret.h"

enum {
    FILE_BYTES_MAX = 1024,
    CHECKSUM_BYTES = 16,
};

void key_file_release(struct key_file *key)
{
    secret_wipe(key->seed, sizeof(key->seed));
}

/* ---- Reading ---- */

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

static bool set_label(struct key_file *key, slice label)
{
    if (label.len > KEY_FILE_LABEL_BYTES_MAX || memchr(label.ptr, '\0', label.len) != NULL) {
        return false;
    }
    memcpy(key->label, label.ptr, label.len);
    key->label[label.len] = '\0';
    return true;
}

static bool parse(slice text, const char *word, struct key_file *key)
{
    slice whole = text;
    slice label = {0};
    slice created = {0};
    slice retires = {0};
    slice seed_hex = {0};
    return slice_take_literal(&text, SLICE("cairn-key 1\n")) && take_line(&text, word, &label) &&
           take_line(&text, "created", &created) && take_line(&text, "retires", &retires) &&
           take_line(&text, "seed", &seed_hex) && has_checksum(whole, text) &&
           set_label(key, label) && time_parse_rfc3339(created, &key->created_us) &&
           (slice_equal(retires, SLICE("-")) || time_parse_rfc3339(retires, &key->retires_us)) &&
           seed_hex.len == 2 * (size_t)ED25519_SEED_BYTES && hex_decode(seed_hex, key->seed);
}

enum err key_file_read(const struct dir *dir, const char *name, const char *word,
                       struct key_file *out, struct diag *diag)
{
    CLEANUP(secret_file_release) struct secret_file file = {0};
    struct key_file key = {0};
    TRY(file_read_all(dir, name, FILE_BYTES_MAX, &file.bytes, &file.len, diag));
    bool is_key = parse(secret_file_slice(&file), word, &key);
    if (is_key) {
        *out = key;
    }
    key_file_release(&key);
    return is_key ? OK : diag_fail(diag, ERR_CORRUPT, name, "not a key file");
}

bool key_file_has_suffix(const char *name)
{
    size_t len = strlen(name);
    size_t suffix_len = strlen(KEY_FILE_SUFFIX);
    return len >= suffix_len && strcmp(name + len - suffix_len, KEY_FILE_SUFFIX) == 0;
}

enum err key_files_read(const struct dir *dir, const char *word,
                        enum err (*take)(void *context, const char *name,
                                         const struct key_file *key, struct diag *diag),
                        void *context, struct diag *diag)
{
    CLEANUP(dir_names_release) struct dir_names names = {0};
    TRY(dir_list(dir, &names, diag));
    for (size_t i = 0; i < names.count; i++) {
        if (key_file_has_suffix(names.names[i])) {
            CLEANUP(key_file_release) struct key_file key = {0};
            TRY(key_file_read(dir, names.names[i], word, &key, diag));
            TRY(take(context, names.names[i], &key, diag));
        }
    }
    return OK;
}

/* ---- Writing ---- */

static void append_time(struct buf *out, int64_t us)
{
    char text[TIME_TEXT_BYTES];
    time_format_rfc3339(us, text);
    buf_append(out, (slice){(const uint8_t *)text, sizeof(text)});
}

enum err key_file_write(const struct dir *dir, const char *name, const char *word,
                        const struct key_file *key, struct diag *diag)
{
    CLEANUP(buf_release) struct buf text = BUF_INIT(FILE_BYTES_MAX);
    char seed_hex[2 * ED25519_SEED_BYTES];
    char checksum[CHECKSUM_BYTES + 1];
    ASSERT(key_file_has_suffix(name) && strchr(key->label, '\n') == NULL);
    ASSERT(buf_reserve(&text, FILE_BYTES_MAX)); /* at once: no seed in memory that it outgrew */
    hex_encode((slice){key->seed, ED25519_SEED_BYTES}, seed_hex);
    buf_append_format(&text, "cairn-key 1\n%s %s\ncreated ", word, key->label);
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
    ASSERT(buf_check(&text) == OK);
    enum err e = file_replace(dir, name, buf_slice(&text), diag);
    secret_wipe(text.ptr, text.len);
    secret_wipe(seed_hex, sizeof(seed_hex));
    return e;
}
