/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "access/rights.h"
#include "base/test.h"
#include "codec/base64.h"
#include "crypto/sha256.h"
#include "os/clock.h"
#include "people/token_cache.h"

#define SECOND INT64_C(1000000)
static const int64_t now_us = 1700000000 * SECOND;
static const uint8_t seed[ED25519_SEED_BYTES] = {7};

struct place {
    struct token_keys *keys;
    struct token_issuer issuer;
    struct token_key key;
};

static void enter(struct place *place)
{
    place->keys = token_keys_new();
    place->issuer = (struct token_issuer){"https://cairn.example", place->keys};
    assert_int_equal(token_keys_add(place->keys, seed, 1, NULL), OK);
    token_keys_current(place->keys, &place->key);
}

static void leave(struct place *place)
{
    token_keys_free(place->keys);
}

static void issue(struct place *place, struct buf *token, struct token_claims *claims)
{
    *claims = (struct token_claims){.subject = "0190c5f0-1111-7000-8000-000000000001",
                                    .session = "f",
                                    .org = "default",
                                    .role = "auditor"};
    struct diag diag = {0};
    if (token_issue(&place->issuer, claims, 900, now_us + 5, token, &diag) != OK) {
        fail_msg("%s: %s", diag.where, diag.text);
    }
}

/* Signs any two texts; '@' in the header stands for the kid. */
static void sign(const struct place *place, const char *header, const char *claims,
                 struct buf *token)
{
    CLEANUP(buf_release) struct buf text = BUF_INIT(8192);
    uint8_t signature[ED25519_SIGNATURE_BYTES];
    for (const char *p = header; *p != '\0'; p++) {
        if (*p == '@') {
            buf_append_cstr(&text, place->key.kid);
        } else {
            buf_append_byte(&text, (uint8_t)*p);
        }
    }
    base64url_append(token, buf_slice(&text));
    buf_append_byte(token, '.');
    base64url_append(token, slice_from_cstr(claims));
    assert_int_equal(ed25519_sign(seed, buf_slice(token), signature), OK);
    buf_append_byte(token, '.');
    base64url_append(token, (slice){signature, sizeof(signature)});
    assert_int_equal(buf_check(token), OK);
}

static enum token_answer verify_at(const struct place *place, slice token, int64_t at_us)
{
    struct token_claims claims = {.org = "untouched"};
    enum token_answer answer = token_verify(&place->issuer, token, at_us, &claims);
    if (answer != TOKEN_GOOD) {
        assert_string_equal(claims.org, "untouched");
    }
    return answer;
}

static void test_there_and_back(void **state)
{
    UNUSED(state);
    CLEANUP(leave) struct place place = {0};
    CLEANUP(buf_release) struct buf token = BUF_INIT(TOKEN_BYTES_MAX);
    struct token_claims issued, read = {0};
    enter(&place);
    issue(&place, &token, &issued);
    print_message("# %zu bytes\n", token.len);
    assert_int_equal(token_verify(&place.issuer, buf_slice(&token), now_us, &read), TOKEN_GOOD);
    assert_memory_equal(&read, &issued, sizeof(read));
    assert_int_equal(read.rights, rights_of_role("auditor"));
    assert_string_equal(read.scope, "events:read audit:export config:read ops:read");
    assert_true(read.issued_us == now_us && read.expires_us == now_us + 900 * SECOND);
    assert_int_equal(strlen(read.id), TOKEN_ID_BYTES);
}

static void test_a_scope_narrows_the_role(void **state)
{
    UNUSED(state);
    CLEANUP(leave) struct place place = {0};
    CLEANUP(buf_release) struct buf token = BUF_INIT(TOKEN_BYTES_MAX);
    struct token_claims read = {0};
    struct token_claims claims = {.subject = "s",
                                  .session = "f",
                                  .org = "o",
                                  .role = "operator",
                                  .scope = "events:read erase"};
    enter(&place);
    assert_int_equal(token_issue(&place.issuer, &claims, 1, now_us, &token, NULL), OK);
    assert_int_equal(token_verify(&place.issuer, buf_slice(&token), now_us, &read), TOKEN_GOOD);
    assert_int_equal(read.rights, RIGHT_EVENTS_READ); /* an operator may not erase */
}

