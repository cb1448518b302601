/* SPDX-License-Identifier: Apache-2.0 */
#include "validate/schema.h"

#include <stdlib.h>

#include "base/mem.h"
#include "validate/part.h"

enum {
    SCHEMA_MEMORY_BYTES_MAX = 32 * 1024 * 1024,
    PATTERN_MEMORY_BYTES = 48 * 1024, /* two programs, and what a search needs for itself */
};

void schema_free(struct schema *schema)
{
    if (schema == NULL) {
        return;
    }
    for (uint32_t i = 0; i < schema->pattern_count; i++) {
        regex_free(schema->patterns[i]);
    }
    arena_release(&schema->arena);
    free(schema);
}

size_t schema_memory(const struct schema *schema)
{
    return sizeof(*schema) + schema->arena.held +
           (size_t)schema->pattern_count * PATTERN_MEMORY_BYTES;
}

enum err schema_compile(slice json, struct schema **out, struct diag *diag)
{
    if (json.len > SCHEMA_BYTES_MAX) {
        return diag_fail(diag, ERR_LIMIT, "", "a schema has at most %zu bytes", SCHEMA_BYTES_MAX);
    }
    OWNED(schema) schema = mem_zeroed(sizeof(*schema));
    arena_init(&schema->arena, SCHEMA_MEMORY_BYTES_MAX);
    slice own = {0};
    struct document document = {0};
    struct compiler compiler = {.schema = schema, .arena = &schema->arena, .diag = diag};
    if (!arena_copy(&schema->arena, json, &own)) {
        return diag_fail(diag, ERR_LIMIT, "", "the schema takes too much memory");
    }
    TRY(document_parse(own, SCHEMA_DEPTH_MAX, &schema->arena, &document, diag));
    compiler.root = document.root;
    TRY(part_take(&compiler, document.node_count * sizeof(struct part *), &compiler.parts));
    TRY(part_compile(&compiler, document.root, &schema->root));
    TRY(references_resolve(&compiler));
    *out = MOVE(schema);
    return OK;
}
