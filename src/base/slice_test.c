/* SPDX-License-Identifier: Apache-2.0 */
#include "base/test.h"

struct take_case {
    const char *name, *text, *literal;
    bool taken;
    const char *rest;
};

static struct take_case cases[] = {
    {"takes what it finds", "actor_id", "actor", true, "_id"},
    {"leaves what differs", "actor_id", "action", false, "actor_id"},
    {"leaves what is too short", "act", "actor", false, "act"},
    {"takes nothing from nothing", "", "", true, ""},
};

static void test_take_literal(void **state)
{
    const struct take_case *c = *state;
    slice text = slice_from_cstr(c->text);
    assert_int_equal(slice_take_literal(&text, slice_from_cstr(c->literal)), c->taken);
    assert_slice_equal(text, c->rest);
}

TEST_TABLE(test_take_literal, cases)
