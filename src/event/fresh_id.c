/* SPDX-License-Identifier: Apache-2.0 */
#include "event/fresh_id.h"

#include <errno.h>
#include <sys/random.h>

enum {
    ID_RANDOM_BYTES = 10,
    POOL_BYTES = 25 * ID_RANDOM_BYTES, /* getrandom() never gives fewer than asked up to 256 */
};

/* One call to the kernel for 25 ids. Used bytes are wiped, so that a dump of memory says nothing
 * about ids that were given out. */
static _Thread_local uint8_t pool[POOL_BYTES];
static _Thread_local size_t pool_left;

static enum err fill_pool(struct diag *diag)
{
    ssize_t got = -1;
    do {
        got = getrandom(pool, sizeof(pool), 0);
    } while (got < 0 && errno == EINTR);
    if (got != (ssize_t)sizeof(pool)) {
        return diag_fail(diag, ERR_IO, "", "the system gives no random bytes");
    }
    pool_left = sizeof(pool);
    return OK;
}

enum err fresh_id(int64_t now_us, struct uuid *out, struct diag *diag)
{
    if (pool_left < ID_RANDOM_BYTES) {
        TRY(fill_pool(diag));
    }
    pool_left -= ID_RANDOM_BYTES;
    *out = uuid_make_v7(now_us, pool + pool_left);
    memset(pool + pool_left, 0, ID_RANDOM_BYTES);
    return OK;
}
