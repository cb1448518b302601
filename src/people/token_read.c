/* SPDX-License-Identifier: Apache-2.0 */
#include "people/token_read.h"

#include <jansson.h>

#include "access/rights.h"
#include "codec/time.h"

#define SECOND_US INT64_C(1000000)

enum { HEADER_MEMBERS = 3, SCOPE_WORD_BYTES = 32 };

static void free_json(json_t **json)
{
    json_decref(*json);
}

/* NULL: not an object, two members of one name, bad UTF-8, or bytes behind it. */
static json_t *parse_object(slice text)
{
    json_t *json = json_loadb((const char *)text.ptr, text.len, JSON_REJECT_DUPLICATES, NULL);
    if (!json_is_object(json)) {
        json_decref(json);
        return NULL;
    }
    return json;
}

static bool is_text(const json_t *json, const char *expected)
{
    return json_is_string(json) && json_string_length(json) == strlen(expected) &&
           strcmp(json_string_value(json), expected) == 0;
}

/* ---- The header ---- */

/* Strangers write headers, and a reader that calls itself should not see how deep they can nest:
 * ours are one object of texts. */
static bool is_flat(slice text)
{
    size_t opened = 0;
    for (size_t i = 0; i < text.len; i++) {
        opened += text.ptr[i] == '{' || text.ptr[i] == '[' ? 1 : 0;
    }
    return opened == 1;
}

enum token_answer token_read_header(slice text, char kid_out[TOKEN_KID_BYTES + 1])
{
    /* "crit" has an array, and deserves its own sentence in the log. */
    CLEANUP(free_json) json_t *header = is_flat(text) ? parse_object(text) : NULL;
    if (header == NULL) {
        bool is_critical = text.len > 0 && memmem(text.ptr, text.len, "\"crit\"", 6) != NULL;
        return is_critical ? TOKEN_CRITICAL : TOKEN_BAD_HEADER;
    }
    if (json_object_get(header, "crit") != NULL) {
        return TOKEN_CRITICAL;
    }
    if (!is_text(json_object_get(header, "alg"), "EdDSA")) {
        return TOKEN_BAD_ALGORITHM;
    }
    if (!is_text(json_object_get(header, "typ"), "at+jwt")) {
        return TOKEN_BAD_TYPE;
    }
    const json_t *kid = json_object_get(header, "kid");
    if (!json_is_string(kid) || json_string_length(kid) != TOKEN_KID_BYTES) {
        return TOKEN_UNKNOWN_KEY;
    }
    if (json_object_size(header) != HEADER_MEMBERS) {
        return TOKEN_MORE_HEADER;
    }
    memcpy(kid_out, json_string_value(kid), TOKEN_KID_BYTES + 1);
    return TOKEN_GOOD;
}

/* ---- The claims ---- */

struct text_claim {
    const char *name;
    size_t offset, bytes_max;
    bool may_be_empty;
};

#define TEXT_CLAIM(name, member, may_be_empty)                                                     \
    {                                                                                              \
        name, offsetof(struct token_claims, member),                                               \
            sizeof(((struct token_claims *)0)->member) - 1, may_be_empty                           \
    }

static const struct text_claim texts[] = {
    TEXT_CLAIM("sub", subject, false), TEXT_CLAIM("org", org, false),
    TEXT_CLAIM("role", role, false),   TEXT_CLAIM("scope", scope, true),
    TEXT_CLAIM("sid", session, false), TEXT_CLAIM("jti", id, false),
};

static const struct {
    const char *name;
    size_t offset;
} times[] = {
    {"iat", offsetof(struct token_claims, issued_us)},
    {"nbf", offsetof(struct token_claims, not_before_us)},
    {"exp", offsetof(struct token_claims, expires_us)},
};

enum { CLAIMS = 1 + COUNT_OF(texts) + COUNT_OF(times) }; /* the one is "iss" */

static enum token_answer take_text(const json_t *object, const struct text_claim *claim,
                                   struct token_claims *out)
{
    const json_t *json = json_object_get(object, claim->name);
    if (json == NULL) {
        return TOKEN_MISSING_CLAIM;
    }
    size_t len = json_string_length(json); /* 0 of what is no string */
    if (!json_is_string(json) || len > claim->bytes_max || (len == 0 && !claim->may_be_empty)) {
        return TOKEN_WRONG_CLAIM;
    }
    memcpy((char *)out + claim->offset, json_string_value(json), len + 1);
    return TOKEN_GOOD;
}

static enum token_answer take_time(const json_t *object, size_t index, struct token_claims *out)
{
    const json_t *json = json_object_get(object, times[index].name);
    if (json == NULL) {
        return TOKEN_MISSING_CLAIM;
    }
    json_int_t seconds = json_integer_value(json);
    if (!json_is_integer(json) || seconds < 0 || seconds > TIME_US_MAX / SECOND_US) {
        return TOKEN_WRONG_CLAIM;
    }
    int64_t time_us = (int64_t)seconds * SECOND_US;
    memcpy((char *)out + times[index].offset, &time_us, sizeof(time_us));
    return TOKEN_GOOD;
}

static enum token_answer take_claims(const json_t *object, struct token_claims *out)
{
    enum token_answer answer = TOKEN_GOOD;
    for (size_t i = 0; answer == TOKEN_GOOD && i < COUNT_OF(texts); i++) {
        answer = take_text(object, &texts[i], out);
    }
    for (size_t i = 0; answer == TOKEN_GOOD && i < COUNT_OF(times); i++) {
        answer = take_time(object, i, out);
    }
    return answer;
}

static enum token_answer judge_times(const struct token_claims *claims)
{
    if (claims->expires_us <= claims->issued_us || claims->expires_us <= claims->not_before_us) {
        return TOKEN_WRONG_CLAIM;
    }
    int64_t lifetime_us = claims->expires_us - claims->issued_us;
    return lifetime_us > TOKEN_LIFETIME_MAX_S * SECOND_US ? TOKEN_LONG_LIVED : TOKEN_GOOD;
}

uint32_t token_rights(const char *role, slice scope)
{
    uint32_t named = 0;
    while (scope.len > 0) {
        const uint8_t *space = memchr(scope.ptr, ' ', scope.len);
        slice word = slice_take(&scope, space != NULL ? (size_t)(space - scope.ptr) : scope.len);
        char name[SCOPE_WORD_BYTES] = {0};
        (void)slice_take_literal(&scope, SLICE(" "));
        if (word.len > 0 && word.len < sizeof(name)) {
            memcpy(name, word.ptr, word.len);
            named |= right_of_scope(name);
        }
    }
    return rights_of_role(role) & named;
}

enum token_answer token_read_claims(slice text, const char *issuer, struct token_claims *out)
{
    struct token_claims claims = {0};
    CLEANUP(free_json) json_t *object = parse_object(text);
    if (object == NULL) {
        return TOKEN_BAD_CLAIMS;
    }
    enum token_answer answer = take_claims(object, &claims);
    if (answer != TOKEN_GOOD) {
        return answer;
    }
    const json_t *made_by = json_object_get(object, "iss");
    if (!is_text(made_by, issuer)) {
        return made_by == NULL ? TOKEN_MISSING_CLAIM : TOKEN_WRONG_ISSUER;
    }
    if (json_object_size(object) != CLAIMS) {
        return TOKEN_MORE_CLAIMS;
    }
    answer = judge_times(&claims);
    if (answer == TOKEN_GOOD) {
        claims.rights = token_rights(claims.role, slice_from_cstr(claims.scope));
        *out = claims;
    }
    return answer;
}
