/* SPDX-License-Identifier: Apache-2.0 */
#include "base/test.h"
#include "http/peers.h"
#include "http/wheel.h"

static int fired;
static struct wheel_entry *last;

static void note(struct wheel_entry *entry)
{
    fired++;
    last = entry;
}

static void a_deadline_is_met_within_a_tick(void **state)
{
    UNUSED(state);
    struct wheel wheel;
    struct wheel_entry entry = {0};
    fired = 0;
    wheel_init(&wheel, 1000, 5000);
    wheel_arm(&wheel, &entry, 7500);
    wheel_advance(&wheel, 7499, note);
    assert_int_equal(fired, 0);
    wheel_advance(&wheel, 8000, note);
    assert_int_equal(fired, 1);
    assert_ptr_equal(last, &entry);
    wheel_advance(&wheel, 20000, note);
    assert_int_equal(fired, 1);
}

static void a_deadline_may_be_moved(void **state)
{
    UNUSED(state);
    struct wheel wheel;
    struct wheel_entry entry = {0};
    fired = 0;
    wheel_init(&wheel, 1000, 0);
    wheel_arm(&wheel, &entry, 3000);
    wheel_arm(&wheel, &entry, 60000);
    wheel_advance(&wheel, 59999, note);
    assert_int_equal(fired, 0);
    wheel_arm(&wheel, &entry, 60500);
    wheel_arm(&wheel, &entry, 60400);
    wheel_advance(&wheel, 61000, note);
    assert_int_equal(fired, 1);
    wheel_arm(&wheel, &entry, 62000);
    wheel_arm(&wheel, &entry, WHEEL_NEVER);
    wheel_advance(&wheel, 200000, note);
    assert_int_equal(fired, 1);
}

static void a_deadline_beyond_the_wheel_is_met(void **state)
{
    UNUSED(state);
    struct wheel wheel;
    struct wheel_entry entries[3] = {0};
    fired = 0;
    wheel_init(&wheel, 1000, 0);
    wheel_arm(&wheel, &entries[0], 500000);
    wheel_arm(&wheel, &entries[1], 127000);
    wheel_arm(&wheel, &entries[2], 128000);
    for (uint64_t now = 0; now < 499000; now += 1000) {
        wheel_advance(&wheel, now, note);
    }
    assert_int_equal(fired, 2);
    wheel_advance(&wheel, 501000, note);
    assert_int_equal(fired, 3);
}

static void an_entry_may_be_removed(void **state)
{
    UNUSED(state);
    struct wheel wheel;
    struct wheel_entry entry = {0};
    fired = 0;
    wheel_init(&wheel, 1000, 0);
    wheel_remove(&entry);
    wheel_arm(&wheel, &entry, 1000);
    wheel_remove(&entry);
    wheel_advance(&wheel, 5000, note);
    assert_int_equal(fired, 0);
}

static void peers_are_counted(void **state)
{
    UNUSED(state);
    struct peers *peers = peers_new(200, 2);
    uint8_t address[16] = {0};
    for (uint8_t i = 0; i < 100; i++) {
        address[15] = i;
        assert_true(peers_add(peers, address));
        assert_true(peers_add(peers, address));
        assert_false(peers_add(peers, address));
    }
    address[15] = 100;
    assert_false(peers_add(peers, address)); /* 200 in all */
    assert_int_equal(peers_count(peers), 200);
    for (uint8_t i = 0; i < 100; i += 2) { /* holes in the table */
        address[15] = i;
        peers_drop(peers, address);
        peers_drop(peers, address);
    }
    for (uint8_t i = 1; i < 100; i += 2) {
        address[15] = i;
        assert_false(peers_add(peers, address));
        peers_drop(peers, address);
        assert_true(peers_add(peers, address));
    }
    assert_int_equal(peers_count(peers), 100);
    peers_free(peers);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_deadline_is_met_within_a_tick),
        cmocka_unit_test(a_deadline_may_be_moved),
        cmocka_unit_test(a_deadline_beyond_the_wheel_is_met),
        cmocka_unit_test(an_entry_may_be_removed),
        cmocka_unit_test(peers_are_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
