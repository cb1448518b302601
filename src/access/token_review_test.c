/* SPDX-License-Identifier: Apache-2.0 */
/* Against an API server that speaks HTTPS, with every way in which it may fail. */
#include "access/review_support.h"
#include "access/rights.h"
#include "access/token_review.h"
#include "base/test.h"

#define NOW_US (INT64_C(1700000000) * SECOND_US)
#define FAR_S  INT64_C(1800000000)

struct place {
    struct reviewer reviewer;
    struct token_review *review;
    struct buf token;
    struct token_reviewed who;
    struct diag diag;
};

static struct token_review_options defaults(const struct reviewer *reviewer)
{
    return (struct token_review_options){
        .url = reviewer->url,
        .ca_file = reviewer->ca_file,
        .token_file = reviewer->token_file,
        .audiences = "",
        .accounts = "pay:api=writer@acme, pay:*=auditor",
        .timeout_ms = 10000,
        .cache_ms = 60000,
        .threads_max = 4,
    };
}

static void enter_with(struct place *place, const struct token_review_options *options)
{
    buf_init(&place->token, TOKEN_REVIEW_BYTES_MAX);
    token_of_pay_api(&place->token, 1, FAR_S);
    assert_int_equal(token_review_new(options, &place->review, &place->diag), OK);
}

static void enter(struct place *place)
{
    reviewer_start(&place->reviewer, NULL);
    reviewer_says(&place->reviewer, "201 Created", REVIEW_YES);
    struct token_review_options options = defaults(&place->reviewer);
    enter_with(place, &options);
}

static void leave(struct place *place)
{
    token_review_free(place->review);
    buf_release(&place->token);
    reviewer_stop(&place->reviewer);
}

static enum err ask_at(struct place *place, int64_t now_us)
{
    place->who = (struct token_reviewed){0};
    place->diag = (struct diag){0};
    enum err e =
        token_review(place->review, buf_slice(&place->token), now_us, &place->who, &place->diag);
    assert_true((e == OK) == (place->who.username[0] != '\0'));
    assert_true((e == OK) == (place->diag.text[0] == '\0'));
    return e;
}

static enum err ask(struct place *place)
{
    return ask_at(place, NOW_US);
}

static void test_a_token_is_its_accounts(void **state)
{
    UNUSED(state);
    CLEANUP(leave) struct place place = {0};
    enter(&place);
    assert_int_equal(ask(&place), OK);
    assert_string_equal(place.who.username, "system:serviceaccount:pay:api");
    assert_string_equal(place.who.namespace, "pay");
    assert_string_equal(place.who.name, "api");
    assert_string_equal(place.who.uid, "u-1");
    assert_string_equal(place.who.org, "acme");
    assert_string_equal(place.who.role, "writer");
    assert_int_equal(place.who.rights, RIGHT_EVENTS_WRITE);
}

static void test_the_question_is_a_token_review(void **state)
{
    UNUSED(state);
    CLEANUP(leave) struct place place = {0};
    reviewer_start(&place.reviewer, NULL);
    reviewer_says(&place.reviewer, "201 Created",
                  REVIEW("{\"authenticated\":true,\"audiences\":[\"b\"]," REVIEW_USER("pay",
                                                                                      "api") "}"));
    struct token_review_options options = defaults(&place.reviewer);
    options.audiences = "a, b";
    enter_with(&place, &options);
    assert_int_equal(ask(&place), OK);
    const char *asked = place.reviewer.last;
    char body[2048];
    (void)snprintf(body, sizeof(body),
                   "\r\n\r\n{\"apiVersion\":\"authentication.k8s.io/v1\",\"kind\":\"TokenReview\","
                   "\"spec\":{\"token\":\"%.*s\",\"audiences\":[\"a\",\"b\"]}}",
                   SLICE_ARG(buf_slice(&place.token)));
    assert_non_null(strstr(asked, "POST /apis/authentication.k8s.io/v1/tokenreviews HTTP/1.1\r\n"));
    assert_non_null(strstr(asked, "\r\nAuthorization: Bearer our.own.token\r\n"));
    assert_non_null(strstr(asked, "\r\nContent-Type: application/json\r\n"));
    assert_string_equal(strstr(asked, "\r\n\r\n"), body);
}

