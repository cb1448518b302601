/* SPDX-License-Identifier: Apache-2.0 */
/*
 * RFC 4226, section 5.3: of the HMAC-SHA-1 of the step's number, the low four bits of the last byte
 * say at which byte to begin; the 31 bits that follow, modulo 10^digits, are the code.
 */
#include "crypto/totp.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "crypto/secret.h"
#include "crypto/sha256.h"

enum { SHA1_BYTES = 20, STEP_BYTES = 8 };

#define STEP_US ((int64_t)TOTP_STEP_S * 1000000)

uint64_t totp_step(int64_t time_us)
{
    ASSERT(time_us >= 0);
    return (uint64_t)(time_us / STEP_US);
}

void totp_code(slice secret, uint64_t step, char out[TOTP_DIGITS + 1])
{
    static const uint8_t none[1];
    uint8_t message[STEP_BYTES];
    uint8_t hash[SHA1_BYTES];
    ASSERT(secret.len <= INT32_MAX);
    for (size_t i = 0; i < STEP_BYTES; i++) {
        message[i] = (uint8_t)(step >> (56 - 8 * i));
    }
    ASSERT(HMAC(EVP_sha1(), secret.len > 0 ? secret.ptr : none, (int)secret.len, message,
                sizeof(message), hash, NULL) != NULL);
    const uint8_t *four = hash + (hash[SHA1_BYTES - 1] & 15);
    uint32_t number = (uint32_t)(four[0] & 0x7f) << 24 | (uint32_t)four[1] << 16 |
                      (uint32_t)four[2] << 8 | four[3];
    for (size_t i = TOTP_DIGITS; i > 0; i--) {
        out[i - 1] = (char)('0' + number % 10);
        number /= 10;
    }
    out[TOTP_DIGITS] = '\0';
    secret_wipe(hash, sizeof(hash));
}

bool totp_verify(slice secret, slice code, int64_t now_us, uint64_t last_step, uint64_t *step_out)
{
    uint64_t now = totp_step(now_us);
    uint64_t first = now > TOTP_WINDOW_STEPS ? now - TOTP_WINDOW_STEPS : 0;
    uint64_t found = 0;
    for (uint64_t step = first; step <= now + TOTP_WINDOW_STEPS; step++) {
        char expected[TOTP_DIGITS + 1];
        totp_code(secret, step, expected);
        bool is_equal = secret_equal(code, (slice){(uint8_t *)expected, TOTP_DIGITS});
        found = is_equal && step > last_step ? step : found;
        secret_wipe(expected, sizeof(expected));
    }
    if (found == 0) {
        return false;
    }
    *step_out = found;
    return true;
}
