/* SPDX-License-Identifier: Apache-2.0 */
#include "access/token_review.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>

#include "access/token_review_call.h"
#include "access/token_review_read.h"
#include "access/token_table.h"
#include "base/mem.h"
#include "crypto/secret.h"
#include "os/clock.h"
#include "os/thread.h"

#define MS_US INT64_C(1000)

enum { THREADS_MAX = 256, URL_BYTES_MAX = 512, WAIT_MORE_MS = 1000 };

/* Times of slots are monotonic: nobody can turn them back. */
struct known_slot {
    struct token_slot slot;
    int64_t expires_us; /* the token's own end, by the wall clock */
    struct token_reviewed answer;
};

struct refused_slot {
    struct token_slot slot;
    bool is_failure; /* nobody could tell: it is not to be asked again just now */
};

/* A question under way, or answered and still to be read by threads that waited. */
struct question {
    uint8_t hash[SHA256_BYTES];
    uint32_t threads; /* that have to do with it; 0: it is free */
    bool is_done;
    enum err result;
    struct diag diag;
    struct token_reviewed answer;
    struct token_review_link *link; /* stays when the question goes */
};

struct token_review {
    struct token_review_server server;
    struct token_accounts accounts;
    uint32_t cache_ms, threads_max;
    struct mutex lock; /* of the rest */
    struct condition done;
    struct token_table known, refused;
    struct question *questions; /* threads_max: each has a thread */
    uint32_t threads;
    int64_t pause_until_us; /* nobody is asked before */
    struct token_review_counts counts;
};

/* ---- Life ---- */

static bool is_url(const char *url)
{
    const char *host = url + 8; /* of "https://" */
    if (strncmp(url, "https://", 8) != 0 || strlen(url) > URL_BYTES_MAX || *host == '\0' ||
        *host == ':') {
        return false;
    }
    for (const char *at = host; *at != '\0'; at++) {
        if (*at <= ' ' || *at >= 0x7f || strchr("/?#@\\", *at) != NULL) {
            return false;
        }
    }
    return true;
}

static char *copy_text(const char *text)
{
    return mem_text(text, strlen(text));
}

static enum err fill(struct token_review *review, const struct token_review_options *options,
                     struct diag *diag)
{
    struct diag why = {0};
    review->server = (struct token_review_server){
        .url = copy_text(options->url),
        .ca_file = copy_text(options->ca_file),
        .token_file = copy_text(options->token_file),
        .audiences = copy_text(options->audiences),
        .timeout_ms = options->timeout_ms,
    };
    if (!is_url(options->url)) {
        return diag_fail(diag, ERR_INVALID, "url",
                         "must be https://HOST or https://HOST:PORT and nothing behind it");
    }
    if (token_accounts_parse(slice_from_cstr(options->accounts), &review->accounts, &why) != OK) {
        return diag_fail(diag, ERR_INVALID, "accounts", "%s", why.text);
    }
    return token_review_check(&review->server, diag);
}

enum err token_review_new(const struct token_review_options *options, struct token_review **out,
                          struct diag *diag)
{
    ASSERT(options->threads_max >= 1 && options->threads_max <= THREADS_MAX);
    ASSERT(options->timeout_ms > 0);
    OWNED(token_review) review = mem_zeroed(sizeof(*review));
    (void)curl_global_init(CURL_GLOBAL_DEFAULT);
    mutex_init(&review->lock);
    condition_init(&review->done);
    token_table_init(&review->known, TOKEN_REVIEW_TOKENS, sizeof(struct known_slot));
    token_table_init(&review->refused, TOKEN_REVIEW_TOKENS, sizeof(struct refused_slot));
    review->cache_ms = options->cache_ms;
    review->threads_max = options->threads_max;
    review->questions = mem_array(options->threads_max, sizeof(*review->questions));
    for (size_t i = 0; i < options->threads_max; i++) {
        review->questions[i].link = token_review_link_new();
    }
    TRY(fill(review, options, diag));
    *out = MOVE(review);
    return OK;
}

void token_review_free(struct token_review *review)
{
    if (review == NULL) {
        return;
    }
    ASSERT(review->threads == 0);
    for (size_t i = 0; i < review->threads_max; i++) {
        token_review_link_free(review->questions[i].link);
    }
    free(review->questions);
    token_table_release(&review->known);
    token_table_release(&review->refused);
    token_accounts_release(&review->accounts);
    condition_release(&review->done);
    mutex_release(&review->lock);
    free(review->server.url);
    free(review->server.ca_file);
    free(review->server.token_file);
    free(review->server.audiences);
    free(review);
    curl_global_cleanup();
}

