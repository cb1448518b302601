/* SPDX-License-Identifier: Apache-2.0 */
#include "base/test.h"
#include "tree/note.h"

#define DASH    "\xe2\x80\x94 "
#define EXAMPLE "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
#define EXAMPLE_LINE                                                                               \
    DASH "example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3"    \
         "mFXmRKuwHjG1Yu72IneyaQM=\n"
#define EXAMPLE_TEXT "This is an example message.\n"
#define EXAMPLE_NOTE EXAMPLE_TEXT "\n" EXAMPLE_LINE
#define UNKNOWN_LINE DASH "unknown AAAAAAA=\n"
#define FOUR(text)   text text text text

static struct note_signer signer_of(const char *name, enum note_key_type type, uint8_t seed_byte)
{
    struct note_signer signer = {0};
    uint8_t seed[ED25519_SEED_BYTES];
    memset(seed, seed_byte, sizeof(seed));
    assert_int_equal(note_signer_init(&signer, slice_from_cstr(name), type, seed, NULL), OK);
    return signer;
}

static struct note_verifier verifier_of(const char *vkey)
{
    struct note_verifier verifier = {0};
    assert_int_equal(note_verifier_parse(slice_from_cstr(vkey), &verifier, NULL), OK);
    return verifier;
}

/* ---- Keys ---- */

static void test_names(void **state)
{
    UNUSED(state);
    static const struct {
        slice name;
        enum err expect;
    } rows[] = {
        {SLICE_INIT("a"), OK},
        {SLICE_INIT("audit.example.com/ledger1"), OK},
        {SLICE_INIT("pr\xc3\xbc"
                    "fung"),
         OK},
        {SLICE_INIT("\xe2\x80\x94"), OK},
        {SLICE_INIT(""), ERR_INVALID},
        {SLICE_INIT("a b"), ERR_INVALID},
        {SLICE_INIT("a+b"), ERR_INVALID},
        {SLICE_INIT("a\tb"), ERR_INVALID},
        {SLICE_INIT("a\n"), ERR_INVALID},
        {SLICE_INIT("a\0b"), ERR_INVALID},
        {SLICE_INIT("a\x7f"), ERR_INVALID},
        {SLICE_INIT("a\xc2\x85"), ERR_INVALID},     /* next line */
        {SLICE_INIT("a\xc2\xa0"), ERR_INVALID},     /* no-break space */
        {SLICE_INIT("\xe1\x9a\x80"), ERR_INVALID},  /* ogham space */
        {SLICE_INIT("\xe2\x80\x80"), ERR_INVALID},  /* en quad */
        {SLICE_INIT("a\xe2\x80\x8a"), ERR_INVALID}, /* hair space */
        {SLICE_INIT("a\xe2\x80\x8b"), OK},          /* zero width, not white space in Unicode */
        {SLICE_INIT("\xe2\x80\xa8"), ERR_INVALID},  /* line separator */
        {SLICE_INIT("\xe3\x80\x80"), ERR_INVALID},  /* ideographic space */
        {SLICE_INIT("a\xff"), ERR_INVALID},
        {SLICE_INIT("a\xc3"), ERR_INVALID},
    };
    const uint8_t seed[ED25519_SEED_BYTES] = {1};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct note_signer signer = {0};
        assert_int_equal(note_signer_init(&signer, rows[i].name, NOTE_ED25519, seed, NULL),
                         rows[i].expect);
        assert_int_equal(signer.verifier.id != 0, rows[i].expect == OK);
    }
}

static void test_a_name_has_a_longest(void **state)
{
    UNUSED(state);
    uint8_t name[NOTE_NAME_BYTES_MAX + 1];
    const uint8_t seed[ED25519_SEED_BYTES] = {1};
    struct note_signer signer = {0};
    memset(name, 'n', sizeof(name));
    assert_int_equal(note_signer_init(&signer, (slice){name, sizeof(name)}, NOTE_ED25519, seed,
                                      NULL),
                     ERR_INVALID);
    assert_int_equal(note_signer_init(&signer, (slice){name, NOTE_NAME_BYTES_MAX}, NOTE_ED25519,
                                      seed, NULL),
                     OK);

    CLEANUP(buf_release) struct buf vkey = BUF_INIT(NOTE_VKEY_BYTES_MAX);
    struct note_verifier again = {0};
    note_verifier_format(&signer.verifier, &vkey);
    assert_int_equal(buf_check(&vkey), OK);
    assert_int_equal(note_verifier_parse(buf_slice(&vkey), &again, NULL), OK);
    assert_string_equal(again.name, signer.verifier.name);
}

