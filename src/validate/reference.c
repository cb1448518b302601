/* SPDX-License-Identifier: Apache-2.0 */
/* $ref: where it points, and that it does not go round in circles over one value. */
#include "codec/hex.h"
#include "validate/part.h"

/* One byte of a URI fragment. False: a % without two hex digits. */
static bool take_fragment_byte(slice *rest, uint8_t *out)
{
    *out = slice_take(rest, 1).ptr[0];
    if (*out != '%') {
        return true;
    }
    int byte = hex_byte(*rest);
    if (byte < 0) {
        return false;
    }
    (void)slice_take(rest, 2);
    *out = (uint8_t)byte;
    return true;
}

/* The %-escapes of a fragment undone, in `plain`, which has room for all of it. */
static bool decode_fragment(slice fragment, uint8_t *plain, slice *out)
{
    size_t len = 0;
    while (fragment.len > 0) {
        if (!take_fragment_byte(&fragment, &plain[len++])) {
            return false;
        }
    }
    *out = (slice){plain, len};
    return true;
}

/* ~0 and ~1 of a reference token undone, in its place. False: another byte behind the ~. */
static bool unescape_token(uint8_t *token, size_t token_bytes, slice *out)
{
    size_t len = 0;
    for (size_t i = 0; i < token_bytes; i++) {
        uint8_t byte = token[i];
        if (byte == '~') {
            if (++i == token_bytes || (token[i] != '0' && token[i] != '1')) {
                return false;
            }
            byte = token[i] == '0' ? '~' : '/';
        }
        token[len++] = byte;
    }
    *out = (slice){token, len};
    return true;
}

/* The node that a pointer leads to, whose bytes are ours to change; NULL: to none. */
static const struct node *follow(const struct node *root, uint8_t *pointer, size_t pointer_bytes)
{
    const struct node *at = root;
    size_t from = 0;
    while (at != NULL && from < pointer_bytes) {
        slice token = {0};
        size_t to = ++from; /* behind the slash */
        while (to < pointer_bytes && pointer[to] != '/') {
            to++;
        }
        if (!unescape_token(pointer + from, to - from, &token)) {
            return NULL;
        }
        at = document_step(at, token);
        from = to;
    }
    return at;
}

static enum err resolve(struct compiler *compiler, struct assertion *assertion)
{
    slice text = assertion->source->text;
    uint8_t *plain = NULL;
    slice pointer = {0};
    TRY(part_take(compiler, text.len + 1, &plain));
    bool is_pointer = slice_take_literal(&text, SLICE("#")) &&
                      decode_fragment(text, plain, &pointer) &&
                      (pointer.len == 0 || pointer.ptr[0] == '/');
    if (!is_pointer) {
        return document_fail(compiler->diag, ERR_INVALID, assertion->source,
                             "$ref is \"#\" or a pointer into this schema, as \"#/$defs/name\"");
    }
    const struct node *target = follow(compiler->root, plain, pointer.len);
    const struct part *part = target != NULL ? compiler->parts[target->number] : NULL;
    if (part == NULL) {
        return document_fail(compiler->diag, ERR_INVALID, assertion->source,
                             "$ref points at no schema");
    }
    assertion->parts.list[0] = part;
    return OK;
}

/* Whether the parts of an assertion apply to the value that it applies to itself. */
static bool is_in_place(const struct assertion *assertion)
{
    return assertion->holds == holds_all || assertion->holds == holds_any ||
           assertion->holds == holds_one || assertion->holds == holds_not ||
           assertion->holds == holds_condition;
}

/* Sets the height of the chain below a part; `depth` is how far the chain has come. */
static enum err measure(struct compiler *compiler, const struct node *source, uint32_t depth)
{
    struct part *part = compiler->parts[source->number];
    if (part->is_entered) {
        return document_fail(
            compiler->diag, ERR_INVALID, source,
            "this schema applies to itself without going deeper into the document");
    }
    uint32_t height = part->height > 0 ? part->height : 1;
    if (depth + height > SCHEMA_CHAIN_MAX) {
        return document_fail(compiler->diag, ERR_LIMIT, source,
                             "more than %d schemas apply to one value, each by way of the other",
                             SCHEMA_CHAIN_MAX);
    }
    if (part->height > 0) {
        return OK;
    }
    part->is_entered = true;
    for (const struct assertion *at = part->first; at != NULL; at = at->next) {
        uint32_t count = is_in_place(at) ? at->parts.count : 0;
        for (uint32_t i = 0; i < count; i++) {
            if (at->parts.list[i] == NULL) {
                continue;
            }
            TRY(measure(compiler, at->parts.list[i]->source, depth + 1));
            uint32_t below = at->parts.list[i]->height;
            height = below + 1 > height ? below + 1 : height;
        }
    }
    part->is_entered = false;
    part->height = height;
    return OK;
}

static enum err measure_all(struct compiler *compiler, const struct node *node)
{
    if (compiler->parts[node->number] != NULL) {
        TRY(measure(compiler, node, 0));
    }
    for (const struct node *child = node->first; child != NULL; child = child->next) {
        TRY(measure_all(compiler, child));
    }
    return OK;
}

enum err references_resolve(struct compiler *compiler)
{
    for (struct reference *at = compiler->references; at != NULL; at = at->next) {
        TRY(resolve(compiler, at->assertion));
    }
    return measure_all(compiler, compiler->root);
}
