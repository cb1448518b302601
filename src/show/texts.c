/* SPDX-License-Identifier: Apache-2.0 */
#include "show/texts.h"

#include "base/mem.h"
#include "json/json.h"

static void visit_text(slice name, const struct json_value *value, texts_fn fn, void *context)
{
    slice text = {value->raw.ptr + 1, value->raw.len - 2};
    uint8_t *plain CLEANUP(mem_freep) = NULL;
    if (value->has_escapes) {
        plain = mem_array(text.len, 1);
        text = (slice){plain, json_unescape(text, plain)};
    }
    fn(context, name, text);
}

enum err texts_visit(slice json, texts_fn fn, void *context)
{
    struct arena arena CLEANUP(arena_release) = ARENA_INIT(MIB(16));
    struct json_scan scan;
    json_scan_init(&scan, json, JSON_DEPTH_MAX, &arena);
    TRY(json_scan_open_object(&scan));
    for (;;) {
        slice name = {0};
        bool has_more = false;
        struct json_value value = {0};
        TRY(json_scan_member(&scan, &name, &has_more));
        if (!has_more) {
            return json_scan_end(&scan);
        }
        TRY(json_scan_value(&scan, &value));
        if (value.kind == JSON_IS_STRING) {
            visit_text(name, &value, fn, context);
        }
    }
}
