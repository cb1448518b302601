/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signed notes. What is signed opens again, with the same text; bytes that open nevertheless hold a
 * text that can be signed; a key's text and a checkpoint are what their parsers read.
 */
#include "base/macros.h"
#include "signers.h"
#include "tree/checkpoint.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Whether it could be signed; then it must open. */
static bool sign_and_open(slice text)
{
    const struct note_signer *borrowed[] = {&signers[0], &signers[1]};
    struct note_checked checked = {0};
    CLEANUP(buf_release) struct buf note = BUF_INIT(2 * NOTE_BYTES_MAX);
    if (note_sign(text, borrowed, 2, text.len, &note, NULL) != OK) {
        ASSERT(note.len == 0);
        return false;
    }
    ASSERT(note_open(buf_slice(&note), known, 2, &checked, NULL) == OK);
    ASSERT(slice_equal(checked.text, text));
    ASSERT(checked.verified == 2 && checked.by_log_key && checked.cosigned_time_s == text.len);
    return true;
}

static void open_note(slice note)
{
    struct note_checked checked = {0};
    if (note_open(note, known, 2, &checked, NULL) == OK) {
        ASSERT(checked.text.ptr == note.ptr && checked.text.len < note.len);
        ASSERT(checked.verified >= 1 && checked.verified <= 2);
        /* A text near the limit may have no room for our two signatures. */
        ASSERT(sign_and_open(checked.text) || checked.text.len > NOTE_BYTES_MAX - KIB(1));
    }
}

static void parse_key(slice vkey)
{
    struct note_verifier verifier = {0};
    CLEANUP(buf_release) struct buf again = BUF_INIT(NOTE_VKEY_BYTES_MAX);
    if (note_verifier_parse(vkey, &verifier, NULL) == OK) {
        note_verifier_format(&verifier, &again);
        ASSERT(slice_equal(buf_slice(&again), vkey));
    }
}

static void parse_checkpoint(slice text)
{
    struct checkpoint parsed = {0};
    CLEANUP(buf_release) struct buf again = BUF_INIT(text.len);
    if (checkpoint_parse(text, &parsed, NULL) == OK) {
        checkpoint_format(&parsed, &again);
        ASSERT(buf_check(&again) == OK); /* all of it, or all but the extensions */
        ASSERT(slice_equal(buf_slice(&again), (slice){text.ptr, again.len}));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    slice input = {data, size};
    if (known[0].name[0] == '\0') {
        make_keys();
    }
    (void)sign_and_open(input);
    open_note(input);
    parse_key(input);
    parse_checkpoint(input);
    return 0;
}
