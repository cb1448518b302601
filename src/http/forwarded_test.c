/* SPDX-License-Identifier: Apache-2.0 */
/* Who is behind a proxy, by trusted and by strange words. */
#include "base/test.h"
#include "http/forwarded.h"

struct row {
    const char *name;
    const char *trusted;
    const char *peer;
    const char *lines[4];
    const char *client;
};

static const struct row rows[] = {
    {"no proxy is trusted", "", "10.0.0.1", {"1.2.3.4"}, "10.0.0.1"},
    {"a stranger says it", "10.0.0.0/8", "192.0.2.9", {"1.2.3.4"}, "192.0.2.9"},
    {"the proxy says it", "10.0.0.0/8", "10.0.0.1", {"1.2.3.4"}, "1.2.3.4"},
    {"the proxy says nothing", "10.0.0.0/8", "10.0.0.1", {NULL}, "10.0.0.1"},
    {"an empty line", "10.0.0.0/8", "10.0.0.1", {""}, "10.0.0.1"},
    {"a client that claims another", "10.0.0.0/8", "10.0.0.1", {"127.0.0.1, 1.2.3.4"}, "1.2.3.4"},
    {"a client that claims a proxy", "10.0.0.0/8", "10.0.0.1", {"10.0.0.9, 1.2.3.4"}, "1.2.3.4"},
    {"two proxies", "10.0.0.0/8", "10.0.0.1", {"6.6.6.6, 1.2.3.4, 10.0.0.2"}, "1.2.3.4"},
    {"two lines are one list", "10.0.0.0/8", "10.0.0.1", {"6.6.6.6", "1.2.3.4"}, "1.2.3.4"},
    {"the last line is a proxy's", "10.0.0.0/8", "10.0.0.1", {"1.2.3.4", "10.0.0.2"}, "1.2.3.4"},
    {"all are trusted", "10.0.0.0/8", "10.0.0.1", {"10.0.0.5, 10.0.0.2"}, "10.0.0.5"},
    {"a port", "10.0.0.1", "10.0.0.1", {"1.2.3.4:5678"}, "1.2.3.4"},
    {"IPv6", "10.0.0.1", "10.0.0.1", {"2001:db8::1"}, "2001:db8::1"},
    {"IPv6 in brackets", "10.0.0.1", "10.0.0.1", {"[2001:db8::1]"}, "2001:db8::1"},
    {"IPv6 with a port", "10.0.0.1", "10.0.0.1", {"[2001:db8::1]:443"}, "2001:db8::1"},
    {"mapped IPv4 is IPv4", "10.0.0.1", "10.0.0.1", {"::ffff:1.2.3.4"}, "1.2.3.4"},
    {"a mapped proxy is the proxy", "10.0.0.1", "10.0.0.1", {"1.2.3.4,::ffff:10.0.0.1"}, "1.2.3.4"},
    {"an IPv6 proxy", "2001:db8::/32", "2001:db8:1::2", {"1.2.3.4"}, "1.2.3.4"},
    {"another IPv6 network", "2001:db8::/33", "2001:db8:8000::2", {"1.2.3.4"}, "2001:db8:8000::2"},
    {"spaces and tabs", "10.0.0.1", "10.0.0.1", {" \t 1.2.3.4 \t , \t10.0.0.1 "}, "1.2.3.4"},
    {"empty places", "10.0.0.1", "10.0.0.1", {",1.2.3.4,, ,"}, "1.2.3.4"},
    {"only commas", "10.0.0.1", "10.0.0.1", {",,,"}, "10.0.0.1"},
    {"a word", "10.0.0.1", "10.0.0.1", {"unknown"}, "10.0.0.1"},
    {"a word hides what is left of it", "10.0.0.1", "10.0.0.1", {"1.2.3.4, unknown"}, "10.0.0.1"},
    {"right of a word it is known", "10.0.0.0/8", "10.0.0.1", {"unknown, 1.2.3.4"}, "1.2.3.4"},
    {"a proxy right of a word", "10.0.0.0/8", "10.0.0.1", {"1.1.1.1, x, 10.0.0.7"}, "10.0.0.7"},
    {"no address", "10.0.0.1", "10.0.0.1", {"1.2.3"}, "10.0.0.1"},
    {"leading zeros", "10.0.0.1", "10.0.0.1", {"01.2.3.4"}, "10.0.0.1"},
    {"a number too large", "10.0.0.1", "10.0.0.1", {"1.2.3.256"}, "10.0.0.1"},
    {"a port that is none", "10.0.0.1", "10.0.0.1", {"1.2.3.4:x"}, "10.0.0.1"},
    {"an empty port", "10.0.0.1", "10.0.0.1", {"1.2.3.4:"}, "10.0.0.1"},
    {"IPv4 in brackets", "10.0.0.1", "10.0.0.1", {"[1.2.3.4]"}, "10.0.0.1"},
    {"an open bracket", "10.0.0.1", "10.0.0.1", {"[2001:db8::1"}, "10.0.0.1"},
    {"empty brackets", "10.0.0.1", "10.0.0.1", {"[]"}, "10.0.0.1"},
    {"only a bracket", "10.0.0.1", "10.0.0.1", {"["}, "10.0.0.1"},
    {"text behind the bracket", "10.0.0.1", "10.0.0.1", {"[2001:db8::1]x"}, "10.0.0.1"},
    {"quotes", "10.0.0.1", "10.0.0.1", {"\"1.2.3.4\""}, "10.0.0.1"},
    {"a zone", "10.0.0.1", "10.0.0.1", {"fe80::1%eth0"}, "10.0.0.1"},
    {"very long",
     "10.0.0.1",
     "10.0.0.1",
     {"1111:1111:1111:1111:1111:1111:1111:1111:1111:1111:1111"},
     "10.0.0.1"},
    {"everybody is trusted", "0.0.0.0/0", "10.0.0.1", {"1.1.1.1, 2.2.2.2"}, "1.1.1.1"},
    {"but not IPv6 by that", "0.0.0.0/0", "2001:db8::1", {"1.1.1.1"}, "2001:db8::1"},
    {"a prefix in the middle of a byte", "10.16.0.0/12", "10.31.255.255", {"1.1.1.1"}, "1.1.1.1"},
    {"and beside it", "10.16.0.0/12", "10.32.0.0", {"1.1.1.1"}, "10.32.0.0"},
};