static void test_release_wipes_the_seed(void **state)
{
    UNUSED(state);
    const uint8_t zero[ED25519_SEED_BYTES] = {0};
    struct note_signer signer = signer_of("a", NOTE_ED25519, 7);
    note_signer_release(&signer);
    assert_memory_equal(signer.seed, zero, sizeof(zero));
}

static void test_verifier_keys(void **state)
{
    UNUSED(state);
    static const struct {
        const char *vkey;
        enum err expect;
    } rows[] = {
        {EXAMPLE, OK},
        {"", ERR_INVALID},
        {"example.com/foo", ERR_INVALID},
        {"example.com/foo+530d903a", ERR_INVALID},
        {"example.com/foo+530d903a+", ERR_INVALID},
        {"+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k", ERR_INVALID},
        {"example.com/bar+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k", ERR_INVALID},
        {"example.com/foo+530D903A+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k", ERR_INVALID},
        {"example.com/foo+530d903b+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k", ERR_INVALID},
        {"example.com/foo+30d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k", ERR_INVALID},
        {"example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2", ERR_INVALID},
        {"example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k ", ERR_INVALID},
        {"example.com/foo+530d903a+AukyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k", ERR_INVALID},
        {"example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3Q==", ERR_INVALID},
        {EXAMPLE "AAAA", ERR_INVALID},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct note_verifier verifier = {.id = 77};
        assert_int_equal(note_verifier_parse(slice_from_cstr(rows[i].vkey), &verifier, NULL),
                         rows[i].expect);
        if (rows[i].expect != OK) {
            assert_int_equal(verifier.id, 77);
            continue;
        }
        CLEANUP(buf_release) struct buf again = BUF_INIT(NOTE_VKEY_BYTES_MAX);
        note_verifier_format(&verifier, &again);
        assert_slice_equal(buf_slice(&again), rows[i].vkey);
    }
}

/* ---- Opening ---- */