static void test_what_cannot_be_issued(void **state)
{
    UNUSED(state);
    static const struct {
        struct token_claims claims;
        uint32_t lifetime_s;
    } rows[] = {
        {{.subject = "", .session = "f", .org = "o", .role = "owner"}, 60},
        {{.subject = "s", .session = "f", .org = "", .role = "owner"}, 60},
        {{.subject = "s", .org = "o", .session = "", .role = "owner"}, 60},
        {{.subject = "\xff", .session = "f", .org = "o", .role = "owner"}, 60},
        {{.subject = "s", .session = "f", .org = "o", .role = "king"}, 60},
        {{.subject = "s", .session = "f", .org = "o", .role = ""}, 60},
        {{.subject = "s", .session = "f", .org = "o", .role = "owner", .scope = "events:all"}, 60},
        {{.subject = "s", .session = "f", .org = "o", .role = "owner", .scope = "erase "}, 60},
        {{.subject = "s", .session = "f", .org = "o", .role = "owner", .scope = " erase"}, 60},
        {{.subject = "s", .session = "f", .org = "o", .role = "owner", .scope = "erase  erase"},
         60},
        {{.subject = "s", .session = "f", .org = "o", .role = "owner"}, 0},
        {{.subject = "s", .session = "f", .org = "o", .role = "owner"}, TOKEN_LIFETIME_MAX_S + 1},
    };
    CLEANUP(leave) struct place place = {0};
    CLEANUP(buf_release) struct buf token = BUF_INIT(TOKEN_BYTES_MAX);
    enter(&place);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct token_claims claims = rows[i].claims;
        print_message("# row %zu\n", i);
        assert_int_equal(token_issue(&place.issuer, &claims, rows[i].lifetime_s, now_us, &token,
                                     NULL),
                         ERR_INVALID);
        assert_int_equal(token.len, 0);
    }
}

/* ---- Hostile tokens, all of them signed by the right key ---- */

#define HEADER "{\"alg\":\"EdDSA\",\"typ\":\"at+jwt\",\"kid\":\"@\"}"
#define ISS    "\"iss\":\"https://cairn.example\","
#define WHO    "\"sub\":\"s\",\"org\":\"o\",\"role\":\"owner\",\"scope\":\"erase\","
#define TIMES  "\"iat\":1700000000,\"nbf\":1700000000,\"exp\":1700000900,"
#define JTI    "\"sid\":\"f\",\"jti\":\"AAAAAAAAAAAAAAAAAAAAAA\""
#define CLAIMS "{" ISS WHO TIMES JTI "}"
#define LONG   "0123456789012345678901234567890123456789012345678901234567890123456789"

