/* SPDX-License-Identifier: Apache-2.0 */
#include "filter/regex.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "base/mem.h"
#include "filter/regex_cost.h"

enum {
    SEARCH_STEPS = 10, /* that any search takes */
    READ_BYTES = 16,   /* of text, for a step */
    QUICK_READS_MAX = 16 * 1000 * 1000,
    QUICK_TRIES_MAX = 1000,
    WAYS_MAX = 10000,
    GROUPS_MAX = 64,   /* in one another */
    SCRIPT_STEPS = 16, /* a script run costs so many times what other reading does */
    HEAP_KIB_MAX = 4096,
    JIT_STACK_FIRST_BYTES = 32 * 1024,
    JIT_STACK_BYTES_MAX = 512 * 1024,
};

/* What one search needs for itself. */
struct scratch {
    pcre2_match_data *data;
    pcre2_match_context *context;
    pcre2_jit_stack *stack; /* NULL where there is no JIT */
};

enum way { QUICK, METERED };

struct regex {
    _Atomic(pcre2_code *) codes[2]; /* by enum way; made when the first search needs it */
    bool is_anchored;
    struct regex_cost cost;
    /* One scratch waits here between searches. A thread that finds none makes its own, and the
     * last to return one wins: a second slot was not worth its lines. */
    _Atomic(struct scratch *) spare;
    size_t len;
    uint8_t pattern[]; /* [len] */
};

/* ---- Scratches ---- */

static void scratch_free(struct scratch *scratch)
{
    if (scratch == NULL) {
        return;
    }
    pcre2_match_data_free(scratch->data);
    pcre2_match_context_free(scratch->context);
    pcre2_jit_stack_free(scratch->stack);
    free(scratch);
}

static struct scratch *scratch_new(void)
{
    struct scratch *scratch = mem_zeroed(sizeof(*scratch));
    scratch->data = pcre2_match_data_create(1, NULL);
    scratch->context = pcre2_match_context_create(NULL);
    ASSERT(scratch->data != NULL && scratch->context != NULL);
    (void)pcre2_set_heap_limit(scratch->context, HEAP_KIB_MAX);
    scratch->stack = pcre2_jit_stack_create(JIT_STACK_FIRST_BYTES, JIT_STACK_BYTES_MAX, NULL);
    if (scratch->stack != NULL) {
        pcre2_jit_stack_assign(scratch->context, NULL, scratch->stack);
    }
    return scratch;
}

static struct scratch *take_scratch(struct regex *regex)
{
    struct scratch *scratch = atomic_exchange(&regex->spare, NULL);
    return scratch != NULL ? scratch : scratch_new();
}

static void give_scratch(struct regex *regex, struct scratch *scratch)
{
    scratch_free(atomic_exchange(&regex->spare, scratch));
}

/* ---- Compiling ---- */

static pcre2_code *compile(slice pattern, enum way way, int *code_out, PCRE2_SIZE *offset_out)
{
    const uint32_t options = PCRE2_UTF | PCRE2_DOLLAR_ENDONLY | PCRE2_NEVER_BACKSLASH_C |
                             (way == METERED ? PCRE2_AUTO_CALLOUT : 0);
    const uint8_t *bytes = pattern.len > 0 ? pattern.ptr : (const uint8_t *)"";
    return pcre2_compile(bytes, pattern.len, options, code_out, offset_out, NULL);
}

/* The code of one way. Threads that need it first at the same time each make it; one is kept. */
static const pcre2_code *code_of(struct regex *regex, enum way way)
{
    pcre2_code *code = atomic_load(&regex->codes[way]);
    if (code != NULL) {
        return code;
    }
    int ignored = 0;
    PCRE2_SIZE offset = 0;
    pcre2_code *made = compile((slice){regex->pattern, regex->len}, way, &ignored, &offset);
    ASSERT(made != NULL);                              /* the same pattern was compiled before */
    (void)pcre2_jit_compile(made, PCRE2_JIT_COMPLETE); /* without JIT it is slower, no more */
    if (atomic_compare_exchange_strong(&regex->codes[way], &code, made)) {
        return made;
    }
    pcre2_code_free(made);
    return code;
}

static struct regex *regex_new(slice pattern, const pcre2_code *code)
{
    struct regex *regex = mem_zeroed(sizeof(*regex) + pattern.len);
    uint32_t options = 0;
    (void)pcre2_pattern_info(code, PCRE2_INFO_ALLOPTIONS, &options);
    regex->is_anchored = (options & PCRE2_ANCHORED) != 0;
    regex->cost = regex_cost_of(pattern);
    regex->len = pattern.len;
    if (pattern.len > 0) {
        memcpy(regex->pattern, pattern.ptr, pattern.len);
    }
    return regex;
}

enum err regex_compile(slice pattern, struct regex **out, size_t *offset_out,
                       char message[REGEX_MESSAGE_BYTES])
{
    int code = 0;
    PCRE2_SIZE offset = 0;
    ASSERT(pattern.len <= REGEX_BYTES_MAX);
    pcre2_code *compiled = compile(pattern, METERED, &code, &offset); /* the larger one */
    if (compiled == NULL) {
        PCRE2_UCHAR sentence[REGEX_MESSAGE_BYTES] = {0};
        (void)pcre2_get_error_message(code, sentence, sizeof(sentence));
        (void)snprintf(message, REGEX_MESSAGE_BYTES, "%s", (const char *)sentence);
        *offset_out = offset;
        return ERR_INVALID;
    }
    *out = regex_new(pattern, compiled);
    pcre2_code_free(compiled);
    return OK;
}

