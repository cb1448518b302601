/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON Schema: a schema, a line feed, a document. Whatever they are, a schema is compiled or is
 * refused with a sentence, and a check ends with a sentence or a verdict: the same with a sink and
 * without, and the sink has heard something exactly if the document is invalid.
 */
#include "base/utf8.h"
#include "json/json.h"
#include "validate/schema.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { ARENA_BYTES_MAX = 16 * 1024 * 1024, VIOLATIONS_MAX = 20 };

static void hear(void *context, const struct schema_violation *violation)
{
    size_t *count = context;
    (*count)++;
    ASSERT(violation->message.len > 0 && utf8_is_valid(violation->message));
    ASSERT(violation->pointer.len == 0 || violation->pointer.ptr[0] == '/');
    ASSERT(violation->expected.len > 0);
}

static void check(const struct schema *schema, slice document)
{
    size_t heard = 0;
    bool is_valid = false;
    bool is_valid_quickly = false;
    struct diag diag = {0};
    const struct schema_sink sink = {hear, &heard, VIOLATIONS_MAX};
    enum err error = schema_check(schema, document, &sink, &is_valid, &diag);
    ASSERT(error == OK || diag.text[0] != '\0');
    if (error == OK) {
        ASSERT(is_valid == (heard == 0) && heard <= VIOLATIONS_MAX);
        /* Less work than with a sink, so it cannot be too much. */
        ASSERT(schema_check(schema, document, NULL, &is_valid_quickly, NULL) == OK);
        ASSERT(is_valid == is_valid_quickly);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(arena_release) struct arena arena = ARENA_INIT(ARENA_BYTES_MAX);
    CLEANUP(buf_release) struct buf compact = BUF_INIT(ARENA_BYTES_MAX);
    OWNED(schema) schema = NULL;
    struct diag diag = {0};
    const uint8_t *end = size > 0 ? memchr(data, '\n', size) : NULL;
    if (end == NULL) {
        return 0;
    }
    slice document = {end + 1, size - (size_t)(end - data) - 1};
    enum err error = schema_compile((slice){data, (size_t)(end - data)}, &schema, &diag);
    ASSERT((error == OK) == (schema != NULL));
    if (error != OK) {
        ASSERT(diag.text[0] != '\0' && utf8_is_valid(slice_from_cstr(diag.text)));
        return 0;
    }
    check(schema, document); /* as it is: white space and damage are refused there */
    if (json_check(document, JSON_DEPTH_MAX, &arena, NULL, NULL) == OK) {
        json_compact(document, &compact);
        check(schema, buf_slice(&compact));
    }
    return 0;
}
