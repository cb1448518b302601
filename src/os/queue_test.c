/* SPDX-License-Identifier: Apache-2.0 */
#include "base/test.h"
#include "os/clock.h"
#include "os/queue.h"

static int items[8];

static void test_keeps_the_order_and_both_limits(void **state)
{
    UNUSED(state);
    struct queue queue;
    queue_init(&queue, 3, 100);
    assert_null(queue_pop(&queue, 0));
    assert_int_equal(queue_push(&queue, &items[0], 40), OK);
    assert_int_equal(queue_push(&queue, &items[1], 60), OK);
    assert_int_equal(queue_push(&queue, &items[2], 1), ERR_BUSY); /* bytes */
    assert_int_equal(queue_push(&queue, &items[2], 0), OK);
    assert_int_equal(queue_push(&queue, &items[3], 0), ERR_BUSY); /* count */
    assert_int_equal(queue_count(&queue), 3);
    assert_ptr_equal(queue_pop(&queue, 0), &items[0]);
    assert_int_equal(queue_push(&queue, &items[3], 41), ERR_BUSY);
    assert_int_equal(queue_push(&queue, &items[3], 40), OK);
    assert_ptr_equal(queue_pop(&queue, -1), &items[1]);
    assert_ptr_equal(queue_pop(&queue, 1000000), &items[2]);
    assert_ptr_equal(queue_pop(&queue, 0), &items[3]);
    assert_null(queue_pop(&queue, 0));
    queue_release(&queue);
}

static void test_an_empty_queue_takes_one_of_any_size(void **state)
{
    UNUSED(state);
    struct queue queue;
    queue_init(&queue, 3, 100);
    assert_int_equal(queue_push(&queue, &items[0], SIZE_MAX), OK);
    assert_int_equal(queue_push(&queue, &items[1], 0), ERR_BUSY);
    assert_int_equal(queue_push(&queue, &items[1], 1), ERR_BUSY);
    assert_ptr_equal(queue_pop(&queue, 0), &items[0]);
    assert_int_equal(queue_push(&queue, &items[1], 100), OK);
    queue_release(&queue);
}

static void test_takes_many_at_once(void **state)
{
    UNUSED(state);
    struct queue queue;
    void *taken[4] = {0};
    queue_init(&queue, 5, 100);
    for (size_t i = 0; i < 5; i++) {
        assert_int_equal(queue_push(&queue, &items[i], 20), OK);
    }
    assert_int_equal(queue_pop_all(&queue, taken, 4, 0), 4);
    assert_ptr_equal(taken[0], &items[0]);
    assert_ptr_equal(taken[3], &items[3]);
    assert_int_equal(queue_push(&queue, &items[5], 80), OK); /* their bytes went, too */
    assert_int_equal(queue_pop_all(&queue, taken, 4, 0), 2);
    assert_ptr_equal(taken[0], &items[4]);
    assert_ptr_equal(taken[1], &items[5]);
    assert_int_equal(queue_pop_all(&queue, taken, 4, 0), 0);
    queue_release(&queue);
}

static void test_a_closed_queue_gives_out_what_it_has(void **state)
{
    UNUSED(state);
    struct queue queue;
    queue_init(&queue, 3, 100);
    assert_int_equal(queue_push(&queue, &items[0], 1), OK);
    queue_close(&queue);
    queue_close(&queue);
    assert_int_equal(queue_push(&queue, &items[1], 1), ERR_GONE);
    assert_false(queue_is_ended(&queue));
    assert_ptr_equal(queue_pop(&queue, -1), &items[0]);
    assert_true(queue_is_ended(&queue));
    assert_null(queue_pop(&queue, -1)); /* does not wait */
    queue_release(&queue);
}

static void test_a_wait_ends_in_time(void **state)
{
    UNUSED(state);
    struct queue queue;
    queue_init(&queue, 3, 100);
    int64_t began_us = clock_monotonic_us();
    assert_null(queue_pop(&queue, 2000));
    assert_true(clock_monotonic_us() - began_us >= 2000);
    assert_false(queue_is_ended(&queue));
    queue_release(&queue);
}

/* ---- Many threads ---- */

enum { PRODUCERS = 3, CONSUMERS = 2, PER_PRODUCER = 5000 };

struct crowd {
    struct queue queue;
    int numbers[PRODUCERS][PER_PRODUCER];
};

struct producer {
    struct crowd *crowd;
    int index;
};

struct consumer {
    struct crowd *crowd;
    int64_t sum;
    int count;
    bool is_in_order;
};

static void produce(void *arg)
{
    struct producer *producer = arg;
    for (int i = 0; i < PER_PRODUCER; i++) {
        int *number = &producer->crowd->numbers[producer->index][i];
        *number = producer->index * PER_PRODUCER + i;
        enum err e = ERR_BUSY;
        while (e == ERR_BUSY) {
            e = queue_push(&producer->crowd->queue, number, 10);
        }
        ASSERT(e == OK);
    }
}

static void consume(void *arg)
{
    struct consumer *consumer = arg;
    int last[PRODUCERS] = {-1, -1, -1};
    consumer->is_in_order = true;
    for (;;) {
        const int *number = queue_pop(&consumer->crowd->queue, -1);
        if (number == NULL) {
            return;
        }
        int producer = *number / PER_PRODUCER;
        consumer->is_in_order = consumer->is_in_order && *number > last[producer];
        last[producer] = *number;
        consumer->sum += *number;
        consumer->count++;
    }
}

static void test_many_threads_lose_nothing(void **state)
{
    UNUSED(state);
    static struct crowd crowd;
    static struct thread producers[PRODUCERS], consumers[CONSUMERS];
    struct producer made[PRODUCERS];
    struct consumer taken[CONSUMERS];
    queue_init(&crowd.queue, 16, 100); /* ten at most, by their bytes */
    for (int i = 0; i < CONSUMERS; i++) {
        taken[i] = (struct consumer){.crowd = &crowd};
        assert_int_equal(thread_start(&consumers[i], "consumer", consume, &taken[i], NULL), OK);
    }
    for (int i = 0; i < PRODUCERS; i++) {
        made[i] = (struct producer){&crowd, i};
        assert_int_equal(thread_start(&producers[i], "producer", produce, &made[i], NULL), OK);
    }
    for (int i = 0; i < PRODUCERS; i++) {
        thread_join(&producers[i]);
    }
    queue_close(&crowd.queue);
    int64_t sum = 0;
    int count = 0;
    for (int i = 0; i < CONSUMERS; i++) {
        thread_join(&consumers[i]);
        assert_true(taken[i].is_in_order);
        sum += taken[i].sum;
        count += taken[i].count;
    }
    assert_int_equal(count, 15000);
    assert_int_equal(sum, 112492500); /* 0 + 1 + ... + 14999 */
    queue_release(&crowd.queue);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_keeps_the_order_and_both_limits),
        cmocka_unit_test(test_an_empty_queue_takes_one_of_any_size),
        cmocka_unit_test(test_takes_many_at_once),
        cmocka_unit_test(test_a_closed_queue_gives_out_what_it_has),
        cmocka_unit_test(test_a_wait_ends_in_time),
        cmocka_unit_test(test_many_threads_lose_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
