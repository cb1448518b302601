/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * token_accounts - whose the service accounts of a Kubernetes cluster are, and what they may do.
 *
 *     payments:api-gateway=writer@acme, monitoring:*=operator
 *
 * NAMESPACE:NAME=ROLE@ORGANISATION, separated by commas; "*" is every account of the namespace that
 * has no line of its own, an organisation that is not named is the first.
 *
 * Threads: any, once it is parsed.
 */

#include "access/callers.h"

#define TOKEN_ACCOUNTS_MAX            256
#define TOKEN_ACCOUNT_NAMESPACE_BYTES 63  /* a DNS label */
#define TOKEN_ACCOUNT_NAME_BYTES      253 /* labels with dots between them */
#define TOKEN_ACCOUNT_PREFIX          "system:serviceaccount:"

struct token_account {
    char namespace[TOKEN_ACCOUNT_NAMESPACE_BYTES + 1];
    char name[TOKEN_ACCOUNT_NAME_BYTES + 1]; /* or "*" */
    char org[CALLERS_ORG_BYTES + 1];
    char role[16];
    uint32_t rights;
};

struct token_accounts {
    struct token_account *list;
    size_t count;
};

/* On OK the caller ends *out with token_accounts_release(); an error leaves it as it was. INVALID:
 * what is wrong, in a sentence that names the entry; also without any entry. */
enum err token_accounts_parse(slice text, struct token_accounts *out, struct diag *diag);
void token_accounts_release(struct token_accounts *accounts);

/* NULL: it is nobody's here. */
const struct token_account *token_accounts_find(const struct token_accounts *accounts,
                                                slice namespace, slice name);

/* Takes "system:serviceaccount:NAMESPACE:NAME" apart. False: it is no such name. */
bool token_account_split(slice username, slice *namespace_out, slice *name_out);
