/* SPDX-License-Identifier: Apache-2.0 */
#include "access/token_review_read.h"

#include <jansson.h>
#include <stdio.h>

#include "access/token_accounts.h"
#include "codec/base64.h"
#include "codec/time.h"

#define SECOND_US INT64_C(1000000)

enum { CLAIMS_OPENED_MAX = 64 };

static void free_json(json_t **json)
{
    json_decref(*json);
}

static const char *text_of(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text != NULL ? text : "";
}

slice token_review_word(slice *list)
{
    slice word = {0};
    while (word.len == 0 && list->len > 0) {
        const uint8_t *comma = memchr(list->ptr, ',', list->len);
        word = slice_take(list, comma != NULL ? (size_t)(comma - list->ptr) : list->len);
        (void)slice_take_literal(list, SLICE(","));
        slice_skip_spaces(&word);
        while (word.len > 0 && byte_is_space(word.ptr[word.len - 1])) {
            word.len--;
        }
    }
    return word;
}

/* ---- The token ---- */

static bool take_part(slice *rest, bool is_last, struct buf *out)
{
    const uint8_t *dot = rest->len > 0 ? memchr(rest->ptr, '.', rest->len) : NULL;
    if ((dot == NULL) != is_last) {
        return false;
    }
    slice part = slice_take(rest, dot != NULL ? (size_t)(dot - rest->ptr) : rest->len);
    (void)slice_take_literal(rest, SLICE("."));
    buf_clear(out);
    return part.len > 0 && base64url_decode(part, out);
}

/* Strangers write claims, and a reader that calls itself should not see how deep they can nest. */
static bool is_shallow(slice text)
{
    size_t opened = 0;
    for (size_t i = 0; i < text.len; i++) {
        opened += text.ptr[i] == '{' || text.ptr[i] == '[' ? 1 : 0;
    }
    return opened <= CLAIMS_OPENED_MAX;
}

/* A new reference, or NULL. */
static json_t *read_claims(slice text)
{
    return is_shallow(text)
               ? json_loadb((const char *)text.ptr, text.len, JSON_REJECT_DUPLICATES, NULL)
               : NULL;
}

static bool take_text(const json_t *claims, const char *name, char *out, size_t out_bytes)
{
    const json_t *value = json_object_get(claims, name);
    size_t len = json_string_length(value);
    if (!json_is_string(value) || len == 0 || len >= out_bytes) {
        return false;
    }
    memcpy(out, json_string_value(value), len + 1);
    return true;
}

bool token_review_peek(slice token, struct token_hearsay *out)
{
    CLEANUP(buf_release) struct buf claims_text = BUF_INIT(TOKEN_REVIEW_BYTES_MAX);
    CLEANUP(buf_release) struct buf other = BUF_INIT(TOKEN_REVIEW_BYTES_MAX);
    struct token_hearsay heard = {.expires_us = INT64_MAX};
    if (token.len > TOKEN_REVIEW_BYTES_MAX || !take_part(&token, false, &other) ||
        !take_part(&token, false, &claims_text) || !take_part(&token, true, &other)) {
        return false;
    }
    CLEANUP(free_json) json_t *claims = read_claims(buf_slice(&claims_text));
    if (!json_is_object(claims) || !take_text(claims, "iss", heard.issuer, sizeof(heard.issuer))) {
        return false;
    }
    (void)take_text(claims, "sub", heard.subject, sizeof(heard.subject));
    const json_t *end = json_object_get(claims, "exp");
    if (end != NULL) {
        json_int_t seconds = json_integer_value(end); /* 0 of what is no integer: over */
        bool is_time = seconds >= 0 && seconds <= TIME_US_MAX / SECOND_US;
        heard.expires_us = is_time ? (int64_t)seconds * SECOND_US : 0;
    }
    *out = heard;
    return true;
}

/* ---- The answer ---- */

static enum err not_an_answer(const char *what, struct diag *diag)
{
    return diag_fail(diag, ERR_BUSY, "", "the API server's answer is not a TokenReview: %s", what);
}

static bool names(const json_t *list, slice word)
{
    size_t i = 0;
    json_t *item = NULL;
    json_array_foreach(list, i, item)
    {
        slice text = {(const uint8_t *)json_string_value(item), json_string_length(item)};
        if (json_is_string(item) && slice_equal(text, word)) {
            return true;
        }
    }
    return false;
}

/* Who sets audiences has to look whether the server knows of them. One that names none took the
 * token as its own: then it is not for us. */
static bool is_for_us(const json_t *status, slice audiences)
{
    const json_t *named = json_object_get(status, "audiences");
    slice word = token_review_word(&audiences);
    if (word.len == 0) {
        return true;
    }
    for (; word.len > 0; word = token_review_word(&audiences)) {
        if (names(named, word)) {
            return true;
        }
    }
    return false;
}

static enum err read_user(const json_t *user, struct token_reviewed *out, struct diag *diag)
{
    char group[sizeof("system:serviceaccounts:") + TOKEN_ACCOUNT_NAMESPACE_BYTES];
    slice namespace = {0};
    slice name = {0};
    const char *username = text_of(user, "username");
    const char *uid = text_of(user, "uid");
    if (!token_account_split(slice_from_cstr(username), &namespace, &name)) {
        return diag_fail(diag, ERR_NOT_FOUND, "", "the token is no service account's");
    }
    (void)snprintf(group, sizeof(group), "system:serviceaccounts:%.*s", SLICE_ARG(namespace));
    /* Where an identity provider may choose names freely, the group still is the server's own. */
    if (!names(json_object_get(user, "groups"), slice_from_cstr(group))) {
        return diag_fail(diag, ERR_NOT_FOUND, "", "the account is not in the group of its kind");
    }
    if (strlen(uid) > TOKEN_REVIEW_UID_BYTES) {
        return not_an_answer("the uid is too long", diag);
    }
    (void)snprintf(out->username, sizeof(out->username), "%s", username);
    (void)snprintf(out->namespace, sizeof(out->namespace), "%.*s", SLICE_ARG(namespace));
    (void)snprintf(out->name, sizeof(out->name), "%.*s", SLICE_ARG(name));
    (void)snprintf(out->uid, sizeof(out->uid), "%s", uid);
    return OK;
}

enum err token_review_read(slice answer, slice audiences, struct token_reviewed *out,
                           struct diag *diag)
{
    CLEANUP(free_json)
    json_t *review = json_loadb((const char *)answer.ptr, answer.len, JSON_REJECT_DUPLICATES, NULL);
    if (strcmp(text_of(review, "kind"), "TokenReview") != 0 ||
        strcmp(text_of(review, "apiVersion"), "authentication.k8s.io/v1") != 0) {
        return not_an_answer("its kind is another one", diag);
    }
    const json_t *status = json_object_get(review, "status");
    const json_t *authenticated = json_object_get(status, "authenticated");
    if (!json_is_object(status) || (authenticated != NULL && !json_is_boolean(authenticated))) {
        return not_an_answer("it has no status", diag);
    }
    if (!json_is_true(authenticated)) { /* Kubernetes leaves a false out */
        return diag_fail(diag, ERR_NOT_FOUND, "", "the API server does not know the token");
    }
    if (!is_for_us(status, audiences)) {
        return diag_fail(diag, ERR_NOT_FOUND, "", "the token is for another audience");
    }
    return read_user(json_object_get(status, "user"), out, diag);
}