static void test_a_yes_is_kept_for_a_while(void **state)
{
    UNUSED(state);
    CLEANUP(leave) struct place place = {0};
    enter(&place);
    assert_int_equal(ask(&place), OK);
    reviewer_says(&place.reviewer, "201 Created", REVIEW_NO);
    assert_int_equal(ask(&place), OK);
    assert_string_equal(place.who.org, "acme");
    assert_int_equal(reviewer_asked(&place.reviewer), 1);
    clock_advance_for_tests(60 * SECOND_US);
    assert_int_equal(ask(&place), ERR_NOT_FOUND);
    assert_int_equal(reviewer_asked(&place.reviewer), 2);
}

static void test_a_loop_finds_what_is_known_and_never_waits(void **state)
{
    UNUSED(state);
    CLEANUP(leave) struct place place = {0};
    enter(&place);
    slice token = buf_slice(&place.token);
    assert_false(token_review_find(place.review, token, NOW_US, &place.who));
    assert_int_equal(reviewer_asked(&place.reviewer), 0);
    assert_int_equal(ask(&place), OK);
    place.who = (struct token_reviewed){0};
    assert_true(token_review_find(place.review, token, NOW_US, &place.who));
    assert_string_equal(place.who.org, "acme");
    assert_false(token_review_find(place.review, token, FAR_S * SECOND_US, &place.who));
    clock_advance_for_tests(60 * SECOND_US);
    assert_false(token_review_find(place.review, token, NOW_US, &place.who));
    assert_int_equal(reviewer_asked(&place.reviewer), 1);
}

static void test_no_yes_outlives_its_token(void **state)
{
    UNUSED(state);
    CLEANUP(leave) struct place place = {0};
    enter(&place);
    token_of_pay_api(&place.token, 2, NOW_US / SECOND_US + 5);
    assert_int_equal(ask(&place), OK);
    assert_int_equal(ask_at(&place, NOW_US + 5 * SECOND_US - 1), OK);
    assert_int_equal(reviewer_asked(&place.reviewer), 1);
    reviewer_says(&place.reviewer, "201 Created", REVIEW_NO);
    assert_int_equal(ask_at(&place, NOW_US + 5 * SECOND_US), ERR_NOT_FOUND);
    assert_int_equal(reviewer_asked(&place.reviewer), 2);
}

static void test_a_no_is_kept_for_less(void **state)
{
    UNUSED(state);
    CLEANUP(leave) struct place place = {0};
    enter(&place);
    reviewer_says(&place.reviewer, "201 Created", REVIEW_NO);
    assert_int_equal(ask(&place), ERR_NOT_FOUND);
    assert_int_equal(ask(&place), ERR_NOT_FOUND);
    assert_int_equal(reviewer_asked(&place.reviewer), 1);
    reviewer_says(&place.reviewer, "201 Created", REVIEW_YES);
    clock_advance_for_tests(TOKEN_REVIEW_REFUSED_MS * INT64_C(1000));
    assert_int_equal(ask(&place), OK);
}

static void test_nothing_is_kept_where_the_option_says_so(void **state)
{
    UNUSED(state);
    CLEANUP(leave) struct place place = {0};
    reviewer_start(&place.reviewer, NULL);
    reviewer_says(&place.reviewer, "201 Created", REVIEW_YES);
    struct token_review_options options = defaults(&place.reviewer);
    options.cache_ms = 0;
    enter_with(&place, &options);
    assert_int_equal(ask(&place), OK);
    reviewer_says(&place.reviewer, "201 Created", REVIEW_NO);
    assert_int_equal(ask(&place), ERR_NOT_FOUND);
    assert_int_equal(ask(&place), ERR_NOT_FOUND);
    assert_int_equal(reviewer_asked(&place.reviewer), 3);
    assert_int_equal(place.reviewer.conn_count, 1); /* one connection for all */
}

