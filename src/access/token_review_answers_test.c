/* SPDX-License-Identifier: Apache-2.0 */
/* What tokens say of themselves, and what answers of the API server mean. */
#include "access/review_support.h"
#include "access/token_review_read.h"
#include "base/test.h"

struct claims_row {
    const char *name;
    const char *claims;
    bool is_cluster;
    int64_t expires_us;
};

static const struct claims_row claims_rows[] = {
    {"a token of a cluster", "{\"iss\":\"https://cluster\",\"sub\":\"s\",\"exp\":1700000000}", true,
     INT64_C(1700000000000000)},
    {"one without an end", "{\"iss\":\"kubernetes/serviceaccount\",\"sub\":\"s\"}", true,
     INT64_MAX},
    {"an end that is no number is over", "{\"iss\":\"x\",\"exp\":\"never\"}", true, 0},
    {"an end that is far beyond time is over", "{\"iss\":\"x\",\"exp\":9223372036854775807}", true,
     0},
    {"our own is not one", "{\"iss\":\"https://cairn\",\"sub\":\"s\"}", false, 0},
    {"one without an issuer", "{\"sub\":\"s\"}", false, 0},
    {"one with an issuer that is empty", "{\"iss\":\"\"}", false, 0},
    {"one with an issuer that is no text", "{\"iss\":7}", false, 0},
    {"claims that are no object", "[\"iss\"]", false, 0},
    {"claims that are cut", "{\"iss\":\"x\"", false, 0},
    {"two issuers", "{\"iss\":\"x\",\"iss\":\"y\"}", false, 0},
    {"claims that nest",
     "{\"iss\":\"x\",\"a\":"
     "[[[[[[[["
     "[[[[[[[["
     "[[[[[[[["
     "[[[[[[[["
     "[[[[[[[["
     "[[[[[[[["
     "[[[[[[[["
     "[[[[[[[["
     "]]]]]]]]"
     "]]]]]]]]"
     "]]]]]]]]"
     "]]]]]]]]"
     "]]]]]]]]"
     "]]]]]]]]"
     "]]]]]]]]"
     "]]]]]]]]"
     "}",
     false, 0},
};

static void check_claims(void **state)
{
    const struct claims_row *row = *state;
    struct token_hearsay heard = {0};
    CLEANUP(buf_release) struct buf token = BUF_INIT(TOKEN_REVIEW_BYTES_MAX);
    token_of(&token, row->claims);
    assert_int_equal(token_review_looks_like(buf_slice(&token), "https://cairn"), row->is_cluster);
    if (row->is_cluster) {
        assert_true(token_review_peek(buf_slice(&token), &heard));
        assert_int_equal(heard.expires_us, row->expires_us);
    }
}

static void test_what_is_not_three_parts_is_no_token(void **state)
{
    UNUSED(state);
    static const char *const wrong[] = {"",          ".",
                                        "..",        "...",
                                        "e30.e30",   "e30.e30.e30.e30",
                                        "e30.!.e30", "cairn_dev_01234567_secret"};
    CLEANUP(buf_release) struct buf token = BUF_INIT((size_t)2 * TOKEN_REVIEW_BYTES_MAX);
    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        assert_false(token_review_looks_like(slice_from_cstr(wrong[i]), "i"));
    }
    token_of(&token, "{\"iss\":\"x\"}");
    assert_true(token_review_looks_like(buf_slice(&token), "i"));
    token.len -= 12; /* the signature */
    assert_false(token_review_looks_like(buf_slice(&token), "i"));
    for (int i = 0; i < TOKEN_REVIEW_BYTES_MAX / 4; i++) {
        buf_append_cstr(&token, "AAAA");
    }
    assert_false(token_review_looks_like(buf_slice(&token), "i"));
}

struct answer_row {
    const char *name;
    const char *answer;
    const char *audiences;
    enum err result;
    const char *says; /* the username, or a part of the sentence */
};

#define YES(more) REVIEW("{\"authenticated\":true," REVIEW_USER("pay", "api") more "}")

