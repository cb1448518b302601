/* SPDX-License-Identifier: Apache-2.0 */
/* One schema, many threads: each gets the verdict that it would get alone. For ThreadSanitizer. */
#include <pthread.h>

#include "base/test.h"
#include "validate/schema.h"

enum { THREADS = 4, ROUNDS = 500 };

static const char schema_text[] =
    "{\"items\":{\"$ref\":\"#/$defs/item\"},\"uniqueItems\":true,\"$defs\":{\"item\":{"
    "\"type\":\"object\",\"patternProperties\":{\"^n\":{\"multipleOf\":0.01}},\"properties\":{"
    "\"id\":{\"pattern\":\"^[a-z]+-[0-9]+$\"},\"kind\":{\"enum\":[\"a\",\"b\",{\"c\":1}]}}}}}";
static const char fitting[] =
    "[{\"id\":\"a-1\",\"kind\":{\"c\":1.0},\"n1\":0.15},{\"id\":\"b-22\",\"n2\":7}]";
static const char wrong[] = "[{\"id\":\"a-1\"},{\"id\":\"b22\",\"n2\":7.001}]";

struct worker {
    const struct schema *schema;
    size_t mistakes;
};

static void *work(void *context)
{
    struct worker *worker = context;
    for (int i = 0; i < ROUNDS; i++) {
        bool fits = false;
        bool is_wrong = true;
        enum err first = schema_check(worker->schema, slice_from_cstr(fitting), NULL, &fits, NULL);
        enum err second =
            schema_check(worker->schema, slice_from_cstr(wrong), NULL, &is_wrong, NULL);
        worker->mistakes += first != OK || second != OK || !fits || is_wrong ? 1 : 0;
    }
    return NULL;
}

static void test_threads_share_a_schema(void **state)
{
    UNUSED(state);
    OWNED(schema) schema = NULL;
    struct worker workers[THREADS] = {0};
    pthread_t threads[THREADS];
    assert_int_equal(schema_compile(slice_from_cstr(schema_text), &schema, NULL), OK);
    for (size_t i = 0; i < THREADS; i++) {
        workers[i].schema = schema;
        assert_int_equal(pthread_create(&threads[i], NULL, work, &workers[i]), 0);
    }
    for (size_t i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_int_equal(workers[i].mistakes, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_threads_share_a_schema)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
