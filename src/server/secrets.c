/* SPDX-License-Identifier: Apache-2.0 */
#include "server/secrets.h"

#include <stdio.h>

#include "access/api_key.h"
#include "base/log.h"
#include "codec/hex.h"
#include "crypto/secret.h"
#include "crypto/secret_weakness.h"
#include "os/file.h"
#include "os/random.h"

#define OWNER_KEY_NAME "admin.key"

enum {
    KEY_BYTES = 32,
    SECRET_FILE_BYTES_MAX = 256,
};

enum err secrets_judge(const char *name, slice secret, bool is_production, struct diag *diag)
{
    const char *weakness = secret_weakness(secret);
    if (weakness == NULL) {
        return OK;
    }
    if (is_production) {
        return diag_fail(diag, ERR_INVALID, name,
                         "the secret %s; in production that stops the start (environment)",
                         weakness);
    }
    LOG_WARN("a secret would stop the start in production", kv_str("secret", name),
             kv_str("why", weakness));
    return OK;
}

/* The first line of a small file, without its end. */
static enum err read_line(const struct dir *dir, const char *name, char *out, size_t out_bytes,
                          struct diag *diag)
{
    CLEANUP(secret_file_release) struct secret_file file = {0};
    TRY(file_read_all(dir, name, SECRET_FILE_BYTES_MAX, &file.bytes, &file.len, diag));
    size_t end = 0;
    while (end < file.len && file.bytes[end] > ' ' && file.bytes[end] < 0x7f) {
        end++;
    }
    bool fine = end > 0 && end < out_bytes && (end == file.len || file.bytes[end] == '\n');
    if (fine) {
        memcpy(out, file.bytes, end);
        out[end] = '\0';
    }
    return fine ? OK : diag_fail(diag, ERR_INVALID, name, "expected one line of text");
}

enum err secrets_make_owner_key(const struct dir *data_dir, const char *environment,
                                char out[OWNER_KEY_BYTES_MAX], struct diag *diag)
{
    struct api_key key;
    char line[API_KEY_BYTES_MAX + 1];
    api_key_make(environment, &key);
    int len = snprintf(line, sizeof(line), "%s\n", key.text);
    enum err e =
        file_replace(data_dir, OWNER_KEY_NAME, (slice){(uint8_t *)line, (size_t)len}, diag);
    if (e == OK) {
        (void)snprintf(out, OWNER_KEY_BYTES_MAX, "%s", key.text);
    }
    secret_wipe(&key, sizeof(key));
    secret_wipe(line, sizeof(line));
    return e;
}

enum err secrets_owner_key(const struct dir *data_dir, char out[OWNER_KEY_BYTES_MAX],
                           struct diag *diag)
{
    enum err e = read_line(data_dir, OWNER_KEY_NAME, out, OWNER_KEY_BYTES_MAX, diag);
    if (e == ERR_NOT_FOUND) {
        out[0] = '\0';
        return OK;
    }
    return e;
}

enum err secrets_key(const struct dir *data_dir, const char *name, uint8_t out[32],
                     struct diag *diag)
{
    char hex[2 * KEY_BYTES + 2];
    OWNED(dir) keys = NULL;
    TRY(dir_open_in(data_dir, "keys", true, &keys, diag));
    enum err e = read_line(keys, name, hex, sizeof(hex), diag);
    if (e == OK &&
        (strlen(hex) != 2 * (size_t)KEY_BYTES || !hex_decode(slice_from_cstr(hex), out))) {
        e = diag_fail(diag, ERR_INVALID, name, "expected 64 hex digits");
    }
    if (e == ERR_NOT_FOUND) {
        random_bytes(out, KEY_BYTES);
        hex_encode((slice){out, KEY_BYTES}, hex);
        hex[2 * KEY_BYTES] = '\n';
        e = file_replace(keys, name, (slice){(const uint8_t *)hex, 2 * KEY_BYTES + 1}, diag);
    }
    secret_wipe(hex, sizeof(hex));
    return e;
}
