/* SPDX-License-Identifier: Apache-2.0 */
#include "event/fresh_id.h"

#include "os/random.h"

struct uuid fresh_id(int64_t now_us)
{
    uint8_t random[10];
    random_bytes(random, sizeof(random));
    return uuid_make_v7(now_us, random);
}
