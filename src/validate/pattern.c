/* SPDX-License-Identifier: Apache-2.0 */
#include "validate/pattern.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "base/mem.h"

enum {
    PASSED_BYTES = 16, /* of text, for a unit of work */
    CALL_UNITS = 10,
    HEAP_KIB_MAX = 4096,
    JIT_STACK_FIRST_BYTES = 32 * 1024,
    JIT_STACK_BYTES_MAX = 512 * 1024,
};

/* What one search needs for itself. */
struct search {
    pcre2_match_data *data;
    pcre2_match_context *context;
    pcre2_jit_stack *stack; /* NULL where there is no JIT */
};

struct pattern {
    pcre2_code *code;
    size_t blind_bytes; /* what one item may read and then fail, without passing it */
    /* One search waits here for the next; a thread that finds none makes its own. */
    _Atomic(struct search *) spare;
};

/* Counts while a search runs. */
struct meter {
    uint64_t left, for_each; /* units; the second for every item */
    size_t at;               /* where in the text the item before stood */
};

static int count_item(pcre2_callout_block *block, void *context)
{
    struct meter *meter = context;
    size_t at = block->current_position;
    size_t passed = at > meter->at ? at - meter->at : meter->at - at;
    uint64_t units = meter->for_each + passed / PASSED_BYTES;
    meter->at = at;
    if (units > meter->left) {
        meter->left = 0;
        return PCRE2_ERROR_CALLOUT;
    }
    meter->left -= units;
    return 0;
}

static void search_free(struct search *search)
{
    if (search == NULL) {
        return;
    }
    pcre2_match_data_free(search->data);
    pcre2_match_context_free(search->context);
    pcre2_jit_stack_free(search->stack);
    free(search);
}

static struct search *search_new(void)
{
    struct search *search = mem_zeroed(sizeof(*search));
    search->data = pcre2_match_data_create(1, NULL);
    search->context = pcre2_match_context_create(NULL);
    ASSERT(search->data != NULL && search->context != NULL);
    (void)pcre2_set_match_limit(search->context, UINT32_MAX); /* the meter is stricter */
    (void)pcre2_set_heap_limit(search->context, HEAP_KIB_MAX);
    search->stack = pcre2_jit_stack_create(JIT_STACK_FIRST_BYTES, JIT_STACK_BYTES_MAX, NULL);
    if (search->stack != NULL) {
        pcre2_jit_stack_assign(search->context, NULL, search->stack);
    }
    return search;
}

static bool has(slice text, const char *part)
{
    size_t len = strlen(part);
    return memmem(text.ptr, text.len, part, len) != NULL;
}

/* The largest number behind a brace: a{500} reads up to 500 characters and may fail then. Back
 * references, \X and verbs may read all of the text. What merely looks like one of them costs more
 * than it had to, as \x{263a}. */
static size_t blind_bytes_of(slice text)
{
    if (has(text, "\\g") || has(text, "\\k") || has(text, "(?P=") || has(text, "\\X") ||
        has(text, "(*")) {
        return SIZE_MAX;
    }
    size_t most = 0;
    for (size_t i = 0; i + 1 < text.len; i++) {
        uint8_t next = text.ptr[i + 1];
        if (text.ptr[i] == '\\' && next >= '1' && next <= '9') {
            return SIZE_MAX;
        }
        size_t number = 0;
        bool is_bound = text.ptr[i] == '{' || text.ptr[i] == ',';
        for (size_t j = i + 1; is_bound && j < text.len && j < i + 6; j++) {
            bool is_digit = (unsigned)text.ptr[j] - '0' <= 9;
            number = is_digit ? number * 10 + (size_t)(text.ptr[j] - '0') : number;
            is_bound = is_digit;
        }
        most = number > most ? number : most;
    }
    return most * 4; /* bytes of a character */
}

enum err pattern_compile(slice text, struct pattern **out, size_t *offset_out,
                         char message[PATTERN_MESSAGE_BYTES])
{
    const uint32_t options =
        PCRE2_UTF | PCRE2_DOLLAR_ENDONLY | PCRE2_NEVER_BACKSLASH_C | PCRE2_AUTO_CALLOUT;
    int code = 0;
    PCRE2_SIZE offset = 0;
    ASSERT(text.len <= PATTERN_BYTES_MAX);
    const uint8_t *bytes = text.len > 0 ? text.ptr : (const uint8_t *)"";
    pcre2_code *compiled = pcre2_compile(bytes, text.len, options, &code, &offset, NULL);
    if (compiled == NULL) {
        PCRE2_UCHAR sentence[PATTERN_MESSAGE_BYTES] = {0};
        (void)pcre2_get_error_message(code, sentence, sizeof(sentence));
        (void)snprintf(message, PATTERN_MESSAGE_BYTES, "%s", (const char *)sentence);
        *offset_out = offset;
        return ERR_INVALID;
    }
    (void)pcre2_jit_compile(compiled, PCRE2_JIT_COMPLETE); /* without JIT it is slower, no more */
    struct pattern *pattern = mem_zeroed(sizeof(*pattern));
    pattern->code = compiled;
    pattern->blind_bytes = blind_bytes_of(text);
    *out = pattern;
    return OK;
}

void pattern_free(struct pattern *pattern)
{
    if (pattern == NULL) {
        return;
    }
    search_free(atomic_load(&pattern->spare));
    pcre2_code_free(pattern->code);
    free(pattern);
}

enum err pattern_search(struct pattern *pattern, slice text, struct work *work, bool *found_out,
                        struct diag *diag)
{
    size_t blind = pattern->blind_bytes < text.len ? pattern->blind_bytes : text.len;
    TRY(work_take(work, CALL_UNITS + text.len / PASSED_BYTES, diag)); /* to find a first byte */
    uint64_t given = work->left < PATTERN_WORK_MAX ? work->left : PATTERN_WORK_MAX;
    struct meter meter = {.left = given, .for_each = 1 + blind / PASSED_BYTES};
    struct search *search = atomic_exchange(&pattern->spare, NULL);
    if (search == NULL) {
        search = search_new();
    }
    (void)pcre2_set_callout(search->context, count_item, &meter);
    const uint8_t *bytes = text.len > 0 ? text.ptr : (const uint8_t *)"";
    int found = pcre2_match(pattern->code, bytes, text.len, 0, 0, search->data, search->context);
    search_free(atomic_exchange(&pattern->spare, search));
    work->left -= given - meter.left;
    if (found >= 0 || found == PCRE2_ERROR_NOMATCH) {
        *found_out = found >= 0;
        return OK;
    }
    if (found <= PCRE2_ERROR_UTF8_ERR1 && found >= PCRE2_ERROR_UTF8_ERR21) {
        return diag_fail(diag, ERR_INVALID, "", "a text is not UTF-8");
    }
    return diag_fail(diag, ERR_LIMIT, "", "a pattern takes too many steps for this document");
}
