/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A key's id is the first four bytes of SHA-256(name || 0x0A || type || public key). It is a hint
 * for finding the key, not proof of anything. The text form of a verifier carries it, too:
 *
 *   <name>+<id, 8 lower-case hex digits>+<base64 of type || public key>
 */
#include "tree/note_key.h"

#include "base/utf8.h"
#include "codec/base64.h"
#include "codec/hex.h"
#include "codec/wire.h"
#include "crypto/secret.h"
#include "crypto/sha256.h"

enum {
    TYPED_KEY_BYTES = 1 + ED25519_PUBLIC_BYTES,
    COSIGN_TIME_BYTES = 8,
};

/* ---- Names ---- */

/* White_Space of Unicode beyond ASCII and U+0080..U+009F, in UTF-8. */
static const slice unicode_spaces[] = {
    SLICE_INIT("\xc2\xa0"),     /* no-break */
    SLICE_INIT("\xe1\x9a\x80"), /* ogham */
    SLICE_INIT("\xe2\x80\xa8"), /* line separator */
    SLICE_INIT("\xe2\x80\xa9"), /* paragraph separator */
    SLICE_INIT("\xe2\x80\xaf"), /* narrow no-break */
    SLICE_INIT("\xe2\x81\x9f"), /* medium mathematical */
    SLICE_INIT("\xe3\x80\x80"), /* ideographic */
};

static bool starts_with_space(slice text)
{
    for (size_t i = 0; i < COUNT_OF(unicode_spaces); i++) {
        slice rest = text;
        if (slice_take_literal(&rest, unicode_spaces[i])) {
            return true;
        }
    }
    /* U+2000..U+200A, en quad to hair space */
    return slice_take_literal(&text, SLICE("\xe2\x80")) && text.len > 0 && text.ptr[0] <= 0x8a;
}

static bool starts_with_control(slice text)
{
    uint8_t first = text.ptr[0];
    return first < 0x20 || first == 0x7f ||
           (first == 0xc2 && text.len > 1 && text.ptr[1] <= 0x9f); /* U+0080..U+009F */
}

bool note_name_is_valid(slice name)
{
    if (name.len == 0 || !utf8_is_valid(name)) {
        return false;
    }
    for (size_t i = 0; i < name.len; i++) {
        slice rest = {name.ptr + i, name.len - i};
        if (*rest.ptr == ' ' || *rest.ptr == '+' || starts_with_control(rest) ||
            starts_with_space(rest)) {
            return false;
        }
    }
    return true;
}

/* ---- Keys ---- */

static bool type_is_known(uint8_t type)
{
    return type == NOTE_ED25519 || type == NOTE_COSIGNATURE;
}

static void typed_key(const struct note_verifier *verifier, uint8_t out[TYPED_KEY_BYTES])
{
    out[0] = (uint8_t)verifier->type;
    memcpy(out + 1, verifier->public_key, ED25519_PUBLIC_BYTES);
}

static uint32_t key_id(const struct note_verifier *verifier)
{
    uint8_t head[NOTE_NAME_BYTES_MAX + 1];
    uint8_t key[TYPED_KEY_BYTES];
    uint8_t hash[SHA256_BYTES];
    slice name = slice_from_cstr(verifier->name);
    memcpy(head, name.ptr, name.len);
    head[name.len] = '\n';
    typed_key(verifier, key);
    sha256_two((slice){head, name.len + 1}, (slice){key, sizeof(key)}, hash);
    return wire_get_u32be(hash);
}

static enum err set_name(struct note_verifier *verifier, slice name, struct diag *diag)
{
    if (name.len > NOTE_NAME_BYTES_MAX || !note_name_is_valid(name)) {
        return diag_fail(diag, ERR_INVALID, "key name",
                         "must be 1 to %d bytes without spaces, '+' and control characters",
                         NOTE_NAME_BYTES_MAX);
    }
    memcpy(verifier->name, name.ptr, name.len);
    verifier->name[name.len] = '\0';
    return OK;
}

enum err note_signer_init(struct note_signer *signer, slice name, enum note_key_type type,
                          const uint8_t seed[ED25519_SEED_BYTES], struct diag *diag)
{
    ASSERT(type_is_known((uint8_t)type));
    struct note_verifier verifier = {.type = type};
    TRY(set_name(&verifier, name, diag));
    if (ed25519_public(seed, verifier.public_key) != OK) {
        return diag_fail(diag, ERR_IO, "key", "the library cannot make the public key");
    }
    verifier.id = key_id(&verifier);
    signer->verifier = verifier;
    memcpy(signer->seed, seed, ED25519_SEED_BYTES);
    return OK;
}

void note_signer_release(struct note_signer *signer)
{
    secret_wipe(signer->seed, sizeof(signer->seed));
}

