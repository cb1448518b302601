/* SPDX-License-Identifier: Apache-2.0 */
/*
 * replay - runs a fuzz target over every file of its corpus: the gcc half of fuzzing.
 *
 * An empty corpus is a mistake and fails, so that a test which tests nothing cannot pass.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/check.h"
#include "base/mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void replay_file(const char *path)
{
    static uint8_t data[1 << 20];
    FILE *file = fopen(path, "rb");
    ASSERT(file != NULL);
    size_t size = fread(data, 1, sizeof(data), file);
    ASSERT(ferror(file) == 0 && size < sizeof(data));
    (void)fclose(file);

    /* Its own allocation, of just this size, so that ASan sees a read past the end. */
    uint8_t *input = mem_zeroed(size > 0 ? size : 1);
    for (size_t i = 0; i < size; i++) {
        input[i] = data[i];
    }
    (void)LLVMFuzzerTestOneInput(input, size);
    free(input);
}

int main(int argc, char **argv)
{
    ASSERT(argc == 2);
    DIR *dir = opendir(argv[1]);
    ASSERT(dir != NULL);
    size_t count = 0;
    for (struct dirent *entry = readdir(dir); entry != NULL; entry = readdir(dir)) {
        if (entry->d_name[0] == '.') {
            continue;
        }
        char path[4096];
        int len = snprintf(path, sizeof(path), "%s/%s", argv[1], entry->d_name);
        ASSERT(len > 0 && (size_t)len < sizeof(path));
        replay_file(path);
        count++;
    }
    (void)closedir(dir);
    ASSERT(count > 0);
    (void)printf("%zu inputs\n", count);
    return 0;
}
