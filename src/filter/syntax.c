/* SPDX-License-Identifier: Apache-2.0 */
#include "filter/syntax.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/utf8.h"
#include "filter/words.h"

enum { EXCERPT_BYTES_MAX = 40 };

enum err syntax_fail(struct diag *diag, enum err code, size_t offset, const char *format, ...)
{
    char where[32];
    char text[sizeof(diag->text)];
    va_list args;
    va_start(args, format);
    (void)snprintf(where, sizeof(where), "filter:%zu", offset);
    (void)vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    return diag_fail(diag, code, where, "%s", text);
}

slice syntax_excerpt(slice text)
{
    if (text.len <= EXCERPT_BYTES_MAX) {
        return text;
    }
    size_t len = EXCERPT_BYTES_MAX;
    while (len > 0 && (text.ptr[len] & 0xc0) == 0x80) {
        len--;
    }
    return (slice){text.ptr, len};
}

enum err syntax_check_utf8(slice text, struct diag *diag)
{
    size_t valid = utf8_prefix_len(text);
    return valid == text.len ? OK : syntax_fail(diag, ERR_INVALID, valid, "expected UTF-8");
}

bool byte_is_escapable(uint8_t byte)
{
    return byte < 0x80 && (byte == '_' || !byte_is_word(byte));
}

/* Whether the `*` at `at` may stand there as an ordinary byte. */
static bool star_is_free(slice raw, size_t at, enum star star)
{
    bool behind_word = at > 0 && byte_is_word(raw.ptr[at - 1]);
    bool before_word = at + 1 < raw.len && byte_is_word(raw.ptr[at + 1]);
    return star == STAR_BETWEEN_WORDS && !behind_word && !before_word;
}

static enum err fail_star(enum star star, size_t offset, struct diag *diag)
{
    if (star == STAR_AT_END) {
        return syntax_fail(diag, ERR_INVALID, offset,
                           "a * stands only at the end of a value; for more write field~\"regular "
                           "expression\", for a plain star \\*");
    }
    return syntax_fail(diag, ERR_INVALID, offset,
                       "a * works in field:value*, and not in a search for words; for a plain star "
                       "write \\*");
}

enum err syntax_operand(slice raw, size_t offset, enum star star, struct arena *arena,
                        struct operand *out, struct diag *diag)
{
    uint8_t *text = arena_take(arena, raw.len);
    if (text == NULL) {
        return syntax_fail(diag, ERR_LIMIT, offset, "the filter is too large");
    }
    size_t len = 0;
    bool has_star = false;
    for (size_t i = 0; i < raw.len; i++) {
        uint8_t byte = raw.ptr[i];
        if (byte == '*' && !star_is_free(raw, i, star)) {
            if (star == STAR_BETWEEN_WORDS || i + 1 < raw.len) {
                return fail_star(star, offset + i, diag);
            }
            has_star = true;
            break;
        }
        if (byte == '\\') {
            if (++i == raw.len || !byte_is_escapable(raw.ptr[i])) {
                return syntax_fail(diag, ERR_INVALID, offset + i, SYNTAX_ESCAPE_EXPECTED);
            }
            byte = raw.ptr[i];
        }
        text[len++] = byte;
    }
    *out = (struct operand){.text = {text, len}, .has_star = has_star, .offset = offset};
    return OK;
}