static void test_accounts_without_a_role_are_not_asked_about(void **state)
{
    UNUSED(state);
    static const char *const others[] = {
        "{\"iss\":\"c\",\"sub\":\"system:serviceaccount:kube-system:api\"}",
        "{\"iss\":\"c\",\"sub\":\"alice\"}", "{\"iss\":\"c\"}", "{\"sub\":\"x\"}"};
    CLEANUP(leave) struct place place = {0};
    enter(&place);
    for (size_t i = 0; i < COUNT_OF(others); i++) {
        token_of(&place.token, others[i]);
        assert_int_equal(ask(&place), ERR_NOT_FOUND);
    }
    assert_int_equal(reviewer_asked(&place.reviewer), 0);
}

static void test_the_server_and_the_token_must_agree(void **state)
{
    UNUSED(state);
    CLEANUP(leave) struct place place = {0};
    enter(&place);
    reviewer_says(&place.reviewer, "201 Created",
                  REVIEW("{\"authenticated\":true," REVIEW_USER("pay", "other") "}"));
    assert_int_equal(ask(&place), ERR_NOT_FOUND);
}

/* ---- Cannot tell ---- */

struct failure {
    const char *name;
    const char *status, *extra, *body;
    const char *says;
};

static char huge[(size_t)128 * 1024];

static const struct failure failures[] = {
    {"an error of the server", "500 Internal Server Error", "", "{}", "status 500"},
    {"a server that is busy", "429 Too Many Requests", "", "{}", "status 429"},
    {"a path that is not there", "404 Not Found", "", "{}", "status 404"},
    {"our own token has expired", "401 Unauthorized", "", "{}", "system:auth-delegator"},
    {"our own token may not ask", "403 Forbidden", "", "{}", "system:auth-delegator"},
    {"a redirect is not followed", "302 Found", "Location: /elsewhere\r\n", "", "status 302"},
    {"garbage", "201 Created", "", "\x01\x02\x03", "not a TokenReview"},
    {"no body", "201 Created", "", "", "not a TokenReview"},
    {"a yes of another kind", "201 Created", "",
     "{\"kind\":\"Review\",\"status\":{\"authenticated\":true}}", "not a TokenReview"},
    {"a body without end", "201 Created", "", huge, "too long"},
    {"a yes behind a status that is none", "299 Fine", "", REVIEW_YES, "status 299"},
};

static void check_failure(void **state)
{
    const struct failure *failure = *state;
    CLEANUP(leave) struct place place = {0};
    memset(huge, ' ', sizeof(huge) - 1);
    enter(&place);
    place.reviewer.extra = failure->extra;
    reviewer_says(&place.reviewer, failure->status, failure->body);
    assert_int_equal(ask(&place), ERR_BUSY);
    assert_non_null(strstr(place.diag.text, failure->says));
    assert_int_equal(ask(&place), ERR_BUSY); /* not asked again at once */
    assert_int_equal(reviewer_asked(&place.reviewer), 1);
    place.reviewer.extra = "";
    reviewer_says(&place.reviewer, "201 Created", REVIEW_YES);
    token_of_pay_api(&place.token, 2, FAR_S); /* others are */
    assert_int_equal(ask(&place), OK);
    token_of_pay_api(&place.token, 1, FAR_S);
    clock_advance_for_tests(TOKEN_REVIEW_PAUSE_MS * INT64_C(1000));
    assert_int_equal(ask(&place), OK); /* and it was never taken for a no */
}

