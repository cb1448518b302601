/* SPDX-License-Identifier: Apache-2.0 */
#include "validate/work.h"

/* What one unit pays for, of a scan over text. */
enum { SCANNED_BYTES = 16, LEAST_BYTES = 16, PATTERN_PART_BYTES = 32 };

enum err work_take(struct work *work, uint64_t units, struct diag *diag)
{
    if (units > work->left) {
        work->left = 0;
        return diag_fail(diag, ERR_LIMIT, "", "checking this document is too much work");
    }
    work->left -= units;
    return OK;
}

enum err work_search(struct work *work, struct filter_regex *regex, size_t pattern_bytes,
                     slice text, bool *found_out, struct diag *diag)
{
    static const uint32_t steps[] = {32, 1024, 32768, REGEX_STEPS_MAX};
    uint64_t each = (text.len + LEAST_BYTES) * (1 + pattern_bytes / PATTERN_PART_BYTES);
    for (size_t i = 0; i < COUNT_OF(steps); i++) {
        TRY(work_take(work, 1 + each * steps[i] / SCANNED_BYTES, diag));
        enum err error = regex_search(regex, text, steps[i], found_out);
        if (error != ERR_LIMIT) {
            return error == OK ? OK : diag_fail(diag, error, "", "a text is not UTF-8");
        }
    }
    return diag_fail(diag, ERR_LIMIT, "", "a pattern takes too many steps for this document");
}
