/* SPDX-License-Identifier: Apache-2.0 */
#include "filter/regex.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "base/mem.h"

enum {
    MATCH_STEPS_MAX = 100000, /* about a millisecond */
    MATCH_HEAP_KIB_MAX = 4096,
    JIT_STACK_FIRST_BYTES = 32 * 1024,
    JIT_STACK_BYTES_MAX = 512 * 1024,
};

/* What one match needs for itself. */
struct regex_scratch {
    pcre2_match_data *data;
    pcre2_match_context *context;
    pcre2_jit_stack *stack; /* NULL where there is no JIT */
};

struct filter_regex {
    pcre2_code *code;
    /* One scratch waits here between matches. A thread that finds none makes its own, and the
     * last to return one wins: a second slot was not worth its lines. */
    _Atomic(struct regex_scratch *) spare;
};

static void scratch_free(struct regex_scratch *scratch)
{
    if (scratch == NULL) {
        return;
    }
    pcre2_match_data_free(scratch->data);
    pcre2_match_context_free(scratch->context);
    pcre2_jit_stack_free(scratch->stack);
    free(scratch);
}

static struct regex_scratch *scratch_new(void)
{
    struct regex_scratch *scratch = mem_zeroed(sizeof(*scratch));
    scratch->data = pcre2_match_data_create(1, NULL);
    scratch->context = pcre2_match_context_create(NULL);
    ASSERT(scratch->data != NULL && scratch->context != NULL);
    (void)pcre2_set_match_limit(scratch->context, MATCH_STEPS_MAX);
    (void)pcre2_set_heap_limit(scratch->context, MATCH_HEAP_KIB_MAX);
    scratch->stack = pcre2_jit_stack_create(JIT_STACK_FIRST_BYTES, JIT_STACK_BYTES_MAX, NULL);
    if (scratch->stack != NULL) {
        pcre2_jit_stack_assign(scratch->context, NULL, scratch->stack);
    }
    return scratch;
}

enum err regex_compile(slice pattern, struct filter_regex **out, size_t *offset_out,
                       char message[REGEX_MESSAGE_BYTES])
{
    int code = 0;
    PCRE2_SIZE offset = 0;
    const uint8_t *bytes = pattern.len > 0 ? pattern.ptr : (const uint8_t *)"";
    pcre2_code *compiled = pcre2_compile(bytes, pattern.len,
                                         PCRE2_UTF | PCRE2_DOLLAR_ENDONLY | PCRE2_NEVER_BACKSLASH_C,
                                         &code, &offset, NULL);
    if (compiled == NULL) {
        PCRE2_UCHAR sentence[REGEX_MESSAGE_BYTES] = {0};
        (void)pcre2_get_error_message(code, sentence, sizeof(sentence));
        (void)snprintf(message, REGEX_MESSAGE_BYTES, "%s", (const char *)sentence);
        *offset_out = offset;
        return ERR_INVALID;
    }
    (void)pcre2_jit_compile(compiled, PCRE2_JIT_COMPLETE); /* without JIT it is slower, no more */
    struct filter_regex *regex = mem_zeroed(sizeof(*regex));
    regex->code = compiled;
    *out = regex;
    return OK;
}

void regex_free(struct filter_regex *regex)
{
    if (regex == NULL) {
        return;
    }
    scratch_free(atomic_load(&regex->spare));
    pcre2_code_free(regex->code);
    free(regex);
}

bool regex_match(struct filter_regex *regex, slice text)
{
    struct regex_scratch *scratch = atomic_exchange(&regex->spare, NULL);
    if (scratch == NULL) {
        scratch = scratch_new();
    }
    const uint8_t *bytes = text.len > 0 ? text.ptr : (const uint8_t *)"";
    int found = pcre2_match(regex->code, bytes, text.len, 0, 0, scratch->data, scratch->context);
    scratch_free(atomic_exchange(&regex->spare, scratch));
    return found >= 0; /* past a limit, or text that is not UTF-8: no match */
}