static void test_a_server_that_hangs(void **state)
{
    UNUSED(state);
    CLEANUP(leave) struct place place = {0};
    reviewer_start(&place.reviewer, NULL);
    reviewer_says(&place.reviewer, "201 Created", REVIEW_YES);
    reviewer_close(&place.reviewer, true);
    struct token_review_options options = defaults(&place.reviewer);
    options.timeout_ms = 200;
    enter_with(&place, &options);
    assert_int_equal(ask(&place), ERR_BUSY);
    assert_non_null(strstr(place.diag.text, "does not answer"));
    /* Nobody else is kept waiting for it. */
    token_of_pay_api(&place.token, 2, FAR_S);
    assert_int_equal(ask(&place), ERR_BUSY);
    assert_non_null(strstr(place.diag.text, "was away"));
    assert_int_equal(reviewer_asked(&place.reviewer), 1);
    reviewer_close(&place.reviewer, false);
    clock_advance_for_tests(TOKEN_REVIEW_PAUSE_MS * INT64_C(1000));
    assert_int_equal(ask(&place), OK);
}

static void test_a_yes_that_is_kept_needs_no_server(void **state)
{
    UNUSED(state);
    CLEANUP(leave) struct place place = {0};
    enter(&place);
    assert_int_equal(ask(&place), OK);
    reviewer_says(&place.reviewer, "500 No", "");
    assert_int_equal(ask(&place), OK);
    clock_advance_for_tests(60 * SECOND_US);
    assert_int_equal(ask(&place), ERR_BUSY); /* but it is no yes for ever */
}

/* Certificates that do not vouch for this server. */
static void check_certificate(const char *hosts, bool is_other_ca)
{
    CLEANUP(leave) struct place place = {0};
    reviewer_start(&place.reviewer, hosts);
    reviewer_says(&place.reviewer, "201 Created", REVIEW_YES);
    if (is_other_ca) {
        struct test_certificate other = {0};
        test_certificate_make(&(struct test_certificate_options){.name = "cluster"}, &other);
        test_write_file(place.reviewer.temp.path, "ca.crt", other.certificate_pem);
        test_certificate_release(&other);
    }
    struct token_review_options options = defaults(&place.reviewer);
    enter_with(&place, &options);
    assert_int_equal(ask(&place), ERR_BUSY);
    assert_int_equal(reviewer_asked(&place.reviewer), 0); /* it never saw the token */
    if (is_other_ca) {                                    /* a CA that is replaced is read again */
        test_write_file(place.reviewer.temp.path, "ca.crt", place.reviewer.ca.certificate_pem);
        clock_advance_for_tests(TOKEN_REVIEW_PAUSE_MS * INT64_C(1000));
        assert_int_equal(ask(&place), OK);
    }
}

static void test_another_ca(void **state)
{
    UNUSED(state);
    check_certificate(NULL, true);
}

static void test_a_certificate_for_another_host(void **state)
{
    UNUSED(state);
    check_certificate("DNS:elsewhere.example,IP:127.0.0.2", false);
}

static void test_our_own_token_is_read_again(void **state)
{
    UNUSED(state);
    CLEANUP(leave) struct place place = {0};
    enter(&place);
    assert_int_equal(ask(&place), OK);
    test_write_file(place.reviewer.temp.path, "token", "the.next.token");
    token_of_pay_api(&place.token, 2, FAR_S);
    assert_int_equal(ask(&place), OK);
    assert_non_null(strstr(place.reviewer.last, "\r\nAuthorization: Bearer the.next.token\r\n"));
    static const char *const wrong[] = {"", "a\r\nX-Header: b", "a b"};
    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        test_write_file(place.reviewer.temp.path, "token", wrong[i]);
        token_of_pay_api(&place.token, 3 + (int)i, FAR_S);
        assert_int_equal(ask(&place), ERR_BUSY);
    }
    assert_int_equal(reviewer_asked(&place.reviewer), 2);
}

static void test_no_proxy_of_the_environment_is_used(void **state)
{
    UNUSED(state);
    CLEANUP(leave) struct place place = {0};
    enter(&place);
    assert_int_equal(setenv("https_proxy", "http://127.0.0.1:1", 1), 0);
    assert_int_equal(setenv("ALL_PROXY", "http://127.0.0.1:1", 1), 0);
    enum err e = ask(&place);
    (void)unsetenv("https_proxy");
    (void)unsetenv("ALL_PROXY");
    assert_int_equal(e, OK);
}

