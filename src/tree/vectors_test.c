/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs tests/vectors/tree.json, which clients in other languages run as well. The build makes
 * vectors.h of it: TREE_VECTORS is its text.
 */
#include <jansson.h>

#include "base/test.h"
#include "codec/hex.h"
#include "tree/checkpoint.h"
#include "tree/merkle.h"
#include "tree/note.h"
#include "tree/tile.h"
#include "tree/vectors.h"

static json_t *vectors;

static int read_vectors(void **state)
{
    UNUSED(state);
    vectors = json_loads(TREE_VECTORS, 0, NULL);
    return vectors != NULL ? 0 : -1;
}

static int free_vectors(void **state)
{
    UNUSED(state);
    json_decref(vectors);
    return 0;
}

/* ---- Reading members ---- */

static const json_t *member(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    assert_non_null(value);
    return value;
}

/* An array of rows that is not empty, so that no test passes because it had nothing to do. */
static const json_t *rows_of(const json_t *object, const char *key)
{
    const json_t *rows = member(object, key);
    assert_true(json_array_size(rows) > 0);
    return rows;
}

static slice text_value(const json_t *value)
{
    assert_true(json_is_string(value));
    return slice_from_cstr(json_string_value(value));
}

static slice text_of(const json_t *object, const char *key)
{
    return text_value(member(object, key));
}

static uint64_t number_of(const json_t *object, const char *key)
{
    const json_t *value = member(object, key);
    assert_true(json_is_integer(value));
    return (uint64_t)json_integer_value(value);
}

static void hex_value(const json_t *value, uint8_t *out, size_t len)
{
    assert_int_equal(text_value(value).len, 2 * len);
    assert_true(hex_decode(text_value(value), out));
}

static struct merkle_hash hash_of(const json_t *object, const char *key)
{
    struct merkle_hash hash;
    hex_value(member(object, key), hash.bytes, sizeof(hash.bytes));
    return hash;
}

static struct merkle_proof proof_of(const json_t *object)
{
    struct merkle_proof proof = {0};
    const json_t *hashes = member(object, "hashes");
    for (; proof.count < json_array_size(hashes); proof.count++) {
        hex_value(json_array_get(hashes, proof.count), proof.hashes[proof.count].bytes,
                  MERKLE_HASH_BYTES);
    }
    return proof;
}

/* ---- The tree of the vectors ---- */

static struct merkle_hash leaf_at(uint64_t index)
{
    return merkle_leaf(text_value(json_array_get(member(vectors, "entries"), (size_t)index)));
}

static enum err node_of_entries(void *context, unsigned level, uint64_t index,
                                struct merkle_hash *out)
{
    UNUSED(context);
    struct merkle_frontier frontier = {0};
    for (uint64_t i = index << level; i < (index + 1) << level; i++) {
        struct merkle_hash leaf = leaf_at(i);
        merkle_append(&frontier, &leaf);
    }
    *out = merkle_root(&frontier);
    return OK;
}

static struct merkle_hash root_of(uint64_t size)
{
    struct merkle_hash root;
    assert_int_equal(merkle_root_at(size, node_of_entries, NULL, &root), OK);
    return root;
}

static void test_leaf_hashes(void **state)
{
    UNUSED(state);
    const json_t *rows = rows_of(vectors, "leaf_hashes");
    for (size_t i = 0; i < json_array_size(rows); i++) {
        const json_t *row = json_array_get(rows, i);
        struct merkle_hash leaf = merkle_leaf(text_of(row, "entry"));
        struct merkle_hash expected = hash_of(row, "hash");
        assert_memory_equal(&leaf, &expected, sizeof(leaf));
    }
}

static void test_roots(void **state)
{
    UNUSED(state);
    const json_t *rows = rows_of(vectors, "roots");
    for (size_t i = 0; i < json_array_size(rows); i++) {
        const json_t *row = json_array_get(rows, i);
        struct merkle_hash root = root_of(number_of(row, "size"));
        struct merkle_hash expected = hash_of(row, "root");
        assert_memory_equal(&root, &expected, sizeof(root));
    }
}

