/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/secret.h"
#include "options/options.h"
#include "os/file.h"

enum { OPTIONS_FILE_BYTES_MAX = 1024 * 1024 };

static enum err read_file(struct options *options, const char *path, struct diag *diag)
{
    CLEANUP(secret_file_release) struct secret_file file = {0}; /* keys, passwords */
    TRY(file_read_path(path, OPTIONS_FILE_BYTES_MAX, &file.bytes, &file.len, diag));
    return options_read_text(options, secret_file_slice(&file), path, diag);
}

/* What the file that the options name says. */
static enum err read_named_file(struct options *options, struct diag *diag)
{
    const char *path = options_text(options, OPTION_CONFIG);
    return path[0] == '\0' ? OK : read_file(options, path, diag);
}

enum err options_load(int argc, char *const *argv, char *const *environment, struct options **out,
                      struct diag *diag)
{
    ASSERT(out != NULL);
    OWNED(options) options = options_new();
    TRY(options_read_flags(options, argc, argv, diag));
    TRY(options_read_environment(options, environment, diag));
    /* Only now is it known which file; what it says is weaker than all that was read before. */
    TRY(read_named_file(options, diag));
    *out = MOVE(options);
    return OK;
}

enum err options_reload(const struct options *options, struct options **out, struct diag *diag)
{
    OWNED(options) copy = options_copy(options);
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        options_unset(copy, (enum option)i, OPTION_FROM_FILE);
    }
    TRY(read_named_file(copy, diag));
    *out = MOVE(copy);
    return OK;
}
