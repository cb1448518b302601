/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The strict scan against jansson: the same texts are JSON to both. Known differences, which are
 * left out of the comparison:
 *   - depth: jansson's limit is 2048, ours is asked for;
 *   - numbers: jansson refuses what overflows its long or double, the grammar does not;
 *   - a NUL in a name: jansson refuses it always, the grammar does not.
 *   - a NUL behind a number: jansson loses it, so that 1 and a NUL are 1 to it.
 * And for what is accepted: compact form and walk agree with the scan; damage never crashes a walk.
 */
/* Both have an enum of JSON's kinds: here jansson's goes by other names. */
#define JSON_STRING JANSSON_STRING
#define JSON_TRUE   JANSSON_TRUE
#define JSON_FALSE  JANSSON_FALSE
#define JSON_NULL   JANSSON_NULL
#include <jansson.h>
#undef JSON_STRING
#undef JSON_TRUE
#undef JSON_FALSE
#undef JSON_NULL
#undef json_is_number

#include "base/mem.h"
#include "json/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { DEPTH = 64 };

static bool walk_is_whole(slice json)
{
    struct json_walk walk;
    struct json_item item;
    enum json_item_kind kind = JSON_NULL;
    json_walk_init(&walk, json);
    do {
        kind = json_walk_next(&walk, &item);
        if (item.kind == JSON_KEY || item.kind == JSON_STRING) {
            CLEANUP(mem_freep) uint8_t *plain = mem_array(1, item.text.len + 1);
            ASSERT(json_unescape(item.text, plain) <= item.text.len);
        }
    } while (kind != JSON_END && kind != JSON_ERROR);
    return kind == JSON_END;
}

static bool jansson_differs_here(const json_error_t *error)
{
    enum json_error_code code = json_error_code(error);
    return code == json_error_numeric_overflow || code == json_error_stack_overflow ||
           code == json_error_null_byte_in_key || code == json_error_null_character;
}

static void compare(slice json, enum err ours, const struct diag *diag)
{
    json_error_t error = {0};
    json_t *theirs = json_loadb((const char *)json.ptr, json.len,
                                JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | JSON_ALLOW_NUL, &error);
    if (theirs != NULL) {
        ASSERT(ours == OK || strncmp(diag->text, "nested too deep", 15) == 0 ||
               memchr(json.ptr, 0, json.len) != NULL);
        json_decref(theirs);
    } else {
        ASSERT(ours != OK || jansson_differs_here(&error));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    /* Exactly as long as the input, so that a sanitizer sees a read behind it. */
    CLEANUP(mem_freep) uint8_t *copy = mem_array(1, size > 0 ? size : 1);
    slice json = {copy, size};
    struct arena arena = ARENA_INIT(MIB(64));
    struct json_value value = {0};
    struct diag diag = {0};
    memcpy(copy, data, size);
    enum err ours = json_check(json, DEPTH, &arena, &value, &diag);
    compare(json, ours, &diag);
    (void)walk_is_whole(json);
    if (ours == OK) {
        struct buf compact = BUF_INIT(MIB(16));
        struct json_value again = {0};
        json_compact(json, &compact);
        ASSERT(compact.len == value.raw.len - value.spaces);
        ASSERT(json_check(buf_slice(&compact), DEPTH, &arena, &again, NULL) == OK);
        ASSERT(again.spaces == 0 && again.depth == value.depth && again.kind == value.kind);
        ASSERT(walk_is_whole(buf_slice(&compact)));
        buf_release(&compact);
    }
    arena_release(&arena);
    return 0;
}