static void assert_same_proof(const struct merkle_proof *actual, const struct merkle_proof *expect)
{
    assert_int_equal(actual->count, expect->count);
    assert_memory_equal(actual->hashes, expect->hashes, expect->count * sizeof(expect->hashes[0]));
}

static void test_inclusion(void **state)
{
    UNUSED(state);
    const json_t *rows = rows_of(vectors, "inclusion");
    for (size_t i = 0; i < json_array_size(rows); i++) {
        const json_t *row = json_array_get(rows, i);
        uint64_t index = number_of(row, "index"), size = number_of(row, "size");
        struct merkle_proof proof, expected = proof_of(row);
        assert_int_equal(merkle_prove_inclusion(index, size, node_of_entries, NULL, &proof), OK);
        assert_same_proof(&proof, &expected);
        struct merkle_hash leaf = leaf_at(index), root = root_of(size);
        assert_true(merkle_verify_inclusion(index, size, &leaf, &expected, &root));
    }
}

static void test_consistency(void **state)
{
    UNUSED(state);
    const json_t *rows = rows_of(vectors, "consistency");
    for (size_t i = 0; i < json_array_size(rows); i++) {
        const json_t *row = json_array_get(rows, i);
        uint64_t old_size = number_of(row, "old_size"), new_size = number_of(row, "new_size");
        struct merkle_proof proof, expected = proof_of(row);
        assert_int_equal(merkle_prove_consistency(old_size, new_size, node_of_entries, NULL,
                                                  &proof),
                         OK);
        assert_same_proof(&proof, &expected);
        struct merkle_hash old_root = root_of(old_size), new_root = root_of(new_size);
        assert_true(merkle_verify_consistency(old_size, &old_root, new_size, &new_root, &expected));
    }
}

static void test_bundles(void **state)
{
    UNUSED(state);
    const json_t *rows = rows_of(vectors, "bundles");
    for (size_t i = 0; i < json_array_size(rows); i++) {
        const json_t *row = json_array_get(rows, i);
        const json_t *entries = rows_of(row, "entries");
        CLEANUP(buf_release) struct buf bundle = BUF_INIT(KIB(1));
        for (size_t j = 0; j < json_array_size(entries); j++) {
            tile_write_entry(text_value(json_array_get(entries, j)), &bundle);
        }
        uint8_t expected[KIB(1)];
        assert_true(bundle.len <= sizeof(expected));
        hex_value(member(row, "bytes"), expected, bundle.len);
        assert_memory_equal(bundle.ptr, expected, bundle.len);
    }
}

/* ---- Keys and notes ---- */

static void read_key(const json_t *row, struct note_signer *signer)
{
    uint8_t seed[ED25519_SEED_BYTES];
    hex_value(member(row, "seed"), seed, sizeof(seed));
    assert_int_equal(note_signer_init(signer, text_of(row, "name"),
                                      (enum note_key_type)number_of(row, "type"), seed, NULL),
                     OK);
}

static void test_keys(void **state)
{
    UNUSED(state);
    const json_t *rows = rows_of(vectors, "keys");
    for (size_t i = 0; i < json_array_size(rows); i++) {
        const json_t *row = json_array_get(rows, i);
        struct note_signer signer = {0};
        struct note_verifier parsed = {0};
        uint8_t public_key[ED25519_PUBLIC_BYTES];
        char id[9];
        read_key(row, &signer);
        hex_value(member(row, "public_key"), public_key, sizeof(public_key));
        assert_memory_equal(signer.verifier.public_key, public_key, sizeof(public_key));
        assert_true(snprintf(id, sizeof(id), "%08x", signer.verifier.id) == 8);
        assert_slice_equal(text_of(row, "id"), id);

        CLEANUP(buf_release) struct buf vkey = BUF_INIT(NOTE_VKEY_BYTES_MAX);
        note_verifier_format(&signer.verifier, &vkey);
        assert_true(slice_equal(buf_slice(&vkey), text_of(row, "vkey")));
        assert_int_equal(note_verifier_parse(text_of(row, "vkey"), &parsed, NULL), OK);
        assert_int_equal(parsed.id, signer.verifier.id);
        assert_memory_equal(parsed.public_key, public_key, sizeof(public_key));
    }
}

