/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A signed note (c2sp.org/signed-note):
 *
 *   text, ending with LF; it may have empty lines itself
 *   LF                                       so the last empty line of the note is the border
 *   U+2014 ' ' key name ' ' base64 LF        1..NOTE_SIGNATURES_MAX times
 *
 * all of it UTF-8, and no control character but LF. The base64 is of the key's id (4 bytes,
 * big-endian) and the signature (tree/note_key.h).
 */
#include "tree/note.h"

#include "base/utf8.h"
#include "codec/base64.h"
#include "codec/wire.h"
#include "tree/lines.h"
#include "tree/note_key.h"

#define SIGNATURE_LINE_START "\xe2\x80\x94 "

/* Of the longest signature that is made here, a cosignature. */
enum { BLOB_BYTES_MAX = NOTE_KEY_ID_BYTES + 8 + ED25519_SIGNATURE_BYTES };

static bool bytes_are_a_notes(slice bytes)
{
    for (size_t i = 0; i < bytes.len; i++) {
        if (bytes.ptr[i] < 0x20 && bytes.ptr[i] != '\n') {
            return false;
        }
    }
    return utf8_is_valid(bytes);
}

/* ---- Signing ---- */

static enum err append_signature(const struct note_signer *signer, slice text, uint64_t time_s,
                                 struct buf *out)
{
    CLEANUP(buf_release) struct buf blob = BUF_INIT(BLOB_BYTES_MAX);
    TRY(note_key_sign(signer, text, time_s, &blob));
    buf_append_cstr(out, SIGNATURE_LINE_START);
    buf_append_cstr(out, signer->verifier.name);
    buf_append_byte(out, ' ');
    base64_append(out, buf_slice(&blob));
    buf_append_byte(out, '\n');
    return OK;
}

static enum err append_note(slice text, const struct note_signer *const *signers,
                            size_t signer_count, uint64_t time_s, struct buf *out)
{
    buf_append(out, text);
    buf_append_byte(out, '\n');
    for (size_t i = 0; i < signer_count; i++) {
        TRY(append_signature(signers[i], text, time_s, out));
    }
    return buf_check(out);
}

enum err note_sign(slice text, const struct note_signer *const *signers, size_t signer_count,
                   uint64_t time_s, struct buf *out, struct diag *diag)
{
    if (text.len == 0 || text.len > NOTE_BYTES_MAX || text.ptr[text.len - 1] != '\n' ||
        !bytes_are_a_notes(text)) {
        return diag_fail(diag, ERR_INVALID, "note",
                         "the text must be UTF-8 lines without control characters");
    }
    if (signer_count == 0 || signer_count > NOTE_SIGNATURES_MAX) {
        return diag_fail(diag, ERR_INVALID, "note", "needs 1 to %d signing keys, not %zu",
                         NOTE_SIGNATURES_MAX, signer_count);
    }
    size_t before = out->len;
    enum err e = append_note(text, signers, signer_count, time_s, out);
    if (e == OK && out->len - before > NOTE_BYTES_MAX) {
        e = ERR_INVALID;
    }
    if (e != OK) {
        out->len = before;
        return diag_fail(diag, e, "note",
                         e == ERR_IO ? "the library cannot sign" : "the note would be too long");
    }
    return OK;
}

/* ---- Opening ---- */

struct signature_line {
    slice name;
    uint32_t id;
    slice signature; /* inside the buf that it was decoded to */
};

struct opening {
    const struct note_verifier *known;
    size_t known_count;
    const struct note_verifier *used[NOTE_SIGNATURES_MAX]; /* checked.verified of them */
    struct note_checked checked;
};

/* At the last empty line, which is part of neither half. */
static bool split_note(slice note, slice *text, slice *signatures)
{
    for (size_t at = note.len; at >= 2; at--) {
        if (note.ptr[at - 1] == '\n' && note.ptr[at - 2] == '\n') {
            *text = (slice){note.ptr, at - 1};
            *signatures = (slice){note.ptr + at, note.len - at};
            return true;
        }
    }
    return false;
}

