/* SPDX-License-Identifier: Apache-2.0 */
#include "os/system.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/slice.h"

enum {
    PROC_BYTES_MAX = 8192,
};

/* The beginning of a file of /proc; empty when it cannot be read. */
static slice read_proc(const char *path, uint8_t scratch[PROC_BYTES_MAX])
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return (slice){0};
    }
    ssize_t n = read(fd, scratch, PROC_BYTES_MAX);
    (void)close(fd);
    return n > 0 ? (slice){scratch, (size_t)n} : (slice){0};
}

/* The number behind `label`, which stands at the beginning of a line. */
static uint64_t number_of(slice text, slice label)
{
    uint64_t number = 0;
    const uint8_t *at = text.len > 0 ? memmem(text.ptr, text.len, label.ptr, label.len) : NULL;
    if (at == NULL) {
        return 0;
    }
    slice rest = {at + label.len, text.len - (size_t)(at - text.ptr) - label.len};
    slice_skip_spaces(&rest);
    for (; rest.len > 0 && rest.ptr[0] >= '0' && rest.ptr[0] <= '9'; (void)slice_take(&rest, 1)) {
        number = number * 10 + (uint64_t)(rest.ptr[0] - '0');
    }
    return number;
}

static uint64_t microseconds(struct timeval time)
{
    return (uint64_t)time.tv_sec * 1000000 + (uint64_t)time.tv_usec;
}

static uint64_t count_descriptors(void)
{
    DIR *dir = opendir("/proc/self/fd");
    uint64_t count = 0;
    if (dir == NULL) {
        return 0;
    }
    while (readdir(dir) != NULL) {
        count++;
    }
    (void)closedir(dir);
    return count > 3 ? count - 3 : 0; /* ., .. and the one that reads */
}

void system_figures(struct system_figures *out)
{
    uint8_t scratch[PROC_BYTES_MAX];
    double loads[3] = {0};
    struct rusage usage = {0};
    struct rlimit limit = {0};
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    *out = (struct system_figures){.processors = processors > 0 ? (uint64_t)processors : 0};
    if (getloadavg(loads, 3) == 3) {
        out->load_1m = loads[0];
        out->load_5m = loads[1];
        out->load_15m = loads[2];
    }
    if (getrusage(RUSAGE_SELF, &usage) == 0) {
        out->cpu_user_us = microseconds(usage.ru_utime);
        out->cpu_system_us = microseconds(usage.ru_stime);
    }
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        out->descriptors_max = limit.rlim_cur;
    }
    slice text = read_proc("/proc/meminfo", scratch);
    out->memory_total_bytes = number_of(text, SLICE("MemTotal:")) * 1024;
    out->memory_available_bytes = number_of(text, SLICE("MemAvailable:")) * 1024;
    text = read_proc("/proc/self/status", scratch);
    out->resident_bytes = number_of(text, SLICE("VmRSS:")) * 1024;
    out->threads = number_of(text, SLICE("Threads:"));
    out->descriptors = count_descriptors();
}

uint64_t system_raise_descriptors(void)
{
    struct rlimit limit = {0};
    ASSERT(getrlimit(RLIMIT_NOFILE, &limit) == 0);
    struct rlimit raised = {.rlim_cur = limit.rlim_max, .rlim_max = limit.rlim_max};
    if (setrlimit(RLIMIT_NOFILE, &raised) == 0) {
        limit = raised;
    }
    return limit.rlim_cur == RLIM_INFINITY ? UINT64_MAX : limit.rlim_cur;
}
