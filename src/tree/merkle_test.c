/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The reference here is the definition of RFC 6962 as it stands there, recursion and all; what it
 * computes for every size up to LEAVES is compared with what merkle.c does. tree_test.c has the
 * vectors.
 */
#include "base/test.h"
#include "tree/merkle.h"

enum { LEAVES = 130, DEPTH_MAX = 8 };

static struct merkle_hash leaves[LEAVES];

/* ---- The definition ---- */

static size_t split(size_t n)
{
    size_t k = 1;
    while (2 * k < n) {
        k *= 2;
    }
    return k;
}

/* MTH(D[begin : begin + n]) */
static struct merkle_hash mth(size_t begin, size_t n, unsigned depth)
{
    assert_true(depth <= DEPTH_MAX);
    if (n == 1) {
        return leaves[begin];
    }
    size_t k = split(n);
    struct merkle_hash left = mth(begin, k, depth + 1);
    struct merkle_hash right = mth(begin + k, n - k, depth + 1);
    return merkle_node(&left, &right);
}

static void add(struct merkle_proof *proof, struct merkle_hash hash)
{
    proof->hashes[proof->count++] = hash;
}

/* PATH(m, D[begin : begin + n]) */
static void path(size_t m, size_t begin, size_t n, struct merkle_proof *out)
{
    if (n == 1) {
        return;
    }
    size_t k = split(n);
    if (m < k) {
        path(m, begin, k, out);
        add(out, mth(begin + k, n - k, 0));
    } else {
        path(m - k, begin + k, n - k, out);
        add(out, mth(begin, k, 0));
    }
}

/* SUBPROOF(m, D[begin : begin + n], is_known) */
static void subproof(size_t m, size_t begin, size_t n, bool is_known, struct merkle_proof *out)
{
    if (m == n) {
        if (!is_known) {
            add(out, mth(begin, n, 0));
        }
        return;
    }
    size_t k = split(n);
    if (m <= k) {
        subproof(m, begin, k, is_known, out);
        add(out, mth(begin + k, n - k, 0));
    } else {
        subproof(m - k, begin + k, n - k, false, out);
        add(out, mth(begin, k, 0));
    }
}

/* ---- What proofs are made from ---- */

static enum err node_of_leaves(void *context, unsigned level, uint64_t index,
                               struct merkle_hash *out)
{
    UNUSED(context);
    assert_true((index + 1) << level <= LEAVES); /* nothing but perfect subtrees is asked for */
    *out = mth((size_t)(index << level), (size_t)1 << level, 0);
    return OK;
}

static enum err node_is_gone(void *context, unsigned level, uint64_t index, struct merkle_hash *out)
{
    UNUSED(context);
    UNUSED(level);
    UNUSED(index);
    UNUSED(out);
    return ERR_GONE;
}

/* A tree in which every leaf is the same, so that it may have any size: context has the perfect
 * subtrees by level. */
static enum err node_of_equals(void *context, unsigned level, uint64_t index,
                               struct merkle_hash *out)
{
    UNUSED(index);
    *out = ((const struct merkle_hash *)context)[level];
    return OK;
}

static int make_leaves(void **state)
{
    UNUSED(state);
    for (size_t i = 0; i < LEAVES; i++) {
        const uint8_t entry[2] = {'e', (uint8_t)i};
        leaves[i] = merkle_leaf((slice){entry, sizeof(entry)});
    }
    return 0;
}

static struct merkle_hash root_of(size_t size)
{
    struct merkle_frontier frontier = {0};
    for (size_t i = 0; i < size; i++) {
        merkle_append(&frontier, &leaves[i]);
    }
    return merkle_root(&frontier);
}

static void assert_same_proof(const struct merkle_proof *a, const struct merkle_proof *b)
{
    assert_int_equal(a->count, b->count);
    assert_memory_equal(a->hashes, b->hashes, a->count * sizeof(a->hashes[0]));
}

/* ---- Roots ---- */

static void test_an_append_tells_which_subtree_it_completed(void **state)
{
    enum { LEVELS = 6 };
    UNUSED(state);
    struct merkle_frontier plain = {0};
    struct merkle_frontier frontiers[LEVELS] = {0};
    for (size_t size = 1; size <= LEAVES; size++) {
        merkle_append(&plain, &leaves[size - 1]);
        struct merkle_hash wanted = merkle_root(&plain);
        for (unsigned level = 0; level < LEVELS; level++) {
            struct merkle_hash completed;
            size_t width = (size_t)1 << level;
            bool is =
                merkle_append_completing(&frontiers[level], &leaves[size - 1], level, &completed);
            struct merkle_hash root = merkle_root(&frontiers[level]);
            assert_int_equal(is, size % width == 0);
            assert_true(merkle_hash_equal(&root, &wanted));
            if (is) {
                struct merkle_hash subtree = mth(size - width, width, 0);
                assert_true(merkle_hash_equal(&completed, &subtree));
            }
        }
    }
}

