/* SPDX-License-Identifier: Apache-2.0 */
#include "os/descriptors.h"

#include <sys/resource.h>

#include "base/check.h"

uint64_t descriptors_raise(void)
{
    struct rlimit limit = {0};
    ASSERT(getrlimit(RLIMIT_NOFILE, &limit) == 0);
    struct rlimit raised = {.rlim_cur = limit.rlim_max, .rlim_max = limit.rlim_max};
    if (setrlimit(RLIMIT_NOFILE, &raised) == 0) {
        limit = raised;
    }
    return limit.rlim_cur == RLIM_INFINITY ? UINT64_MAX : limit.rlim_cur;
}
