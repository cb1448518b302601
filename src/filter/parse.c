/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The parser: recursive descent, one function for each line of the grammar.
 *
 *   filter  = [ or ]
 *   or      = and { "OR" and }
 *   and     = not { [ "AND" ] not }
 *   not     = { "NOT" | "!" } primary
 *   primary = "(" or ")" | "*" | words | name op value | name ( ":" | "=" | "!=" ) group
 *   group   = { "!" } "(" or ")"            inside, a primary is a value or "(" or ")"
 *
 * Only parentheses recurse, and they are counted. Leaves and nodes wait on one stack until the
 * node above them is complete.
 */
#include "filter/regex.h"
#include "filter/syntax.h"

struct parser {
    slice text;
    size_t at;
    unsigned depth; /* open parentheses */
    const struct filter_context *context;
    struct arena *arena;
    struct diag *diag;
    const struct filter *stack[FILTER_NODES_MAX];
    size_t stack_len;
    struct regex *compiled[FILTER_REGEX_MAX]; /* to be freed if the parse fails */
    size_t compiled_count;
};

/* `field` is what the values of a group are compared with, NULL outside of one. */
static enum err parse_or(struct parser *p, const struct leaf_source *field);

static slice rest_of(const struct parser *p)
{
    return (slice){p->text.ptr + p->at, p->text.len - p->at};
}

static bool at_end(const struct parser *p)
{
    return p->at == p->text.len;
}

static uint8_t peek(const struct parser *p)
{
    return at_end(p) ? 0 : p->text.ptr[p->at];
}

static void skip_blanks(struct parser *p)
{
    while (!at_end(p) && byte_is_blank(peek(p))) {
        p->at++;
    }
}

static bool take_byte(struct parser *p, uint8_t byte)
{
    if (at_end(p) || peek(p) != byte) {
        return false;
    }
    p->at++;
    return true;
}

static bool ends_word(const struct parser *p, size_t at)
{
    if (at >= p->text.len) {
        return true;
    }
    uint8_t byte = p->text.ptr[at];
    return byte_is_blank(byte) || byte == '(' || byte == ')' || byte == '"';
}

/* Keywords are upper case and stand alone. `field:OR` never comes here: it is a value. */
static bool sees_keyword(const struct parser *p, slice keyword)
{
    slice rest = rest_of(p);
    return slice_take_literal(&rest, keyword) && ends_word(p, p->at + keyword.len);
}

static bool take_keyword(struct parser *p, slice keyword)
{
    if (!sees_keyword(p, keyword)) {
        return false;
    }
    p->at += keyword.len;
    return true;
}

static enum err fail(const struct parser *p, enum err code, size_t offset, const char *text)
{
    return syntax_fail(p->diag, code, offset, "%s", text);
}

static enum err push(struct parser *p, const struct filter *filter)
{
    if (p->stack_len == FILTER_NODES_MAX) {
        return fail(p, ERR_LIMIT, p->at, "a filter has at most 1000 terms");
    }
    p->stack[p->stack_len++] = filter;
    return OK;
}

/* Replaces what was pushed since `base` by one node. */
static enum err combine(struct parser *p, size_t base, enum filter_op op)
{
    size_t count = p->stack_len - base;
    const struct filter *node = NULL;
    enum err made = op == FILTER_AND ? filter_make_and(p->arena, p->stack + base, count, &node)
                                     : filter_make_or(p->arena, p->stack + base, count, &node);
    if (made != OK) {
        return fail(p, made, p->at, "the filter is too large or too deep");
    }
    p->stack_len = base;
    return push(p, node);
}

static enum err negate_last(struct parser *p)
{
    const struct filter *node = NULL;
    if (filter_make_not(p->arena, p->stack[p->stack_len - 1], &node) != OK) {
        return fail(p, ERR_LIMIT, p->at, "the filter is too large or too deep");
    }
    p->stack[p->stack_len - 1] = node;
    return OK;
}

