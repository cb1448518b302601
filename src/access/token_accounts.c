/* SPDX-License-Identifier: Apache-2.0 */
#include "access/token_accounts.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "access/rights.h"
#include "base/mem.h"

enum { LABEL_BYTES_MAX = 63 };

/* ---- Names ---- */

static bool byte_is_alphanumeric(uint8_t byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= '0' && byte <= '9');
}

static bool byte_is_of_label(uint8_t byte)
{
    return byte_is_alphanumeric(byte) || byte == '-';
}

/* A label of RFC 1123, in lower case, as Kubernetes has them. */
static bool take_label(slice *text)
{
    slice label = slice_take_while(text, byte_is_of_label);
    return label.len > 0 && label.len <= LABEL_BYTES_MAX && byte_is_alphanumeric(label.ptr[0]) &&
           byte_is_alphanumeric(label.ptr[label.len - 1]);
}

static bool is_namespace(slice text)
{
    return take_label(&text) && text.len == 0;
}

static bool is_name(slice text)
{
    if (text.len > TOKEN_ACCOUNT_NAME_BYTES || !take_label(&text)) {
        return false;
    }
    while (slice_take_literal(&text, SLICE("."))) {
        if (!take_label(&text)) {
            return false;
        }
    }
    return text.len == 0;
}

static bool is_organization(slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        uint8_t byte = text.ptr[i];
        if (!byte_is_of_label(byte) && byte != '_' && byte != '.' &&
            !(byte >= 'A' && byte <= 'Z')) {
            return false;
        }
    }
    return text.len > 0 && text.len <= CALLERS_ORG_BYTES;
}

/* What stands before `mark`, or all of it where there is none; *rest is what stands behind it. */
static slice split_at(slice text, char mark, slice *rest, bool *has_mark)
{
    const uint8_t *at = text.len > 0 ? memchr(text.ptr, mark, text.len) : NULL;
    slice head = slice_take(&text, at != NULL ? (size_t)(at - text.ptr) : text.len);
    *has_mark = at != NULL;
    if (at != NULL) {
        (void)slice_take(&text, 1);
    }
    *rest = text;
    return head;
}

bool token_account_split(slice username, slice *namespace_out, slice *name_out)
{
    bool has_colon = false;
    slice name = {0};
    if (!slice_take_literal(&username, SLICE(TOKEN_ACCOUNT_PREFIX))) {
        return false;
    }
    slice namespace = split_at(username, ':', &name, &has_colon);
    if (!has_colon || !is_namespace(namespace) || !is_name(name)) {
        return false;
    }
    *namespace_out = namespace;
    *name_out = name;
    return true;
}

/* ---- The text ---- */

static void copy(char *out, size_t out_bytes, slice text)
{
    (void)snprintf(out, out_bytes, "%.*s", SLICE_ARG(text));
}

static enum err fail_entry(slice entry, const char *what, struct diag *diag)
{
    entry.len = entry.len < 60 ? entry.len : 60;
    return diag_fail(diag, ERR_INVALID, "", "'%.*s': %s", SLICE_ARG(entry), what);
}

static enum err parse_entry(slice entry, struct token_account *out, struct diag *diag)
{
    bool has_equals = false, has_colon = false, has_org = false;
    slice right = {0}, name = {0}, org = {0};
    slice left = split_at(entry, '=', &right, &has_equals);
    slice namespace = slice_trim(split_at(left, ':', &name, &has_colon));
    slice role = slice_trim(split_at(right, '@', &org, &has_org));
    name = slice_trim(name);
    org = has_org ? slice_trim(org) : SLICE(SYSTEM_ORGANIZATION);
    if (!has_equals || !has_colon) {
        return fail_entry(entry, "must be NAMESPACE:NAME=ROLE or NAMESPACE:NAME=ROLE@ORG", diag);
    }
    if (!is_namespace(namespace)) {
        return fail_entry(entry, "the namespace is none that Kubernetes has", diag);
    }
    if (!slice_equal(name, SLICE("*")) && !is_name(name)) {
        return fail_entry(entry, "the name is no service account's, and not '*'", diag);
    }
    *out = (struct token_account){0};
    copy(out->role, sizeof(out->role), role);
    out->rights = role.len < sizeof(out->role) ? rights_of_role(out->role) : 0;
    if (out->rights == 0) {
        return fail_entry(entry, "the role must be owner, admin, auditor, operator or writer",
                          diag);
    }
    if (!is_organization(org)) {
        return fail_entry(entry, "the organisation must be the id of one", diag);
    }
    copy(out->namespace, sizeof(out->namespace), namespace);
    copy(out->name, sizeof(out->name), name);
    copy(out->org, sizeof(out->org), org);
    return OK;
}

static const struct token_account *find_exact(const struct token_accounts *accounts,
                                              slice namespace, slice name)
{
    for (size_t i = 0; i < accounts->count; i++) {
        const struct token_account *account = &accounts->list[i];
        if (slice_equal(slice_from_cstr(account->namespace), namespace) &&
            slice_equal(slice_from_cstr(account->name), name)) {
            return account;
        }
    }
    return NULL;
}

static enum err add_entry(struct token_accounts *accounts, slice entry, struct diag *diag)
{
    struct token_account account;
    TRY(parse_entry(entry, &account, diag));
    if (find_exact(accounts, slice_from_cstr(account.namespace), slice_from_cstr(account.name))) {
        return fail_entry(entry, "the account is named twice", diag);
    }
    if (accounts->count == TOKEN_ACCOUNTS_MAX) {
        return fail_entry(entry, "there are too many: 256 is the most", diag);
    }
    accounts->list[accounts->count++] = account;
    return OK;
}

enum err token_accounts_parse(slice text, struct token_accounts *out, struct diag *diag)
{
    static_assert(TOKEN_ACCOUNTS_MAX == 256, "a sentence says so");
    CLEANUP(token_accounts_release) struct token_accounts accounts = {0};
    bool has_more = true;
    accounts.list = mem_array(TOKEN_ACCOUNTS_MAX, sizeof(*accounts.list));
    while (has_more) {
        slice entry = slice_trim(split_at(text, ',', &text, &has_more));
        TRY(add_entry(&accounts, entry, diag));
    }
    *out = accounts;
    accounts = (struct token_accounts){0};
    return OK;
}

void token_accounts_release(struct token_accounts *accounts)
{
    free(accounts->list);
    *accounts = (struct token_accounts){0};
}

const struct token_account *token_accounts_find(const struct token_accounts *accounts,
                                                slice namespace, slice name)
{
    const struct token_account *own = find_exact(accounts, namespace, name);
    return own != NULL ? own : find_exact(accounts, namespace, SLICE("*"));
}
