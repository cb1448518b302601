/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buf.h"
#include "base/hash.h"
#include "base/test.h"
#include "filter/random.h"
#include "filter/tokens.h"
#include "filter/words.h"

enum { TOKENS_MAX = 4096 };

static const struct filter_context context = {.now_us = SAMPLE_NOW_US};

/* ---- Words ---- */

struct words_case {
    const char *phrase, *text;
    bool expect;
};

static const struct words_case words_cases[] = {
    {"disk", "disk", true},
    {"disk", "the DISK, is full", true},
    {"DISK is", "the disk is", true},
    {"disk is", "disk. is", true},
    {"disk is", "disk this is", false},
    {"disk", "disks", false},
    {"disks", "disk", false},
    {"a a b", "a a a b", true},
    {"a b", "a", false},
    {"a_b", "A_B", true},
    {"a", "a_b", false},
    {"\xc3\xa9", "caf\xc3\xa9 \xc3\xa9", true},
    {"caf\xc3\xa9", "CAF\xc3\xa9", true},
    {"caf\xc3\xa9", "caf\xc3\x89", false},
    {"--", "a", false},
    {"", "a", false},
    {"a", "", false},
    {"10.0.0.1", "from 10 0 0 1", true},
};

static void test_words(void **state)
{
    const struct words_case *c = *state;
    assert_int_equal(words_match(slice_from_cstr(c->phrase), slice_from_cstr(c->text)), c->expect);
}

/* Whatever the block is made of, the quick way says what the plain one does. */
static void test_blocks_agree(void **state)
{
    UNUSED(state);
    struct filter_random random = {.seed = 7};
    for (unsigned round = 0; round < 20000; round++) {
        uint8_t block[WORDS_BLOCK];
        uint8_t plain[WORDS_BLOCK] = {0};
        uint8_t quick[WORDS_BLOCK] = {0};
        for (size_t i = 0; i < WORDS_BLOCK; i++) {
            block[i] = (uint8_t)random_below(&random, 256);
        }
        unsigned mask = words_plain_block(block, plain);
        assert_int_equal(words_block(block, quick), mask);
        assert_int_equal(words_stops(block), words_plain_stops(block));
        for (size_t i = 0; i < WORDS_BLOCK; i++) {
            if ((mask >> i & 1) != 0) {
                assert_int_equal(quick[i], plain[i]);
            }
        }
    }
}

/* ---- Tokens: the construction again, plainly, from docs/format/tokens.md ---- */

static uint64_t plain_path(enum filter_target root, const char *const *keys)
{
    uint64_t path = hash_u64(root == FILTER_ON_DATA ? 1 : 2, HASH_STORED);
    for (; *keys != NULL; keys++) {
        path = hash_bytes(slice_from_cstr(*keys), path);
    }
    return path;
}

static uint64_t plain_text(slice text, uint64_t path)
{
    text.len = text.len > 256 ? 256 : text.len;
    return hash_bytes(text, path ^ hash_u64(3, HASH_STORED));
}

static uint64_t plain_number(const char *decimal, uint64_t path)
{
    return hash_bytes(slice_from_cstr(decimal), path ^ hash_u64(4, HASH_STORED));
}

static uint64_t plain_word(const char *word)
{
    slice text = slice_from_cstr(word);
    text.len = text.len > 64 ? 64 : text.len;
    return hash_bytes(text, hash_u64(5, HASH_STORED));
}

#define KEYS(...) ((const char *const[]){__VA_ARGS__ __VA_OPT__(, ) NULL})

static void expect_tokens(const char *json, const uint64_t *expected, size_t count)
{
    uint64_t tokens[TOKENS_MAX];
    struct token_sink sink = {.tokens = tokens, .capacity = TOKENS_MAX};
    tokens_of_json(slice_from_cstr(json), FILTER_ON_DATA, &sink);
    assert_int_equal(sink.count, count);
    assert_false(sink.overflowed);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(tokens[i], expected[i]);
    }
}

