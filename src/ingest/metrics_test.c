/* SPDX-License-Identifier: Apache-2.0 */
#include "base/hash.h"
#include "base/test.h"
#include "ingest/metrics.h"

/* Two texts that share a hash for who knows the seed: the second half undoes the first. */
static slice made_text(uint64_t number, uint64_t seed, uint64_t text[2])
{
    text[0] = number;
    text[1] =
        hash_mix(seed ^ 16 * UINT64_C(0x9e3779b97f4a7c15) ^ number, UINT64_C(0xa0761d6478bd642f));
    return (slice){(const uint8_t *)text, 16};
}

static void test_services_made_to_collide_are_counted_apart(void **state)
{
    struct ingest_metrics *metrics = ingest_metrics_new();
    static struct event events[2];
    uint64_t texts[2][2];
    UNUSED(state);
    for (size_t i = 0; i < COUNT_OF(events); i++) {
        events[i].present = FIELD_BIT(FIELD_SERVICE);
        events[i].value[FIELD_SERVICE].text = made_text(i, HASH_STORED, texts[i]);
    }
    assert_int_equal(hash_bytes(events[0].value[FIELD_SERVICE].text, HASH_STORED),
                     hash_bytes(events[1].value[FIELD_SERVICE].text, HASH_STORED));
    assert_int_not_equal(ingest_metrics_label(metrics, &events[0]),
                         ingest_metrics_label(metrics, &events[1]));
    assert_int_equal(ingest_metrics_label(metrics, &events[0]),
                     ingest_metrics_label(metrics, &events[0]));
    ingest_metrics_free(metrics);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_services_made_to_collide_are_counted_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
