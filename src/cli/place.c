/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/place.h"

#include <stdlib.h>

#include "base/buf.h"
#include "base/mem.h"
#include "client/endpoint.h"
#include "crypto/secret.h"
#include "os/file.h"

#define LOCK_NAME "LOCK"
#define KEY_NAME  "admin.key"

enum { SMALL_FILE_BYTES_MAX = 4096 };

static bool byte_is_visible(uint8_t byte)
{
    return byte > ' ' && byte < 0x7f;
}

char *place_address(slice lock)
{
    while (lock.len > 0 && lock.ptr[0] != '\n' && !slice_take_literal(&lock, SLICE("listen "))) {
        (void)slice_take(&lock, 1);
    }
    slice address = slice_take_while(&lock, byte_is_visible);
    if (address.len == 0) {
        return NULL;
    }
    struct buf out CLEANUP(buf_release) = BUF_INIT(2 * (size_t)SMALL_FILE_BYTES_MAX);
    if (slice_take_literal(&address, SLICE("https://"))) {
        buf_append_cstr(&out, "https://");
    }
    if (slice_take_literal(&address, SLICE("0.0.0.0:")) ||
        slice_take_literal(&address, SLICE(":"))) {
        buf_append_cstr(&out, "127.0.0.1:"); /* "every address" is none to connect to */
    } else if (slice_take_literal(&address, SLICE("[::]:"))) {
        buf_append_cstr(&out, "[::1]:");
    }
    buf_append(&out, address);
    return mem_text(buf_cstr(&out), out.len);
}

static enum err read_small(const struct file *file, struct secret_file *out, struct diag *diag)
{
    uint64_t size = 0;
    TRY(file_size(file, &size, diag));
    if (size > SMALL_FILE_BYTES_MAX) {
        return diag_fail(diag, ERR_IO, "", "it is not the directory of a server");
    }
    out->bytes = mem_zeroed((size_t)size + 1);
    out->len = (size_t)size;
    return file_read_at(file, 0, out->bytes, out->len, diag);
}

/* ---- LOCK ---- */

static enum err check_owner(const struct file_owner *owner, enum place_trust trust,
                            struct diag *diag)
{
    if (trust == PLACE_FOUND && !owner->is_ours) {
        return diag_fail(diag, ERR_DENIED, "",
                         "it is another user's: name it with --data, or a server with --server");
    }
    if (trust == PLACE_FOUND && !owner->is_private) {
        return diag_fail(diag, ERR_DENIED, "",
                         "others may open its LOCK, which chmod go= ends; or name it with --data");
    }
    return OK;
}

/* One handle for all of it: what is asked of it is asked of one and the same file. */
static enum err look_at_lock(const struct file *lock, enum place_trust trust,
                             struct file_owner *owner, char **server_out, struct diag *diag)
{
    CLEANUP(secret_file_release) struct secret_file text = {0};
    struct endpoint endpoint;
    bool is_held = false;
    TRY(file_owner(lock, owner, diag));
    TRY(check_owner(owner, trust, diag));
    TRY(file_is_locked(lock, &is_held, diag)); /* first: who takes it empties the text at once */
    TRY(read_small(lock, &text, diag));
    CLEANUP(mem_freep) char *server = is_held ? place_address(secret_file_slice(&text)) : NULL;
    if (server == NULL) {
        return diag_fail(diag, ERR_BUSY, "",
                         is_held ? "the server on it is not ready" : "no server runs on it");
    }
    if (!endpoint_parse(slice_from_cstr(server), &endpoint) || !endpoint_is_loopback(&endpoint)) {
        return diag_fail(diag, ERR_DENIED, "",
                         "its server listens on %.60s, which is not only this machine's: name it "
                         "with --server",
                         server);
    }
    *server_out = MOVE(server);
    return OK;
}

/* ---- admin.key ---- */

static enum err look_at_key(const struct dir *dir, uint64_t user, char **key_out, struct diag *diag)
{
    CLEANUP(secret_file_release) struct secret_file text = {0};
    OWNED(file) file = NULL;
    struct file_owner owner = {0};
    if (!dir_has(dir, KEY_NAME)) {
        return OK;
    }
    TRY(file_open(dir, KEY_NAME, FILE_READ, &file, diag));
    TRY(file_owner(file, &owner, diag));
    if (owner.user != user) {
        return OK;
    }
    TRY(read_small(file, &text, diag));
    slice rest = secret_file_slice(&text);
    slice key = slice_take_while(&rest, byte_is_visible);
    *key_out = key.len > 0 ? mem_text((const char *)key.ptr, key.len) : NULL;
    return OK;
}

static enum err look(const struct dir *dir, enum place_trust trust, bool wants_key,
                     struct place *out, struct diag *diag)
{
    OWNED(file) lock = NULL;
    struct file_owner owner = {0};
    if (!dir_has(dir, LOCK_NAME)) {
        return diag_fail(diag, ERR_BUSY, "", "no server runs on it");
    }
    TRY(file_open(dir, LOCK_NAME, FILE_READ, &lock, diag));
    TRY(look_at_lock(lock, trust, &owner, &out->server, diag));
    return wants_key ? look_at_key(dir, owner.user, &out->key, diag) : OK;
}

enum err place_look(const char *path, enum place_trust trust, bool wants_key, struct place *out,
                    struct diag *diag)
{
    CLEANUP(place_release) struct place found = {0};
    OWNED(dir) dir = NULL;
    struct diag inner = {0};
    TRY(dir_open(path, false, &dir, diag));
    enum err e = look(dir, trust, wants_key, &found, &inner);
    if (e != OK) { /* the name of a file says little without its directory */
        return diag_fail(diag, e, path, "%s%s%s", inner.where, inner.where[0] != '\0' ? ": " : "",
                         inner.text);
    }
    *out = found;
    found = (struct place){0};
    return OK;
}

void place_release(struct place *place)
{
    if (place->key != NULL) {
        secret_wipe(place->key, strlen(place->key));
    }
    free(place->server);
    free(place->key);
    *place = (struct place){0};
}
