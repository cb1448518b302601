/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <zstd.h>

#include "base/mem.h"
#include "base/test.h"
#include "codec/zip.h"

/* "hello hello hello" */
#define HELLO_GZIP                                                                                 \
    "\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\xcb\x48\xcd\xc9\xc9\x57\xc8\x40\x90\x00\x80\x88\xf9" \
    "\xe5\x11\x00\x00\x00"
#define HELLO_ZSTD                                                                                 \
    "\x28\xb5\x2f\xfd\x20\x11\x89\x00\x00\x68\x65\x6c\x6c\x6f\x20\x68\x65\x6c\x6c\x6f\x20\x68\x65" \
    "\x6c\x6c\x6f"
/* A frame to be skipped, of three bytes. */
#define SKIPPED_ZSTD "\x50\x2a\x4d\x18\x03\x00\x00\x00\x61\x62\x63"

/* Feeds `in` in pieces of `piece` bytes, takes it out in pieces of `room`. */
static enum err unzip_all(struct unzip *unzip, slice in, size_t piece, size_t room, struct buf *out)
{
    uint8_t bytes[64];
    assert_true(room <= sizeof(bytes));
    while (in.len > 0) {
        slice head = slice_take(&in, piece < in.len ? piece : in.len);
        size_t len = 0;
        do {
            bool ended = false;
            TRY(unzip_feed(unzip, &head, bytes, room, &len, &ended, NULL));
            assert_true(len <= room);
            buf_append(out, (slice){bytes, len});
        } while (head.len > 0 || len > 0);
    }
    return unzip_finish(unzip, NULL);
}

struct unzip_case {
    const char *name;
    enum zip_kind kind;
    slice in;
    uint64_t out_max;
    enum err expect;
    const char *text; /* what came out */
};

static struct unzip_case cases[] = {
    {"gzip", ZIP_GZIP, SLICE_INIT(HELLO_GZIP), 100, OK, "hello hello hello"},
    {"gzip at the limit", ZIP_GZIP, SLICE_INIT(HELLO_GZIP), 17, OK, "hello hello hello"},
    {"gzip past the limit", ZIP_GZIP, SLICE_INIT(HELLO_GZIP), 16, ERR_LIMIT, NULL},
    {"gzip, nothing allowed", ZIP_GZIP, SLICE_INIT(HELLO_GZIP), 0, ERR_LIMIT, NULL},
    {"gzip twice", ZIP_GZIP, SLICE_INIT(HELLO_GZIP HELLO_GZIP), 34, OK,
     "hello hello hellohello hello hello"},
    {"gzip twice past the limit", ZIP_GZIP, SLICE_INIT(HELLO_GZIP HELLO_GZIP), 33, ERR_LIMIT, NULL},
    {"gzip and then something else", ZIP_GZIP, SLICE_INIT(HELLO_GZIP "{}"), 100, ERR_INVALID, NULL},
    {"gzip and zeros", ZIP_GZIP, SLICE_INIT(HELLO_GZIP "\0\0\0"), 100, ERR_INVALID, NULL},
    {"gzip of nothing", ZIP_GZIP, SLICE_INIT(""), 100, ERR_INVALID, ""},
    {"gzip, only a header", ZIP_GZIP, SLICE_INIT("\x1f\x8b\x08\0\0\0\0\0\0\x03"), 100, ERR_INVALID,
     ""},
    {"zlib is not gzip", ZIP_GZIP, SLICE_INIT("\x78\x9c\x4b\x4c\x02\x00\x01\x26\x00\xc4"), 100,
     ERR_INVALID, NULL},
    {"JSON is not gzip", ZIP_GZIP, SLICE_INIT("{\"action\":\"login\"}"), 100, ERR_INVALID, NULL},
    {"zstd is not gzip", ZIP_GZIP, SLICE_INIT(HELLO_ZSTD), 100, ERR_INVALID, NULL},
    {"zstd", ZIP_ZSTD, SLICE_INIT(HELLO_ZSTD), 100, OK, "hello hello hello"},
    {"zstd at the limit", ZIP_ZSTD, SLICE_INIT(HELLO_ZSTD), 17, OK, "hello hello hello"},
    {"zstd past the limit", ZIP_ZSTD, SLICE_INIT(HELLO_ZSTD), 16, ERR_LIMIT, NULL},
    {"zstd, nothing allowed", ZIP_ZSTD, SLICE_INIT(HELLO_ZSTD), 0, ERR_LIMIT, NULL},
    {"zstd twice", ZIP_ZSTD, SLICE_INIT(HELLO_ZSTD HELLO_ZSTD), 34, OK,
     "hello hello hellohello hello hello"},
    {"zstd with skipped frames", ZIP_ZSTD, SLICE_INIT(SKIPPED_ZSTD HELLO_ZSTD SKIPPED_ZSTD), 17, OK,
     "hello hello hello"},
    {"zstd, only skipped", ZIP_ZSTD, SLICE_INIT(SKIPPED_ZSTD), 0, OK, ""},
    {"zstd and then something else", ZIP_ZSTD, SLICE_INIT(HELLO_ZSTD "{}"), 100, ERR_INVALID, NULL},
    {"zstd of nothing", ZIP_ZSTD, SLICE_INIT(""), 100, ERR_INVALID, ""},
    {"zstd, only the magic", ZIP_ZSTD, SLICE_INIT("\x28\xb5\x2f\xfd"), 100, ERR_INVALID, ""},
    {"zstd, shorter than it says", ZIP_ZSTD, SLICE_INIT("\x28\xb5\x2f\xfd\x20\x11\x01\x00\x00"),
     100, ERR_INVALID, NULL},
    {"zstd, empty as it says", ZIP_ZSTD, SLICE_INIT("\x28\xb5\x2f\xfd\x20\x00\x01\x00\x00"), 0, OK,
     ""},
    {"zstd, a format before 1.0", ZIP_ZSTD, SLICE_INIT("\x27\xb5\x2f\xfd\x20\x11"), 100,
     ERR_INVALID, NULL},
    {"zstd, a window of 8 MiB", ZIP_ZSTD, SLICE_INIT("\x28\xb5\x2f\xfd\x00\x68\x09\x00\x00\x61"),
     100, OK, "a"},
    {"zstd, a window of 9 MiB", ZIP_ZSTD, SLICE_INIT("\x28\xb5\x2f\xfd\x00\x69\x09\x00\x00\x61"),
     100, ERR_LIMIT, NULL},
    {"gzip is not zstd", ZIP_ZSTD, SLICE_INIT(HELLO_GZIP), 100, ERR_INVALID, NULL},
};

