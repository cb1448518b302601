/* SPDX-License-Identifier: Apache-2.0 */
#include "base/test.h"
#include "codec/uuid.h"

static void test_text_and_back(void **state)
{
    UNUSED(state);
    struct uuid uuid = {{0}};
    char text[UUID_TEXT_BYTES];
    assert_true(uuid_parse(SLICE("019BBEF3-b471-7a11-9ceb-a70e2e1664d2"), &uuid));
    uuid_format(&uuid, text);
    assert_memory_equal(text, "019bbef3-b471-7a11-9ceb-a70e2e1664d2", UUID_TEXT_BYTES);
    assert_int_equal(uuid_version(&uuid), 7);
    assert_int_equal(uuid_v7_ms(&uuid), 0x019bbef3b471);
}

static void test_what_is_no_uuid(void **state)
{
    UNUSED(state);
    static const char *const bad[] = {
        "",
        "019bbef3b4717a119ceba70e2e1664d2",
        "019bbef3-b471-7a11-9ceb-a70e2e1664d",
        "019bbef3-b471-7a11-9ceb-a70e2e1664d22",
        "019bbef3-b471-7a11-9ceba-70e2e1664d2",
        "{19bbef3-b471-7a11-9ceb-a70e2e1664d2",
        "g19bbef3-b471-7a11-9ceb-a70e2e1664d2",
        "019bbef3-b471-7a11-9ceb-a70e2e1664d ",
        "019bbef3 b471 7a11 9ceb a70e2e1664d2",
    };
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        struct uuid uuid = {{1}};
        assert_false(uuid_parse(slice_from_cstr(bad[i]), &uuid));
        assert_int_equal(uuid.bytes[0], 1);
    }
}

static void test_version_wants_the_variant(void **state)
{
    UNUSED(state);
    struct uuid uuid = {{0}};
    assert_true(uuid_parse(SLICE("019bbef3-b471-7a11-1ceb-a70e2e1664d2"), &uuid));
    assert_int_equal(uuid_version(&uuid), 0);
    assert_true(uuid_parse(SLICE("00000000-0000-0000-0000-000000000000"), &uuid));
    assert_int_equal(uuid_version(&uuid), 0);
}

static void test_make_v7(void **state)
{
    UNUSED(state);
    static const uint8_t random[10] = {0xff, 0x01, 0xff, 3, 4, 5, 6, 7, 8, 9};
    struct uuid uuid = uuid_make_v7(1768435201137578, random);
    char text[UUID_TEXT_BYTES];
    uuid_format(&uuid, text);
    assert_memory_equal(text, "019bbef3-b471-7f01-bf03-040506070809", UUID_TEXT_BYTES);
    assert_int_equal(uuid_v7_ms(&uuid), 1768435201137);
}

/* The example of RFC 9562, A.4, and names around the block size of SHA-1. */
static void test_make_v5(void **state)
{
    UNUSED(state);
    static const struct {
        size_t len; /* of a name of that many letters a */
        const char *expect;
    } cases[] = {
        {0, "4ebd0208-8328-5d69-8c44-ec50939c0967"},
        {38, "fa465dc7-82d5-5c3b-a5bb-9b8f3132a2b7"},
        {39, "5824f981-4282-59d4-9716-acb6d741350e"},
        {40, "39f39c20-db47-5131-8879-62f8f67f9014"},
        {47, "660c273c-8a00-5941-b6f4-8d0afed88966"},
        {48, "7280cc42-274a-5c4a-91fc-ae23f853eeb7"},
        {49, "69349718-028b-5ff0-a00f-c024ded6e6ee"},
        {111, "5a333448-30c7-569b-ab96-842bddfbe8ca"},
        {112, "ab683ad5-4de4-5faf-bf37-0788e34176da"},
        {200, "fe30bfa6-ef90-59b3-b108-118411d0f0ab"},
    };
    uint8_t name[200];
    memset(name, 'a', sizeof(name));
    struct uuid dns = {{0}};
    char text[UUID_TEXT_BYTES];
    assert_true(uuid_parse(SLICE("6ba7b810-9dad-11d1-80b4-00c04fd430c8"), &dns));
    struct uuid uuid = uuid_make_v5(&dns, SLICE("www.example.com"));
    uuid_format(&uuid, text);
    assert_memory_equal(text, "2ed6657d-e927-568b-95e1-2665a8aea6a2", UUID_TEXT_BYTES);
    assert_int_equal(uuid_version(&uuid), 5);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        uuid = uuid_make_v5(&dns, (slice){name, cases[i].len});
        uuid_format(&uuid, text);
        assert_memory_equal(text, cases[i].expect, UUID_TEXT_BYTES);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text_and_back),
        cmocka_unit_test(test_what_is_no_uuid),
        cmocka_unit_test(test_version_wants_the_variant),
        cmocka_unit_test(test_make_v7),
        cmocka_unit_test(test_make_v5),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