static void test_every_root_is_the_definitions(void **state)
{
    UNUSED(state);
    struct merkle_frontier frontier = {0};
    for (size_t size = 1; size <= LEAVES; size++) {
        merkle_append(&frontier, &leaves[size - 1]);
        assert_int_equal(frontier.size, size);
        struct merkle_hash expected = mth(0, size, 0);
        struct merkle_hash appended = merkle_root(&frontier);
        struct merkle_hash collected;
        assert_int_equal(merkle_root_at(size, node_of_leaves, NULL, &collected), OK);
        assert_memory_equal(&appended, &expected, sizeof(expected));
        assert_memory_equal(&collected, &expected, sizeof(expected));
    }
}

static void test_the_empty_root_is_the_hash_of_nothing(void **state)
{
    UNUSED(state);
    static const char expected[] =
        "\xe3\xb0\xc4\x42\x98\xfc\x1c\x14\x9a\xfb\xf4\xc8\x99\x6f\xb9\x24"
        "\x27\xae\x41\xe4\x64\x9b\x93\x4c\xa4\x95\x99\x1b\x78\x52\xb8\x55";
    struct merkle_hash root = root_of(0);
    assert_memory_equal(root.bytes, expected, sizeof(root));
    memset(&root, 0, sizeof(root));
    assert_int_equal(merkle_root_at(0, node_is_gone, NULL, &root), OK);
    assert_memory_equal(root.bytes, expected, sizeof(root));
}

static void test_subtrees_append_like_their_leaves(void **state)
{
    UNUSED(state);
    for (unsigned level = 0; level <= 7; level++) {
        size_t step = (size_t)1 << level;
        struct merkle_frontier frontier = {0};
        for (size_t size = step; size <= LEAVES; size += step) {
            struct merkle_hash subtree = mth(size - step, step, 0);
            merkle_append_subtree(&frontier, level, &subtree);
            struct merkle_hash expected = mth(0, size, 0);
            struct merkle_hash root = merkle_root(&frontier);
            assert_memory_equal(&root, &expected, sizeof(expected));
        }
    }
}

static void test_fold_gives_the_root_of_a_power_of_two(void **state)
{
    UNUSED(state);
    for (size_t count = 1; count <= 128; count *= 2) {
        struct merkle_hash hashes[128];
        memcpy(hashes, leaves, count * sizeof(hashes[0]));
        struct merkle_hash root = merkle_fold_perfect(hashes, count);
        struct merkle_hash expected = mth(0, count, 0);
        assert_memory_equal(&root, &expected, sizeof(expected));
    }
}

/* ---- Proofs of inclusion ---- */

static void test_every_inclusion_proof_is_the_definitions_and_verifies(void **state)
{
    UNUSED(state);
    for (size_t size = 1; size <= LEAVES; size++) {
        struct merkle_hash root = mth(0, size, 0);
        for (size_t index = 0; index < size; index++) {
            struct merkle_proof proof, expected = {0};
            assert_int_equal(merkle_prove_inclusion(index, size, node_of_leaves, NULL, &proof), OK);
            path(index, 0, size, &expected);
            assert_same_proof(&proof, &expected);
            assert_true(merkle_verify_inclusion(index, size, &leaves[index], &proof, &root));
        }
    }
}

/* What is the same for both kinds of proof: `verify` must refuse every proof but `good`. */
struct claim {
    bool (*verify)(const struct claim *claim, const struct merkle_proof *proof);
    uint64_t a, b; /* index and size; old and new size */
    struct merkle_hash leaf_or_old_root, root;
};

static void assert_no_other_proof(const struct claim *claim, const struct merkle_proof *good)
{
    struct merkle_proof bad = *good;
    for (size_t i = 0; i < good->count; i++) {
        for (size_t bit = 0; bit < 8 * MERKLE_HASH_BYTES; bit += 37) {
            bad.hashes[i].bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
            assert_false(claim->verify(claim, &bad));
            bad.hashes[i].bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        }
        /* Without this hash, and with it twice. */
        size_t behind = good->count - i;
        memmove(&bad.hashes[i], &good->hashes[i + 1], (behind - 1) * sizeof(bad.hashes[0]));
        bad.count = good->count - 1;
        assert_false(claim->verify(claim, &bad));
        memcpy(&bad.hashes[i + 1], &good->hashes[i], behind * sizeof(bad.hashes[0]));
        bad.hashes[i] = good->hashes[i];
        bad.count = good->count + 1;
        assert_false(claim->verify(claim, &bad));
        bad = *good;
    }
    bad.hashes[bad.count++] = claim->root;
    assert_false(claim->verify(claim, &bad));
    bad.count = MERKLE_PROOF_HASH_MAX + 1;
    assert_false(claim->verify(claim, &bad));
}