static bool parse_signature(slice line, struct buf *blob, struct signature_line *out)
{
    if (!slice_take_literal(&line, SLICE(SIGNATURE_LINE_START))) {
        return false;
    }
    const uint8_t *space = line.len > 0 ? memchr(line.ptr, ' ', line.len) : NULL;
    if (space == NULL) {
        return false;
    }
    out->name = slice_take(&line, (size_t)(space - line.ptr));
    (void)slice_take(&line, 1);
    buf_clear(blob);
    if (!note_name_is_valid(out->name) || !base64_decode(line, blob) ||
        blob->len <= NOTE_KEY_ID_BYTES) {
        return false;
    }
    out->signature = buf_slice(blob);
    out->id = wire_get_u32be(slice_take(&out->signature, NOTE_KEY_ID_BYTES).ptr);
    return true;
}

static void count_verified(struct opening *opening, const struct note_verifier *key,
                           uint64_t time_s)
{
    struct note_checked *checked = &opening->checked;
    checked->by_log_key = checked->by_log_key || key->type == NOTE_ED25519;
    if (time_s > checked->cosigned_time_s) {
        checked->cosigned_time_s = time_s;
    }
    for (size_t i = 0; i < checked->verified; i++) {
        if (opening->used[i] == key) {
            return; /* the same key twice is one key */
        }
    }
    opening->used[checked->verified++] = key;
}

/* False when a known key's signature does not hold. Ids are short, so two known keys may share
 * name and id; then it has to be the signature of one of them. */
static bool check_signature(struct opening *opening, const struct signature_line *line)
{
    bool is_known = false;
    for (size_t i = 0; i < opening->known_count; i++) {
        const struct note_verifier *key = &opening->known[i];
        if (key->id != line->id || !slice_equal(slice_from_cstr(key->name), line->name)) {
            continue;
        }
        uint64_t time_s = 0;
        is_known = true;
        if (note_key_verify(key, opening->checked.text, line->signature, &time_s)) {
            count_verified(opening, key, time_s);
            return true;
        }
    }
    return !is_known;
}

static enum err check_signatures(struct opening *opening, slice lines, struct diag *diag)
{
    CLEANUP(buf_release) struct buf blob = BUF_INIT(NOTE_BYTES_MAX);
    slice line = {0};
    size_t count = 0;
    while (line_take(&lines, &line)) {
        struct signature_line signature = {0};
        if (++count > NOTE_SIGNATURES_MAX) {
            return diag_fail(diag, ERR_INVALID, "note", "has more than %d signatures",
                             NOTE_SIGNATURES_MAX);
        }
        if (!parse_signature(line, &blob, &signature)) {
            return diag_fail(diag, ERR_INVALID, "note", "signature line %zu is malformed", count);
        }
        if (!check_signature(opening, &signature)) {
            return diag_fail(diag, ERR_INVALID, "note", "the signature of %.*s does not verify",
                             SLICE_ARG(signature.name));
        }
    }
    if (lines.len > 0) {
        return diag_fail(diag, ERR_INVALID, "note", "does not end with a line feed");
    }
    if (opening->checked.verified == 0) {
        return diag_fail(diag, ERR_INVALID, "note", "has no signature of a known key");
    }
    return OK;
}

enum err note_open(slice note, const struct note_verifier *known, size_t known_count,
                   struct note_checked *out, struct diag *diag)
{
    struct opening opening = {.known = known, .known_count = known_count};
    slice signatures = {0};
    if (note.len > NOTE_BYTES_MAX || !bytes_are_a_notes(note)) {
        return diag_fail(diag, ERR_INVALID, "note",
                         "must be at most %d bytes of UTF-8 without control characters",
                         NOTE_BYTES_MAX);
    }
    if (!split_note(note, &opening.checked.text, &signatures) || signatures.len == 0) {
        return diag_fail(diag, ERR_INVALID, "note", "has no empty line before its signatures");
    }
    TRY(check_signatures(&opening, signatures, diag));
    *out = opening.checked;
    return OK;
}
