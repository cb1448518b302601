/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * token_review_read - what a token of Kubernetes says of itself, which nobody believes, and what
 * the API server's answer says of it. Private to access/token_review.
 *
 * Threads: any.
 */

#include "access/token_review.h"

struct token_hearsay {
    char issuer[TOKEN_REVIEW_ISSUER_BYTES + 1];
    char subject[TOKEN_REVIEW_USERNAME_BYTES + 1];
    int64_t expires_us; /* INT64_MAX: it names no end */
};

/* False: it is not three parts in base64url whose second is an object with an issuer. Nothing is
 * verified: good for asking less and for keeping an answer shorter, for nothing else. */
bool token_review_peek(slice token, struct token_hearsay *out);

/* Fills in username, namespace, name and uid from a TokenReview. NOT_FOUND: the token is not good,
 * not for one of `audiences` (of commas; empty: any), or no service account's. BUSY: the answer is
 * not one. */
enum err token_review_read(slice answer, slice audiences, struct token_reviewed *out,
                           struct diag *diag);

/* The next word of a list with commas; empty: there is none. */
slice token_review_word(slice *list);