static void test_a_server_that_is_not_there(void **state)
{
    UNUSED(state);
    CLEANUP(leave) struct place place = {0};
    reviewer_start(&place.reviewer, NULL);
    struct token_review_options options = defaults(&place.reviewer);
    options.url = "https://127.0.0.1:1";
    enter_with(&place, &options);
    assert_int_equal(ask(&place), ERR_BUSY);
}

/* ---- Several at once ---- */

struct asker {
    struct place *place;
    struct thread thread;
    int number;
    enum err result;
    struct token_reviewed who;
};

static void ask_alone(void *context)
{
    struct asker *asker = context;
    CLEANUP(buf_release) struct buf token = BUF_INIT(TOKEN_REVIEW_BYTES_MAX);
    token_of_pay_api(&token, asker->number, FAR_S);
    asker->result =
        token_review(asker->place->review, buf_slice(&token), NOW_US, &asker->who, NULL);
}

static void start(struct asker *asker, struct place *place, int number)
{
    *asker = (struct asker){.place = place, .number = number, .result = ERR_IO};
    assert_int_equal(thread_start(&asker->thread, "asker", ask_alone, asker, NULL), OK);
}

static void test_threads_with_one_token_ask_once(void **state)
{
    UNUSED(state);
    CLEANUP(leave) struct place place = {0};
    struct asker askers[4];
    enter(&place);
    reviewer_close(&place.reviewer, true);
    for (size_t i = 0; i < COUNT_OF(askers); i++) {
        start(&askers[i], &place, 1);
    }
    reviewer_wait(&place.reviewer, 1);
    reviewer_close(&place.reviewer, false);
    for (size_t i = 0; i < COUNT_OF(askers); i++) {
        thread_join(&askers[i].thread);
        assert_int_equal(askers[i].result, OK);
        assert_string_equal(askers[i].who.org, "acme");
    }
    assert_int_equal(reviewer_asked(&place.reviewer), 1);
}

static void test_no_more_threads_than_allowed(void **state)
{
    UNUSED(state);
    CLEANUP(leave) struct place place = {0};
    struct asker askers[4];
    struct token_review_counts counts;
    enter(&place);
    reviewer_close(&place.reviewer, true);
    for (size_t i = 0; i < COUNT_OF(askers); i++) {
        start(&askers[i], &place, 10 + (int)i);
    }
    reviewer_wait(&place.reviewer, COUNT_OF(askers));
    assert_int_equal(ask(&place), ERR_BUSY);
    assert_non_null(strstr(place.diag.text, "too many"));
    reviewer_close(&place.reviewer, false);
    for (size_t i = 0; i < COUNT_OF(askers); i++) {
        thread_join(&askers[i].thread);
        assert_int_equal(askers[i].result, OK);
    }
    assert_int_equal(ask(&place), OK);
    assert_int_equal(ask(&place), OK);
    token_review_count(place.review, &counts);
    assert_int_equal(counts.known, 1);
    assert_int_equal(counts.asked, 5);
    assert_int_equal(counts.failed, 0);
    assert_int_equal(counts.busy, 1);
}

enum { ROUNDS = 60 };

static void ask_many(void *context)
{
    struct asker *asker = context;
    for (int i = 0; i < ROUNDS; i++) {
        asker->number = i % 20;
        ask_alone(asker);
        assert_int_equal(asker->result, OK);
    }
}

static void test_many_threads_and_tokens(void **state)
{
    UNUSED(state);
    CLEANUP(leave) struct place place = {0};
    struct asker askers[4] = {0};
    enter(&place);
    for (size_t i = 0; i < COUNT_OF(askers); i++) {
        askers[i].place = &place;
        assert_int_equal(thread_start(&askers[i].thread, "asker", ask_many, &askers[i], NULL), OK);
    }
    for (size_t i = 0; i < COUNT_OF(askers); i++) {
        thread_join(&askers[i].thread);
    }
    assert_int_equal(reviewer_asked(&place.reviewer), 20);
}

/* ---- The start ---- */