static void client_is_found(void **state)
{
    const struct row *row = *state;
    struct http_networks trusted;
    struct diag diag = {0};
    assert_int_equal(http_networks_parse(slice_from_cstr(row->trusted), &trusted, &diag), OK);
    uint8_t peer[16];
    uint8_t client[16];
    assert_true(http_address_parse(slice_from_cstr(row->peer), peer));
    slice lines[4];
    size_t count = 0;
    while (count < COUNT_OF(row->lines) && row->lines[count] != NULL) {
        lines[count] = slice_from_cstr(row->lines[count]);
        count++;
    }
    http_forwarded_client(&trusted, peer, lines, count, client);
    char text[HTTP_ADDRESS_BYTES];
    http_address_format(client, text);
    assert_string_equal(text, row->client);
}

static void lists_are_checked(void **state)
{
    UNUSED(state);
    static const char *const wrong[] = {"x",          "10.0.0.0/33", "10.0.0.1/8",   "10.0.0.0/",
                                        "10.0.0.0/x", "::/129",      "10.0.0.0/-1",  "/8",
                                        "10.0.0",     "::1/127",     "10.0.0.0/8/8", "localhost"};
    struct http_networks networks;
    struct diag diag = {0};
    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        assert_int_equal(http_networks_parse(slice_from_cstr(wrong[i]), &networks, &diag),
                         ERR_INVALID);
        assert_true(diag.text[0] != '\0');
    }
    assert_int_equal(http_networks_parse(SLICE(" 10.0.0.0/8,::1\t 192.0.2.0/24 ,"), &networks,
                                         NULL),
                     OK);
    assert_int_equal(networks.count, 3);
    assert_int_equal(http_networks_parse(SLICE(""), &networks, NULL), OK);
    assert_int_equal(networks.count, 0);
    char many[65 * 4 + 1] = "";
    for (size_t i = 0; i < 65; i++) {
        memcpy(many + 4 * i, "::1 ", 5);
    }
    assert_int_equal(http_networks_parse(slice_from_cstr(many), &networks, NULL), ERR_LIMIT);
}

int main(void)
{
    struct CMUnitTest tests[COUNT_OF(rows) + 1];
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        tests[i] = (struct CMUnitTest){.name = rows[i].name,
                                       .test_func = client_is_found,
                                       .initial_state = (void *)(uintptr_t)&rows[i]};
    }
    tests[COUNT_OF(rows)] = (struct CMUnitTest)cmocka_unit_test(lists_are_checked);
    return _cmocka_run_group_tests("forwarded", tests, COUNT_OF(tests), NULL, NULL);
}