bool token_review_looks_like(slice token, const char *own_issuer)
{
    struct token_hearsay heard;
    return token_review_peek(token, &heard) && strcmp(heard.issuer, own_issuer) != 0;
}

void token_review_count(struct token_review *review, struct token_review_counts *out)
{
    mutex_lock(&review->lock);
    *out = review->counts;
    mutex_unlock(&review->lock);
}

/* ---- What is known, under the lock ---- */

static enum err cannot_now(struct token_review *review, const char *why, struct diag *diag)
{
    review->counts.busy++;
    return diag_fail(diag, ERR_BUSY, "", "%s", why);
}

static bool take_good(struct token_review *review, const uint8_t hash[SHA256_BYTES], int64_t now_us,
                      struct token_reviewed *out)
{
    const struct known_slot *known = token_table_find(&review->known, hash);
    bool is_good =
        known != NULL && clock_monotonic_us() < known->slot.ends_us && now_us < known->expires_us;
    if (is_good) {
        review->counts.known++;
        *out = known->answer;
    }
    return is_good;
}

/* False: the server has to be asked. */
static bool take_known(struct token_review *review, const uint8_t hash[SHA256_BYTES],
                       int64_t now_us, struct token_reviewed *out, enum err *result,
                       struct diag *diag)
{
    int64_t steady_us = clock_monotonic_us();
    if (take_good(review, hash, now_us, out)) {
        *result = OK;
        return true;
    }
    const struct refused_slot *refused = token_table_find(&review->refused, hash);
    if (refused == NULL || steady_us >= refused->slot.ends_us) {
        return false;
    }
    if (refused->is_failure) {
        *result =
            cannot_now(review, "the API server was asked a moment ago and told nothing", diag);
    } else {
        review->counts.known++;
        *result = diag_fail(diag, ERR_NOT_FOUND, "", "the token was refused a moment ago");
    }
    return true;
}

static void keep(struct token_review *review, const struct question *question, int64_t expires_us)
{
    int64_t now_us = clock_monotonic_us();
    if (question->result == OK && review->cache_ms > 0) {
        struct known_slot *slot =
            token_table_place(&review->known, question->hash, now_us + review->cache_ms * MS_US);
        slot->expires_us = expires_us;
        slot->answer = question->answer;
        return;
    }
    bool is_failure = question->result == ERR_BUSY;
    uint32_t no_ms =
        review->cache_ms < TOKEN_REVIEW_REFUSED_MS ? review->cache_ms : TOKEN_REVIEW_REFUSED_MS;
    uint32_t keep_ms = is_failure ? TOKEN_REVIEW_PAUSE_MS : no_ms;
    if (question->result != OK && keep_ms > 0) {
        struct refused_slot *slot =
            token_table_place(&review->refused, question->hash, now_us + keep_ms * MS_US);
        slot->is_failure = is_failure;
    }
}

/* ---- Asking ---- */

static enum err read_answer(const struct token_review *review, slice answer,
                            const struct token_hearsay *heard, struct token_reviewed *out,
                            struct diag *diag)
{
    TRY(token_review_read(answer, slice_from_cstr(review->server.audiences), out, diag));
    const struct token_account *account =
        token_accounts_find(&review->accounts, slice_from_cstr(out->namespace),
                            slice_from_cstr(out->name));
    if (account == NULL || strcmp(out->username, heard->subject) != 0) {
        return diag_fail(diag, ERR_NOT_FOUND, "", "the account is another one than the token says");
    }
    memcpy(out->org, account->org, sizeof(out->org));
    memcpy(out->role, account->role, sizeof(out->role));
    out->rights = account->rights;
    return OK;
}

/* Without the lock; the question is this thread's until it is done. */
static void ask(struct token_review *review, struct question *question, slice token,
                const struct token_hearsay *heard)
{
    CLEANUP(buf_release) struct buf answer = BUF_INIT(TOKEN_REVIEW_ANSWER_BYTES);
    bool is_away = false;
    enum err e = token_review_call(question->link, &review->server, token, &answer, &is_away,
                                   &question->diag);
    if (e == OK) {
        e = read_answer(review, buf_slice(&answer), heard, &question->answer, &question->diag);
    }
    secret_wipe(answer.ptr, answer.len); /* the server repeats the token */
    mutex_lock(&review->lock);
    question->result = e;
    question->is_done = true;
    review->counts.asked++;
    review->counts.failed += e == ERR_BUSY ? 1 : 0;
    if (is_away) {
        review->pause_until_us = clock_monotonic_us() + TOKEN_REVIEW_PAUSE_MS * MS_US;
    }
    keep(review, question, heard->expires_us);
    condition_broadcast(&review->done);
    mutex_unlock(&review->lock);
}

