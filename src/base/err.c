/* SPDX-License-Identifier: Apache-2.0 */
#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/log.h"
#include "base/slice.h"

enum err diag_fail(struct diag *diag, enum err code, const char *where, const char *format, ...)
{
    if (diag != NULL) {
        va_list args;
        (void)snprintf(diag->where, sizeof(diag->where), "%s", where);
        va_start(args, format);
        (void)vsnprintf(diag->text, sizeof(diag->text), format, args);
        va_end(args);
        cstr_trim(diag->where);
        cstr_trim(diag->text);
    }
    return code;
}

const char *err_name(enum err code)
{
    switch (code) {
    case OK:
        return "ok";
    case ERR_INVALID:
        return "invalid";
    case ERR_NOT_FOUND:
        return "not-found";
    case ERR_DENIED:
        return "denied";
    case ERR_CONFLICT:
        return "conflict";
    case ERR_LIMIT:
        return "limit";
    case ERR_BUSY:
        return "busy";
    case ERR_FULL:
        return "full";
    case ERR_GONE:
        return "gone";
    case ERR_CORRUPT:
        return "corrupt";
    case ERR_IO:
        return "io";
    }
    return "unknown";
}

enum err err_trace(enum err code, const char *file, int line)
{
    if (code == ERR_IO || code == ERR_CORRUPT) { /* a refused request is not worth a trail */
        LOG_DEBUG("error on its way out", kv_str("error", err_name(code)), kv_str("file", file),
                  kv_u64("line", (uint64_t)line));
    }
    return code;
}