static enum err push_leaf(struct parser *p, const struct leaf_source *source)
{
    if (source->op == FILTER_REGEX && p->compiled_count == FILTER_REGEX_MAX) {
        return fail(p, ERR_LIMIT, source->raw_offset,
                    "a filter has at most 64 regular expressions");
    }
    const struct filter *leaf = NULL;
    TRY(leaf_make(source, p->context, p->arena, &leaf, p->diag));
    if (leaf->regex != NULL) {
        p->compiled[p->compiled_count++] = leaf->regex;
    }
    return push(p, leaf);
}

/* "..." with its escapes; the opening quote is next. */
static enum err take_quoted(struct parser *p, struct leaf_source *out)
{
    size_t open = p->at;
    size_t at = open + 1;
    while (at < p->text.len && p->text.ptr[at] != '"') {
        at += p->text.ptr[at] == '\\' ? 2 : 1;
    }
    if (at >= p->text.len) {
        return fail(p, ERR_INVALID, open, "expected a \" at the end of what this one begins");
    }
    out->raw = (slice){p->text.ptr + open + 1, at - open - 1};
    out->raw_offset = open + 1;
    p->at = at + 1;
    return OK;
}

/* A value without quotes ends at white space, a parenthesis or a quote. */
static void take_bare_value(struct parser *p, struct leaf_source *out)
{
    size_t begin = p->at;
    while (!ends_word(p, p->at)) {
        p->at += peek(p) == '\\' && p->at + 1 < p->text.len ? 2 : 1;
    }
    out->raw = (slice){p->text.ptr + begin, p->at - begin};
    out->raw_offset = begin;
}

/* A pattern without quotes may hold quotes and balanced parentheses: type~^(a|b)$ . */
static void take_bare_pattern(struct parser *p, struct leaf_source *out)
{
    size_t begin = p->at;
    size_t open = 0;
    while (!at_end(p) && !byte_is_blank(peek(p)) && !(peek(p) == ')' && open == 0)) {
        open += peek(p) == '(' ? 1 : 0;
        open -= peek(p) == ')' ? 1 : 0;
        p->at += peek(p) == '\\' && p->at + 1 < p->text.len ? 2 : 1;
    }
    out->raw = (slice){p->text.ptr + begin, p->at - begin};
    out->raw_offset = begin;
}

static enum err expect_boundary(const struct parser *p)
{
    if (at_end(p) || byte_is_blank(peek(p)) || peek(p) == ')') {
        return OK;
    }
    return fail(p, ERR_INVALID, p->at,
                "expected a space; a value with parentheses or quotes stands in quotes");
}

/* The operand of `source`, which has name and operator. */
static enum err parse_value(struct parser *p, struct leaf_source *source)
{
    if (!at_end(p) && peek(p) == '"') {
        TRY(take_quoted(p, source));
    } else if (source->op == FILTER_REGEX) {
        take_bare_pattern(p, source);
    } else {
        take_bare_value(p, source);
    }
    bool is_quoted = source->raw_offset > 0 && p->text.ptr[source->raw_offset - 1] == '"';
    if (source->raw.len == 0 && !is_quoted) {
        return fail(p, ERR_INVALID, p->at, "expected a value");
    }
    TRY(expect_boundary(p));
    return push_leaf(p, source);
}

static enum err parse_parentheses(struct parser *p, const struct leaf_source *field)
{
    size_t open = p->at++;
    if (++p->depth > FILTER_DEPTH_MAX) {
        return fail(p, ERR_LIMIT, open, "parentheses are nested at most 64 deep");
    }
    TRY(parse_or(p, field));
    skip_blanks(p);
    if (!take_byte(p, ')')) {
        return syntax_fail(p->diag, ERR_INVALID, p->at, "expected ) for the ( at %zu", open);
    }
    p->depth--;
    return OK;
}

