/* SPDX-License-Identifier: Apache-2.0 */
#include "base/hash.h"

#include <sys/auxv.h>

uint64_t hash_secret(void)
{
    uint64_t words[2] = {0};
    const void *random = (const void *)getauxval(AT_RANDOM); /* NOLINT: an address as a number */
    if (random != NULL) {
        memcpy(words, random, sizeof(words));
    }
    return hash_u64(words[0], words[1]);
}
