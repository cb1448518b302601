/* SPDX-License-Identifier: Apache-2.0 */
/* Runs tests/vectors/events.json, which any client in any language can run too. */
#include <jansson.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/test.h"
#include "codec/time.h"
#include "event/read.h"

enum { PATH_BYTES = 4096 };

/* The compiler names this file as seen from the build directory, where the tests lie in src/. */
static json_t *load_vectors(void)
{
    char file[] = __FILE__;
    char program[PATH_BYTES] = "";
    char path[3 * PATH_BYTES];
    const char *root = ".";
    if (file[0] != '/') {
        ssize_t len = readlink("/proc/self/exe", program, sizeof(program) - 1);
        assert_true(len > 0);
        root = dirname(dirname(program));
    }
    (void)snprintf(path, sizeof(path), "%s/%s/../../tests/vectors/events.json",
                   file[0] == '/' ? "" : root, dirname(file));
    json_error_t error;
    json_t *vectors = json_load_file(path, JSON_REJECT_DUPLICATES, &error);
    assert_non_null(vectors);
    return vectors;
}

static slice text_of(const json_t *object, const char *key)
{
    const json_t *text = json_object_get(object, key);
    if (text == NULL) {
        return (slice){0};
    }
    return (slice){(const uint8_t *)json_string_value(text), json_string_length(text)};
}

static void read_options(const json_t *vector, struct read_options *out)
{
    const json_t *options = json_object_get(vector, "options");
    const json_t *headers = json_object_get(vector, "headers");
    *out = (struct read_options){.org = text_of(options, "org")};
    assert_true(time_parse_rfc3339(text_of(options, "now"), &out->now_us));
    out->header_event_type = text_of(headers, "X-Event-Type");
    out->header_service = text_of(headers, "X-Service");
    out->header_correlation_id = text_of(headers, "X-Correlation-ID");
    out->header_resource_type = text_of(headers, "X-Resource-Type");
    out->header_outcome = text_of(headers, "X-Outcome");
}

static void check_line(const json_t *vector, const struct event *event)
{
    struct buf line = BUF_INIT(MIB(1));
    event_write_line(event, &line);
    assert_true(slice_equal(buf_slice(&line), text_of(vector, "line")));
    struct leaf_hash leaf = event_leaf_hash(buf_slice(&line));
    char hex[2 * LEAF_HASH_BYTES + 1];
    for (size_t i = 0; i < LEAF_HASH_BYTES; i++) {
        (void)snprintf(hex + 2 * i, 3, "%02x", leaf.bytes[i]);
    }
    assert_slice_equal(text_of(vector, "leaf_hash"), hex);

    struct buf row = BUF_INIT(MIB(1));
    struct buf again = BUF_INIT(MIB(1));
    static struct event stored;
    event_write_row(event, &row);
    assert_int_equal(event_from_row(buf_slice(&row), &stored, NULL), OK);
    event_write_line(&stored, &again);
    assert_true(slice_equal(buf_slice(&line), buf_slice(&again)));
    buf_release(&line);
    buf_release(&row);
    buf_release(&again);
}

static void test_vector(void **state)
{
    const json_t *vector = *state;
    struct arena arena = ARENA_INIT(MIB(4));
    struct read_options options;
    static struct event event;
    struct diag diag = {0};
    uint64_t sent = 0;
    read_options(vector, &options);
    enum err e = event_read(text_of(vector, "input"), &options, &arena, &event, &sent, &diag);
    const json_t *error = json_object_get(vector, "error");
    if (error != NULL) {
        assert_int_equal(e, ERR_INVALID);
        assert_string_equal(diag.where, json_string_value(json_object_get(error, "pointer")));
    } else {
        assert_int_equal(e, OK);
        check_line(vector, &event);
    }
    arena_release(&arena);
}

int main(void)
{
    json_t *vectors = load_vectors();
    size_t count = json_array_size(vectors);
    struct CMUnitTest *tests = mem_array(count, sizeof(*tests));
    for (size_t i = 0; i < count; i++) {
        json_t *vector = json_array_get(vectors, i);
        tests[i] = (struct CMUnitTest){.name = json_string_value(json_object_get(vector, "name")),
                                       .test_func = test_vector,
                                       .initial_state = vector};
    }
    int failed = _cmocka_run_group_tests("vectors", tests, count, NULL, NULL);
    free(tests);
    json_decref(vectors);
    return failed;
}
