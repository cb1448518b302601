/* SPDX-License-Identifier: Apache-2.0 */
#include "server/secrets.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "codec/base64.h"
#include "codec/hex.h"
#include "crypto/secret.h"
#include "os/file.h"
#include "os/random.h"

#define OWNER_KEY_NAME     "admin.key"
#define CURSOR_SECRET_NAME "cursor.secret"

enum {
    CURSOR_KEY_BYTES = 32,
    SECRET_FILE_BYTES_MAX = 256,
};

/* The first line of a small file, without its end. */
static enum err read_line(const struct dir *dir, const char *name, char *out, size_t out_bytes,
                          struct diag *diag)
{
    uint8_t *bytes = NULL;
    size_t len = 0;
    TRY(file_read_all(dir, name, SECRET_FILE_BYTES_MAX, &bytes, &len, diag));
    size_t end = 0;
    while (end < len && bytes[end] > ' ' && bytes[end] < 0x7f) {
        end++;
    }
    bool fine = end > 0 && end < out_bytes && (end == len || bytes[end] == '\n');
    if (fine) {
        memcpy(out, bytes, end);
        out[end] = '\0';
    }
    secret_wipe(bytes, len);
    free(bytes);
    return fine ? OK : diag_fail(diag, ERR_INVALID, name, "expected one line of text");
}

static enum err make_owner_key(const struct dir *data_dir, const char *environment,
                               char out[OWNER_KEY_BYTES_MAX], struct diag *diag)
{
    uint8_t secret[32];
    uint8_t id[4];
    char id_hex[2 * sizeof(id)];
    CLEANUP(buf_release) struct buf key = BUF_INIT(OWNER_KEY_BYTES_MAX);
    random_bytes(secret, sizeof(secret));
    random_bytes(id, sizeof(id));
    hex_encode((slice){id, sizeof(id)}, id_hex);
    buf_append_cstr(&key, "cairn_");
    buf_append_cstr(&key, environment);
    buf_append_byte(&key, '_');
    buf_append(&key, (slice){(const uint8_t *)id_hex, sizeof(id_hex)});
    buf_append_byte(&key, '_');
    base64url_append(&key, (slice){secret, sizeof(secret)});
    buf_append_byte(&key, '\n');
    ASSERT(!key.failed);
    enum err e = file_replace(data_dir, OWNER_KEY_NAME, buf_slice(&key), diag);
    if (e == OK) {
        memcpy(out, key.ptr, key.len - 1);
        out[key.len - 1] = '\0';
    }
    secret_wipe(key.ptr, key.len);
    secret_wipe(secret, sizeof(secret));
    return e;
}

enum err secrets_owner_key(const struct dir *data_dir, const char *environment,
                           char out[OWNER_KEY_BYTES_MAX], bool *is_new, struct diag *diag)
{
    enum err e = read_line(data_dir, OWNER_KEY_NAME, out, OWNER_KEY_BYTES_MAX, diag);
    *is_new = e == ERR_NOT_FOUND;
    return *is_new ? make_owner_key(data_dir, environment, out, diag) : e;
}

enum err secrets_cursor_key(const struct dir *data_dir, uint8_t out[32], struct diag *diag)
{
    char hex[2 * CURSOR_KEY_BYTES + 2];
    OWNED(dir) keys = NULL;
    TRY(dir_open_in(data_dir, "keys", true, &keys, diag));
    enum err e = read_line(keys, CURSOR_SECRET_NAME, hex, sizeof(hex), diag);
    if (e == OK &&
        (strlen(hex) != 2 * (size_t)CURSOR_KEY_BYTES || !hex_decode(slice_from_cstr(hex), out))) {
        e = diag_fail(diag, ERR_INVALID, CURSOR_SECRET_NAME, "expected 64 hex digits");
    }
    if (e == ERR_NOT_FOUND) {
        random_bytes(out, CURSOR_KEY_BYTES);
        hex_encode((slice){out, CURSOR_KEY_BYTES}, hex);
        hex[2 * CURSOR_KEY_BYTES] = '\n';
        e = file_replace(keys, CURSOR_SECRET_NAME,
                         (slice){(const uint8_t *)hex, 2 * CURSOR_KEY_BYTES + 1}, diag);
    }
    secret_wipe(hex, sizeof(hex));
    return e;
}