static void test_construction(void **state)
{
    UNUSED(state);
    uint64_t a = plain_path(FILTER_ON_DATA, KEYS("a"));
    uint64_t ab = plain_path(FILTER_ON_DATA, KEYS("a", "b\"c"));
    uint64_t root = plain_path(FILTER_ON_DATA, (const char *const[]){NULL});
    const uint64_t expected[] = {
        plain_text(SLICE("Disk Full"), a),
        plain_word("disk"),
        plain_word("full"),
        plain_number("1e3", a),
        plain_text(SLICE("true"), a),
        plain_text(SLICE("null"), ab),
        plain_text(SLICE("caf\xc3\xa9\n1"), ab),
        plain_word("caf\xc3\xa9"),
        plain_word("1"),
    };
    expect_tokens("{\"a\":[\"Disk Full\",[1000.0],true,{\"b\\\"c\":null},"
                  "{\"b\\u0022c\":\"caf\\u00e9\\n1\"}]}",
                  expected, COUNT_OF(expected));
    expect_tokens("-0.250", (const uint64_t[]){plain_number("-25e-2", root)}, 1);
    expect_tokens("\"\"", (const uint64_t[]){plain_text(SLICE(""), root)}, 1);
    expect_tokens("", NULL, 0);
    expect_tokens("{\"a\":{},\"b\":[]}", NULL, 0);
}

/* These numbers stand in docs/format/tokens.md. */
static void test_stored_tokens_never_change(void **state)
{
    UNUSED(state);
    uint64_t tokens[TOKENS_MAX];
    struct token_sink sink = {.tokens = tokens, .capacity = TOKENS_MAX};
    tokens_of_json(SLICE("{\"amount\":1000,\"user\":{\"name\":\"Alice\"},\"ok\":true}"),
                   FILTER_ON_DATA, &sink);
    tokens_of_json(SLICE("{\"amount\":1000}"), FILTER_ON_METADATA, &sink);
    assert_int_equal(sink.count, 5);
    assert_int_equal(tokens[0], UINT64_C(0x6e64ecad6b0cb975));
    assert_int_equal(tokens[1], UINT64_C(0x2631da9a66283064));
    assert_int_equal(tokens[2], UINT64_C(0x8a0a6298414825c5));
    assert_int_equal(tokens[3], UINT64_C(0x5eab909b37cd11e2));
    assert_int_equal(tokens[4], UINT64_C(0x310c78b3dde49666));
}

/* Words of all lengths at all places of a window, against the plain way of taking words. */
static void test_words_of_all_lengths(void **state)
{
    UNUSED(state);
    struct filter_random random = {.seed = 11};
    for (unsigned round = 0; round < 3000; round++) {
        CLEANUP(buf_release) struct buf json = BUF_INIT(KIB(4));
        uint64_t tokens[TOKENS_MAX];
        struct token_sink sink = {.tokens = tokens, .capacity = TOKENS_MAX};
        buf_append_byte(&json, '"');
        for (uint64_t runs = random_below(&random, 6); runs > 0; runs--) {
            uint64_t len = random_below(&random, random_below(&random, 2) ? 10 : 140);
            for (uint64_t i = 0; i < len; i++) {
                buf_append_byte(&json, (uint8_t)("aZ_9\xc3"[random_below(&random, 5)]));
            }
            buf_append_cstr(&json, random_below(&random, 2) ? " " : "--");
        }
        buf_append_byte(&json, '"');
        slice text = {json.ptr + 1, json.len - 2};
        tokens_of_json(buf_slice(&json), FILTER_ON_DATA, &sink);
        size_t at = 1; /* behind the whole text */
        slice word = {0};
        while (words_take(&text, &word)) {
            char lower[65] = {0};
            for (size_t i = 0; i < word.len && i < 64; i++) {
                lower[i] = (char)word_bytes[word.ptr[i]];
            }
            assert_true(at < sink.count);
            assert_int_equal(tokens[at++], plain_word(lower));
        }
        assert_int_equal(at, sink.count);
    }
}

static void test_a_full_sink_says_so(void **state)
{
    UNUSED(state);
    uint64_t tokens[3] = {0};
    struct token_sink sink = {.tokens = tokens, .capacity = 2};
    tokens_of_json(SLICE("[1,2]"), FILTER_ON_DATA, &sink);
    assert_false(sink.overflowed);
    tokens_of_json(SLICE("[3]"), FILTER_ON_DATA, &sink);
    assert_true(sink.overflowed);
    assert_int_equal(sink.count, 2);
    assert_int_equal(tokens[2], 0);
}