static const struct answer_row answer_rows[] = {
    {"a good token is its account's", YES(""), "", OK, "system:serviceaccount:pay:api"},
    {"audiences are not looked at when none was asked for", YES(",\"audiences\":[\"a\"]"), "", OK,
     "system:serviceaccount:pay:api"},
    {"one of the audiences is enough", YES(",\"audiences\":[\"x\",\"cairn\"]"), "other, cairn", OK,
     "system:serviceaccount:pay:api"},
    {"another audience is not", YES(",\"audiences\":[\"cairns\"]"), "cairn", ERR_NOT_FOUND,
     "audience"},
    {"no audience is not", YES(""), "cairn", ERR_NOT_FOUND, "audience"},
    {"audiences that are none are not", YES(",\"audiences\":\"cairn\""), "cairn", ERR_NOT_FOUND,
     "audience"},
    {"a token that is not known", REVIEW_NO, "", ERR_NOT_FOUND, "does not know"},
    {"authenticated: false", REVIEW("{\"authenticated\":false}"), "", ERR_NOT_FOUND,
     "does not know"},
    {"a person of the cluster",
     REVIEW("{\"authenticated\":true,\"user\":{\"username\":\"alice\",\"groups\":[]}}"), "",
     ERR_NOT_FOUND, "no service account"},
    {"a name that a provider of identities chose",
     REVIEW("{\"authenticated\":true,\"user\":{\"username\":\"system:serviceaccount:pay:api\","
            "\"groups\":[\"system:authenticated\"]}}"),
     "", ERR_NOT_FOUND, "group"},
    {"no user", REVIEW("{\"authenticated\":true}"), "", ERR_NOT_FOUND, "no service account"},
    {"no status", "{\"kind\":\"TokenReview\",\"apiVersion\":\"authentication.k8s.io/v1\"}", "",
     ERR_BUSY, "no status"},
    {"authenticated as a text", REVIEW("{\"authenticated\":\"true\"}"), "", ERR_BUSY, "no status"},
    {"another kind", "{\"kind\":\"Status\",\"apiVersion\":\"v1\",\"status\":{}}", "", ERR_BUSY,
     "kind"},
    {"another version",
     "{\"kind\":\"TokenReview\",\"apiVersion\":\"authentication.k8s.io/v1beta1\"}", "", ERR_BUSY,
     "kind"},
    {"two members of one name", "{\"kind\":\"TokenReview\",\"kind\":\"TokenReview\",\"status\":{}}",
     "", ERR_BUSY, "kind"},
    {"half an answer", "{\"kind\":\"TokenReview\"", "", ERR_BUSY, "kind"},
    {"a page", "<html>", "", ERR_BUSY, "kind"},
    {"nothing", "", "", ERR_BUSY, "kind"},
};

static void check_answer(void **state)
{
    const struct answer_row *row = *state;
    struct token_reviewed out = {0};
    struct diag diag = {0};
    assert_int_equal(token_review_read(slice_from_cstr(row->answer),
                                       slice_from_cstr(row->audiences), &out, &diag),
                     row->result);
    if (row->result == OK) {
        assert_string_equal(out.username, row->says);
        assert_string_equal(out.namespace, "pay");
        assert_string_equal(out.name, "api");
        assert_string_equal(out.uid, "u-1");
    } else {
        assert_non_null(strstr(diag.text, row->says));
    }
}

int main(void)
{
    struct CMUnitTest tests[COUNT_OF(claims_rows) + COUNT_OF(answer_rows) + 1] = {
        cmocka_unit_test(test_what_is_not_three_parts_is_no_token),
    };
    for (size_t i = 0; i < COUNT_OF(claims_rows); i++) {
        tests[1 + i] = (struct CMUnitTest){.name = claims_rows[i].name,
                                           .test_func = check_claims,
                                           .initial_state = (void *)(uintptr_t)&claims_rows[i]};
    }
    for (size_t i = 0; i < COUNT_OF(answer_rows); i++) {
        tests[1 + COUNT_OF(claims_rows) + i] =
            (struct CMUnitTest){.name = answer_rows[i].name,
                                .test_func = check_answer,
                                .initial_state = (void *)(uintptr_t)&answer_rows[i]};
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