/* What stands between a name and its operand. */
static const struct operator_name {
    slice text;
    enum filter_op op;
    bool negated;
} operator_names[] = {
    /* Longer ones first. `:>` and the like are how other products write comparisons. */
    {SLICE_INIT(":<="), FILTER_LESS_EQUAL, false}, {SLICE_INIT(":>="), FILTER_GREATER_EQUAL, false},
    {SLICE_INIT("!="), FILTER_EQUAL, true},        {SLICE_INIT("!~"), FILTER_REGEX, true},
    {SLICE_INIT("<="), FILTER_LESS_EQUAL, false},  {SLICE_INIT(">="), FILTER_GREATER_EQUAL, false},
    {SLICE_INIT("=="), FILTER_EQUAL, false},       {SLICE_INIT("=~"), FILTER_REGEX, false},
    {SLICE_INIT(":~"), FILTER_REGEX, false},       {SLICE_INIT(":<"), FILTER_LESS, false},
    {SLICE_INIT(":>"), FILTER_GREATER, false},     {SLICE_INIT(":"), FILTER_EQUAL, false},
    {SLICE_INIT("="), FILTER_EQUAL, false},        {SLICE_INIT("~"), FILTER_REGEX, false},
    {SLICE_INIT("<"), FILTER_LESS, false},         {SLICE_INIT(">"), FILTER_GREATER, false},
};

/* The operator at the cursor, blanks before it allowed; NULL if there is none. */
static const struct operator_name *take_operator(struct parser *p)
{
    size_t begin = p->at;
    skip_blanks(p);
    slice rest = rest_of(p);
    for (size_t i = 0; i < COUNT_OF(operator_names); i++) {
        if (slice_take_literal(&rest, operator_names[i].text)) {
            p->at += operator_names[i].text.len;
            return &operator_names[i];
        }
    }
    p->at = begin;
    return NULL;
}

static enum err parse_comparison(struct parser *p, struct leaf_source *source,
                                 const struct operator_name *operator_name)
{
    source->op = operator_name->op;
    bool negate = operator_name->negated;
    skip_blanks(p);
    while (source->op == FILTER_EQUAL && take_byte(p, '!')) {
        negate = !negate;
        skip_blanks(p);
    }
    if (source->op == FILTER_EQUAL && peek(p) == '(') {
        TRY(parse_parentheses(p, source));
    } else {
        TRY(parse_value(p, source));
    }
    return negate ? negate_last(p) : OK;
}

static bool begins_operator(const struct parser *p)
{
    uint8_t next = p->at + 1 < p->text.len ? p->text.ptr[p->at + 1] : 0;
    switch (peek(p)) {
    case ':':
    case '=':
    case '~':
    case '<':
    case '>':
        return true;
    case '!':
        return next == '=' || next == '~';
    default:
        return false;
    }
}

/* A name or a bare word; data."a b".c has quotes behind a dot. */
static enum err take_run(struct parser *p, struct leaf_source *out)
{
    size_t begin = p->at;
    while (!at_end(p) && !begins_operator(p)) {
        bool opens_key = peek(p) == '"' && p->at > begin && p->text.ptr[p->at - 1] == '.';
        if (!opens_key && ends_word(p, p->at)) {
            break;
        }
        if (opens_key) {
            TRY(take_quoted(p, out));
        } else {
            p->at += peek(p) == '\\' && p->at + 1 < p->text.len ? 2 : 1;
        }
    }
    out->raw = (slice){p->text.ptr + begin, p->at - begin};
    out->raw_offset = begin;
    return OK;
}

static enum err parse_words(struct parser *p, struct leaf_source *source)
{
    source->op = FILTER_WORDS;
    TRY(expect_boundary(p));
    return push_leaf(p, source);
}

