/* SPDX-License-Identifier: Apache-2.0 */
#include "people/second_factor.h"

#include "codec/base32.h"
#include "crypto/secret.h"
#include "os/random.h"

enum { CODE_BYTES = 10, CODE_LETTERS = 16, GROUP = 4 };

void totp_secret_make(uint8_t secret_out[TOTP_SECRET_BYTES])
{
    random_bytes(secret_out, TOTP_SECRET_BYTES);
}

/* ---- The address ---- */

static bool is_unreserved(uint8_t byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
           (byte >= '0' && byte <= '9') || byte == '-' || byte == '.' || byte == '_' || byte == '~';
}

static void append_escaped(struct buf *out, slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (is_unreserved(text.ptr[i])) {
            buf_append_byte(out, text.ptr[i]);
        } else {
            buf_append_format(out, "%%%02X", text.ptr[i]);
        }
    }
}

static bool is_label(slice text)
{
    return text.len > 0 && memchr(text.ptr, ':', text.len) == NULL;
}

enum err totp_uri(slice secret, slice issuer, slice account, struct buf *out)
{
    if (!is_label(issuer) || !is_label(account)) {
        return ERR_INVALID;
    }
    buf_append_cstr(out, "otpauth://totp/");
    append_escaped(out, issuer);
    buf_append_byte(out, ':');
    append_escaped(out, account);
    buf_append_cstr(out, "?secret=");
    base32_append(out, secret);
    buf_append_cstr(out, "&issuer=");
    append_escaped(out, issuer);
    buf_append_format(out, "&algorithm=SHA1&digits=%d&period=%d", TOTP_DIGITS, TOTP_STEP_S);
    return buf_check(out);
}

/* ---- Recovery codes ---- */

void recovery_codes_make(struct recovery_codes *out)
{
    for (size_t i = 0; i < RECOVERY_CODES; i++) {
        uint8_t bytes[CODE_BYTES];
        CLEANUP(buf_release) struct buf letters = BUF_INIT(CODE_LETTERS);
        random_bytes(bytes, sizeof(bytes));
        base32_append(&letters, (slice){bytes, sizeof(bytes)});
        ASSERT(letters.len == CODE_LETTERS);
        sha256(buf_slice(&letters), out->hashes[i]);
        char *text = out->texts[i];
        for (size_t k = 0; k < CODE_LETTERS; k++) {
            if (k > 0 && k % GROUP == 0) {
                *text++ = '-';
            }
            *text++ = (char)letters.ptr[k];
        }
        *text = '\0';
        secret_wipe(letters.ptr, letters.len);
        secret_wipe(bytes, sizeof(bytes));
    }
}

/* The letters alone, in upper case. False: too many. */
static bool take_letters(slice typed, uint8_t out[CODE_LETTERS])
{
    size_t len = 0;
    for (size_t i = 0; i < typed.len; i++) {
        uint8_t byte = typed.ptr[i];
        if (byte == '-' || byte == ' ') {
            continue;
        }
        if (len == CODE_LETTERS) {
            return false;
        }
        out[len++] = byte >= 'a' && byte <= 'z' ? (uint8_t)(byte - 'a' + 'A') : byte;
    }
    return len == CODE_LETTERS;
}

bool recovery_code_find(slice typed, const uint8_t (*hashes)[SHA256_BYTES], size_t count,
                        size_t *index_out)
{
    uint8_t letters[CODE_LETTERS] = {0};
    uint8_t hash[SHA256_BYTES];
    bool found = false;
    if (!take_letters(typed, letters)) {
        return false;
    }
    sha256((slice){letters, sizeof(letters)}, hash);
    for (size_t i = 0; i < count; i++) {
        if (secret_equal((slice){hash, sizeof(hash)}, (slice){hashes[i], SHA256_BYTES})) {
            *index_out = i;
            found = true;
        }
    }
    secret_wipe(letters, sizeof(letters));
    return found;
}