static void test_unzip(void **state)
{
    const struct unzip_case *c = *state;
    static const size_t pieces[] = {1, 2, 7, 1000};
    static const size_t rooms[] = {1, 3, 17, 64};
    for (size_t i = 0; i < COUNT_OF(pieces) * COUNT_OF(rooms); i++) {
        OWNED(unzip) unzip = NULL;
        CLEANUP(buf_release) struct buf out = BUF_INIT(100);
        assert_int_equal(unzip_new(c->kind, c->out_max, &unzip, NULL), OK);
        assert_int_equal(unzip_all(unzip, c->in, pieces[i % COUNT_OF(pieces)],
                                   rooms[i / COUNT_OF(pieces)], &out),
                         c->expect);
        assert_true(out.len <= c->out_max);
        if (c->text != NULL) {
            assert_string_equal(buf_cstr(&out), c->text);
        } else { /* it stays spent */
            struct diag diag = {0};
            assert_int_equal(unzip_finish(unzip, &diag), c->expect);
            assert_string_not_equal(diag.text, "");
        }
    }
}

static void test_every_cut_is_noticed(void **state)
{
    UNUSED(state);
    static const slice whole[] = {SLICE_INIT(HELLO_GZIP), SLICE_INIT(HELLO_ZSTD)};
    for (size_t kind = 0; kind < COUNT_OF(whole); kind++) {
        for (size_t len = 0; len < whole[kind].len; len++) {
            OWNED(unzip) unzip = NULL;
            CLEANUP(buf_release) struct buf out = BUF_INIT(100);
            assert_int_equal(unzip_new((enum zip_kind)kind, 100, &unzip, NULL), OK);
            slice cut = {whole[kind].ptr, len};
            assert_int_equal(unzip_all(unzip, cut, 1000, 64, &out), ERR_INVALID);
        }
    }
}

