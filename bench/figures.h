/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * figures - what every bench needs: name=value words of its command line, CPU time of the process,
 * and a pile of samples with its percentiles.
 *
 * Threads: samples have one owner.
 */

#include <stdlib.h>
#include <sys/resource.h>

#include "base/mem.h"
#include "base/slice.h"

/* The text behind "name=" among the arguments; NULL: it is not there. */
static inline const char *words_text(int argc, char **argv, const char *name)
{
    size_t len = strlen(name);
    for (int i = 1; i < argc; i++) {
        if (strncmp(argv[i], name, len) == 0 && argv[i][len] == '=') {
            return argv[i] + len + 1;
        }
    }
    return NULL;
}

static inline uint64_t words_number(int argc, char **argv, const char *name, uint64_t otherwise)
{
    const char *text = words_text(argc, argv, name);
    return text != NULL ? strtoull(text, NULL, 10) : otherwise;
}

/* User and system time of this process so far. */
static inline double figures_cpu_s(void)
{
    struct rusage usage;
    (void)getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

struct samples {
    uint64_t *values;
    size_t count, capacity;
};

static inline void samples_add(struct samples *samples, uint64_t value)
{
    if (samples->count == samples->capacity) {
        samples->capacity = samples->capacity > 0 ? 2 * samples->capacity : 4096;
        samples->values = mem_resize(samples->values, samples->capacity * sizeof(uint64_t));
    }
    samples->values[samples->count++] = value;
}

static inline void samples_release(struct samples *samples)
{
    free(samples->values);
    *samples = (struct samples){0};
}

static inline int samples_compare(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a;
    uint64_t y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* The value that `part` (0..1) of all do not exceed; sorts them. 0 where there is none. */
static inline uint64_t samples_part(struct samples *samples, double part)
{
    if (samples->count == 0) {
        return 0;
    }
    qsort(samples->values, samples->count, sizeof(uint64_t), samples_compare);
    size_t at = (size_t)(part * (double)(samples->count - 1) + 0.5);
    return samples->values[at];
}
