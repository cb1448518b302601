/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "access/rights.h"
#include "access/token_accounts.h"
#include "base/test.h"

#define LABEL_63 "a23456789012345678901234567890123456789012345678901234567890123"

struct row {
    const char *name;
    const char *text;
    const char *namespace, *account; /* which account is looked for */
    const char *org;                 /* "": nobody's; NULL: the text is refused */
    const char *role;                /* or what the refusal says */
};

static const struct row rows[] = {
    {"an account with its role and organisation", "payments:api-gateway=writer@acme", "payments",
     "api-gateway", "acme", "writer"},
    {"the organisation is the first unless named", "monitoring:prometheus=operator", "monitoring",
     "prometheus", "default", "operator"},
    {"a star is every account of the namespace", "monitoring:*=operator", "monitoring", "x",
     "default", "operator"},
    {"an account of its own goes before the star", "a:*=auditor,a:b=writer@acme", "a", "b", "acme",
     "writer"},
    {"the star is for the others", "a:b=writer@acme,a:*=auditor", "a", "c", "default", "auditor"},
    {"spaces do not count", "  a:b = writer @ acme ,\tc : * = admin ", "c", "d", "default",
     "admin"},
    {"names may have dots", "a:b.c-d.e=owner", "a", "b.c-d.e", "default", "owner"},
    {"ids of organisations are taken as they are", "a:b=writer@0198C-x_y.z", "a", "b",
     "0198C-x_y.z", "writer"},
    {"a namespace of 63 bytes", LABEL_63 ":b=writer", LABEL_63, "b", "default", "writer"},
    {"another namespace is nobody's", "a:*=writer", "b", "a", "", NULL},
    {"another account is nobody's", "a:b=writer", "a", "bb", "", NULL},
    {"a star is no prefix", "a:b*=writer", "", "", NULL, "the name is no service account's"},
    {"a namespace is never a star", "*:b=writer", "", "", NULL, "the namespace is none"},
    {"a namespace of 64 bytes", LABEL_63 "4:b=writer", "", "", NULL, "the namespace is none"},
    {"a namespace has no dots", "a.b:c=writer", "", "", NULL, "the namespace is none"},
    {"names are in lower case", "a:B=writer", "", "", NULL, "the name is no service account's"},
    {"labels do not end with a hyphen", "a:b-=writer", "", "", NULL, "the name is no"},
    {"two dots in a row", "a:b..c=writer", "", "", NULL, "the name is no"},
    {"a second colon", "a:b:c=writer", "", "", NULL, "the name is no"},
    {"no role", "a:b=", "", "", NULL, "the role must be owner"},
    {"an unknown role", "a:b=reader", "", "", NULL, "the role must be owner"},
    {"a role that is too long", "a:b=writerwriterwriterwriter", "", "", NULL, "the role must be"},
    {"an organisation that is empty", "a:b=writer@", "", "", NULL, "the organisation must be"},
    {"an organisation that cannot be", "a:b=writer@a/b", "", "", NULL, "the organisation must be"},
    {"no equals sign", "a:b", "", "", NULL, "must be NAMESPACE:NAME=ROLE"},
    {"no colon", "a=writer", "", "", NULL, "must be NAMESPACE:NAME=ROLE"},
    {"nothing", "", "", "", NULL, "must be NAMESPACE:NAME=ROLE"},
    {"a comma too many", "a:b=writer,", "", "", NULL, "must be NAMESPACE:NAME=ROLE"},
    {"an account that is named twice", "a:b=writer,a:b=admin", "", "", NULL, "named twice"},
};

static void check(void **state)
{
    const struct row *row = *state;
    struct diag diag = {0};
    CLEANUP(token_accounts_release) struct token_accounts accounts = {0};
    enum err e = token_accounts_parse(slice_from_cstr(row->text), &accounts, &diag);
    if (row->org == NULL) {
        assert_int_equal(e, ERR_INVALID);
        assert_non_null(strstr(diag.text, row->role));
        return;
    }
    assert_int_equal(e, OK);
    const struct token_account *found =
        token_accounts_find(&accounts, slice_from_cstr(row->namespace),
                            slice_from_cstr(row->account));
    if (row->org[0] == '\0') {
        assert_null(found);
        return;
    }
    assert_non_null(found);
    assert_string_equal(found->org, row->org);
    assert_string_equal(found->role, row->role);
    assert_int_equal(found->rights, rights_of_role(row->role));
}

static void test_there_are_no_more_than_256(void **state)
{
    UNUSED(state);
    static char text[TOKEN_ACCOUNTS_MAX * 16];
    CLEANUP(token_accounts_release) struct token_accounts accounts = {0};
    struct diag diag = {0};
    size_t len = 0;
    for (int i = 0; i <= TOKEN_ACCOUNTS_MAX; i++) {
        if (i == TOKEN_ACCOUNTS_MAX) {
            assert_int_equal(token_accounts_parse((slice){(uint8_t *)text, len}, &accounts, &diag),
                             OK);
            assert_int_equal(accounts.count, TOKEN_ACCOUNTS_MAX);
            token_accounts_release(&accounts);
        }
        len +=
            (size_t)snprintf(text + len, sizeof(text) - len, "%sa:b%d=writer", i > 0 ? "," : "", i);
    }
    assert_int_equal(token_accounts_parse((slice){(uint8_t *)text, len}, &accounts, &diag),
                     ERR_INVALID);
    assert_non_null(strstr(diag.text, "256"));
}

static void test_names_of_accounts_are_taken_apart(void **state)
{
    UNUSED(state);
    static const char *const wrong[] = {"system:serviceaccount:a",
                                        "system:serviceaccount:a:",
                                        "system:serviceaccount::b",
                                        "system:serviceaccount:a:b:c",
                                        "system:serviceaccount:a:B",
                                        "system:serviceaccounts:a:b",
                                        "system:node:a",
                                        "alice",
                                        ""};
    slice namespace = {0};
    slice name = {0};
    assert_true(token_account_split(SLICE("system:serviceaccount:a:b.c"), &namespace, &name));
    assert_slice_equal(namespace, "a");
    assert_slice_equal(name, "b.c");
    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        assert_false(token_account_split(slice_from_cstr(wrong[i]), &namespace, &name));
    }
}

int main(void)
{
    struct CMUnitTest tests[COUNT_OF(rows) + 2] = {
        cmocka_unit_test(test_there_are_no_more_than_256),
        cmocka_unit_test(test_names_of_accounts_are_taken_apart),
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        tests[i + 2] = (struct CMUnitTest){.name = rows[i].name,
                                           .test_func = check,
                                           .initial_state = (void *)(uintptr_t)&rows[i]};
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
