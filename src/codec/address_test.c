/* SPDX-License-Identifier: Apache-2.0 */
#include "base/test.h"
#include "codec/address.h"

struct address_case {
    const char *name;   /* the text */
    const char *normal; /* NULL: refused */
};

static struct address_case cases[] = {
    {"10.0.0.8", "10.0.0.8"},
    {"255.255.255.255", "255.255.255.255"},
    {"0.0.0.0", "0.0.0.0"},
    {"::", "::"},
    {"::1", "::1"},
    {"1::", "1::"},
    {"0:0:0:0:0:0:0:1", "::1"},
    {"2001:DB8:0:0:0:0:0:1", "2001:db8::1"},
    {"2001:0db8:0000:0000:0001:0000:0000:0001", "2001:db8::1:0:0:1"},
    {"2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"},
    {"2001:db8::1:1:1:1:1", "2001:db8:0:1:1:1:1:1"},
    {"1:0:0:2:0:0:0:3", "1:0:0:2::3"},
    {"0:0:1:0:0:0:0:0", "0:0:1::"},
    {"::ffff:1.2.3.4", "::ffff:1.2.3.4"},
    {"::FFFF:102:304", "::ffff:1.2.3.4"},
    {"0:0:0:0:0:ffff:1.2.3.4", "::ffff:1.2.3.4"},
    {"64:ff9b::1.2.3.4", "64:ff9b::102:304"},
    {"::1.2.3.4", "::102:304"},
    {"fe80::1", "fe80::1"},
    {"1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8"},
    {"1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"},
    {"1:2:3:4:5:6:1.2.3.4", "1:2:3:4:5:6:102:304"},
    {"", NULL},
    {"1.2.3", NULL},
    {"1.2.3.4.5", NULL},
    {"1.2.3.256", NULL},
    {"01.2.3.4", NULL},
    {"1.2.3.4 ", NULL},
    {" 1.2.3.4", NULL},
    {"1.2.3.", NULL},
    {"1.2.3.4:80", NULL},
    {"1.2.3.4/8", NULL},
    {"localhost", NULL},
    {"AWS Internal", NULL},
    {":", NULL},
    {":::", NULL},
    {"1:2:3:4:5:6:7", NULL},
    {"1:2:3:4:5:6:7:8:9", NULL},
    {"1:2:3:4:5:6:7:8::", NULL},
    {"::1::", NULL},
    {"1:", NULL},
    {":1", NULL},
    {"12345::", NULL},
    {"g::", NULL},
    {"fe80::1%eth0", NULL},
    {"[::1]", NULL},
    {"::1.2.3", NULL},
    {"1.2.3.4::", NULL},
    {"1:2:3:4:5:6:7:1.2.3.4", NULL},
};

static void test_address(void **state)
{
    const struct address_case *c = *state;
    char out[ADDRESS_TEXT_BYTES_MAX];
    size_t len = 77;
    assert_int_equal(address_normalise(slice_from_cstr(c->name), out, &len), c->normal != NULL);
    if (c->normal == NULL) {
        assert_int_equal(len, 77);
        return;
    }
    assert_slice_equal(((slice){(uint8_t *)out, len}), c->normal);
}

TEST_TABLE(test_address, cases)