static void test_notes(void **state)
{
    UNUSED(state);
    const json_t *rows = rows_of(vectors, "notes");
    for (size_t i = 0; i < json_array_size(rows); i++) {
        const json_t *row = json_array_get(rows, i);
        struct note_verifier known = {0};
        struct note_checked checked = {0};
        assert_int_equal(note_verifier_parse(text_of(row, "vkey"), &known, NULL), OK);
        assert_int_equal(note_open(text_of(row, "note"), &known, 1, &checked, NULL), OK);
        assert_true(slice_equal(checked.text, text_of(row, "text")));
    }
}

/* The keys of the vectors: the log's and the witness's. */
enum { KEYS = 2 };

static void read_keys(struct note_signer signers[KEYS], struct note_verifier known[KEYS])
{
    const json_t *rows = rows_of(vectors, "keys");
    assert_int_equal(json_array_size(rows), KEYS);
    for (size_t i = 0; i < KEYS; i++) {
        signers[i] = (struct note_signer){0};
        read_key(json_array_get(rows, i), &signers[i]);
        known[i] = signers[i].verifier;
    }
}

static void test_the_checkpoint_is_signed_to_the_byte(void **state)
{
    UNUSED(state);
    const json_t *row = member(vectors, "checkpoint");
    struct note_signer signers[KEYS];
    struct note_verifier known[KEYS];
    const struct note_signer *borrowed[KEYS] = {&signers[0], &signers[1]};
    CLEANUP(buf_release) struct buf text = BUF_INIT(KIB(1));
    CLEANUP(buf_release) struct buf note = BUF_INIT(NOTE_BYTES_MAX);
    read_keys(signers, known);
    const struct checkpoint head = {text_of(row, "origin"), number_of(row, "size"),
                                    hash_of(row, "root")};
    checkpoint_format(&head, &text);
    assert_true(slice_equal(buf_slice(&text), text_of(row, "text")));
    assert_int_equal(note_sign(buf_slice(&text), borrowed, KEYS, number_of(row, "time_s"), &note,
                               NULL),
                     OK);
    assert_true(slice_equal(buf_slice(&note), text_of(row, "note")));

    struct note_checked checked = {0};
    struct checkpoint opened = {0};
    assert_int_equal(note_open(buf_slice(&note), known, KEYS, &checked, NULL), OK);
    assert_int_equal(checked.verified, KEYS);
    assert_true(checked.cosigned_time_s == number_of(row, "time_s"));
    assert_int_equal(checkpoint_open(buf_slice(&note), head.origin, known, KEYS, &opened, NULL),
                     OK);
    assert_true(opened.size == head.size);
    assert_true(merkle_hash_equal(&opened.root, &head.root));
}

/* ---- Offline proofs ---- */

static void test_proofs(void **state)
{
    const bool *is_accepted = *state;
    const json_t *proofs = member(vectors, "proofs");
    const json_t *rows = rows_of(proofs, *is_accepted ? "accepted" : "refused");
    struct merkle_hash leaf = merkle_leaf(text_of(proofs, "entry"));
    struct note_signer signers[KEYS];
    struct note_verifier known[KEYS];
    read_keys(signers, known);
    for (size_t i = 0; i < json_array_size(rows); i++) {
        slice text = text_of(json_array_get(rows, i), "text");
        struct checkpoint head = {0};
        struct diag diag = {0};
        enum err e = tlog_proof_verify(text, &leaf, known, KEYS, &head, &diag);
        if ((e == OK) != *is_accepted) {
            fail_msg("%s: %s", json_string_value(member(json_array_get(rows, i), "why")),
                     e == OK ? "was accepted" : diag.text);
        }
        assert_true(e == OK ? head.size == 7 : e == ERR_INVALID && diag.text[0] != '\0');
    }
}

static void test_a_proof_is_of_its_entry_alone(void **state)
{
    UNUSED(state);
    const json_t *proofs = member(vectors, "proofs");
    slice text = text_of(json_array_get(rows_of(proofs, "accepted"), 0), "text");
    struct note_signer signers[KEYS];
    struct note_verifier known[KEYS];
    read_keys(signers, known);
    for (uint64_t i = 0; i < 7; i++) {
        struct merkle_hash leaf = leaf_at(i);
        struct checkpoint head = {0};
        assert_int_equal(tlog_proof_verify(text, &leaf, known, KEYS, &head, NULL),
                         i == number_of(proofs, "index") ? OK : ERR_INVALID);
    }
}

