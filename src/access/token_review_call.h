/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * token_review_call - one question to the Kubernetes API server, by HTTPS. Private to
 * access/token_review.
 *
 * Nothing but the server that its CA vouches for gets the token: no redirect is followed, no proxy
 * of the environment is used, no other protocol is spoken. The CA and our own token are read again
 * for each question, since both are replaced while the server runs and questions are rare.
 *
 * Threads: a link has one owner at a time.
 */

#include "base/buf.h"
#include "base/err.h"

struct token_review_server {
    char *url; /* https://host:port */
    char *ca_file, *token_file;
    char *audiences; /* separated by commas; "": the server's own */
    uint32_t timeout_ms;
};

/* A connection that is kept open between questions. Never NULL. */
struct token_review_link;
struct token_review_link *token_review_link_new(void);
void token_review_link_free(struct token_review_link *link);

#define TOKEN_REVIEW_ANSWER_BYTES ((size_t)64 * 1024)

/* Puts what the server answers into *answer. BUSY: there is no answer that means anything; then
 * *is_away says whether none came at all, which is so for every token. */
enum err token_review_call(struct token_review_link *link, const struct token_review_server *server,
                           slice token, struct buf *answer, bool *is_away, struct diag *diag);

/* Whether both files can be read, for the start. INVALID with a sentence. */
enum err token_review_check(const struct token_review_server *server, struct diag *diag);
