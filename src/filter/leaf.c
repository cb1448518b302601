/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/address.h"
#include "codec/time.h"
#include "filter/regex.h"
#include "filter/syntax.h"
#include "filter/values.h"
#include "filter/words.h"
#include "json/json.h"

/* What it takes to make a leaf, in one place. */
struct maker {
    const struct leaf_source *source;
    const struct filter_context *context;
    struct arena *arena;
    struct diag *diag;
};

static enum err fail_operand(const struct maker *maker, enum err code, const char *text)
{
    return syntax_fail(maker->diag, code, maker->source->raw_offset, "%s", text);
}

static bool is_comparison(enum filter_op op)
{
    return op == FILTER_LESS || op == FILTER_LESS_EQUAL || op == FILTER_GREATER ||
           op == FILTER_GREATER_EQUAL;
}

static bool is_text_op(enum filter_op op)
{
    return op == FILTER_PREFIX || op == FILTER_REGEX;
}

static enum err keep_text(const struct maker *maker, const void *bytes, size_t len,
                          struct filter *leaf)
{
    if (!arena_copy(maker->arena, (slice){bytes, len}, &leaf->text)) {
        return fail_operand(maker, ERR_LIMIT, "the filter is too large");
    }
    return OK;
}

static enum err keep_lower(const struct maker *maker, struct filter *leaf)
{
    uint8_t *lower = arena_take(maker->arena, leaf->text.len);
    if (lower == NULL) {
        return fail_operand(maker, ERR_LIMIT, "the filter is too large");
    }
    for (size_t i = 0; i < leaf->text.len; i++) {
        uint8_t byte = leaf->text.ptr[i];
        lower[i] = byte >= 'A' && byte <= 'Z' ? (uint8_t)(byte | 0x20) : byte;
    }
    leaf->text.ptr = lower;
    return OK;
}

static enum err keep_time(const struct maker *maker, int64_t us, struct filter *leaf)
{
    char text[TIME_TEXT_BYTES];
    time_format_rfc3339(us, text);
    leaf->number = us;
    return keep_text(maker, text, sizeof(text), leaf);
}

static enum err fail_type(const struct maker *maker, const struct filter *leaf, const char *is)
{
    return syntax_fail(maker->diag, ERR_INVALID, maker->source->raw_offset,
                       is_comparison(leaf->op)
                           ? "< <= > >= compare times, numbers and severities; %.*s is %s"
                           : "* and ~ work on text; %.*s is %s",
                       SLICE_ARG(fields[leaf->field].name), is);
}

static enum err set_time(const struct maker *maker, struct filter *leaf)
{
    int64_t us = 0;
    if (is_text_op(leaf->op)) {
        return fail_type(maker, leaf, "a time: use since: and until:, or < and >");
    }
    if (!filter_parse_time(leaf->text, maker->context->now_us, &us)) {
        return fail_operand(maker, ERR_INVALID,
                            "expected a time: 2026-01-31T10:00:00Z, 2026-01-31, 24h, 7d, today, "
                            "yesterday, now, or epoch seconds");
    }
    leaf->has_number = true;
    return keep_time(maker, us, leaf);
}

static enum err set_integer(const struct maker *maker, struct filter *leaf)
{
    if (is_text_op(leaf->op)) {
        return fail_type(maker, leaf, "a number");
    }
    slice rest = leaf->text;
    bool negative = slice_take_literal(&rest, SLICE("-"));
    bool is_valid = rest.len > 0;
    int64_t number = 0;
    for (size_t i = 0; is_valid && i < rest.len; i++) {
        is_valid = rest.ptr[i] >= '0' && rest.ptr[i] <= '9' &&
                   !__builtin_mul_overflow(number, 10, &number) &&
                   !__builtin_add_overflow(number, rest.ptr[i] - '0', &number);
    }
    if (!is_valid) {
        return fail_operand(maker, ERR_INVALID, "expected a whole number");
    }
    leaf->number = negative ? -number : number;
    leaf->has_number = true;
    CLEANUP(buf_release) struct buf digits = BUF_INIT(32);
    buf_append_i64(&digits, leaf->number);
    return keep_text(maker, digits.ptr, digits.len, leaf);
}

