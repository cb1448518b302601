/* SPDX-License-Identifier: Apache-2.0 */
/* The proofs that verify, and many that do not, are in tests/vectors/tree.json: vectors_test.c. */
#include "base/test.h"
#include "tree/checkpoint.h"

#define ROOT "gTvaOkIAD4KUtqlU6oN5LC3vrmUkbvdgr5/dU699Rjg="

static void test_checkpoint_texts(void **state)
{
    UNUSED(state);
    static const struct {
        const char *text;
        enum err expect;
        const char *origin;
        uint64_t size;
    } rows[] = {
        {"o\n0\n" ROOT "\n", OK, "o", 0},
        {"a log\n7\n" ROOT "\n", OK, "a log", 7},
        {"o\n18446744073709551615\n" ROOT "\n", OK, "o", UINT64_MAX},
        {"o\n7\n" ROOT "\nextension\nanother\n", OK, "o", 7},
        {"", ERR_INVALID, NULL, 0},
        {"o", ERR_INVALID, NULL, 0},
        {"o\n", ERR_INVALID, NULL, 0},
        {"\n7\n" ROOT "\n", ERR_INVALID, NULL, 0},
        {"o\n7\n", ERR_INVALID, NULL, 0},
        {"o\n7\n" ROOT, ERR_INVALID, NULL, 0},
        {"o\n\n" ROOT "\n", ERR_INVALID, NULL, 0},
        {"o\n07\n" ROOT "\n", ERR_INVALID, NULL, 0},
        {"o\n00\n" ROOT "\n", ERR_INVALID, NULL, 0},
        {"o\n+7\n" ROOT "\n", ERR_INVALID, NULL, 0},
        {"o\n-7\n" ROOT "\n", ERR_INVALID, NULL, 0},
        {"o\n7 \n" ROOT "\n", ERR_INVALID, NULL, 0},
        {"o\n0x7\n" ROOT "\n", ERR_INVALID, NULL, 0},
        {"o\n18446744073709551616\n" ROOT "\n", ERR_INVALID, NULL, 0},
        {"o\n99999999999999999999\n" ROOT "\n", ERR_INVALID, NULL, 0},
        {"o\n7\n\n", ERR_INVALID, NULL, 0},
        {"o\n7\ngTvaOkIAD4KUtqlU6oN5LC3vrmUkbvdgr5/dU699Rg==\n", ERR_INVALID, NULL, 0},
        {"o\n7\n" ROOT " \n", ERR_INVALID, NULL, 0},
        {"o\n7\ngTvaOkIAD4KUtqlU6oN5LC3vrmUkbvdgr5/dU699RjgA\n", ERR_INVALID, NULL, 0},
        {"o\n7\n" ROOT "\n\n", ERR_INVALID, NULL, 0},
        {"o\n7\n" ROOT "\n\nextension\n", ERR_INVALID, NULL, 0},
        {"o\n7\n" ROOT "\nextension", ERR_INVALID, NULL, 0},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct checkpoint parsed = {.size = 77};
        assert_int_equal(checkpoint_parse(slice_from_cstr(rows[i].text), &parsed, NULL),
                         rows[i].expect);
        if (rows[i].expect == OK) {
            assert_slice_equal(parsed.origin, rows[i].origin);
            assert_true(parsed.size == rows[i].size);
            assert_int_equal(parsed.root.bytes[0], 0x81);
        } else {
            assert_int_equal(parsed.size, 77);
        }
    }
}

static void test_format_writes_what_parse_reads(void **state)
{
    UNUSED(state);
    CLEANUP(buf_release) struct buf text = BUF_INIT(256);
    struct checkpoint parsed = {0};
    assert_int_equal(checkpoint_parse(SLICE("a.example/log\n7\n" ROOT "\n"), &parsed, NULL), OK);
    checkpoint_format(&parsed, &text);
    assert_slice_equal(buf_slice(&text), "a.example/log\n7\n" ROOT "\n");
}

/* ---- Who has to have signed ---- */

struct signed_head {
    struct note_signer log, witness;
    struct buf by_both, by_witness;
};

static void sign_head(struct signed_head *head)
{
    static const uint8_t log_seed[ED25519_SEED_BYTES] = {1};
    static const uint8_t witness_seed[ED25519_SEED_BYTES] = {2};
    const slice text = SLICE("o\n7\n" ROOT "\n");
    assert_int_equal(note_signer_init(&head->log, SLICE("o"), NOTE_ED25519, log_seed, NULL), OK);
    assert_int_equal(note_signer_init(&head->witness, SLICE("w"), NOTE_COSIGNATURE, witness_seed,
                                      NULL),
                     OK);
    const struct note_signer *signers[] = {&head->log, &head->witness};
    buf_init(&head->by_both, NOTE_BYTES_MAX);
    buf_init(&head->by_witness, NOTE_BYTES_MAX);
    assert_int_equal(note_sign(text, signers, 2, 9, &head->by_both, NULL), OK);
    assert_int_equal(note_sign(text, signers + 1, 1, 9, &head->by_witness, NULL), OK);
}