/* Takes what stands before the next '+', and that. */
static bool take_part(slice *text, slice *part)
{
    const uint8_t *plus = text->len > 0 ? memchr(text->ptr, '+', text->len) : NULL;
    if (plus == NULL) {
        return false;
    }
    *part = slice_take(text, (size_t)(plus - text->ptr));
    (void)slice_take(text, 1);
    return true;
}

static bool parse_id(slice text, uint32_t *out)
{
    uint8_t bytes[NOTE_KEY_ID_BYTES];
    char again[2 * NOTE_KEY_ID_BYTES];
    if (text.len != sizeof(again) || !hex_decode(text, bytes)) {
        return false;
    }
    hex_encode((slice){bytes, sizeof(bytes)}, again);
    *out = wire_get_u32be(bytes);
    return memcmp(again, text.ptr, sizeof(again)) == 0; /* upper case is another text */
}

enum err note_verifier_parse(slice vkey, struct note_verifier *out, struct diag *diag)
{
    struct note_verifier verifier = {0};
    slice name, id;
    if (!take_part(&vkey, &name) || !take_part(&vkey, &id) || !parse_id(id, &verifier.id)) {
        return diag_fail(diag, ERR_INVALID, "vkey", "expected <name>+<8 hex digits>+<base64>");
    }
    TRY(set_name(&verifier, name, diag));
    CLEANUP(buf_release) struct buf key = BUF_INIT(TYPED_KEY_BYTES);
    if (!base64_decode(vkey, &key) || key.len != TYPED_KEY_BYTES || !type_is_known(key.ptr[0])) {
        return diag_fail(diag, ERR_INVALID, "vkey",
                         "expected the base64 of an Ed25519 or cosignature/v1 key");
    }
    verifier.type = (enum note_key_type)key.ptr[0];
    memcpy(verifier.public_key, key.ptr + 1, ED25519_PUBLIC_BYTES);
    if (verifier.id != key_id(&verifier)) {
        return diag_fail(diag, ERR_INVALID, "vkey", "the id %08x is not that of name and key",
                         verifier.id);
    }
    *out = verifier;
    return OK;
}

void note_verifier_format(const struct note_verifier *verifier, struct buf *out)
{
    uint8_t key[TYPED_KEY_BYTES];
    typed_key(verifier, key);
    buf_append_format(out, "%s+%08x+", verifier->name, verifier->id);
    base64_append(out, (slice){key, sizeof(key)});
}

/* ---- Signatures ---- */

static void cosigned_message(slice text, uint64_t time_s, struct buf *out)
{
    buf_append_cstr(out, "cosignature/v1\ntime ");
    buf_append_u64(out, time_s);
    buf_append_byte(out, '\n');
    buf_append(out, text);
}

enum err note_key_sign(const struct note_signer *signer, slice text, uint64_t time_s,
                       struct buf *out)
{
    uint8_t signature[ED25519_SIGNATURE_BYTES];
    uint8_t number[COSIGN_TIME_BYTES];
    bool is_cosigner = signer->verifier.type == NOTE_COSIGNATURE;
    CLEANUP(buf_release) struct buf message = BUF_INIT(NOTE_BYTES_MAX + 64);
    slice signed_bytes = text;
    if (is_cosigner) {
        cosigned_message(text, time_s, &message);
        TRY(buf_check(&message));
        signed_bytes = buf_slice(&message);
    }
    TRY(ed25519_sign(signer->seed, signed_bytes, signature));

    wire_put_u32be(number, signer->verifier.id);
    buf_append(out, (slice){number, NOTE_KEY_ID_BYTES});
    if (is_cosigner) {
        wire_put_u64be(number, time_s);
        buf_append(out, (slice){number, COSIGN_TIME_BYTES});
    }
    buf_append(out, (slice){signature, sizeof(signature)});
    return buf_check(out);
}

bool note_key_verify(const struct note_verifier *verifier, slice text, slice signature,
                     uint64_t *time_s_out)
{
    uint64_t time_s = 0;
    CLEANUP(buf_release) struct buf message = BUF_INIT(NOTE_BYTES_MAX + 64);
    if (verifier->type == NOTE_COSIGNATURE) {
        if (signature.len != COSIGN_TIME_BYTES + ED25519_SIGNATURE_BYTES) {
            return false;
        }
        time_s = wire_get_u64be(slice_take(&signature, COSIGN_TIME_BYTES).ptr);
        cosigned_message(text, time_s, &message);
        text = buf_slice(&message);
    }
    if (message.failed || signature.len != ED25519_SIGNATURE_BYTES ||
        !ed25519_verify(verifier->public_key, text, signature.ptr)) {
        return false;
    }
    *time_s_out = time_s;
    return true;
}
