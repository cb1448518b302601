/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The text of a checkpoint:              An offline proof:
 *
 *   origin LF                              c2sp.org/tlog-proof@v1 LF
 *   size, decimal LF                       extra <base64> LF     optional, not authenticated
 *   root, base64 LF                        index <decimal> LF
 *   any lines, not empty, LF               hash, base64 LF       up to 63, the sibling first
 *                                          LF
 *                                          the checkpoint, a signed note
 *
 * The further lines of a checkpoint are extensions: accepted, signed over, and otherwise ignored.
 * This log writes none.
 */
#include "tree/checkpoint.h"

#include "codec/base64.h"
#include "tree/lines.h"

#define PROOF_FIRST_LINE "c2sp.org/tlog-proof@v1"

static void append_hash(const struct merkle_hash *hash, struct buf *out)
{
    base64_append(out, (slice){hash->bytes, MERKLE_HASH_BYTES});
    buf_append_byte(out, '\n');
}

static bool parse_hash(slice line, struct merkle_hash *out)
{
    CLEANUP(buf_release) struct buf bytes = BUF_INIT(MERKLE_HASH_BYTES);
    if (!base64_decode(line, &bytes) || bytes.len != MERKLE_HASH_BYTES) {
        return false;
    }
    memcpy(out->bytes, bytes.ptr, MERKLE_HASH_BYTES);
    return true;
}

/* ---- Checkpoints ---- */

void checkpoint_format(const struct checkpoint *checkpoint, struct buf *out)
{
    slice origin = checkpoint->origin;
    ASSERT(origin.len > 0 && memchr(origin.ptr, '\n', origin.len) == NULL);
    buf_append(out, origin);
    buf_append_byte(out, '\n');
    buf_append_u64(out, checkpoint->size);
    buf_append_byte(out, '\n');
    append_hash(&checkpoint->root, out);
}

enum err checkpoint_parse(slice text, struct checkpoint *out, struct diag *diag)
{
    struct checkpoint parsed = {0};
    slice line = {0};
    if (!line_take(&text, &parsed.origin) || parsed.origin.len == 0) {
        return diag_fail(diag, ERR_INVALID, "checkpoint", "line 1 must be the origin");
    }
    if (!line_take(&text, &line) || !decimal_parse(line, &parsed.size)) {
        return diag_fail(diag, ERR_INVALID, "checkpoint", "line 2 must be the size");
    }
    if (!line_take(&text, &line) || !parse_hash(line, &parsed.root)) {
        return diag_fail(diag, ERR_INVALID, "checkpoint", "line 3 must be the root in base64");
    }
    while (text.len > 0) {
        if (!line_take(&text, &line) || line.len == 0) {
            return diag_fail(diag, ERR_INVALID, "checkpoint", "an extension must be a line");
        }
    }
    *out = parsed;
    return OK;
}

static bool knows_a_log_key(const struct note_verifier *known, size_t known_count)
{
    for (size_t i = 0; i < known_count; i++) {
        if (known[i].type == NOTE_ED25519) {
            return true;
        }
    }
    return false;
}

enum err checkpoint_open(slice note, slice origin, const struct note_verifier *known,
                         size_t known_count, struct checkpoint *out, struct diag *diag)
{
    struct note_checked checked = {0};
    struct checkpoint parsed = {0};
    TRY(note_open(note, known, known_count, &checked, diag));
    if (!checked.by_log_key && knows_a_log_key(known, known_count)) {
        return diag_fail(diag, ERR_INVALID, "checkpoint", "is cosigned, but not signed by the log");
    }
    TRY(checkpoint_parse(checked.text, &parsed, diag));
    if (origin.len > 0 && !slice_equal(parsed.origin, origin)) {
        return diag_fail(diag, ERR_INVALID, "checkpoint", "is of the log %.*s, not of %.*s",
                         SLICE_ARG(parsed.origin), SLICE_ARG(origin));
    }
    *out = parsed;
    return OK;
}

/* ---- Offline proofs ---- */

void tlog_proof_format(const struct tlog_proof *proof, struct buf *out)
{
    ASSERT(proof->inclusion.count <= MERKLE_PROOF_HASH_MAX);
    buf_append_cstr(out, PROOF_FIRST_LINE "\nindex ");
    buf_append_u64(out, proof->index);
    buf_append_byte(out, '\n');
    for (size_t i = 0; i < proof->inclusion.count; i++) {
        append_hash(&proof->inclusion.hashes[i], out);
    }
    buf_append_byte(out, '\n');
    buf_append(out, proof->checkpoint);
}

/* Takes `extra <base64>` if it is there. False when it is there and wrong. */
static bool skip_extra(slice *text)
{
    slice rest = *text;
    slice line = {0};
    if (!slice_take_literal(&rest, SLICE("extra "))) {
        return true;
    }
    if (!line_take(&rest, &line)) {
        return false;
    }
    CLEANUP(buf_release) struct buf bytes = BUF_INIT(line.len);
    *text = rest;
    return base64_decode(line, &bytes);
}

static bool take_index(slice *text, uint64_t *out)
{
    slice line = {0};
    return line_take(text, &line) && slice_take_literal(&line, SLICE("index ")) &&
           decimal_parse(line, out);
}

/* Up to and with the empty line. */
static bool take_hashes(slice *text, struct merkle_proof *out)
{
    slice line = {0};
    while (line_take(text, &line)) {
        if (line.len == 0) {
            return true;
        }
        if (out->count == MERKLE_PROOF_HASH_MAX || !parse_hash(line, &out->hashes[out->count])) {
            return false;
        }
        out->count++;
    }
    return false;
}

enum err tlog_proof_parse(slice text, struct tlog_proof *out, struct diag *diag)
{
    struct tlog_proof parsed = {0};
    if (!slice_take_literal(&text, SLICE(PROOF_FIRST_LINE "\n"))) {
        return diag_fail(diag, ERR_INVALID, "proof", "does not begin with " PROOF_FIRST_LINE);
    }
    if (!skip_extra(&text)) {
        return diag_fail(diag, ERR_INVALID, "proof", "the extra line is not base64");
    }
    if (!take_index(&text, &parsed.index)) {
        return diag_fail(diag, ERR_INVALID, "proof", "expected a line: index <number>");
    }
    if (!take_hashes(&text, &parsed.inclusion)) {
        return diag_fail(diag, ERR_INVALID, "proof",
                         "expected at most %d hashes in base64, and an empty line",
                         MERKLE_PROOF_HASH_MAX);
    }
    if (text.len == 0) {
        return diag_fail(diag, ERR_INVALID, "proof", "has no checkpoint");
    }
    parsed.checkpoint = text;
    *out = parsed;
    return OK;
}

enum err tlog_proof_verify(slice text, const struct merkle_hash *leaf,
                           const struct note_verifier *known, size_t known_count,
                           struct checkpoint *out, struct diag *diag)
{
    struct tlog_proof proof = {0};
    struct checkpoint head = {0};
    TRY(tlog_proof_parse(text, &proof, diag));
    TRY(checkpoint_open(proof.checkpoint, (slice){0}, known, known_count, &head, diag));
    if (!merkle_verify_inclusion(proof.index, head.size, leaf, &proof.inclusion, &head.root)) {
        return diag_fail(diag, ERR_INVALID, "proof", "the entry is not in the checkpoint's tree");
    }
    *out = head;
    return OK;
}
