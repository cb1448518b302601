/* SPDX-License-Identifier: Apache-2.0 */
#include "base/test.h"
#include "event/read.h"

struct repeat_case {
    const char *name;
    const char *stored, *repeated;
    bool repeats;
};

#define ID "\"event_id\":\"019bbef3-b471-7a11-9ceb-a70e2e1664d2\",\"event_type\":\"a.b\""

static struct repeat_case cases[] = {
    {"the same", "{" ID ",\"actor_id\":\"x\"}", "{" ID ",\"actor_id\":\"x\"}", true},
    {"other spelling", "{" ID ",\"actor_ip\":\"::1\",\"event_data\":{\"a\":1}}",
     "{\"event_data\" : {\"a\" : 1},\"ip\":\"0::1\"," ID "}", true},
    {"leaves out", "{" ID ",\"actor_id\":\"x\",\"event_data\":1,\"y\":2}", "{" ID "}", true},
    {"adds", "{" ID "}", "{" ID ",\"actor_id\":\"x\"}", false},
    {"other text", "{" ID ",\"actor_id\":\"x\"}", "{" ID ",\"actor_id\":\"y\"}", false},
    {"other number", "{" ID ",\"duration_ms\":1}", "{" ID ",\"duration_ms\":2}", false},
    {"other id", "{" ID ",\"parent_id\":\"019bbef3-b471-7a11-9ceb-a70e2e1664d2\"}",
     "{" ID ",\"parent_id\":\"019bbef3-b471-7a11-9ceb-a70e2e1664d3\"}", false},
    {"other data", "{" ID ",\"event_data\":[1]}", "{" ID ",\"event_data\":[2]}", false},
    {"metadata in another order", "{" ID ",\"x\":1,\"y\":[2]}", "{" ID ",\"y\":[2],\"x\":1}", true},
    {"some of the metadata", "{" ID ",\"x\":1,\"y\":2}", "{" ID ",\"y\":2}", true},
    {"empty metadata", "{" ID ",\"x\":1}", "{" ID ",\"event_metadata\":{}}", true},
    {"other metadata", "{" ID ",\"x\":1,\"y\":2}", "{" ID ",\"y\":1}", false},
    {"more metadata", "{" ID ",\"x\":1}", "{" ID ",\"x\":1,\"y\":2}", false},
    {"metadata that was absent", "{" ID "}", "{" ID ",\"y\":2}", false},
    {"other default does not count", "{" ID ",\"category\":\"c\"}", "{" ID "}", true},
};

static void test_repeats(void **state)
{
    const struct repeat_case *c = *state;
    struct arena arena = ARENA_INIT(MIB(1));
    struct read_options options = {.org = SLICE("o"), .now_us = 1};
    static struct event stored, repeated;
    uint64_t sent = 0;
    assert_int_equal(event_read(slice_from_cstr(c->stored), &options, &arena, &stored, &sent, NULL),
                     OK);
    options.now_us = 2;
    assert_int_equal(event_read(slice_from_cstr(c->repeated), &options, &arena, &repeated, &sent,
                                NULL),
                     OK);
    assert_int_equal(event_repeats(&stored, &repeated, sent), c->repeats);
    arena_release(&arena);
}

TEST_TABLE(test_repeats, cases)