/* A piece of ten million zeros, compressed. */
static void make_bomb(enum zip_kind kind, struct buf *out)
{
    enum { BOMB_BYTES = 10000000 };
    uint8_t *zeros = mem_zeroed(BOMB_BYTES);
    if (kind == ZIP_GZIP) {
        assert_int_equal(zip_gzip((slice){zeros, BOMB_BYTES}, out), OK);
    } else {
        assert_true(buf_reserve(out, ZSTD_compressBound(BOMB_BYTES)));
        size_t len = ZSTD_compress(out->ptr, out->capacity, zeros, BOMB_BYTES, 1);
        assert_false(ZSTD_isError(len));
        out->len = len;
    }
    free(zeros);
}

static void test_a_bomb_stops_at_the_limit(void **state)
{
    UNUSED(state);
    for (size_t kind = 0; kind < 2; kind++) {
        CLEANUP(buf_release) struct buf bomb = BUF_INIT(MIB(16));
        make_bomb((enum zip_kind)kind, &bomb);
        OWNED(unzip) unzip = NULL;
        assert_int_equal(unzip_new((enum zip_kind)kind, 100000, &unzip, NULL), OK);
        static uint8_t out[30000];
        slice in = buf_slice(&bomb);
        size_t len = 0, total = 0;
        bool ended = false;
        enum err e = OK;
        while (e == OK) {
            e = unzip_feed(unzip, &in, out, sizeof(out), &len, &ended, NULL);
            assert_false(ended);
            total += len;
        }
        assert_int_equal(e, ERR_LIMIT);
        assert_int_equal(total, 90000); /* the piece that would have passed it is not given out */
        assert_int_equal(unzip_feed(unzip, &in, out, sizeof(out), &len, &ended, NULL), ERR_LIMIT);
        assert_int_equal(len, 0);
    }
}

static void test_gzip_there_and_back(void **state)
{
    UNUSED(state);
    static const char *const texts[] = {"", "a", "hello hello hello"};
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        CLEANUP(buf_release) struct buf zipped = BUF_INIT(1000), out = BUF_INIT(100);
        buf_append_cstr(&zipped, "x"); /* it appends */
        assert_int_equal(zip_gzip(slice_from_cstr(texts[i]), &zipped), OK);
        OWNED(unzip) unzip = NULL;
        assert_int_equal(unzip_new(ZIP_GZIP, 100, &unzip, NULL), OK);
        slice in = {zipped.ptr + 1, zipped.len - 1};
        assert_int_equal(unzip_all(unzip, in, 1000, 64, &out), OK);
        assert_string_equal(buf_cstr(&out), texts[i]);
    }
}

static void test_gzip_keeps_to_the_limit_of_the_buf(void **state)
{
    UNUSED(state);
    CLEANUP(buf_release) struct buf fits = BUF_INIT(sizeof(HELLO_GZIP) - 1);
    assert_int_equal(zip_gzip(SLICE("hello hello hello"), &fits), OK);
    assert_int_equal(fits.len, sizeof(HELLO_GZIP) - 1);
    assert_int_equal(zip_gzip(SLICE("hello hello hello"), &fits), ERR_LIMIT);
    assert_int_equal(fits.len, sizeof(HELLO_GZIP) - 1);
    assert_int_equal(buf_check(&fits), ERR_LIMIT);

    CLEANUP(buf_release) struct buf small = BUF_INIT(sizeof(HELLO_GZIP) - 2);
    assert_int_equal(zip_gzip(SLICE("hello hello hello"), &small), ERR_LIMIT);
    assert_int_equal(small.len, 0);
}

int main(void)
{
    struct CMUnitTest tests[COUNT_OF(cases) + 4];
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        tests[i] = (struct CMUnitTest){.name = cases[i].name,
                                       .test_func = test_unzip,
                                       .initial_state = &cases[i]};
    }
    const struct CMUnitTest others[] = {
        cmocka_unit_test(test_every_cut_is_noticed),
        cmocka_unit_test(test_a_bomb_stops_at_the_limit),
        cmocka_unit_test(test_gzip_there_and_back),
        cmocka_unit_test(test_gzip_keeps_to_the_limit_of_the_buf),
    };
    memcpy(tests + COUNT_OF(cases), others, sizeof(others));
    return cmocka_run_group_tests(tests, NULL, NULL);
}