void regex_free(struct regex *regex)
{
    if (regex == NULL) {
        return;
    }
    scratch_free(atomic_load(&regex->spare));
    pcre2_code_free(atomic_load(&regex->codes[QUICK]));
    pcre2_code_free(atomic_load(&regex->codes[METERED]));
    free(regex);
}

/* ---- Searching ---- */

static int run(struct regex *regex, enum way way, slice text, uint32_t options,
               struct scratch *scratch)
{
    const uint8_t *bytes = text.len > 0 ? text.ptr : (const uint8_t *)"";
    return pcre2_match(code_of(regex, way), bytes, text.len, 0, options, scratch->data,
                       scratch->context);
}

/* Counts while a metered search runs. */
struct meter {
    uint64_t left, for_each; /* steps; the second for every item */
    size_t at;               /* where in the text the item before stood */
    bool has_references;
};

/* What a reference may read, and the looking. */
static uint64_t for_groups(const pcre2_callout_block *block)
{
    size_t longest = 0;
    for (uint32_t i = 1; i < block->capture_top; i++) {
        size_t from = block->offset_vector[2 * i];
        size_t to = block->offset_vector[2 * i + 1];
        bool is_set = from != PCRE2_UNSET && to != PCRE2_UNSET && to > from;
        longest = is_set && to - from > longest ? to - from : longest;
    }
    return longest / READ_BYTES + block->capture_top / READ_BYTES;
}

static int count_item(pcre2_callout_block *block, void *context)
{
    struct meter *meter = context;
    size_t at = block->current_position;
    size_t passed = at > meter->at ? at - meter->at : meter->at - at;
    uint64_t steps = meter->for_each + passed / READ_BYTES;
    steps += meter->has_references ? for_groups(block) : 0;
    meter->at = at;
    if (steps > meter->left) {
        meter->left = 0;
        return PCRE2_ERROR_CALLOUT;
    }
    meter->left -= steps;
    return 0;
}

static enum err judge(int found, bool *found_out)
{
    if (found >= 0 || found == PCRE2_ERROR_NOMATCH) {
        *found_out = found >= 0;
        return OK;
    }
    bool is_text = found > PCRE2_ERROR_UTF8_ERR1 || found < PCRE2_ERROR_UTF8_ERR21;
    return is_text ? ERR_LIMIT : ERR_INVALID;
}

static enum err search(struct regex *regex, slice text, uint32_t options, uint64_t *steps,
                       bool *found_out)
{
    uint64_t first = SEARCH_STEPS + text.len / READ_BYTES; /* also to find a first byte */
    if (*steps < first) {
        *steps = 0;
        return ERR_LIMIT;
    }
    *steps -= first;
    size_t reach = regex->cost.reach_bytes < text.len ? regex->cost.reach_bytes : text.len;
    reach *= regex->cost.has_verbs ? SCRIPT_STEPS : 1;
    uint64_t given = *steps < REGEX_STEPS_MAX ? *steps : REGEX_STEPS_MAX;
    struct meter meter = {
        .left = given,
        .for_each = 1 + reach / READ_BYTES,
        .has_references = regex->cost.has_references,
    };
    struct scratch *scratch = take_scratch(regex);
    (void)pcre2_set_match_limit(scratch->context, UINT32_MAX); /* the meter is stricter */
    (void)pcre2_set_callout(scratch->context, count_item, &meter);
    int found = run(regex, METERED, text, options, scratch);
    give_scratch(regex, scratch);
    *steps -= given - meter.left;
    return judge(found, found_out);
}

enum err regex_search(struct regex *regex, slice text, uint64_t *steps, bool *found_out)
{
    return search(regex, text, 0, steps, found_out);
}

/* How often a quick search may try at each place, so that all it can read is QUICK_READS_MAX; 0: it
 * is not to be begun. */
static uint32_t quick_tries(const struct regex *regex, size_t len)
{
    size_t reach = (regex->cost.quick_reach_bytes < len ? regex->cost.quick_reach_bytes : len) + 1;
    size_t places = regex->is_anchored ? 1 : len + 1;
    size_t most = QUICK_TRIES_MAX + 2 * len; /* no pattern of good will needs more */
    size_t tries = regex->cost.ways > 0 ? QUICK_READS_MAX / regex->cost.ways / reach / places : 0;
    return (uint32_t)(tries < most ? tries : most);
}

bool regex_match(struct regex *regex, slice text)
{
    uint32_t tries = quick_tries(regex, text.len);
    uint64_t steps = REGEX_STEPS_FIRST + REGEX_STEPS_BYTE * (uint64_t)text.len;
    uint32_t options = 0;
    bool found = false;
    if (tries > 0) {
        struct scratch *scratch = take_scratch(regex);
        (void)pcre2_set_match_limit(scratch->context, tries);
        (void)pcre2_set_callout(scratch->context, NULL, NULL);
        enum err quick = judge(run(regex, QUICK, text, 0, scratch), &found);
        give_scratch(regex, scratch);
        if (quick != ERR_LIMIT) {
            return quick == OK && found;
        }
        options = PCRE2_NO_UTF_CHECK;
    }
    return search(regex, text, options, &steps, &found) == OK && found;
}
