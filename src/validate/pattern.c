/* SPDX-License-Identifier: Apache-2.0 */
#include "validate/pattern.h"

enum err pattern_search(struct regex *pattern, slice text, struct work *work, bool *found_out,
                        struct diag *diag)
{
    enum err searched = regex_search(pattern, text, &work->left, found_out);
    if (searched == ERR_INVALID) {
        return diag_fail(diag, ERR_INVALID, "", "a text is not UTF-8");
    }
    if (searched != OK) {
        return diag_fail(diag, searched, "", "a pattern takes too many steps for this document");
    }
    return OK;
}