static bool verify_inclusion(const struct claim *c, const struct merkle_proof *proof)
{
    return merkle_verify_inclusion(c->a, c->b, &c->leaf_or_old_root, proof, &c->root);
}

static bool verify_consistency(const struct claim *c, const struct merkle_proof *proof)
{
    return merkle_verify_consistency(c->a, &c->leaf_or_old_root, c->b, &c->root, proof);
}

static void test_no_tampered_inclusion_proof_verifies(void **state)
{
    UNUSED(state);
    for (size_t size = 1; size <= LEAVES; size++) {
        struct claim good = {verify_inclusion, 0, size, {{0}}, mth(0, size, 0)};
        for (size_t index = 0; index < size; index++) {
            struct merkle_proof proof = {0};
            path(index, 0, size, &proof);
            good.a = index;
            good.leaf_or_old_root = leaves[index];
            assert_no_other_proof(&good, &proof);

            for (uint64_t other = 0; other < size + 2; other++) {
                struct claim bad = good;
                bad.a = other;
                assert_true(verify_inclusion(&bad, &proof) == (other == index));
            }
            struct claim bad = good;
            bad.leaf_or_old_root.bytes[31] ^= 1;
            assert_false(verify_inclusion(&bad, &proof));
            bad = good;
            bad.root.bytes[0] ^= 0x80;
            assert_false(verify_inclusion(&bad, &proof));
        }
    }
}

/* The size itself is not hashed, so a proof may hold for sizes in which the path has the same
 * shape; but then only with the root of `size`, which a tree of another size does not have. */
static void test_an_inclusion_proof_fails_against_the_root_of_another_size(void **state)
{
    UNUSED(state);
    for (size_t size = 1; size <= LEAVES; size += 3) {
        for (size_t other = 1; other <= LEAVES; other++) {
            struct merkle_proof proof = {0};
            path(size / 2, 0, size, &proof);
            struct merkle_hash root = mth(0, other, 0);
            assert_true(merkle_verify_inclusion(size / 2, other, &leaves[size / 2], &proof,
                                                &root) == (other == size));
        }
    }
}

/* ---- Proofs of consistency ---- */

static void test_every_consistency_proof_is_the_definitions_and_verifies(void **state)
{
    UNUSED(state);
    for (size_t new_size = 0; new_size <= LEAVES; new_size++) {
        struct merkle_hash new_root = root_of(new_size);
        for (size_t old_size = 0; old_size <= new_size; old_size++) {
            struct merkle_proof proof, expected = {0};
            assert_int_equal(merkle_prove_consistency(old_size, new_size, node_of_leaves, NULL,
                                                      &proof),
                             OK);
            if (old_size > 0) {
                subproof(old_size, 0, new_size, true, &expected);
            }
            assert_same_proof(&proof, &expected);
            struct merkle_hash old_root = root_of(old_size);
            assert_true(
                merkle_verify_consistency(old_size, &old_root, new_size, &new_root, &proof));
        }
    }
}

static void test_no_tampered_consistency_proof_verifies(void **state)
{
    UNUSED(state);
    for (size_t new_size = 0; new_size <= LEAVES; new_size++) {
        struct claim good = {verify_consistency, 0, new_size, {{0}}, root_of(new_size)};
        for (size_t old_size = 0; old_size <= new_size; old_size++) {
            struct merkle_proof proof = {0};
            if (old_size > 0) {
                subproof(old_size, 0, new_size, true, &proof);
            }
            good.a = old_size;
            good.leaf_or_old_root = root_of(old_size);
            assert_no_other_proof(&good, &proof);

            struct claim bad = good;
            bad.leaf_or_old_root.bytes[31] ^= 1;
            assert_false(verify_consistency(&bad, &proof));
            bad = good;
            bad.root.bytes[0] ^= 0x80;
            /* Nothing about the new root follows from the empty tree. */
            assert_true(verify_consistency(&bad, &proof) == (old_size == 0 && new_size > 0));
        }
    }
}

static void test_a_consistency_proof_fails_between_other_sizes(void **state)
{
    UNUSED(state);
    struct merkle_hash roots[41];
    for (size_t size = 0; size < COUNT_OF(roots); size++) {
        roots[size] = root_of(size);
    }
    for (size_t new_size = 2; new_size < COUNT_OF(roots); new_size++) {
        for (size_t old_size = 1; old_size < new_size; old_size++) {
            struct merkle_proof proof = {0};
            subproof(old_size, 0, new_size, true, &proof);
            for (size_t other = 0; other < COUNT_OF(roots); other++) {
                assert_true(merkle_verify_consistency(other, &roots[other], new_size,
                                                      &roots[new_size],
                                                      &proof) == (other == old_size));
                assert_true(merkle_verify_consistency(old_size, &roots[old_size], other,
                                                      &roots[other],
                                                      &proof) == (other == new_size));
            }
        }
    }
}