static const struct {
    const char *name, *header, *claims;
    enum token_answer answer;
} hostile[] = {
    {"as ours", HEADER, CLAIMS, TOKEN_GOOD},
    {"members in another order", "{\"kid\":\"@\",\"alg\":\"EdDSA\",\"typ\":\"at+jwt\"}",
     "{" JTI "," TIMES WHO "\"iss\":\"https://cairn.example\"}", TOKEN_GOOD},
    {"none", "{\"alg\":\"none\",\"typ\":\"at+jwt\",\"kid\":\"@\"}", CLAIMS, TOKEN_BAD_ALGORITHM},
    {"None", "{\"alg\":\"None\",\"typ\":\"at+jwt\",\"kid\":\"@\"}", CLAIMS, TOKEN_BAD_ALGORITHM},
    {"HS256", "{\"alg\":\"HS256\",\"typ\":\"at+jwt\",\"kid\":\"@\"}", CLAIMS, TOKEN_BAD_ALGORITHM},
    {"RS256", "{\"alg\":\"RS256\",\"typ\":\"at+jwt\",\"kid\":\"@\"}", CLAIMS, TOKEN_BAD_ALGORITHM},
    {"eddsa", "{\"alg\":\"eddsa\",\"typ\":\"at+jwt\",\"kid\":\"@\"}", CLAIMS, TOKEN_BAD_ALGORITHM},
    {"no algorithm", "{\"typ\":\"at+jwt\",\"kid\":\"@\"}", CLAIMS, TOKEN_BAD_ALGORITHM},
    {"algorithm null", "{\"alg\":null,\"typ\":\"at+jwt\",\"kid\":\"@\"}", CLAIMS,
     TOKEN_BAD_ALGORITHM},
    {"algorithm twice", "{\"alg\":\"none\",\"alg\":\"EdDSA\",\"typ\":\"at+jwt\",\"kid\":\"@\"}",
     CLAIMS, TOKEN_BAD_HEADER},
    {"JWT", "{\"alg\":\"EdDSA\",\"typ\":\"JWT\",\"kid\":\"@\"}", CLAIMS, TOKEN_BAD_TYPE},
    {"AT+JWT", "{\"alg\":\"EdDSA\",\"typ\":\"AT+JWT\",\"kid\":\"@\"}", CLAIMS, TOKEN_BAD_TYPE},
    {"no type", "{\"alg\":\"EdDSA\",\"kid\":\"@\"}", CLAIMS, TOKEN_BAD_TYPE},
    {"critical", "{\"alg\":\"EdDSA\",\"typ\":\"at+jwt\",\"kid\":\"@\",\"crit\":[\"exp\"]}", CLAIMS,
     TOKEN_CRITICAL},
    {"critical, no array", "{\"alg\":\"EdDSA\",\"typ\":\"at+jwt\",\"kid\":\"@\",\"crit\":\"b64\"}",
     CLAIMS, TOKEN_CRITICAL},
    {"b64", "{\"alg\":\"EdDSA\",\"typ\":\"at+jwt\",\"kid\":\"@\",\"b64\":false}", CLAIMS,
     TOKEN_MORE_HEADER},
    {"jku", "{\"alg\":\"EdDSA\",\"typ\":\"at+jwt\",\"kid\":\"@\",\"jku\":\"http://x\"}", CLAIMS,
     TOKEN_MORE_HEADER},
    {"a key of its own", "{\"alg\":\"EdDSA\",\"typ\":\"at+jwt\",\"kid\":\"@\",\"jwk\":{}}", CLAIMS,
     TOKEN_BAD_HEADER},
    {"no kid", "{\"alg\":\"EdDSA\",\"typ\":\"at+jwt\"}", CLAIMS, TOKEN_UNKNOWN_KEY},
    {"kid a number", "{\"alg\":\"EdDSA\",\"typ\":\"at+jwt\",\"kid\":1}", CLAIMS, TOKEN_UNKNOWN_KEY},
    {"kid a path", "{\"alg\":\"EdDSA\",\"typ\":\"at+jwt\",\"kid\":\"../../../dev/null\"}", CLAIMS,
     TOKEN_UNKNOWN_KEY},
    {"another kid",
     "{\"alg\":\"EdDSA\",\"typ\":\"at+jwt\","
     "\"kid\":\"kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k\"}",
     CLAIMS, TOKEN_UNKNOWN_KEY},
    {"header an array", "[\"EdDSA\"]", CLAIMS, TOKEN_BAD_HEADER},
    {"header a text", "\"EdDSA\"", CLAIMS, TOKEN_BAD_HEADER},
    {"header cut", "{\"alg\":\"EdDSA\"", CLAIMS, TOKEN_BAD_HEADER},
    {"bytes behind the header", HEADER "x", CLAIMS, TOKEN_BAD_HEADER},
    {"bad UTF-8 in the header", "{\"alg\":\"EdDSA\",\"typ\":\"\xff\",\"kid\":\"@\"}", CLAIMS,
     TOKEN_BAD_HEADER},
    {"nested header", "{\"alg\":[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]}", CLAIMS,
     TOKEN_BAD_HEADER},
    {"claims an array", HEADER, "[]", TOKEN_BAD_CLAIMS},
    {"claims cut", HEADER, "{" ISS WHO TIMES "\"jti\":\"A", TOKEN_BAD_CLAIMS},
    {"bytes behind the claims", HEADER, CLAIMS "{}", TOKEN_BAD_CLAIMS},
    {"bad UTF-8", HEADER, "{" ISS "\"sub\":\"\xc0\x80\"," TIMES JTI "}", TOKEN_BAD_CLAIMS},
    {"lone surrogate", HEADER, "{" ISS "\"sub\":\"\\ud800\"," TIMES JTI "}", TOKEN_BAD_CLAIMS},
    {"NUL", HEADER, "{" ISS "\"sub\":\"a\\u0000b\"," TIMES JTI "}", TOKEN_BAD_CLAIMS},
    {"a claim twice", HEADER, "{" ISS WHO TIMES "\"exp\":1800000000," JTI "}", TOKEN_BAD_CLAIMS},
    {"a claim twice, escaped", HEADER, "{" ISS WHO TIMES "\"\\u0065xp\":1800000000," JTI "}",
     TOKEN_BAD_CLAIMS},
    {"no issuer", HEADER, "{" WHO TIMES JTI "}", TOKEN_MISSING_CLAIM},
    {"no subject", HEADER,
     "{" ISS "\"org\":\"o\",\"role\":\"owner\",\"scope\":\"erase\"," TIMES JTI "}",
     TOKEN_MISSING_CLAIM},
    {"no organisation", HEADER,
     "{" ISS "\"sub\":\"s\",\"role\":\"owner\",\"scope\":\"erase\"," TIMES JTI "}",
     TOKEN_MISSING_CLAIM},
    {"no role", HEADER, "{" ISS "\"sub\":\"s\",\"org\":\"o\",\"scope\":\"erase\"," TIMES JTI "}",
     TOKEN_MISSING_CLAIM},
    {"no scope", HEADER, "{" ISS "\"sub\":\"s\",\"org\":\"o\",\"role\":\"owner\"," TIMES JTI "}",
     TOKEN_MISSING_CLAIM},
    {"no id", HEADER, "{" ISS WHO "\"iat\":1700000000,\"nbf\":1700000000,\"exp\":1700000900}",
     TOKEN_MISSING_CLAIM},
    {"no session", HEADER, "{" ISS WHO TIMES "\"jti\":\"AAAAAAAAAAAAAAAAAAAAAA\"}",
     TOKEN_MISSING_CLAIM},
    {"no issue time", HEADER, "{" ISS WHO "\"nbf\":1700000000,\"exp\":1700000900," JTI "}",
     TOKEN_MISSING_CLAIM},
    {"no not-before", HEADER, "{" ISS WHO "\"iat\":1700000000,\"exp\":1700000900," JTI "}",
     TOKEN_MISSING_CLAIM},
    {"no expiry", HEADER, "{" ISS WHO "\"iat\":1700000000,\"nbf\":1700000000," JTI "}",
     TOKEN_MISSING_CLAIM},
    {"more claims", HEADER, "{" ISS WHO TIMES JTI ",\"admin\":true}", TOKEN_MORE_CLAIMS},
    {"another issuer", HEADER, "{\"iss\":\"https://cairn.example/\"," WHO TIMES JTI "}",
     TOKEN_WRONG_ISSUER},
    {"issuers", HEADER, "{\"iss\":[\"https://cairn.example\"]," WHO TIMES JTI "}",
     TOKEN_WRONG_ISSUER},
    {"nested subject", HEADER,
     "{" ISS
     "\"sub\":{\"id\":\"s\"},\"org\":\"o\",\"role\":\"owner\",\"scope\":\"erase\"," TIMES JTI "}",
     TOKEN_WRONG_CLAIM},
    {"organisations", HEADER,
     "{" ISS "\"sub\":\"s\",\"org\":[\"o\"],\"role\":\"owner\",\"scope\":\"erase\"," TIMES JTI "}",
     TOKEN_WRONG_CLAIM},
    {"empty subject", HEADER,
     "{" ISS "\"sub\":\"\",\"org\":\"o\",\"role\":\"owner\",\"scope\":\"erase\"," TIMES JTI "}",
     TOKEN_WRONG_CLAIM},
    {"long subject", HEADER,
     "{" ISS "\"sub\":\"" LONG "\",\"org\":\"o\",\"role\":\"owner\",\"scope\":\"erase\"," TIMES JTI
     "}",
     TOKEN_WRONG_CLAIM},
    {"time as text", HEADER,
     "{" ISS WHO "\"iat\":1700000000,\"nbf\":1700000000,\"exp\":\"1700000900\"," JTI "}",
     TOKEN_WRONG_CLAIM},
    {"time with a fraction", HEADER,
     "{" ISS WHO "\"iat\":1700000000,\"nbf\":1700000000,\"exp\":1700000900.0," JTI "}",
     TOKEN_WRONG_CLAIM},
    {"negative time", HEADER,
     "{" ISS WHO "\"iat\":-1,\"nbf\":1700000000,\"exp\":1700000900," JTI "}", TOKEN_WRONG_CLAIM},
    {"time beyond all times", HEADER,
     "{" ISS WHO "\"iat\":1700000000,\"nbf\":1700000000,\"exp\":9223372036854775807," JTI "}",
     TOKEN_WRONG_CLAIM},
    {"number beyond all numbers", HEADER,
     "{" ISS WHO "\"iat\":1700000000,\"nbf\":1700000000,\"exp\":99999999999999999999," JTI "}",
     TOKEN_BAD_CLAIMS},
    {"expires before it begins", HEADER,
     "{" ISS WHO "\"iat\":1700000000,\"nbf\":1700000900,\"exp\":1700000900," JTI "}",
     TOKEN_WRONG_CLAIM},
    {"lives long", HEADER,
     "{" ISS WHO "\"iat\":1700000000,\"nbf\":1700000000,\"exp\":1700003601," JTI "}",
     TOKEN_LONG_LIVED},
    {"lives as long as it may", HEADER,
     "{" ISS WHO "\"iat\":1700000000,\"nbf\":1700000000,\"exp\":1700003600," JTI "}", TOKEN_GOOD},
    {"expired", HEADER,
     "{" ISS WHO "\"iat\":1699999000,\"nbf\":1699999000,\"exp\":1699999970," JTI "}",
     TOKEN_EXPIRED},
    {"expired within the leeway", HEADER,
     "{" ISS WHO "\"iat\":1699999000,\"nbf\":1699999000,\"exp\":1699999971," JTI "}", TOKEN_GOOD},
    {"not yet valid", HEADER,
     "{" ISS WHO "\"iat\":1700000000,\"nbf\":1700000031,\"exp\":1700000900," JTI "}",
     TOKEN_NOT_YET},
    {"valid within the leeway", HEADER,
     "{" ISS WHO "\"iat\":1700000030,\"nbf\":1700000030,\"exp\":1700000900," JTI "}", TOKEN_GOOD},
    {"of the future", HEADER,
     "{" ISS WHO "\"iat\":1700000031,\"nbf\":1700000000,\"exp\":1700000900," JTI "}",
     TOKEN_NOT_YET},
};

