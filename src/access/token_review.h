/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * token_review - service accounts of a Kubernetes cluster, by asking its API server whose a token
 * is (authentication.k8s.io/v1, TokenReview).
 *
 * Nothing is verified here: a token is good because the API server says so, now or at most
 * `cache_ms` ago, and never longer than the token's own end. What it says of itself is only used to
 * ask less: about a token whose account has no role here nobody is asked.
 *
 * Where the server cannot be asked, or what it answers is no answer, the result is "cannot tell"
 * (BUSY), which is neither yes nor no and is not kept as either. The same question is put off for
 * TOKEN_REVIEW_PAUSE_MS, and every question if no answer came at all.
 *
 * One of several threads with the same token asks, the others wait for it; there are never more in
 * here than `threads_max`, so that an API server that hangs does not hold all threads of ours.
 *
 * Threads: any; token_review() waits for as long as timeout_ms, so no loop calls it.
 */

#include "access/token_accounts.h"

#define TOKEN_REVIEW_BYTES_MAX      8192 /* of a token; those of Kubernetes have 1 to 2 KiB */
#define TOKEN_REVIEW_ISSUER_BYTES   255
#define TOKEN_REVIEW_USERNAME_BYTES 340
#define TOKEN_REVIEW_UID_BYTES      63
#define TOKEN_REVIEW_TOKENS         1024  /* that are known, and as many that are refused */
#define TOKEN_REVIEW_REFUSED_MS     10000 /* a no is kept so long at most */
#define TOKEN_REVIEW_PAUSE_MS       1000

struct token_review;

struct token_review_options {
    const char *url;        /* of the API server: https://host:port */
    const char *ca_file;    /* PEM; it alone vouches for the server */
    const char *token_file; /* our own token, read again for each question */
    const char *audiences;  /* separated by commas; "": the API server's own */
    const char *accounts;   /* token_accounts.h */
    uint32_t timeout_ms;    /* of one question */
    uint32_t cache_ms;      /* how long a yes is kept; 0: each is asked for */
    uint32_t threads_max;   /* that may be in here beyond the cache; 1 to 256 */
};

/* INVALID, with the member's name in diag->where: the URL is not one, a file cannot be read, or
 * the accounts are not as token_accounts.h has them. Asks nobody. */
enum err token_review_new(const struct token_review_options *options, struct token_review **out,
                          struct diag *diag);
void token_review_free(struct token_review *review); /* no thread is in here */
DEFINE_OWNED(token_review);

/* Whether it may be a token of a cluster: three parts in base64url whose claims name an issuer
 * other than `own_issuer`. For choosing whom to ask, before token_review(). */
bool token_review_looks_like(slice token, const char *own_issuer);

struct token_reviewed {
    char username[TOKEN_REVIEW_USERNAME_BYTES + 1]; /* system:serviceaccount:NAMESPACE:NAME */
    char namespace[TOKEN_ACCOUNT_NAMESPACE_BYTES + 1];
    char name[TOKEN_ACCOUNT_NAME_BYTES + 1];
    char uid[TOKEN_REVIEW_UID_BYTES + 1];
    char org[CALLERS_ORG_BYTES + 1]; /* from the accounts; it may not exist, or be suspended */
    char role[16];
    uint32_t rights;
};

/* The same from memory alone, at the cost of a hash, for a loop. False: ask token_review(). */
bool token_review_find(struct token_review *review, slice token, int64_t now_us,
                       struct token_reviewed *out);

/* Whose it is. NOT_FOUND: not known, which whoever shows it learns without a reason; BUSY: cannot
 * tell, to be answered with 503. The diag is for the log and never has a token in it. */
enum err token_review(struct token_review *review, slice token, int64_t now_us,
                      struct token_reviewed *out, struct diag *diag);

/* For metrics. */
struct token_review_counts {
    uint64_t known;  /* answers from memory, of either kind */
    uint64_t asked;  /* questions to the API server */
    uint64_t failed; /* of those, the ones that told nothing */
    uint64_t busy;   /* refused unasked: too many threads, or a pause */
};
void token_review_count(struct token_review *review, struct token_review_counts *out);
