/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Offline proofs. What parses is written again as it was, but for the extra line; and no bytes but
 * the published proofs verify for the entry that they are of.
 */
#include "base/macros.h"
#include "tree/checkpoint.h"

static const char *const vkeys[] = {
    "audit.example.com/ledger1+60cd3799+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4",
    "witness.example.com/w1+886a0481+BCFS+NGbeR0kRTJC4V8uq2y3z/p7al7TAJeWDgaYgdsS",
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct note_verifier known[COUNT_OF(vkeys)];

/* The text without its second line when that is an extra. */
static void append_without_extra(slice text, struct buf *out)
{
    const uint8_t *end = memchr(text.ptr, '\n', text.len);
    buf_append(out, slice_take(&text, (size_t)(end - text.ptr) + 1));
    slice rest = text;
    if (slice_take_literal(&rest, SLICE("extra "))) {
        end = memchr(rest.ptr, '\n', rest.len);
        (void)slice_take(&rest, (size_t)(end - rest.ptr) + 1);
    }
    buf_append(out, rest);
}

static void parse_and_format(slice text)
{
    struct tlog_proof proof = {0};
    CLEANUP(buf_release) struct buf expected = BUF_INIT(text.len);
    CLEANUP(buf_release) struct buf again = BUF_INIT(text.len);
    if (tlog_proof_parse(text, &proof, NULL) != OK) {
        return;
    }
    ASSERT(proof.checkpoint.ptr + proof.checkpoint.len == text.ptr + text.len);
    tlog_proof_format(&proof, &again);
    append_without_extra(text, &expected);
    ASSERT(slice_equal(buf_slice(&again), buf_slice(&expected)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    slice text = {data, size};
    if (known[0].name[0] == '\0') {
        for (size_t i = 0; i < COUNT_OF(vkeys); i++) {
            ASSERT(note_verifier_parse(slice_from_cstr(vkeys[i]), &known[i], NULL) == OK);
        }
    }
    parse_and_format(text);

    /* The one tree that these keys have ever signed has seven entries. */
    struct merkle_hash leaf = merkle_leaf(SLICE("event-2"));
    struct merkle_hash other = merkle_leaf(SLICE("event-7"));
    struct checkpoint head = {0};
    if (tlog_proof_verify(text, &leaf, known, COUNT_OF(known), &head, NULL) == OK) {
        ASSERT(slice_equal(head.origin, SLICE("audit.example.com/ledger1")));
        ASSERT(head.size == 7);
    }
    ASSERT(tlog_proof_verify(text, &other, known, COUNT_OF(known), &head, NULL) != OK);
    return 0;
}
