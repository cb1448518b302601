/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libsodium, not libargon2: both are the reference implementation, but Debian builds libargon2 for
 * the oldest processors alone, and libsodium looks at the one it runs on (16 ms against 32 for one
 * hash here; what an attacker's machine does is no slower for it). It also writes and reads the
 * PHC format, keeps the memory out of core dumps, wipes it, and compares in constant time. Its salt
 * comes from the kernel, as all randomness here does.
 */
#include "crypto/password.h"

#include <assert.h>
#include <pthread.h>
#include <sodium.h>
#include <time.h>

#define MEMORY_BYTES ((size_t)PASSWORD_MEMORY_KIB * 1024)

static_assert(PASSWORD_HASH_BYTES == crypto_pwhash_argon2id_STRBYTES, "what the library writes");
static_assert(PASSWORD_MEMORY_KIB <= PASSWORD_MEMORY_KIB_MAX, "our own hashes are allowed");
static_assert(PASSWORD_PASSES <= PASSWORD_PASSES_MAX, "our own hashes are allowed");

/* A hash that nobody knows a password of, and with the parameters of today. */
static const char nobody[] = "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$"
                             "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/* ---- So many at a time ---- */

static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t freed = PTHREAD_COND_INITIALIZER;
static size_t running; /* under the lock, as `waiting` */
static size_t waiting;

static void prepare(void)
{
    ASSERT(sodium_init() >= 0);
}

static struct timespec wait_end(void)
{
    struct timespec end = {0};
    ASSERT(clock_gettime(CLOCK_MONOTONIC, &end) == 0);
    end.tv_sec += PASSWORD_WAIT_MS / 1000;
    end.tv_nsec += (long)(PASSWORD_WAIT_MS % 1000) * 1000000;
    if (end.tv_nsec >= 1000000000) {
        end.tv_nsec -= 1000000000;
        end.tv_sec++;
    }
    return end;
}

static enum err enter(struct diag *diag)
{
    ASSERT(pthread_once(&once, prepare) == 0);
    struct timespec end = wait_end();
    ASSERT(pthread_mutex_lock(&lock) == 0);
    bool may_wait = waiting < PASSWORD_WAITING_MAX;
    waiting++;
    while (may_wait && running == PASSWORD_PARALLEL_MAX) {
        may_wait = pthread_cond_clockwait(&freed, &lock, CLOCK_MONOTONIC, &end) == 0;
    }
    waiting--;
    bool entered = running < PASSWORD_PARALLEL_MAX;
    running += entered ? 1 : 0;
    ASSERT(pthread_mutex_unlock(&lock) == 0);
    return entered ? OK : diag_fail(diag, ERR_BUSY, "", "too many passwords are being checked");
}

static void leave(void)
{
    ASSERT(pthread_mutex_lock(&lock) == 0);
    ASSERT(running > 0);
    running--;
    ASSERT(pthread_cond_signal(&freed) == 0);
    ASSERT(pthread_mutex_unlock(&lock) == 0);
}

/* ---- What a text asks for ---- */

struct wanted {
    uint64_t memory_kib, passes;
};

static bool is_base64(uint8_t byte)
{
    return byte_is_digit(byte) || (byte >= 'A' && byte <= 'Z') || (byte >= 'a' && byte <= 'z') ||
           byte == '+' || byte == '/';
}

static bool take_number(slice *text, slice name, uint64_t *out)
{
    return slice_take_literal(text, name) &&
           slice_parse_u64(slice_take_while(text, byte_is_digit), out);
}

/* Salt and hash: some base64; the library looks closer. */
static bool take_base64(slice *text)
{
    return slice_take_literal(text, SLICE("$")) && slice_take_while(text, is_base64).len > 0;
}

static bool parse_hash(slice text, struct wanted *out)
{
    uint64_t lanes = 0;
    return text.len < PASSWORD_HASH_BYTES && slice_take_literal(&text, SLICE("$argon2id$v=19$")) &&
           take_number(&text, SLICE("m="), &out->memory_kib) &&
           take_number(&text, SLICE(",t="), &out->passes) &&
           take_number(&text, SLICE(",p="), &lanes) && take_base64(&text) && take_base64(&text) &&
           text.len == 0 && lanes == 1 && out->memory_kib >= 8 && out->passes >= 1 &&
           out->memory_kib <= PASSWORD_MEMORY_KIB_MAX && out->passes <= PASSWORD_PASSES_MAX;
}

/* ---- Hashing ---- */

static enum err check_len(slice password, struct diag *diag)
{
    if (password.len > PASSWORD_BYTES_MAX) {
        return diag_fail(diag, ERR_INVALID, "/password", "has more than %d bytes",
                         PASSWORD_BYTES_MAX);
    }
    return OK;
}

static const char *as_chars(slice password)
{
    return password.len > 0 ? (const char *)password.ptr : "";
}

enum err password_hash(slice password, char out[PASSWORD_HASH_BYTES], struct diag *diag)
{
    TRY(check_len(password, diag));
    if (password.len == 0) {
        return diag_fail(diag, ERR_INVALID, "/password", "must not be empty");
    }
    TRY(enter(diag));
    int failed = crypto_pwhash_argon2id_str(out, as_chars(password), password.len, PASSWORD_PASSES,
                                            MEMORY_BYTES);
    leave();
    return failed == 0 ? OK : diag_fail(diag, ERR_IO, "password", "no memory for a hash");
}

enum err password_verify(const char *hash, slice password, bool *is_right, struct diag *diag)
{
    char text[PASSWORD_HASH_BYTES] = {0}; /* as long as the library may read */
    struct wanted wanted = {0};
    slice stored = slice_from_cstr(hash != NULL ? hash : nobody);
    TRY(check_len(password, diag));
    if (!parse_hash(stored, &wanted)) {
        return diag_fail(diag, ERR_CORRUPT, "password", "the stored text is not an Argon2id hash");
    }
    memcpy(text, stored.ptr, stored.len);
    TRY(enter(diag));
    bool matches = crypto_pwhash_argon2id_str_verify(text, as_chars(password), password.len) == 0;
    leave();
    *is_right = matches && hash != NULL;
    return OK;
}

bool password_needs_rehash(const char *hash)
{
    struct wanted wanted = {0};
    return !parse_hash(slice_from_cstr(hash), &wanted) ||
           wanted.memory_kib != PASSWORD_MEMORY_KIB || wanted.passes != PASSWORD_PASSES;
}