/* ---- What a leaf wants is there whenever it matches ---- */

static bool has_all(const struct leaf_tokens *wanted, const struct token_sink *sink)
{
    for (size_t i = 0; i < wanted->count; i++) {
        bool found = false;
        for (size_t j = 0; j < sink->count; j++) {
            for (size_t k = 0; k < wanted->all_of[i].count; k++) {
                found = found || sink->tokens[j] == wanted->all_of[i].any_of[k];
            }
        }
        if (!found) {
            return false;
        }
    }
    return true;
}

struct soundness {
    struct event event; /* event_data and event_metadata alone */
    struct token_sink sink;
    size_t matched, excluded;
};

static void check_leaves(const struct filter *filter, struct soundness *check)
{
    for (size_t i = 0; i < filter->child_count; i++) {
        check_leaves(filter->children[i], check);
    }
    if (filter->target == FILTER_ON_FIELD) {
        return;
    }
    struct leaf_tokens wanted;
    tokens_of_leaf(filter, &wanted);
    bool may_match = has_all(&wanted, &check->sink);
    if (filter_match(filter, &check->event)) {
        assert_true(may_match);
        check->matched++;
    }
    check->excluded += may_match ? 0 : 1;
}

static void check_event(struct filter_random *random, struct arena *arena,
                        const struct filter *filter, struct soundness *check)
{
    CLEANUP(buf_release) struct buf json = BUF_INIT(KIB(64));
    uint64_t tokens[TOKENS_MAX];
    struct event *event = &check->event;
    check->sink = (struct token_sink){.tokens = tokens, .capacity = TOKENS_MAX};
    random_event_json(random, &json);
    assert_int_equal(sample_event(buf_slice(&json), arena, event, NULL), OK);
    event->present &= FIELD_BIT(FIELD_EVENT_DATA) | FIELD_BIT(FIELD_EVENT_METADATA);
    if (event_has(event, FIELD_EVENT_DATA)) {
        tokens_of_json(event->value[FIELD_EVENT_DATA].text, FILTER_ON_DATA, &check->sink);
    }
    tokens_of_json(event->value[FIELD_EVENT_METADATA].text, FILTER_ON_METADATA, &check->sink);
    assert_false(check->sink.overflowed);
    check_leaves(filter, check);
}

static void test_no_match_is_excluded(void **state)
{
    UNUSED(state);
    struct filter_random random = {.seed = 3};
    struct soundness check = {0};
    for (unsigned round = 0; round < 1000; round++) {
        CLEANUP(arena_release) struct arena arena = ARENA_INIT(MIB(1));
        CLEANUP(buf_release) struct buf text = BUF_INIT(KIB(64));
        const struct filter *filter = NULL;
        random_filter_text(&random, &text);
        assert_int_equal(filter_parse(buf_slice(&text), &context, &arena, &filter, NULL), OK);
        for (unsigned i = 0; i < 10; i++) {
            check_event(&random, &arena, filter, &check);
        }
        filter_release(filter);
    }
    assert_true(check.matched > 500);
    assert_true(check.excluded > 500);
}

static const struct CMUnitTest others[] = {
    cmocka_unit_test(test_blocks_agree),
    cmocka_unit_test(test_construction),
    cmocka_unit_test(test_stored_tokens_never_change),
    cmocka_unit_test(test_words_of_all_lengths),
    cmocka_unit_test(test_a_full_sink_says_so),
    cmocka_unit_test(test_no_match_is_excluded),
};

int main(void)
{
    static struct CMUnitTest rows[COUNT_OF(words_cases) + COUNT_OF(others)];
    for (size_t i = 0; i < COUNT_OF(words_cases); i++) {
        rows[i] = (struct CMUnitTest){.name = words_cases[i].text,
                                      .test_func = test_words,
                                      .initial_state = (void *)(uintptr_t)&words_cases[i]};
    }
    memcpy(rows + COUNT_OF(words_cases), others, sizeof(others));
    return cmocka_run_group_tests(rows, NULL, NULL);
}