static void test_what_is_a_note(void **state)
{
    UNUSED(state);
    static const struct {
        slice note;
        enum err expect;
    } rows[] = {
        {SLICE_INIT(EXAMPLE_NOTE), OK},
        {SLICE_INIT(EXAMPLE_NOTE UNKNOWN_LINE), OK},
        {SLICE_INIT(EXAMPLE_TEXT "\n" UNKNOWN_LINE EXAMPLE_LINE), OK},
        {SLICE_INIT(EXAMPLE_NOTE EXAMPLE_LINE), OK},
        /* Sixteen signatures, and one more. */
        {SLICE_INIT(EXAMPLE_NOTE FOUR(UNKNOWN_LINE) FOUR(UNKNOWN_LINE) FOUR(UNKNOWN_LINE)
                        UNKNOWN_LINE UNKNOWN_LINE UNKNOWN_LINE),
         OK},
        {SLICE_INIT(EXAMPLE_NOTE FOUR(UNKNOWN_LINE) FOUR(UNKNOWN_LINE) FOUR(UNKNOWN_LINE)
                        FOUR(UNKNOWN_LINE)),
         ERR_INVALID},
        {SLICE_INIT(""), ERR_INVALID},
        {SLICE_INIT("\n"), ERR_INVALID},
        {SLICE_INIT("\n\n"), ERR_INVALID},
        {SLICE_INIT(EXAMPLE_TEXT), ERR_INVALID},
        {SLICE_INIT(EXAMPLE_TEXT "\n"), ERR_INVALID},
        {SLICE_INIT(EXAMPLE_TEXT EXAMPLE_LINE), ERR_INVALID},
        {SLICE_INIT("\n" EXAMPLE_LINE), ERR_INVALID},
        {SLICE_INIT(EXAMPLE_TEXT "\n\n" EXAMPLE_LINE), ERR_INVALID}, /* a longer text */
        {SLICE_INIT(EXAMPLE_NOTE "\n"), ERR_INVALID},
        {SLICE_INIT(EXAMPLE_NOTE "\n" EXAMPLE_LINE), ERR_INVALID},
        {SLICE_INIT(EXAMPLE_NOTE "more\n"), ERR_INVALID},
        {SLICE_INIT("this is an example message.\n\n" EXAMPLE_LINE), ERR_INVALID},
        {SLICE_INIT(EXAMPLE_TEXT "\n" UNKNOWN_LINE), ERR_INVALID},
        /* A known key that fails spoils what verified. */
        {SLICE_INIT(EXAMPLE_NOTE DASH "example.com/foo Uw2QOkn8srV1\n"), ERR_INVALID},
        /* The same name with another id, or the id with another name, is not that key. */
        {SLICE_INIT(EXAMPLE_NOTE DASH "example.com/foo Uw2QO0n8srV1\n"), OK},
        {SLICE_INIT(EXAMPLE_NOTE DASH "example.com/fo Uw2QOkn8srV1\n"), OK},
        /* Malformed lines of keys that nobody knows. */
        {SLICE_INIT(EXAMPLE_NOTE "- unknown AAAAAAA=\n"), ERR_INVALID},
        {SLICE_INIT(EXAMPLE_NOTE "\xe2\x80\x94unknown AAAAAAA=\n"), ERR_INVALID},
        {SLICE_INIT(EXAMPLE_NOTE DASH "unknown\n"), ERR_INVALID},
        {SLICE_INIT(EXAMPLE_NOTE DASH "unknown \n"), ERR_INVALID},
        {SLICE_INIT(EXAMPLE_NOTE DASH " AAAAAAA=\n"), ERR_INVALID},
        {SLICE_INIT(EXAMPLE_NOTE DASH "unknown AAAAAA==\n"), ERR_INVALID}, /* the id alone */
        {SLICE_INIT(EXAMPLE_NOTE DASH "unknown AAAAAAA\n"), ERR_INVALID},
        {SLICE_INIT(EXAMPLE_NOTE DASH "unknown  AAAAAAA=\n"), ERR_INVALID},
        {SLICE_INIT(EXAMPLE_NOTE DASH "unknown AAAAAAA= \n"), ERR_INVALID},
        {SLICE_INIT(EXAMPLE_NOTE DASH "un+known AAAAAAA=\n"), ERR_INVALID},
        {SLICE_INIT(EXAMPLE_NOTE DASH "unknown AAAAAAA="), ERR_INVALID}, /* no last LF */
        /* Bytes that no note has. */
        {SLICE_INIT(EXAMPLE_NOTE DASH "unkn\xffown AAAAAAA=\n"), ERR_INVALID},
        {SLICE_INIT(EXAMPLE_NOTE DASH "unknown AAAAAAA=\r\n"), ERR_INVALID},
        {SLICE_INIT("\0" EXAMPLE_NOTE), ERR_INVALID},
    };
    struct note_verifier known = verifier_of(EXAMPLE);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct note_checked checked = {.verified = 77};
        assert_int_equal(note_open(rows[i].note, &known, 1, &checked, NULL), rows[i].expect);
        if (rows[i].expect == OK) {
            assert_slice_equal(checked.text, EXAMPLE_TEXT);
            assert_int_equal(checked.verified, 1);
            assert_true(checked.by_log_key);
            assert_int_equal(checked.cosigned_time_s, 0);
        } else {
            assert_int_equal(checked.verified, 77);
        }
    }
}

static void test_without_known_keys_no_note_opens(void **state)
{
    UNUSED(state);
    struct note_checked checked = {0};
    assert_int_equal(note_open(SLICE(EXAMPLE_NOTE), NULL, 0, &checked, NULL), ERR_INVALID);
}