static enum err set_boolean(const struct maker *maker, struct filter *leaf)
{
    bool is_true = slice_equal(leaf->text, SLICE("true"));
    if (is_text_op(leaf->op) || is_comparison(leaf->op)) {
        return fail_type(maker, leaf, "true or false");
    }
    if (!is_true && !slice_equal(leaf->text, SLICE("false"))) {
        return fail_operand(maker, ERR_INVALID, "expected true or false");
    }
    leaf->number = is_true ? 1 : 0;
    leaf->has_number = true;
    return OK;
}

/* All names a choice may have; choice_rank() says which belong to a field. */
static const slice choice_names[] = {
    SLICE_INIT("debug"),    SLICE_INIT("info"),    SLICE_INIT("low"),       SLICE_INIT("notice"),
    SLICE_INIT("warning"),  SLICE_INIT("medium"),  SLICE_INIT("error"),     SLICE_INIT("high"),
    SLICE_INIT("critical"), SLICE_INIT("alert"),   SLICE_INIT("emergency"), SLICE_INIT("success"),
    SLICE_INIT("failure"),  SLICE_INIT("pending"), SLICE_INIT("denied"),    SLICE_INIT("unknown"),
};

static enum err fail_choice(const struct maker *maker, enum field field)
{
    CLEANUP(buf_release) struct buf names = BUF_INIT(256);
    for (size_t i = 0; i < COUNT_OF(choice_names); i++) {
        if (choice_rank(field, choice_names[i]) >= 0) {
            buf_append_cstr(&names, names.len > 0 ? " " : "");
            buf_append(&names, choice_names[i]);
        }
    }
    return syntax_fail(maker->diag, ERR_INVALID, maker->source->raw_offset, "expected one of %s",
                       buf_cstr(&names));
}

static enum err set_choice(const struct maker *maker, struct filter *leaf)
{
    if (leaf->op == FILTER_REGEX) {
        return OK;
    }
    TRY(keep_lower(maker, leaf));
    if (leaf->op == FILTER_PREFIX) {
        return OK;
    }
    int rank = choice_rank(leaf->field, leaf->text);
    if (rank < 0) {
        return fail_choice(maker, leaf->field);
    }
    leaf->number = rank;
    leaf->has_number = true;
    return OK;
}

static enum err set_address(const struct maker *maker, struct filter *leaf)
{
    char normal[ADDRESS_TEXT_BYTES_MAX];
    size_t len = 0;
    if (is_comparison(leaf->op)) {
        return fail_type(maker, leaf, "an address: use a network such as 10.0.0.0/8");
    }
    if (leaf->op == FILTER_PREFIX) {
        return keep_lower(maker, leaf);
    }
    if (leaf->op == FILTER_REGEX || network_parse(leaf->text, &leaf->network)) {
        return OK;
    }
    if (!address_normalise(leaf->text, normal, &len)) {
        return fail_operand(maker, ERR_INVALID,
                            "expected an address, a network such as 10.0.0.0/8, or a beginning "
                            "such as 10.*");
    }
    return keep_text(maker, normal, len, leaf);
}

static enum err set_uuid(const struct maker *maker, struct filter *leaf)
{
    if (is_comparison(leaf->op)) {
        return fail_type(maker, leaf, "a UUID");
    }
    if (leaf->op == FILTER_REGEX) {
        return OK;
    }
    if (leaf->op == FILTER_EQUAL && !uuid_parse(leaf->text, &leaf->uuid)) {
        return fail_operand(maker, ERR_INVALID,
                            "expected a UUID, as in 0190a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b");
    }
    return keep_lower(maker, leaf);
}

static enum err set_text(const struct maker *maker, struct filter *leaf)
{
    if (is_comparison(leaf->op)) {
        return fail_type(maker, leaf, "text");
    }
    if (leaf->text.len == 0 && leaf->op == FILTER_EQUAL) {
        return fail_operand(maker, ERR_INVALID,
                            "a field is never empty; for one that is absent write NOT field:*");
    }
    return OK;
}

