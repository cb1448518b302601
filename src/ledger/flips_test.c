/* SPDX-License-Identifier: Apache-2.0 */
/*
 * flips - of a ledger that was closed cleanly, a bit is flipped, and ledger_verify() reports it.
 *
 * Every bit of the small files, and of the WAL all that is in use. Exempt, because nothing is said
 * there: LOCK (its text informs), spare-*.wal (not in use), and in a WAL file the blocks behind its
 * last frame, which hold zeros or an earlier life. Files that take a whole segment are sampled
 * here; every bit of small ones is flipped in segment_test.c, group_test.c and roots_test.c.
 */
#include "ledger/story_segment.h"
#include "os/file.h"

#ifdef __SANITIZE_THREAD__ /* ten times slower, and flips are not about threads */
#define STRIDE 17
#else
#define STRIDE 1
#endif

enum {
    SAMPLES = 40, /* bits of each large file; SAMPLES_LONG if CAIRN_TEST_LONG is set */
    SAMPLES_LONG = 2000,
    FRAME_BLOCKS = 2, /* of the small ledger: the header, and the one frame */
};

static void flip(struct file *file, uint64_t bit)
{
    uint8_t byte = 0;
    assert_int_equal(file_read_at(file, bit / 8, &byte, 1, NULL), OK);
    byte ^= (uint8_t)(1u << bit % 8);
    assert_int_equal(file_write_at(file, bit / 8, (slice){&byte, 1}, NULL), OK);
}

static void flip_and_verify(struct story *story, struct file *file, const char *name, uint64_t bit)
{
    struct ledger_verify_result result = {0};
    struct diag diag = {0};
    flip(file, bit);
    if (ledger_verify(story->f.temp.path, (slice){0}, NULL, NULL, &result, &diag) != ERR_CORRUPT) {
        fail_msg("%s: bit %llu of byte %llu goes unnoticed: %s", name, (unsigned long long)bit % 8,
                 (unsigned long long)bit / 8, diag.text);
    }
    flip(file, bit);
}

static uint64_t size_of(const struct file *file)
{
    uint64_t size = 0;
    assert_int_equal(file_size(file, &size, NULL), OK);
    return size;
}

/* All of a file, or its first `bytes` when that is not 0. */
static void flip_every_bit(struct story *story, const struct dir *dir, const char *name,
                           uint64_t bytes)
{
    OWNED(file) file = NULL;
    print_message("# %s\n", name);
    assert_int_equal(file_open(dir, name, FILE_WRITE, &file, NULL), OK);
    bytes = bytes > 0 ? bytes : size_of(file);
    for (uint64_t bit = 0; bit < bytes * 8; bit += STRIDE) {
        uint8_t byte = 0;
        assert_int_equal(file_read_at(file, bit / 8, &byte, 1, NULL), OK);
        bool is_padding = bytes > KIB(4) && byte == 0;
        if (!is_padding || bit % 32 == bit / 32 % 32 || story_is_long()) { /* a part of the zeros */
            flip_and_verify(story, file, name, bit);
        }
    }
}

static void flip_some(struct story *story, const struct dir *dir, const char *name)
{
    OWNED(file) file = NULL;
    uint64_t random = 1;
    print_message("# %s\n", name);
    assert_int_equal(file_open(dir, name, FILE_WRITE, &file, NULL), OK);
    uint64_t bits = size_of(file) * 8;
    for (int i = 0; i < (story_is_long() ? SAMPLES_LONG : SAMPLES); i++) {
        random = random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        flip_and_verify(story, file, name, (random >> 20) % bits);
    }
}

static bool ends_with(const char *name, const char *end)
{
    size_t len = strlen(name);
    return len >= strlen(end) && strcmp(name + len - strlen(end), end) == 0;
}

/* Every file of a directory but the exempt ones goes to one of the two. */
static void flip_in(struct story *story, const struct dir *dir, bool has_segments)
{
    CLEANUP(dir_names_release) struct dir_names names = {0};
    assert_int_equal(dir_list(dir, &names, NULL), OK);
    for (size_t i = 0; i < names.count; i++) {
        const char *name = names.names[i];
        bool is_exempt = strcmp(name, "LOCK") == 0 || strcmp(name, "ledger") == 0 ||
                         strcmp(name, "keys") == 0 || strncmp(name, "spare-", 6) == 0;
        if (is_exempt || (has_segments && ends_with(name, ".wal"))) {
            continue; /* of the WAL, the small ledger shows every bit */
        }
        if (has_segments) {
            flip_some(story, dir, name);
        } else {
            flip_every_bit(story, dir, name,
                           ends_with(name, ".wal") ? (uint64_t)FRAME_BLOCKS * FILE_BLOCK : 0);
        }
    }
}

static void flip_all_over(struct story *story, bool has_segments)
{
    OWNED(dir) data = NULL;
    OWNED(dir) keys = NULL;
    OWNED(dir) dir = NULL;
    assert_int_equal(dir_open(story->f.temp.path, false, &data, NULL), OK);
    assert_int_equal(dir_open_in(data, "keys", false, &keys, NULL), OK);
    assert_int_equal(dir_open_in(data, "ledger", false, &dir, NULL), OK);
    story_check_whole(story);
    flip_in(story, dir, has_segments);
    if (!has_segments) {
        flip_in(story, data, false);
        flip_in(story, keys, false);
    }
    story_check_whole(story);
}

/* One WAL file, two keys of the log, of which one is retired, and a cosigner. */
static void test_every_bit_of_a_small_ledger_counts(void **state)
{
    struct story story;
    UNUSED(state);
    story_init(&story, false);
    assert_int_equal(story_open(&story), OK);
    assert_int_equal(story_append_some(&story, 1, true), OK);
    assert_int_equal(store_rotate_key(story.f.store, INT64_C(3600000000), NULL), OK);
    assert_int_equal(story_checkpoint(&story), OK);
    fixture_close(&story.f);
    flip_all_over(&story, false);
    story_release(&story);
}

static void test_bits_of_sealed_segments_roots_and_indexes_count(void **state)
{
    struct story story;
    UNUSED(state);
    story_init(&story, false);
    story.f.options.wal_file_bytes = MIB(2);
    story_make_gone(&story);
    assert_int_equal(story_open(&story), OK);
    assert_int_equal(story_fill(&story, ROWS_MAX + 100), OK);
    ledger_settle(story.f.ledger);
    assert_int_equal(story_erase(&story), OK);
    fixture_close(&story.f);
    flip_all_over(&story, true);
    story_release(&story);
}

int main(void)
{
    story_keep_memory();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_bit_of_a_small_ledger_counts),
        cmocka_unit_test(test_bits_of_sealed_segments_roots_and_indexes_count),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