static void release_head(struct signed_head *head)
{
    note_signer_release(&head->log);
    note_signer_release(&head->witness);
    buf_release(&head->by_both);
    buf_release(&head->by_witness);
}

static void test_the_origin_is_compared_when_it_is_given(void **state)
{
    UNUSED(state);
    CLEANUP(release_head) struct signed_head head = {0};
    struct checkpoint out = {0};
    sign_head(&head);
    slice note = buf_slice(&head.by_both);
    const struct note_verifier *log = &head.log.verifier;
    assert_int_equal(checkpoint_open(note, (slice){0}, log, 1, &out, NULL), OK);
    assert_int_equal(out.size, 7);
    assert_int_equal(checkpoint_open(note, SLICE("o"), log, 1, &out, NULL), OK);
    assert_int_equal(checkpoint_open(note, SLICE("other"), log, 1, &out, NULL), ERR_INVALID);
}

static void test_a_cosignature_does_not_stand_in_for_the_log(void **state)
{
    UNUSED(state);
    CLEANUP(release_head) struct signed_head head = {0};
    struct checkpoint out = {0};
    sign_head(&head);
    const struct note_verifier both[] = {head.log.verifier, head.witness.verifier};
    assert_int_equal(checkpoint_open(buf_slice(&head.by_both), SLICE("o"), both, 2, &out, NULL),
                     OK);
    assert_int_equal(checkpoint_open(buf_slice(&head.by_witness), SLICE("o"), both, 2, &out, NULL),
                     ERR_INVALID);
    /* Who knows no log key relies on the witness. */
    assert_int_equal(checkpoint_open(buf_slice(&head.by_witness), SLICE("o"), both + 1, 1, &out,
                                     NULL),
                     OK);
}

static void test_a_note_that_is_no_checkpoint_does_not_open(void **state)
{
    UNUSED(state);
    CLEANUP(release_head) struct signed_head head = {0};
    CLEANUP(buf_release) struct buf note = BUF_INIT(NOTE_BYTES_MAX);
    struct checkpoint out = {.size = 77};
    sign_head(&head);
    const struct note_signer *signers[] = {&head.log};
    assert_int_equal(note_sign(SLICE("just a note\n"), signers, 1, 9, &note, NULL), OK);
    assert_int_equal(checkpoint_open(buf_slice(&note), (slice){0}, &head.log.verifier, 1, &out,
                                     NULL),
                     ERR_INVALID);
    assert_int_equal(out.size, 77);
}

/* ---- Offline proofs ---- */

static void test_proofs_hold_up_to_63_hashes(void **state)
{
    UNUSED(state);
    CLEANUP(buf_release) struct buf text = BUF_INIT(8192);
    struct tlog_proof parsed = {.index = 77};
    for (size_t count = 0; count <= MERKLE_PROOF_HASH_MAX + 1; count++) {
        buf_clear(&text);
        buf_append_cstr(&text, "c2sp.org/tlog-proof@v1\nindex 18446744073709551615\n");
        for (size_t i = 0; i < count; i++) {
            buf_append_cstr(&text, ROOT "\n");
        }
        buf_append_cstr(&text, "\nnote");
        enum err expect = count <= MERKLE_PROOF_HASH_MAX ? OK : ERR_INVALID;
        assert_int_equal(tlog_proof_parse(buf_slice(&text), &parsed, NULL), expect);
        if (expect == OK) {
            assert_true(parsed.index == UINT64_MAX);
            assert_int_equal(parsed.inclusion.count, count);
            assert_slice_equal(parsed.checkpoint, "note");
            CLEANUP(buf_release) struct buf again = BUF_INIT(8192);
            tlog_proof_format(&parsed, &again);
            assert_true(slice_equal(buf_slice(&again), buf_slice(&text)));
        }
    }
    assert_int_equal(parsed.inclusion.count, MERKLE_PROOF_HASH_MAX); /* as it was */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_checkpoint_texts),
        cmocka_unit_test(test_format_writes_what_parse_reads),
        cmocka_unit_test(test_the_origin_is_compared_when_it_is_given),
        cmocka_unit_test(test_a_cosignature_does_not_stand_in_for_the_log),
        cmocka_unit_test(test_a_note_that_is_no_checkpoint_does_not_open),
        cmocka_unit_test(test_proofs_hold_up_to_63_hashes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