static void test_hostile_tokens(void **state)
{
    UNUSED(state);
    CLEANUP(leave) struct place place = {0};
    enter(&place);
    for (size_t i = 0; i < COUNT_OF(hostile); i++) {
        CLEANUP(buf_release) struct buf token = BUF_INIT(8192);
        sign(&place, hostile[i].header, hostile[i].claims, &token);
        enum token_answer answer = verify_at(&place, buf_slice(&token), now_us);
        if (answer != hostile[i].answer) {
            fail_msg("%s: %s", hostile[i].name, token_reason(answer));
        }
    }
}

static void test_an_unknown_role_may_nothing(void **state)
{
    UNUSED(state);
    CLEANUP(leave) struct place place = {0};
    CLEANUP(buf_release) struct buf token = BUF_INIT(8192);
    struct token_claims claims = {0};
    enter(&place);
    sign(&place, HEADER,
         "{" ISS "\"sub\":\"s\",\"org\":\"o\",\"role\":\"king\",\"scope\":\"erase x  y\"," TIMES JTI
         "}",
         &token);
    assert_int_equal(token_verify(&place.issuer, buf_slice(&token), now_us, &claims), TOKEN_GOOD);
    assert_int_equal(claims.rights, 0);
}

/* ---- Damage ---- */

/* Each bit of a token counts, the unused ones of base64url included; so does its end. */
static void test_every_bit_counts(void **state)
{
    UNUSED(state);
    CLEANUP(leave) struct place place = {0};
    CLEANUP(buf_release) struct buf token = BUF_INIT(TOKEN_BYTES_MAX);
    struct token_claims claims;
    enter(&place);
    issue(&place, &token, &claims);
    for (size_t bit = 0; bit < 8 * token.len; bit++) {
        token.ptr[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_int_not_equal(verify_at(&place, buf_slice(&token), now_us), TOKEN_GOOD);
        token.ptr[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    for (size_t len = 0; len < token.len; len++) {
        assert_int_not_equal(verify_at(&place, (slice){token.ptr, len}, now_us), TOKEN_GOOD);
    }
    static const char *const tails[] = {".", "=", "==", "A", "\n", " ", ".e30"};
    for (size_t i = 0; i < COUNT_OF(tails); i++) {
        CLEANUP(buf_release) struct buf longer = BUF_INIT(TOKEN_BYTES_MAX);
        buf_append(&longer, buf_slice(&token));
        buf_append_cstr(&longer, tails[i]);
        assert_int_not_equal(verify_at(&place, buf_slice(&longer), now_us), TOKEN_GOOD);
    }
}

static void test_texts_that_are_no_tokens(void **state)
{
    UNUSED(state);
    CLEANUP(leave) struct place place = {0};
    enter(&place);
    static const char *const texts[] = {"",     ".",    "..",   "...",     "a.b",
                                        "a..c", ".b.c", "a.b.", "a.b.c.d", "a.b.c.d.e"};
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        assert_int_equal(verify_at(&place, slice_from_cstr(texts[i]), now_us), TOKEN_NOT_ONE);
    }
    static const char *const letters[] = {"a.b.c", "e30=.e30.AA", "e3 0.e30.AA", "e31.e30.AA"};
    for (size_t i = 0; i < COUNT_OF(letters); i++) {
        assert_int_equal(verify_at(&place, slice_from_cstr(letters[i]), now_us), TOKEN_BAD_BASE64);
    }
    uint8_t many[TOKEN_BYTES_MAX + 1];
    memset(many, 'A', sizeof(many));
    assert_int_equal(verify_at(&place, (slice){many, sizeof(many)}, now_us), TOKEN_TOO_LONG);
}

/* HMAC under the public key, which everybody knows, with the header of ours or of theirs. */
static void test_the_public_key_is_no_password(void **state)
{
    UNUSED(state);
    CLEANUP(leave) struct place place = {0};
    enter(&place);
    static const char *const headers[] = {HEADER,
                                          "{\"alg\":\"HS256\",\"typ\":\"at+jwt\",\"kid\":\"@\"}"};
    for (size_t i = 0; i < COUNT_OF(headers); i++) {
        CLEANUP(buf_release) struct buf token = BUF_INIT(8192);
        uint8_t mac[2 * SHA256_BYTES] = {0};
        sign(&place, headers[i], CLAIMS, &token);
        slice right = buf_slice(&token);
        right.len -= 1 + 86; /* without the signature */
        token.len = right.len;
        hmac_sha256((slice){place.key.public_key, ED25519_PUBLIC_BYTES}, right, mac);
        buf_append_byte(&token, '.');
        base64url_append(&token, (slice){mac, i == 0 ? sizeof(mac) : SHA256_BYTES});
        assert_int_equal(verify_at(&place, buf_slice(&token), now_us),
                         i == 0 ? TOKEN_BAD_SIGNATURE : TOKEN_BAD_ALGORITHM);
    }
}

/* S and S + L are the same to a verifier that does not look (RFC 8032, 8.4). */
static void test_a_signature_has_one_form(void **state)
{
    UNUSED(state);
    static const uint8_t order[32] = {0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58,       0xd6,
                                      0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, [31] = 0x10};
    CLEANUP(leave) struct place place = {0};
    CLEANUP(buf_release) struct buf token = BUF_INIT(8192);
    uint8_t signature[ED25519_SIGNATURE_BYTES];
    enter(&place);
    sign(&place, HEADER, CLAIMS, &token);
    slice text = {token.ptr + token.len - 86, 86};
    assert_true(base64url_decode_exact(text, signature, sizeof(signature)));
    uint32_t carry = 0;
    for (size_t i = 0; i < sizeof(order); i++) {
        carry += (uint32_t)signature[32 + i] + order[i];
        signature[32 + i] = (uint8_t)carry;
        carry >>= 8;
    }
    token.len -= 86;
    base64url_append(&token, (slice){signature, sizeof(signature)});
    assert_int_equal(verify_at(&place, buf_slice(&token), now_us), TOKEN_BAD_SIGNATURE);
}

static void test_keys_end(void **state)
{
    UNUSED(state);
    CLEANUP(leave) struct place place = {0};
    CLEANUP(buf_release) struct buf token = BUF_INIT(TOKEN_BYTES_MAX);
    CLEANUP(buf_release) struct buf next = BUF_INIT(TOKEN_BYTES_MAX);
    struct token_claims claims;
    enter(&place);
    issue(&place, &token, &claims);
    assert_int_equal(token_keys_rotate(place.keys, now_us, NULL), OK);
    issue(&place, &next, &claims);
    assert_int_equal(verify_at(&place, buf_slice(&token), now_us), TOKEN_GOOD);
    assert_int_equal(verify_at(&place, buf_slice(&next), now_us), TOKEN_GOOD);
    assert_int_equal(verify_at(&place, buf_slice(&token), now_us + 930 * SECOND - 1), TOKEN_GOOD);
    assert_int_equal(verify_at(&place, buf_slice(&token), now_us + 930 * SECOND), TOKEN_EXPIRED);
    assert_int_equal(verify_at(&place, buf_slice(&token), now_us + 4000 * SECOND),
                     TOKEN_UNKNOWN_KEY);
    assert_int_equal(token_keys_replace_all(place.keys, now_us, NULL), OK);
    assert_int_equal(verify_at(&place, buf_slice(&token), now_us), TOKEN_UNKNOWN_KEY);
    assert_int_equal(verify_at(&place, buf_slice(&next), now_us), TOKEN_UNKNOWN_KEY);
}

static void test_what_a_verification_costs(void **state)
{
    enum { ROUNDS = 500 };
    UNUSED(state);
    CLEANUP(leave) struct place place = {0};
    CLEANUP(buf_release) struct buf token = BUF_INIT(TOKEN_BYTES_MAX);
    struct token_claims claims;
    enter(&place);
    issue(&place, &token, &claims);
    slice message = {token.ptr, token.len - 87};
    uint8_t signature[ED25519_SIGNATURE_BYTES];
    assert_int_equal(ed25519_sign(seed, message, signature), OK);
    int64_t alone_us = 0;
    int64_t whole_us = 0;
    for (size_t i = 0; i < ROUNDS; i++) {
        int64_t began_us = clock_monotonic_us();
        assert_true(ed25519_verify(place.key.public_key, message, signature));
        int64_t between_us = clock_monotonic_us();
        assert_int_equal(verify_at(&place, buf_slice(&token), now_us), TOKEN_GOOD);
        alone_us += between_us - began_us;
        whole_us += clock_monotonic_us() - between_us;
    }
    print_message("# a verification takes %.1f us, its signature %.1f us\n",
                  (double)whole_us / ROUNDS, (double)alone_us / ROUNDS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_there_and_back),
        cmocka_unit_test(test_a_scope_narrows_the_role),
        cmocka_unit_test(test_what_cannot_be_issued),
        cmocka_unit_test(test_hostile_tokens),
        cmocka_unit_test(test_an_unknown_role_may_nothing),
        cmocka_unit_test(test_every_bit_counts),
        cmocka_unit_test(test_texts_that_are_no_tokens),
        cmocka_unit_test(test_the_public_key_is_no_password),
        cmocka_unit_test(test_a_signature_has_one_form),
        cmocka_unit_test(test_keys_end),
        cmocka_unit_test(test_what_a_verification_costs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