static void test_the_proof_is_written_to_the_byte(void **state)
{
    UNUSED(state);
    const json_t *proofs = member(vectors, "proofs");
    struct tlog_proof proof = {.index = number_of(proofs, "index"),
                               .checkpoint = text_of(member(vectors, "checkpoint"), "note")};
    CLEANUP(buf_release) struct buf text = BUF_INIT(NOTE_BYTES_MAX);
    assert_int_equal(merkle_prove_inclusion(proof.index, 7, node_of_entries, NULL,
                                            &proof.inclusion),
                     OK);
    tlog_proof_format(&proof, &text);
    assert_true(slice_equal(buf_slice(&text),
                            text_of(json_array_get(rows_of(proofs, "accepted"), 0), "text")));
}

/* ---- Tiles ---- */

static void test_tile_paths(void **state)
{
    UNUSED(state);
    const json_t *tiles = member(vectors, "tiles");
    const json_t *rows = rows_of(tiles, "accepted");
    for (size_t i = 0; i < json_array_size(rows); i++) {
        const json_t *row = json_array_get(rows, i);
        struct tile tile = {0};
        CLEANUP(buf_release) struct buf path = BUF_INIT(64);
        char index[21];
        assert_int_equal(tile_parse(text_of(row, "path"), &tile), OK);
        assert_true(tile.is_entries == json_is_true(member(row, "is_entries")));
        assert_true(tile.level == number_of(row, "level"));
        assert_true(tile.width == number_of(row, "width"));
        assert_true(snprintf(index, sizeof(index), "%llu", (unsigned long long)tile.index) > 0);
        assert_slice_equal(text_of(row, "index"), index);
        tile_format(&tile, &path);
        assert_true(slice_equal(buf_slice(&path), text_of(row, "path")));
    }
    rows = rows_of(tiles, "refused");
    for (size_t i = 0; i < json_array_size(rows); i++) {
        struct tile tile = {.width = 77};
        assert_int_equal(tile_parse(text_value(json_array_get(rows, i)), &tile), ERR_INVALID);
        assert_int_equal(tile.width, 77);
    }
}

static void assert_existence(const json_t *row, const char *key, bool expected)
{
    const json_t *paths = rows_of(row, key);
    for (size_t i = 0; i < json_array_size(paths); i++) {
        struct tile tile = {0};
        assert_int_equal(tile_parse(text_value(json_array_get(paths, i)), &tile), OK);
        assert_true(tile_exists(&tile, number_of(row, "size")) == expected);
    }
}

static void test_which_tiles_a_tree_has(void **state)
{
    UNUSED(state);
    const json_t *rows = rows_of(member(vectors, "tiles"), "sizes");
    for (size_t i = 0; i < json_array_size(rows); i++) {
        assert_existence(json_array_get(rows, i), "exist", true);
        assert_existence(json_array_get(rows, i), "do_not", false);
    }
}

int main(void)
{
    static bool accepted = true, refused = false;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_leaf_hashes),
        cmocka_unit_test(test_roots),
        cmocka_unit_test(test_inclusion),
        cmocka_unit_test(test_consistency),
        cmocka_unit_test(test_bundles),
        cmocka_unit_test(test_keys),
        cmocka_unit_test(test_notes),
        cmocka_unit_test(test_the_checkpoint_is_signed_to_the_byte),
        {.name = "test_proofs_accepted", .test_func = test_proofs, .initial_state = &accepted},
        {.name = "test_proofs_refused", .test_func = test_proofs, .initial_state = &refused},
        cmocka_unit_test(test_a_proof_is_of_its_entry_alone),
        cmocka_unit_test(test_the_proof_is_written_to_the_byte),
        cmocka_unit_test(test_tile_paths),
        cmocka_unit_test(test_which_tiles_a_tree_has),
    };
    return cmocka_run_group_tests(tests, read_vectors, free_vectors);
}
