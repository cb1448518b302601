/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests of POST /api/v1/validate. Whatever is sent: it is refused with a sentence, or there is a
 * result whose status and counts agree, and which is written as valid JSON.
 */
#include "base/utf8.h"
#include "json/json.h"
#include "rules/rules.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define NOW_US INT64_C(1768435200000000)

enum { ANSWER_BYTES_MAX = 16 * 1024 * 1024 };

static void check_answer(const struct rules_result *result)
{
    CLEANUP(arena_release) struct arena arena = ARENA_INIT(ANSWER_BYTES_MAX);
    CLEANUP(buf_release) struct buf answer = BUF_INIT(ANSWER_BYTES_MAX);
    struct json_writer writer = json_writer_to(&answer);
    json_begin_object(&writer, NULL);
    rules_write(result, &writer);
    ASSERT(json_end(&writer) == OK);
    ASSERT(json_check(buf_slice(&answer), JSON_DEPTH_MAX, &arena, NULL, NULL) == OK);
}

/* Whatever the type is, what is registered for it is the name of the type itself. */
static enum err find_schema(void *owner, slice event_type, struct arena *arena, slice *schema_out,
                            struct diag *diag)
{
    UNUSED(owner);
    return arena_copy(arena, event_type, schema_out)
               ? OK
               : diag_fail(diag, ERR_LIMIT, "", "too much memory");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct rules_context context = {.now_us = NOW_US, .find_schema = find_schema};
    CLEANUP(arena_release) struct arena arena = ARENA_INIT(RULES_MEMORY_BYTES_MAX);
    struct rules_result result = {0};
    struct diag diag = {0};
    if (rules_run((slice){data, size}, &context, &arena, &result, &diag) != OK) {
        ASSERT(diag.text[0] != '\0' && utf8_is_valid(slice_from_cstr(diag.text)));
        return 0;
    }
    ASSERT((result.status == RULES_FAILED) == (result.error_count > 0));
    ASSERT((result.status == RULES_PASSED) == (result.error_count + result.warning_count == 0));
    ASSERT(result.violation_count <= result.error_count + result.warning_count);
    check_answer(&result);
    return 0;
}