static enum err parse_term(struct parser *p)
{
    struct leaf_source source = {0};
    if (peek(p) == '"') {
        TRY(take_quoted(p, &source));
        return parse_words(p, &source);
    }
    TRY(take_run(p, &source));
    const struct operator_name *operator_name = take_operator(p);
    if (operator_name != NULL && source.raw.len > 0) {
        source.name = source.raw;
        source.name_offset = source.raw_offset;
        return parse_comparison(p, &source, operator_name);
    }
    if (source.raw.len == 0) {
        return fail(p, ERR_INVALID, source.raw_offset,
                    "expected a name before the operator; quote it if it is a word");
    }
    if (slice_equal(source.raw, SLICE("*"))) {
        const struct filter *all = NULL;
        TRY(filter_make_and(p->arena, NULL, 0, &all));
        return push(p, all);
    }
    if (source.raw.ptr[0] == '-') {
        return fail(p, ERR_INVALID, source.raw_offset,
                    "expected NOT instead of -; quote a word that begins with it");
    }
    return parse_words(p, &source);
}

static bool sees_any_keyword(const struct parser *p)
{
    return sees_keyword(p, SLICE("AND")) || sees_keyword(p, SLICE("OR")) ||
           sees_keyword(p, SLICE("NOT"));
}

static enum err parse_primary(struct parser *p, const struct leaf_source *field)
{
    if (at_end(p) || peek(p) == ')' || sees_any_keyword(p)) {
        slice found = rest_of(p);
        found.len = at_end(p) ? 0 : peek(p) == ')' ? 1 : sees_keyword(p, SLICE("OR")) ? 2 : 3;
        return syntax_fail(p->diag, ERR_INVALID, p->at, "expected %s, found %.*s",
                           field == NULL ? "a term" : "a value",
                           found.len == 0 ? (int)sizeof("the end") : (int)found.len,
                           found.len == 0 ? "the end" : (const char *)found.ptr);
    }
    if (peek(p) == '(') {
        return parse_parentheses(p, field);
    }
    if (field == NULL) {
        return parse_term(p);
    }
    struct leaf_source source = *field;
    return parse_value(p, &source);
}

static enum err parse_not(struct parser *p, const struct leaf_source *field)
{
    bool negate = false;
    skip_blanks(p);
    while (take_keyword(p, SLICE("NOT")) || take_byte(p, '!')) {
        negate = !negate;
        skip_blanks(p);
    }
    TRY(parse_primary(p, field));
    return negate ? negate_last(p) : OK;
}

static enum err parse_and(struct parser *p, const struct leaf_source *field)
{
    size_t base = p->stack_len;
    bool more = true;
    while (more) {
        TRY(parse_not(p, field));
        skip_blanks(p);
        more = take_keyword(p, SLICE("AND")) ||
               (!at_end(p) && peek(p) != ')' && !sees_keyword(p, SLICE("OR")));
    }
    return combine(p, base, FILTER_AND);
}

static enum err parse_or(struct parser *p, const struct leaf_source *field)
{
    size_t base = p->stack_len;
    do {
        TRY(parse_and(p, field));
        skip_blanks(p);
    } while (take_keyword(p, SLICE("OR")));
    return combine(p, base, FILTER_OR);
}

static enum err parse_filter(struct parser *p)
{
    skip_blanks(p);
    if (at_end(p)) {
        return combine(p, 0, FILTER_AND); /* of nothing: every event */
    }
    TRY(parse_or(p, NULL));
    skip_blanks(p);
    if (!at_end(p)) {
        return fail(p, ERR_INVALID, p->at, "expected the end or a term; this ) has no (");
    }
    return OK;
}

enum err filter_parse(slice text, const struct filter_context *context, struct arena *arena,
                      const struct filter **out, struct diag *diag)
{
    if (text.len > FILTER_TEXT_BYTES_MAX) {
        return syntax_fail(diag, ERR_LIMIT, FILTER_TEXT_BYTES_MAX,
                           "a filter has at most 64 KiB of text");
    }
    TRY(syntax_check_utf8(text, diag));
    struct parser parser = {.text = text, .context = context, .arena = arena, .diag = diag};
    enum err parsed = parse_filter(&parser);
    if (parsed != OK) {
        for (size_t i = 0; i < parser.compiled_count; i++) {
            regex_free(parser.compiled[i]);
        }
        return parsed;
    }
    ASSERT(parser.stack_len == 1);
    *out = parser.stack[0];
    return OK;
}
