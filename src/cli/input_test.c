/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include "base/test.h"
#include "cli/input.h"

#define LINES 50000

static size_t make_lines(char *out, size_t out_bytes)
{
    size_t len = 0;
    for (unsigned i = 0; i < LINES; i++) {
        len += (size_t)snprintf(out + len, out_bytes - len, "{\"n\":%u}\n", i);
    }
    return len;
}

static void make_file(char path[32], const void *bytes, size_t len)
{
    memcpy(path, "/tmp/cairn-input-XXXXXX", 24);
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, len), len);
    assert_int_equal(close(fd), 0);
}

/* Reads it all in odd pieces. */
static enum err read_back(const char *path, char *out, size_t *len_out, struct diag *diag)
{
    OWNED(input) input = NULL;
    TRY(input_open(path, &input, diag));
    *len_out = 0;
    for (;;) {
        size_t len = 0;
        TRY(input_read(input, (uint8_t *)out + *len_out, 10007, &len, diag));
        if (len == 0) {
            assert_int_equal(input_taken(input), input_total(input));
            return OK;
        }
        *len_out += len;
    }
}

static void assert_reads(const void *file, size_t file_len, const char *expect, size_t expect_len)
{
    char path[32];
    char *got = calloc(1, expect_len + 20014);
    size_t len = 0;
    make_file(path, file, file_len);
    assert_int_equal(read_back(path, got, &len, NULL), OK);
    assert_int_equal(len, expect_len);
    assert_memory_equal(got, expect, expect_len);
    assert_int_equal(remove(path), 0);
    free(got);
}

static void assert_refused(const void *file, size_t file_len, const char *says)
{
    char path[32];
    char *got = calloc(1, 2000000);
    size_t len = 0;
    struct diag diag = {0};
    make_file(path, file, file_len);
    assert_int_equal(read_back(path, got, &len, &diag), ERR_INVALID);
    assert_non_null(strstr(diag.text, says));
    assert_string_equal(diag.where, path);
    assert_int_equal(remove(path), 0);
    free(got);
}

static size_t make_gzip(const char *text, size_t len, uint8_t *out, size_t size)
{
    z_stream stream = {0};
    assert_int_equal(deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
    uint8_t *copy = malloc(len);
    memcpy(copy, text, len);
    stream.next_in = copy;
    stream.avail_in = (unsigned)len;
    stream.next_out = out;
    stream.avail_out = (unsigned)size;
    assert_int_equal(deflate(&stream, Z_FINISH), Z_STREAM_END);
    size_t made = stream.total_out;
    assert_int_equal(deflateEnd(&stream), Z_OK);
    free(copy);
    return made;
}

static void test_plain_and_compressed_files(void **state)
{
    UNUSED(state);
    static char text[1000000], twice[2000000];
    static uint8_t packed[1000000];
    size_t len = make_lines(text, sizeof(text));
    assert_reads(text, len, text, len);
    assert_reads("", 0, "", 0);
    assert_reads("{", 1, "{", 1);

    size_t made = make_gzip(text, len, packed, sizeof(packed));
    assert_reads(packed, made, text, len);
    assert_refused(packed, made / 2, "too soon");
    packed[made / 2] ^= 0xff;
    assert_refused(packed, made, "damaged");

    made = make_gzip(text, len, packed, sizeof(packed));
    made += make_gzip(text, len, packed + made, sizeof(packed) - made);
    memcpy(twice, text, len);
    memcpy(twice + len, text, len);
    assert_reads(packed, made, twice, 2 * len); /* two members, as gzip files may have */

    made = ZSTD_compress(packed, sizeof(packed), text, len, 3);
    assert_false(ZSTD_isError(made));
    assert_reads(packed, made, text, len);
    assert_refused(packed, made / 2, "too soon");
    packed[made / 2] ^= 0xff;
    packed[5] ^= 0x55;
    assert_refused(packed, made, "damaged");
}

static void test_what_cannot_be_opened(void **state)
{
    UNUSED(state);
    struct input *input = NULL;
    struct diag diag = {0};
    assert_int_equal(input_open("/nowhere/at/all", &input, &diag), ERR_NOT_FOUND);
    assert_string_equal(diag.where, "/nowhere/at/all");
    assert_int_equal(input_open("/tmp", &input, &diag), ERR_INVALID);
    assert_null(input);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plain_and_compressed_files),
        cmocka_unit_test(test_what_cannot_be_opened),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