/* The question about this token that is under way, else one that is free. */
static struct question *find_question(struct token_review *review, const uint8_t hash[SHA256_BYTES])
{
    struct question *free_one = NULL;
    for (size_t i = 0; i < review->threads_max; i++) {
        struct question *question = &review->questions[i];
        if (question->threads > 0 && memcmp(question->hash, hash, SHA256_BYTES) == 0) {
            return question;
        }
        free_one = free_one == NULL && question->threads == 0 ? question : free_one;
    }
    ASSERT(free_one != NULL); /* fewer threads than questions */
    return free_one;
}

/* Takes part in a question; *is_asker says in which part. The lock is held. */
static enum err enter(struct token_review *review, const uint8_t hash[SHA256_BYTES],
                      struct question **out, bool *is_asker, struct diag *diag)
{
    if (review->threads == review->threads_max) {
        return cannot_now(review, "too many tokens are being asked about", diag);
    }
    if (clock_monotonic_us() < review->pause_until_us) {
        return cannot_now(review, "the API server was away a moment ago", diag);
    }
    struct question *question = find_question(review, hash);
    *is_asker = question->threads == 0;
    if (*is_asker) {
        memcpy(question->hash, hash, SHA256_BYTES);
        question->is_done = false;
        question->result = ERR_BUSY;
        question->diag = (struct diag){0};
        question->answer = (struct token_reviewed){0};
    }
    question->threads++;
    review->threads++;
    *out = question;
    return OK;
}

/* Waits for the answer, takes it, and lets go. The lock is held. */
static enum err leave(struct token_review *review, struct question *question,
                      struct token_reviewed *out, struct diag *diag)
{
    int64_t until_us =
        clock_monotonic_us() + (review->server.timeout_ms + (int64_t)WAIT_MORE_MS) * MS_US;
    int64_t left_us = until_us - clock_monotonic_us();
    while (!question->is_done && left_us > 0) {
        (void)condition_wait_us(&review->done, &review->lock, left_us);
        left_us = until_us - clock_monotonic_us();
    }
    enum err e = ERR_BUSY;
    if (!question->is_done) {
        e = cannot_now(review, "the API server hangs", diag);
    } else if (question->result == OK) {
        *out = question->answer;
        e = OK;
    } else {
        e = diag_fail(diag, question->result, question->diag.where, "%s", question->diag.text);
    }
    question->threads--;
    review->threads--;
    return e;
}

static enum err not_ours(struct diag *diag)
{
    return diag_fail(diag, ERR_NOT_FOUND, "", "the account of the token has no role here");
}

/* Whether it is worth asking about. */
static bool is_wanted(const struct token_review *review, slice token, struct token_hearsay *heard)
{
    slice namespace = {0};
    slice name = {0};
    return token_review_peek(token, heard) &&
           token_account_split(slice_from_cstr(heard->subject), &namespace, &name) &&
           token_accounts_find(&review->accounts, namespace, name) != NULL;
}

bool token_review_find(struct token_review *review, slice token, int64_t now_us,
                       struct token_reviewed *out)
{
    uint8_t hash[SHA256_BYTES];
    if (token.len > TOKEN_REVIEW_BYTES_MAX) {
        return false;
    }
    sha256(token, hash);
    mutex_lock(&review->lock);
    bool is_good = take_good(review, hash, now_us, out);
    mutex_unlock(&review->lock);
    return is_good;
}

enum err token_review(struct token_review *review, slice token, int64_t now_us,
                      struct token_reviewed *out, struct diag *diag)
{
    uint8_t hash[SHA256_BYTES];
    struct token_hearsay heard;
    struct question *question = NULL;
    bool is_asker = false;
    enum err e = OK;
    if (token.len > TOKEN_REVIEW_BYTES_MAX) {
        return not_ours(diag);
    }
    sha256(token, hash);
    mutex_lock(&review->lock);
    bool is_known = take_known(review, hash, now_us, out, &e, diag);
    mutex_unlock(&review->lock);
    if (is_known) {
        return e;
    }
    if (!is_wanted(review, token, &heard)) {
        return not_ours(diag);
    }
    mutex_lock(&review->lock);
    is_known = take_known(review, hash, now_us, out, &e, diag); /* another was quicker */
    if (!is_known) {
        e = enter(review, hash, &question, &is_asker, diag);
    }
    if (question != NULL && is_asker) {
        mutex_unlock(&review->lock);
        ask(review, question, token, &heard);
        mutex_lock(&review->lock);
    }
    e = question != NULL ? leave(review, question, out, diag) : e;
    mutex_unlock(&review->lock);
    return e;
}
