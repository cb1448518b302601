/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/secret_weakness.h"

#include "base/macros.h"

enum { LEAST_BYTES = 12, LEAST_DISTINCT = 6 };

/* None so short that a random secret may hold it: six letters are in one of 30 million. */
static const char *const placeholders[] = {
    "changeme", "change-me", "change_me",  "placeholder", "example",    "password", "passw0rd",
    "secret",   "default",   "admin123",   "letmein",     "qwerty",     "12345678", "yourkey",
    "your-key", "your_key",  "replace-me", "replaceme",   "replace_me",
};

static size_t count_distinct(slice text)
{
    bool seen[256] = {false};
    size_t count = 0;
    for (size_t i = 0; i < text.len; i++) {
        count += seen[text.ptr[i]] ? 0 : 1;
        seen[text.ptr[i]] = true;
    }
    return count;
}

const char *secret_weakness(slice secret)
{
    if (secret.len == 0) {
        return "is missing";
    }
    for (size_t i = 0; i < COUNT_OF(placeholders); i++) {
        if (slice_holds_any_case(secret, slice_from_cstr(placeholders[i]))) {
            return "looks like a placeholder";
        }
    }
    if (secret.len < LEAST_BYTES) {
        return "is shorter than 12 characters";
    }
    return count_distinct(secret) < LEAST_DISTINCT ? "repeats itself" : NULL;
}
