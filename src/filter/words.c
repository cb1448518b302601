/* SPDX-License-Identifier: Apache-2.0 */
#include "filter/words.h"

#include "filter/tokens.h"

#define SAME4(n)  (n), (n) + 1, (n) + 2, (n) + 3
#define SAME16(n) SAME4(n), SAME4((n) + 4), SAME4((n) + 8), SAME4((n) + 12)

const uint8_t word_bytes[256] = {
    ['0'] = '0',  ['1'] = '1',  ['2'] = '2',  ['3'] = '3',           ['4'] = '4',  ['5'] = '5',
    ['6'] = '6',  ['7'] = '7',  ['8'] = '8',  ['9'] = '9',           ['A'] = 'a',  ['B'] = 'b',
    ['C'] = 'c',  ['D'] = 'd',  ['E'] = 'e',  ['F'] = 'f',           ['G'] = 'g',  ['H'] = 'h',
    ['I'] = 'i',  ['J'] = 'j',  ['K'] = 'k',  ['L'] = 'l',           ['M'] = 'm',  ['N'] = 'n',
    ['O'] = 'o',  ['P'] = 'p',  ['Q'] = 'q',  ['R'] = 'r',           ['S'] = 's',  ['T'] = 't',
    ['U'] = 'u',  ['V'] = 'v',  ['W'] = 'w',  ['X'] = 'x',           ['Y'] = 'y',  ['Z'] = 'z',
    ['_'] = '_',  ['a'] = 'a',  ['b'] = 'b',  ['c'] = 'c',           ['d'] = 'd',  ['e'] = 'e',
    ['f'] = 'f',  ['g'] = 'g',  ['h'] = 'h',  ['i'] = 'i',           ['j'] = 'j',  ['k'] = 'k',
    ['l'] = 'l',  ['m'] = 'm',  ['n'] = 'n',  ['o'] = 'o',           ['p'] = 'p',  ['q'] = 'q',
    ['r'] = 'r',  ['s'] = 's',  ['t'] = 't',  ['u'] = 'u',           ['v'] = 'v',  ['w'] = 'w',
    ['x'] = 'x',  ['y'] = 'y',  ['z'] = 'z',  [0x80] = SAME16(0x80), SAME16(0x90), SAME16(0xa0),
    SAME16(0xb0), SAME16(0xc0), SAME16(0xd0), SAME16(0xe0),          SAME16(0xf0),
};

static bool word_equal(slice a, slice b)
{
    if (a.len != b.len) {
        return false;
    }
    for (size_t i = 0; i < a.len; i++) {
        if (word_bytes[a.ptr[i]] != word_bytes[b.ptr[i]]) {
            return false;
        }
    }
    return true;
}

/* Whether `text` begins with all words that are left of `phrase`. */
static bool words_begin(slice phrase, slice text)
{
    slice wanted = {0};
    slice word = {0};
    while (words_take(&phrase, &wanted)) {
        if (!words_take(&text, &word) || !word_equal(wanted, word)) {
            return false;
        }
    }
    return true;
}

bool words_match(slice phrase, slice text)
{
    slice first = {0};
    if (!words_take(&phrase, &first)) {
        return false;
    }
    slice word = {0};
    while (words_take(&text, &word)) {
        if (word_equal(first, word) && words_begin(phrase, text)) {
            return true;
        }
    }
    return false;
}