static enum err set_on_field(const struct maker *maker, struct filter *leaf)
{
    switch (fields[leaf->field].type) {
    case TYPE_UUID:
        return set_uuid(maker, leaf);
    case TYPE_TIME:
        return set_time(maker, leaf);
    case TYPE_TEXT:
        return set_text(maker, leaf);
    case TYPE_ADDRESS:
        return set_address(maker, leaf);
    case TYPE_CHOICE:
        return set_choice(maker, leaf);
    case TYPE_INTEGER:
        return set_integer(maker, leaf);
    case TYPE_BOOLEAN:
        return set_boolean(maker, leaf);
    case TYPE_JSON:
        break;
    }
    slice name = fields[leaf->field].name;
    return syntax_fail(maker->diag, ERR_INVALID, maker->source->name_offset,
                       "expected a path into %.*s, as in %.*s.amount", SLICE_ARG(name),
                       SLICE_ARG(name));
}

/* Inside event_data and event_metadata the operand says what it is compared as. */
static enum err set_on_data(const struct maker *maker, struct filter *leaf)
{
    int64_t us = 0;
    if (is_text_op(leaf->op)) {
        return OK;
    }
    leaf->has_number = json_is_number(leaf->text);
    if (leaf->has_number || leaf->op == FILTER_EQUAL) {
        return OK;
    }
    if (!filter_parse_time(leaf->text, maker->context->now_us, &us)) {
        return fail_operand(maker, ERR_INVALID,
                            "< <= > >= compare numbers and times: expected a number, or a time "
                            "such as 2026-01-31T10:00:00Z");
    }
    leaf->has_time = true;
    return keep_time(maker, us, leaf);
}

static enum err set_words(const struct maker *maker, struct filter *leaf)
{
    slice rest = leaf->text;
    slice word = {0};
    size_t count = 0;
    while (words_take(&rest, &word)) {
        count++;
    }
    if (count == 0) {
        return fail_operand(maker, ERR_INVALID, "expected a word: letters, digits or _");
    }
    if (count > FILTER_PHRASE_WORDS_MAX) {
        return fail_operand(maker, ERR_LIMIT, "a phrase has at most 32 words");
    }
    return OK;
}

/*
 * A pattern keeps its backslashes, but for those before a quote, which only the quotes around it
 * needed. `\"` and `"` are the same to PCRE2, so that leaving them out everywhere gives one text.
 */
static enum err read_pattern(const struct maker *maker, slice *out)
{
    slice raw = maker->source->raw;
    uint8_t *text = arena_take(maker->arena, raw.len);
    if (text == NULL) {
        return fail_operand(maker, ERR_LIMIT, "the filter is too large");
    }
    size_t len = 0;
    bool ends_alone = false;
    for (size_t i = 0; i < raw.len; i++) {
        bool is_pair = raw.ptr[i] == '\\' && i + 1 < raw.len;
        ends_alone = raw.ptr[i] == '\\' && !is_pair;
        if (!is_pair || raw.ptr[i + 1] != '"') {
            text[len++] = raw.ptr[i];
        }
        if (is_pair) {
            text[len++] = raw.ptr[++i];
        }
    }
    if (ends_alone) { /* no pattern, or, behind \Q, one that quotes could not be put around */
        return fail_operand(maker, ERR_INVALID,
                            "a regular expression may not end with a lone backslash");
    }
    if (len > REGEX_BYTES_MAX) {
        return fail_operand(maker, ERR_LIMIT, "a regular expression has at most 1024 bytes");
    }
    *out = (slice){text, len};
    return OK;
}

/* Where in `raw` the byte of the pattern at `at` came from. */
static size_t raw_offset_of(slice raw, size_t at)
{
    size_t from = 0;
    for (size_t len = 0; len < at && from < raw.len; len++) {
        bool is_quote = raw.ptr[from] == '\\' && from + 1 < raw.len && raw.ptr[from + 1] == '"';
        from += is_quote ? 2 : 1;
    }
    return from;
}