static void test_options_that_cannot_be(void **state)
{
    UNUSED(state);
    static const char *const urls[] = {"",          "http://k",    "https://",    "https://k/path",
                                       "k:443",     "https://u@k", "https://k?a", "https://k\n",
                                       "file:///a", "https://:443"};
    CLEANUP(leave) struct place place = {0};
    reviewer_start(&place.reviewer, NULL);
    const struct token_review_options fine = defaults(&place.reviewer);
    for (size_t i = 0; i < COUNT_OF(urls); i++) {
        struct token_review_options options = fine;
        options.url = urls[i];
        assert_int_equal(token_review_new(&options, &place.review, &place.diag), ERR_INVALID);
        assert_string_equal(place.diag.where, "url");
    }
    struct token_review_options options = fine;
    options.accounts = "a:b=reader";
    assert_int_equal(token_review_new(&options, &place.review, &place.diag), ERR_INVALID);
    assert_string_equal(place.diag.where, "accounts");
    options = fine;
    options.ca_file = "/nowhere/ca.crt";
    assert_int_equal(token_review_new(&options, &place.review, &place.diag), ERR_INVALID);
    assert_string_equal(place.diag.where, "/nowhere/ca.crt");
    options = fine;
    options.token_file = "/";
    assert_int_equal(token_review_new(&options, &place.review, &place.diag), ERR_INVALID);
    assert_null(place.review);
}

static void test_what_a_known_token_costs(void **state)
{
    enum { MANY = 100000 };
    UNUSED(state);
    CLEANUP(leave) struct place place = {0};
    enter(&place);
    int64_t began_us = clock_monotonic_us();
    for (size_t i = 0; i < MANY; i++) {
        assert_int_equal(token_review(place.review, buf_slice(&place.token), NOW_US, &place.who,
                                      NULL),
                         OK);
    }
    print_message("# a known token of %zu bytes takes %.2f us\n", place.token.len,
                  (double)(clock_monotonic_us() - began_us) / MANY);
    assert_int_equal(reviewer_asked(&place.reviewer), 1);
}

int main(void)
{
    static const struct CMUnitTest plain[] = {
        cmocka_unit_test(test_a_token_is_its_accounts),
        cmocka_unit_test(test_the_question_is_a_token_review),
        cmocka_unit_test(test_a_yes_is_kept_for_a_while),
        cmocka_unit_test(test_a_loop_finds_what_is_known_and_never_waits),
        cmocka_unit_test(test_no_yes_outlives_its_token),
        cmocka_unit_test(test_a_no_is_kept_for_less),
        cmocka_unit_test(test_nothing_is_kept_where_the_option_says_so),
        cmocka_unit_test(test_accounts_without_a_role_are_not_asked_about),
        cmocka_unit_test(test_the_server_and_the_token_must_agree),
        cmocka_unit_test(test_a_server_that_hangs),
        cmocka_unit_test(test_a_yes_that_is_kept_needs_no_server),
        cmocka_unit_test(test_another_ca),
        cmocka_unit_test(test_a_certificate_for_another_host),
        cmocka_unit_test(test_our_own_token_is_read_again),
        cmocka_unit_test(test_no_proxy_of_the_environment_is_used),
        cmocka_unit_test(test_a_server_that_is_not_there),
        cmocka_unit_test(test_threads_with_one_token_ask_once),
        cmocka_unit_test(test_no_more_threads_than_allowed),
        cmocka_unit_test(test_many_threads_and_tokens),
        cmocka_unit_test(test_options_that_cannot_be),
        cmocka_unit_test(test_what_a_known_token_costs),
    };
    struct CMUnitTest tests[COUNT_OF(plain) + COUNT_OF(failures)];
    memcpy(tests, plain, sizeof(plain));
    for (size_t i = 0; i < COUNT_OF(failures); i++) {
        tests[COUNT_OF(plain) + i] =
            (struct CMUnitTest){.name = failures[i].name,
                                .test_func = check_failure,
                                .initial_state = (void *)(uintptr_t)&failures[i]};
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
