/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "base/test.h"
#include "validate/forms.h"

struct row {
    const char *form, *text;
    bool has_form;
};

static const struct row rows[] = {
    {"date", "2024-02-29", true},
    {"date", "2023-02-29", false},
    {"date", "2000-02-29", true},
    {"date", "1900-02-29", false},
    {"date", "0000-01-01", true},
    {"date", "2024-13-01", false},
    {"date", "2024-00-01", false},
    {"date", "2024-04-31", false},
    {"date", "2024-1-01", false},
    {"date", "2024-01-01 ", false},
    {"date", "", false},
    {"time", "00:00:00Z", true},
    {"time", "23:59:59.123456789+05:30", true},
    {"time", "23:59:60Z", true},
    {"time", "22:59:60Z", false},
    {"time", "01:29:60+01:30", true},
    {"time", "15:59:60-08:00", true},
    {"time", "15:59:60-07:59", false},
    {"time", "24:00:00Z", false},
    {"time", "12:00:00", false},
    {"time", "12:00:00.Z", false},
    {"time", "12:00:00+24:00", false},
    {"time", "12:00:00+0100", false},
    {"time", "12:00:00z", true},
    {"date-time", "1963-06-19T08:30:06.283185Z", true},
    {"date-time", "1963-06-19t08:30:06.283185z", true},
    {"date-time", "1998-12-31T23:59:60Z", true},
    {"date-time", "1998-12-31T23:59:61Z", false},
    {"date-time", "1990-02-31T15:59:59-08:00", false},
    {"date-time", "1990-12-31 15:59:59Z", false},
    {"date-time", "1990-12-31", false},
    {"date-time", "1990-12-31T", false},
    {"uuid", "2EB8AA08-aa98-11EA-b4aa-73b441d16380", true},
    {"uuid", "2eb8aa08aa9811eab4aa73b441d16380", false},
    {"uuid", "2eb8aa08-aa98-11ea-b4aa-73b441d1638g", false},
    {"ipv4", "192.168.0.1", true},
    {"ipv4", "256.1.1.1", false},
    {"ipv4", "1.2.3", false},
    {"ipv4", "01.2.3.4", false},
    {"ipv4", "1.2.3.4/8", false},
    {"ipv4", "::1", false},
    {"ipv6", "::1", true},
    {"ipv6", "::ffff:192.168.0.1", true},
    {"ipv6", "1:2:3:4:5:6:7:8", true},
    {"ipv6", "1:2:3:4:5:6:7:8:9", false},
    {"ipv6", "1::2::3", false},
    {"ipv6", "12345::", false},
    {"ipv6", "fe80::1%eth0", false},
    {"ipv6", "192.168.0.1", false},
    {"email", "joe.bloggs@example.com", true},
    {"email", "te~st+x@example.com", true},
    {"email", "\"joe bloggs\"@example.com", true},
    {"email", "\"joe\\\"bloggs\"@example.com", true},
    {"email", "joe@[127.0.0.1]", true},
    {"email", "joe@[IPv6:::1]", true},
    {"email", "joe@[127.0.0.300]", false},
    {"email", "joe@[::1]", false},
    {"email", ".joe@example.com", false},
    {"email", "joe.@example.com", false},
    {"email", "jo..e@example.com", false},
    {"email", "joe bloggs@example.com", false},
    {"email", "example.com", false},
    {"email", "joe@", false},
    {"email", "@example.com", false},
    {"email", "\"joe@example.com", false},
    {"email", "joe@invalid=host", false},
    {"email", "a@b@example.com", false},
    {"email", "1234567890123456789012345678901234567890123456789012345678901234@example.com", true},
    {"email", "12345678901234567890123456789012345678901234567890123456789012345@example.com",
     false},
    {"hostname", "www.example.com", true},
    {"hostname", "xn--4gbwdl.xn--wgbh1c", true},
    {"hostname", "a", true},
    {"hostname", "-a.b", false},
    {"hostname", "a-.b", false},
    {"hostname", "a..b", false},
    {"hostname", ".a", false},
    {"hostname", "a.", false},
    {"hostname", "a_b", false},
    {"hostname", "", false},
    {"hostname", "012345678901234567890123456789012345678901234567890123456789012", true},
    {"hostname", "0123456789012345678901234567890123456789012345678901234567890123", false},
    {"uri", "http://foo.bar/?baz=qux#quux", true},
    {"uri", "http://foo.com/blah_(wikipedia)_blah#cite-1", true},
    {"uri", "http://user:pa%20ss@[::1]:8080/", true},
    {"uri", "http://[v1.fe80::a]/", true},
    {"uri", "ldap://[2001:db8::7]/c=GB?objectClass?one", true},
    {"uri", "mailto:John.Doe@example.com", true},
    {"uri", "urn:oasis:names:specification:docbook:dtd:xml:4.1.2", true},
    {"uri", "tel:+1-816-555-1212", true},
    {"uri", "file:///etc/hosts", true},
    {"uri", "a:", true},
    {"uri", "//foo.bar/", false},
    {"uri", "/abc", false},
    {"uri", "abc", false},
    {"uri", "1http://a", false},
    {"uri", ":// fail", false},
    {"uri", "http:// shouldfail.com", false},
    {"uri", "http://a/b c", false},
    {"uri", "http://a/%4", false},
    {"uri", "http://a/%zz", false},
    {"uri", "http://a:80a/", false},
    {"uri", "http://[::1", false},
    {"uri", "http://[1.2.3.4]/", false},
    {"uri", "http://a/\\b", false},
    {"uri", "http://a/\xc3\xa4", false},
    {"uri", "http://a/#b#c", false},
    {"uri", "", false},
};

static void test_form(void **state)
{
    const struct row *row = *state;
    form_fn has_form = form_find(slice_from_cstr(row->form));
    assert_non_null(has_form);
    assert_int_equal(has_form(slice_from_cstr(row->text)), row->has_form);
}

int main(void)
{
    static char names[COUNT_OF(rows)][160];
    static struct CMUnitTest tests[COUNT_OF(rows)];
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        (void)snprintf(names[i], sizeof(names[i]), "%s: \"%s\"", rows[i].form, rows[i].text);
        tests[i] = (struct CMUnitTest){.name = names[i],
                                       .test_func = test_form,
                                       .initial_state = (void *)(uintptr_t)&rows[i]};
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
