/* SPDX-License-Identifier: Apache-2.0 */
#include "filter/regex_cost.h"

enum {
    WAYS_MAX = 10000,
    GROUPS_MAX = 64, /* in one another */
};

static bool has(slice text, const char *part)
{
    size_t len = strlen(part);
    return text.len >= len && memmem(text.ptr, text.len, part, len) != NULL;
}

static bool has_references(slice text)
{
    for (size_t i = 0; i + 1 < text.len; i++) {
        if (text.ptr[i] == '\\' && text.ptr[i + 1] >= '1' && text.ptr[i + 1] <= '9') {
            return true;
        }
    }
    return has(text, "\\g") || has(text, "\\k") || has(text, "(?P=");
}

/* The largest number behind a brace counts; what merely looks like one costs more than it had to,
 * as \x{263a}. A repeated \X and a script run, (*sr:, may read all of the text. */
static size_t reach_of(slice text)
{
    size_t most = 0;
    if (has(text, "\\X") || has(text, "(*")) {
        return SIZE_MAX;
    }
    for (size_t i = 0; i + 1 < text.len; i++) {
        size_t number = 0;
        bool is_bound = text.ptr[i] == '{' || text.ptr[i] == ',';
        for (size_t j = i + 1; is_bound && j < text.len && j < i + 6; j++) {
            bool is_digit = (unsigned)text.ptr[j] - '0' <= 9;
            number = is_digit ? number * 10 + (size_t)(text.ptr[j] - '0') : number;
            is_bound = is_digit;
        }
        most = number > most ? number : most;
    }
    return 4 * most; /* bytes of a character */
}

/* Whether something begins at the parenthesis whose work cannot be told from the text: a verb, a
 * recursion, a condition. */
static bool is_special(slice text, size_t at)
{
    size_t next = at + 2;
    if (next >= text.len || (text.ptr[at + 1] != '?' && text.ptr[at + 1] != '*')) {
        return false;
    }
    next += text.ptr[next] == 'P' && next + 1 < text.len ? 1 : 0;
    return text.ptr[at + 1] == '*' || strchr(":=!<ims", text.ptr[next]) == NULL;
}

/* The end of the class that begins at `at`: where its ] is, or the text ends. */
static size_t class_end(slice text, size_t at)
{
    size_t i = at + 1;
    i += i < text.len && text.ptr[i] == '^' ? 1 : 0;
    i += i < text.len && text.ptr[i] == ']' ? 1 : 0;
    while (i < text.len && text.ptr[i] != ']') {
        bool is_named = text.ptr[i] == '[' && i + 1 < text.len && text.ptr[i + 1] == ':';
        const uint8_t *end =
            is_named ? memmem(text.ptr + i, text.len - i, ":]", 2) : NULL; /* [:alpha:] */
        i = end != NULL ? (size_t)(end - text.ptr) + 2 : i + (text.ptr[i] == '\\' ? 2 : 1);
    }
    return i;
}

static size_t ways_of(slice text)
{
    size_t choices[GROUPS_MAX] = {1};
    size_t depth = 0;
    size_t ways = 1;
    bool has_repeated_group = has(text, "){") && has(text, "|");
    bool is_known = !has_repeated_group && !has(text, "\\Q") && !has(text, "\\g");
    for (size_t i = 0; i < text.len && is_known; i++) {
        uint8_t byte = text.ptr[i];
        if (byte == '\\') {
            i++;
        } else if (byte == '[') {
            i = class_end(text, i);
        } else if (byte == '(') {
            is_known = !is_special(text, i) && ++depth < GROUPS_MAX;
            choices[depth % GROUPS_MAX] = 1;
        } else if (byte == '|') {
            choices[depth]++;
        } else if (byte == ')' && depth > 0) {
            ways *= choices[depth--];
            is_known = ways < WAYS_MAX;
        }
    }
    ways *= choices[0];
    return is_known && ways < WAYS_MAX ? ways : 0;
}

struct regex_cost regex_cost_of(slice pattern)
{
    struct regex_cost cost = {
        .reach_bytes = reach_of(pattern),
        .quick_reach_bytes = 4 * pattern.len,
        .ways = ways_of(pattern),
        .has_references = has_references(pattern),
        .has_verbs = has(pattern, "(*"),
    };
    bool repeats = has(pattern, "*") || has(pattern, "+") || has(pattern, "{");
    if (repeats || cost.has_references || has(pattern, "\\X")) {
        cost.quick_reach_bytes = SIZE_MAX;
    }
    return cost;
}