static void test_every_flipped_bit_of_a_note_shows(void **state)
{
    UNUSED(state);
    struct note_verifier known = verifier_of(EXAMPLE);
    uint8_t note[] = EXAMPLE_NOTE;
    for (size_t bit = 0; bit < 8 * (sizeof(note) - 1); bit++) {
        struct note_checked checked = {0};
        note[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_int_equal(note_open((slice){note, sizeof(note) - 1}, &known, 1, &checked, NULL),
                         ERR_INVALID);
        note[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
}

/* ---- Signing ---- */

static void test_open_finds_what_sign_wrote(void **state)
{
    UNUSED(state);
    static const slice texts[] = {
        SLICE_INIT("a\n"),       SLICE_INIT("\n"),   SLICE_INIT("a\n\nb\n"),
        SLICE_INIT("a\n\n\n\n"), SLICE_INIT("\n\n"), SLICE_INIT("\xe2\x80\x94 not a signature\n")};
    const struct note_signer log = signer_of("log", NOTE_ED25519, 1);
    const struct note_signer first = signer_of("witness-1", NOTE_COSIGNATURE, 2);
    const struct note_signer second = signer_of("witness-2", NOTE_COSIGNATURE, 3);
    const struct note_signer *signers[] = {&log, &first, &second};
    const struct note_verifier known[] = {second.verifier, log.verifier, first.verifier};
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        CLEANUP(buf_release) struct buf note = BUF_INIT(NOTE_BYTES_MAX);
        struct note_checked checked = {0};
        assert_int_equal(note_sign(texts[i], signers, 3, 1700000000, &note, NULL), OK);
        assert_int_equal(note_open(buf_slice(&note), known, 3, &checked, NULL), OK);
        assert_true(slice_equal(checked.text, texts[i]));
        assert_int_equal(checked.verified, 3);
        assert_true(checked.by_log_key);
        assert_int_equal(checked.cosigned_time_s, 1700000000);
        /* Somebody who knows one witness only. */
        assert_int_equal(note_open(buf_slice(&note), known, 1, &checked, NULL), OK);
        assert_int_equal(checked.verified, 1);
        assert_false(checked.by_log_key);
    }
}

static void test_the_newest_cosignature_dates_a_note(void **state)
{
    UNUSED(state);
    const struct note_signer witness = signer_of("witness", NOTE_COSIGNATURE, 2);
    const struct note_signer *signers[] = {&witness};
    CLEANUP(buf_release) struct buf note = BUF_INIT(NOTE_BYTES_MAX);
    CLEANUP(buf_release) struct buf later = BUF_INIT(NOTE_BYTES_MAX);
    struct note_checked checked = {0};
    assert_int_equal(note_sign(SLICE("a\n"), signers, 1, 1700000060, &note, NULL), OK);
    assert_int_equal(note_sign(SLICE("a\n"), signers, 1, 1700000000, &later, NULL), OK);
    buf_append(&note, (slice){later.ptr + 3, later.len - 3});
    assert_int_equal(note_open(buf_slice(&note), &witness.verifier, 1, &checked, NULL), OK);
    assert_int_equal(checked.verified, 1);
    assert_int_equal(checked.cosigned_time_s, 1700000060);
}

static void test_a_key_signs_only_as_its_own_type(void **state)
{
    UNUSED(state);
    const struct note_signer log = signer_of("same", NOTE_ED25519, 1);
    const struct note_signer witness = signer_of("same", NOTE_COSIGNATURE, 1);
    const struct note_signer *signers[] = {&log};
    CLEANUP(buf_release) struct buf note = BUF_INIT(NOTE_BYTES_MAX);
    struct note_checked checked = {0};
    assert_int_not_equal(log.verifier.id, witness.verifier.id);
    assert_int_equal(note_sign(SLICE("a\n"), signers, 1, 0, &note, NULL), OK);
    assert_int_equal(note_open(buf_slice(&note), &witness.verifier, 1, &checked, NULL),
                     ERR_INVALID);
    /* Even if the ids were the same. */
    struct note_verifier confused = witness.verifier;
    confused.id = log.verifier.id;
    assert_int_equal(note_open(buf_slice(&note), &confused, 1, &checked, NULL), ERR_INVALID);
}

static void test_known_keys_that_share_name_and_id_are_both_tried(void **state)
{
    UNUSED(state);
    struct note_verifier known[2] = {verifier_of(EXAMPLE), verifier_of(EXAMPLE)};
    struct note_checked checked = {0};
    known[0].public_key[0] ^= 1;
    assert_int_equal(note_open(SLICE(EXAMPLE_NOTE), known, 2, &checked, NULL), OK);
    assert_int_equal(checked.verified, 1);
    assert_int_equal(note_open(SLICE(EXAMPLE_NOTE), known, 1, &checked, NULL), ERR_INVALID);
}

static void test_sign_refuses_what_is_no_text(void **state)
{
    UNUSED(state);
    static const slice texts[] = {
        SLICE_INIT(""),       SLICE_INIT("a"),
        SLICE_INIT("a\n\nb"), SLICE_INIT("a\tb\n"),
        SLICE_INIT("a\r\n"),  SLICE_INIT("\0\n"),
        SLICE_INIT("\x1f\n"), SLICE_INIT("\xff\n"),
        SLICE_INIT("\xc3\n"), SLICE_INIT("\xed\xa0\x80\n"),
    };
    const struct note_signer log = signer_of("log", NOTE_ED25519, 1);
    const struct note_signer *signers[] = {&log};
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        CLEANUP(buf_release) struct buf note = BUF_INIT(NOTE_BYTES_MAX);
        assert_int_equal(note_sign(texts[i], signers, 1, 0, &note, NULL), ERR_INVALID);
        assert_int_equal(note.len, 0);
    }
}

static void test_sign_keeps_to_the_limits(void **state)
{
    UNUSED(state);
    static uint8_t text[NOTE_BYTES_MAX];
    const struct note_signer log = signer_of("log", NOTE_ED25519, 1);
    const struct note_signer *signers[NOTE_SIGNATURES_MAX + 1];
    CLEANUP(buf_release) struct buf note = BUF_INIT(2 * (size_t)NOTE_BYTES_MAX);
    struct note_checked checked = {0};
    for (size_t i = 0; i < COUNT_OF(signers); i++) {
        signers[i] = &log;
    }
    buf_append_cstr(&note, "before");
    assert_int_equal(note_sign(SLICE("a\n"), signers, 0, 0, &note, NULL), ERR_INVALID);
    assert_int_equal(note_sign(SLICE("a\n"), signers, COUNT_OF(signers), 0, &note, NULL),
                     ERR_INVALID);
    memset(text, '\n', sizeof(text));
    assert_int_equal(note_sign((slice){text, sizeof(text)}, signers, 1, 0, &note, NULL),
                     ERR_INVALID);
    assert_slice_equal(buf_slice(&note), "before");

    buf_clear(&note);
    assert_int_equal(note_sign(SLICE("a\n"), signers, NOTE_SIGNATURES_MAX, 0, &note, NULL), OK);
    assert_int_equal(note_open(buf_slice(&note), &log.verifier, 1, &checked, NULL), OK);
    assert_int_equal(checked.verified, 1);

    CLEANUP(buf_release) struct buf small = BUF_INIT(64);
    assert_int_equal(note_sign(SLICE("a\n"), signers, 1, 0, &small, NULL), ERR_LIMIT);
    assert_int_equal(small.len, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_a_name_has_a_longest),
        cmocka_unit_test(test_release_wipes_the_seed),
        cmocka_unit_test(test_verifier_keys),
        cmocka_unit_test(test_what_is_a_note),
        cmocka_unit_test(test_without_known_keys_no_note_opens),
        cmocka_unit_test(test_every_flipped_bit_of_a_note_shows),
        cmocka_unit_test(test_open_finds_what_sign_wrote),
        cmocka_unit_test(test_the_newest_cosignature_dates_a_note),
        cmocka_unit_test(test_a_key_signs_only_as_its_own_type),
        cmocka_unit_test(test_known_keys_that_share_name_and_id_are_both_tried),
        cmocka_unit_test(test_sign_refuses_what_is_no_text),
        cmocka_unit_test(test_sign_keeps_to_the_limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