static enum err compile(const struct maker *maker, struct filter *leaf)
{
    char message[REGEX_MESSAGE_BYTES];
    size_t at = 0;
    if (regex_compile(leaf->text, &leaf->regex, &at, message) != OK) {
        return syntax_fail(maker->diag, ERR_INVALID,
                           maker->source->raw_offset + raw_offset_of(maker->source->raw, at),
                           "in this regular expression: %s", message);
    }
    leaf->regex_count = 1;
    return OK;
}

static enum err set_name(const struct maker *maker, struct filter *leaf)
{
    struct filter_name name = {0};
    if (leaf->op == FILTER_WORDS) {
        leaf->target = FILTER_ON_ANY;
        return OK;
    }
    TRY(syntax_name(maker->source->name, maker->source->name_offset, maker->arena, &name,
                    maker->diag));
    leaf->target = name.target;
    leaf->field = name.target == FILTER_ON_FIELD ? name.field : (enum field)0;
    leaf->path = name.path;
    leaf->path_len = name.path_len;
    if (!name.is_since && !name.is_until) {
        return OK;
    }
    if (leaf->op != FILTER_EQUAL) {
        return fail_operand(maker, ERR_INVALID, "expected since:time or until:time");
    }
    leaf->op = name.is_since ? FILTER_GREATER_EQUAL : FILTER_LESS;
    return OK;
}

static enum err read_operand(const struct maker *maker, struct filter *leaf)
{
    if (leaf->op == FILTER_REGEX) {
        return read_pattern(maker, &leaf->text);
    }
    struct operand operand = {0};
    TRY(syntax_operand(maker->source->raw, maker->source->raw_offset,
                       leaf->op == FILTER_WORDS ? STAR_BETWEEN_WORDS : STAR_AT_END, maker->arena,
                       &operand, maker->diag));
    leaf->text = operand.text;
    if (operand.has_star && leaf->op != FILTER_EQUAL) {
        return fail_operand(maker, ERR_INVALID, "a * at the end works with : and = only");
    }
    if (operand.has_star) {
        leaf->op = FILTER_PREFIX;
    }
    if (leaf->op == FILTER_PREFIX && leaf->text.len == 0) {
        leaf->op = FILTER_PRESENT;
    }
    return OK;
}

static enum err set_operand(const struct maker *maker, struct filter *leaf)
{
    if (leaf->op == FILTER_PRESENT) {
        leaf->text = (slice){0};
        return OK;
    }
    switch (leaf->target) {
    case FILTER_ON_FIELD:
        return set_on_field(maker, leaf);
    case FILTER_ON_DATA:
    case FILTER_ON_METADATA:
        return set_on_data(maker, leaf);
    case FILTER_ON_ANY:
        break;
    }
    return set_words(maker, leaf);
}

enum err leaf_make(const struct leaf_source *source, const struct filter_context *context,
                   struct arena *arena, const struct filter **out, struct diag *diag)
{
    struct maker maker = {source, context, arena, diag};
    struct filter *leaf = arena_take_zeroed(arena, sizeof(*leaf));
    if (leaf == NULL) {
        return fail_operand(&maker, ERR_LIMIT, "the filter is too large");
    }
    leaf->op = source->op;
    leaf->depth = 1;
    leaf->node_count = 1;
    TRY(set_name(&maker, leaf));
    TRY(read_operand(&maker, leaf));
    TRY(set_operand(&maker, leaf));
    if (leaf->op == FILTER_REGEX) {
        TRY(compile(&maker, leaf)); /* last, so that no failure leaves a pattern behind */
    }
    *out = leaf;
    return OK;
}

enum err filter_make_leaf(slice name, enum filter_op op, slice operand,
                          const struct filter_context *context, struct arena *arena,
                          const struct filter **out, struct diag *diag)
{
    ASSERT(op >= FILTER_EQUAL);
    TRY(syntax_check_utf8(name, diag));
    TRY(syntax_check_utf8(operand, diag));
    if (name.len + operand.len > FILTER_TEXT_BYTES_MAX) {
        return syntax_fail(diag, ERR_LIMIT, 0, "a filter has at most 64 KiB of text");
    }
    struct leaf_source source = {.name = name, .op = op, .raw = operand};
    return leaf_make(&source, context, arena, out, diag);
}