/* ---- Bounds and errors ---- */

static void test_wrong_indices_and_sizes_are_invalid(void **state)
{
    UNUSED(state);
    struct merkle_proof proof = {.count = 77};
    const uint64_t most = UINT64_C(1) << 62;
    assert_int_equal(merkle_prove_inclusion(0, 0, node_is_gone, NULL, &proof), ERR_INVALID);
    assert_int_equal(merkle_prove_inclusion(7, 7, node_is_gone, NULL, &proof), ERR_INVALID);
    assert_int_equal(merkle_prove_inclusion(0, most + 1, node_is_gone, NULL, &proof), ERR_INVALID);
    assert_int_equal(merkle_prove_consistency(8, 7, node_is_gone, NULL, &proof), ERR_INVALID);
    assert_int_equal(merkle_prove_consistency(1, most + 1, node_is_gone, NULL, &proof),
                     ERR_INVALID);
    assert_int_equal(proof.count, 77);
}

static void test_what_the_owner_of_the_nodes_answers_comes_back(void **state)
{
    UNUSED(state);
    struct merkle_proof proof = {.count = 77};
    struct merkle_hash root = {{77}};
    assert_int_equal(merkle_prove_inclusion(3, 7, node_is_gone, NULL, &proof), ERR_GONE);
    assert_int_equal(merkle_prove_consistency(3, 7, node_is_gone, NULL, &proof), ERR_GONE);
    assert_int_equal(merkle_root_at(7, node_is_gone, NULL, &root), ERR_GONE);
    assert_int_equal(proof.count, 77);
    assert_int_equal(root.bytes[0], 77);
}

static void test_the_largest_trees_have_proofs_that_fit(void **state)
{
    UNUSED(state);
    static const uint64_t most = UINT64_C(1) << 62;
    static const uint64_t sizes[] = {UINT64_C(1) << 62, (UINT64_C(1) << 62) - 1,
                                     (UINT64_C(1) << 61) + 1, 3};
    struct merkle_hash perfect[64] = {merkle_leaf(SLICE("same"))};
    for (size_t level = 1; level < COUNT_OF(perfect); level++) {
        perfect[level] = merkle_node(&perfect[level - 1], &perfect[level - 1]);
    }
    struct merkle_hash root, old_root;
    struct merkle_proof proof;
    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        uint64_t size = sizes[i];
        assert_int_equal(merkle_root_at(size, node_of_equals, perfect, &root), OK);
        for (uint64_t index = 0; index < size; index += size / 3) {
            assert_int_equal(merkle_prove_inclusion(index, size, node_of_equals, perfect, &proof),
                             OK);
            assert_true(merkle_verify_inclusion(index, size, &perfect[0], &proof, &root));
        }
        assert_int_equal(merkle_root_at(most, node_of_equals, perfect, &old_root), OK);
        assert_int_equal(merkle_prove_consistency(size, most, node_of_equals, perfect, &proof), OK);
        assert_true(merkle_verify_consistency(size, &root, most, &old_root, &proof));
    }
    /* The longest there is. */
    assert_int_equal(merkle_prove_consistency(most - 1, most, node_of_equals, perfect, &proof), OK);
    assert_int_equal(proof.count, MERKLE_PROOF_HASH_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_append_tells_which_subtree_it_completed),
        cmocka_unit_test(test_every_root_is_the_definitions),
        cmocka_unit_test(test_the_empty_root_is_the_hash_of_nothing),
        cmocka_unit_test(test_subtrees_append_like_their_leaves),
        cmocka_unit_test(test_fold_gives_the_root_of_a_power_of_two),
        cmocka_unit_test(test_every_inclusion_proof_is_the_definitions_and_verifies),
        cmocka_unit_test(test_no_tampered_inclusion_proof_verifies),
        cmocka_unit_test(test_an_inclusion_proof_fails_against_the_root_of_another_size),
        cmocka_unit_test(test_every_consistency_proof_is_the_definitions_and_verifies),
        cmocka_unit_test(test_no_tampered_consistency_proof_verifies),
        cmocka_unit_test(test_a_consistency_proof_fails_between_other_sizes),
        cmocka_unit_test(test_wrong_indices_and_sizes_are_invalid),
        cmocka_unit_test(test_what_the_owner_of_the_nodes_answers_comes_back),
        cmocka_unit_test(test_the_largest_trees_have_proofs_that_fit),
    };
    return cmocka_run_group_tests(tests, make_leaves, NULL);
}
