/* SPDX-License-Identifier: Apache-2.0 */
/* By the first byte: a token of strangers, an answer of an API server, or the accounts of an
 * option. What is taken is whole, and says only what stands there. */
#include <stdlib.h>

#include "access/token_review_read.h"
#include "base/buf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool has(slice text, const char *part)
{
    return text.len > 0 && memmem(text.ptr, text.len, part, strlen(part)) != NULL;
}

static void peek(slice token)
{
    struct token_hearsay heard;
    size_t dots = 0;
    if (!token_review_peek(token, &heard)) {
        ASSERT(!token_review_looks_like(token, ""));
        return;
    }
    for (size_t i = 0; i < token.len; i++) {
        dots += token.ptr[i] == '.' ? 1 : 0;
    }
    ASSERT(dots == 2 && token.len <= TOKEN_REVIEW_BYTES_MAX);
    ASSERT(heard.issuer[0] != '\0' && memchr(heard.issuer, '\0', sizeof(heard.issuer)) != NULL);
    ASSERT(memchr(heard.subject, '\0', sizeof(heard.subject)) != NULL);
    ASSERT(heard.expires_us >= 0);
    ASSERT(!token_review_looks_like(token, heard.issuer));
}

static void read_answer(slice answer)
{
    struct token_reviewed out = {0};
    struct diag diag = {0};
    slice namespace = {0};
    slice name = {0};
    enum err e = token_review_read(answer, SLICE("cairn"), &out, &diag);
    ASSERT(e == OK || e == ERR_NOT_FOUND || e == ERR_BUSY);
    if (e != OK) {
        ASSERT(diag.text[0] != '\0');
        return;
    }
    ASSERT(has(answer, "true"));
    ASSERT(token_account_split(slice_from_cstr(out.username), &namespace, &name));
    ASSERT(slice_equal(namespace, slice_from_cstr(out.namespace)));
    ASSERT(slice_equal(name, slice_from_cstr(out.name)));
}

/* Written out again, they are the same. */
static void read_accounts(slice text)
{
    CLEANUP(token_accounts_release) struct token_accounts accounts = {0};
    CLEANUP(token_accounts_release) struct token_accounts again = {0};
    CLEANUP(buf_release) struct buf out = BUF_INIT(1024 * 1024);
    struct diag diag = {0};
    if (token_accounts_parse(text, &accounts, &diag) != OK) {
        ASSERT(diag.text[0] != '\0');
        return;
    }
    for (size_t i = 0; i < accounts.count; i++) {
        const struct token_account *account = &accounts.list[i];
        ASSERT(account->rights != 0);
        buf_append_format(&out, "%s%s:%s=%s@%s", i > 0 ? "," : "", account->namespace,
                          account->name, account->role, account->org);
    }
    ASSERT(token_accounts_parse(buf_slice(&out), &again, &diag) == OK);
    ASSERT(again.count == accounts.count);
    ASSERT(memcmp(again.list, accounts.list, again.count * sizeof(*again.list)) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) {
        return 0;
    }
    slice text = {data + 1, size - 1};
    switch (data[0] % 3) {
    case 0:
        peek(text);
        break;
    case 1:
        read_answer(text);
        break;
    case 2:
        read_accounts(text);
        break;
    }
    return 0;
}
