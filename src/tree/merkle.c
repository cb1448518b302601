/* SPDX-License-Identifier: Apache-2.0 */
/*
 * RFC 6962, section 2.1, without recursion:
 *
 *   leaf      SHA-256(0x00 || entry)
 *   node      SHA-256(0x01 || left || right)
 *   n leaves  split at the largest power of two below n
 *
 * A range that the definition splits off begins at a multiple of a power of two that is not below
 * its length, so it is the fold, from the right, of the perfect subtrees that the bits of its
 * length name. Proofs walk down from the root and list siblings, and are turned around at the end.
 */
#include "tree/merkle.h"

#include <assert.h>

#include "crypto/sha256.h"

static_assert(MERKLE_HASH_BYTES == SHA256_BYTES, "a hash of the tree is a SHA-256");

/* A proof of consistency has one hash more than the tree is deep. */
#define PROVABLE_SIZE_MAX (UINT64_C(1) << (MERKLE_PROOF_HASH_MAX - 1))

struct merkle_hash merkle_leaf(slice entry)
{
    static const uint8_t prefix[1] = {0x00};
    struct merkle_hash hash;
    sha256_two((slice){prefix, sizeof(prefix)}, entry, hash.bytes);
    return hash;
}

struct merkle_hash merkle_node(const struct merkle_hash *left, const struct merkle_hash *right)
{
    /* Gathered, since one update of the digest is cheaper than three. */
    uint8_t bytes[1 + 2 * MERKLE_HASH_BYTES] = {0x01};
    memcpy(bytes + 1, left->bytes, MERKLE_HASH_BYTES);
    memcpy(bytes + 1 + MERKLE_HASH_BYTES, right->bytes, MERKLE_HASH_BYTES);
    struct merkle_hash hash;
    sha256((slice){bytes, sizeof(bytes)}, hash.bytes);
    return hash;
}

static struct merkle_hash root_of_nothing(void)
{
    struct merkle_hash hash;
    sha256((slice){0}, hash.bytes);
    return hash;
}

static bool is_power_of_two(uint64_t number)
{
    return number != 0 && (number & (number - 1)) == 0;
}

/* The largest power of two below `len`, which is at least 2. */
static uint64_t split_of(uint64_t len)
{
    ASSERT(len >= 2);
    return UINT64_C(1) << (63 - __builtin_clzll(len - 1));
}

void merkle_append(struct merkle_frontier *frontier, const struct merkle_hash *leaf)
{
    merkle_append_subtree(frontier, 0, leaf);
}

/* The carry of an addition: two subtrees of one size become one of the next, from `level` up to
 * `top`, or until there is no other. */
static unsigned carry(const struct merkle_frontier *frontier, unsigned level, unsigned top,
                      struct merkle_hash *hash)
{
    while (level < top && (frontier->size >> level & 1) != 0) {
        *hash = merkle_node(&frontier->perfect[level++], hash);
    }
    return level;
}

bool merkle_append_completing(struct merkle_frontier *frontier, const struct merkle_hash *leaf,
                              unsigned level, struct merkle_hash *out)
{
    ASSERT(level < 64);
    struct merkle_hash hash = *leaf;
    unsigned at = carry(frontier, 0, level, &hash);
    if (at == level) {
        *out = hash;
    }
    unsigned top = carry(frontier, at, 64, &hash);
    frontier->perfect[top] = hash;
    frontier->size++;
    return at == level;
}

void merkle_append_subtree(struct merkle_frontier *frontier, unsigned level,
                           const struct merkle_hash *root)
{
    ASSERT(level < 64);
    uint64_t leaves = UINT64_C(1) << level;
    ASSERT(frontier->size % leaves == 0);
    ASSERT(frontier->size <= UINT64_MAX - leaves);

    struct merkle_hash hash = *root;
    frontier->perfect[carry(frontier, level, 64, &hash)] = hash;
    frontier->size += leaves;
}

struct merkle_hash merkle_root(const struct merkle_frontier *frontier)
{
    uint64_t left = frontier->size;
    if (left == 0) {
        return root_of_nothing();
    }
    struct merkle_hash root = frontier->perfect[__builtin_ctzll(left)];
    for (left &= left - 1; left != 0; left &= left - 1) {
        root = merkle_node(&frontier->perfect[__builtin_ctzll(left)], &root);
    }
    return root;
}

struct merkle_hash merkle_fold_perfect(struct merkle_hash *hashes, size_t count)
{
    ASSERT(is_power_of_two(count));
    for (; count > 1; count /= 2) {
        for (size_t i = 0; i < count / 2; i++) {
            hashes[i] = merkle_node(&hashes[2 * i], &hashes[2 * i + 1]);
        }
    }
    return hashes[0];
}

/* ---- Proving ---- */

struct walk {
    merkle_node_fn node;
    void *context;
    uint64_t begin; /* the subtree that the walk stands on */
    uint64_t len;
    struct merkle_proof proof; /* topmost sibling first, until it is turned around */
};

/* MTH(D[begin : begin + len]), len > 0, of a range that the definition splits off. */
static enum err range_root(const struct walk *walk, uint64_t begin, uint64_t len,
                           struct merkle_hash *out)
{
    struct merkle_hash root = {0};
    uint64_t end = begin + len;
    for (uint64_t left = len; left != 0; left &= left - 1) {
        unsigned level = (unsigned)__builtin_ctzll(left);
        end -= UINT64_C(1) << level;
        struct merkle_hash perfect;
        TRY(walk->node(walk->context, level, end >> level, &perfect));
        root = left == len ? perfect : merkle_node(&perfect, &root);
    }
    *out = root;
    return OK;
}

static enum err add_range(struct walk *walk, uint64_t begin, uint64_t len)
{
    ASSERT(walk->proof.count < MERKLE_PROOF_HASH_MAX);
    TRY(range_root(walk, begin, len, &walk->proof.hashes[walk->proof.count]));
    walk->proof.count++;
    return OK;
}

/* Goes down to the half that holds leaf `at`, and notes the other one. */
static enum err descend(struct walk *walk, uint64_t at)
{
    uint64_t split = split_of(walk->len);
    if (at - walk->begin < split) {
        TRY(add_range(walk, walk->begin + split, walk->len - split));
        walk->len = split;
        return OK;
    }
    TRY(add_range(walk, walk->begin, split));
    walk->begin += split;
    walk->len -= split;
    return OK;
}

static void finish(const struct walk *walk, struct merkle_proof *out)
{
    size_t count = walk->proof.count;
    for (size_t i = 0; i < count; i++) {
        out->hashes[i] = walk->proof.hashes[count - 1 - i];
    }
    out->count = count;
}

enum err merkle_prove_inclusion(uint64_t index, uint64_t size, merkle_node_fn node, void *context,
                                struct merkle_proof *out)
{
    if (index >= size || size > PROVABLE_SIZE_MAX) {
        return ERR_INVALID;
    }
    struct walk walk = {.node = node, .context = context, .len = size};
    while (walk.len > 1) {
        TRY(descend(&walk, index));
    }
    finish(&walk, out);
    return OK;
}

enum err merkle_prove_consistency(uint64_t old_size, uint64_t new_size, merkle_node_fn node,
                                  void *context, struct merkle_proof *out)
{
    if (old_size > new_size || new_size > PROVABLE_SIZE_MAX) {
        return ERR_INVALID;
    }
    struct walk walk = {.node = node, .context = context, .len = new_size};
    /* Down to the subtree that ends where the old tree does; the old tree's last leaf is in it. */
    while (old_size > 0 && walk.begin + walk.len != old_size) {
        TRY(descend(&walk, old_size - 1));
    }
    if (walk.begin > 0) { /* else it is the old tree itself, whose root the verifier knows */
        TRY(add_range(&walk, walk.begin, walk.len));
    }
    finish(&walk, out);
    return OK;
}

enum err merkle_root_at(uint64_t size, merkle_node_fn node, void *context, struct merkle_hash *out)
{
    if (size == 0) {
        *out = root_of_nothing();
        return OK;
    }
    const struct walk walk = {.node = node, .context = context};
    return range_root(&walk, 0, size, out);
}

/* ---- Checking (RFC 9162, 2.1.3.2 and 2.1.4.2) ---- */

/* The way up from a node: its number in its level, and the last number of that level. */
struct climb {
    uint64_t at;
    uint64_t last;
};

/* Whether the next hash of a proof belongs to the left. */
static bool sibling_is_left(const struct climb *climb)
{
    return (climb->at & 1) != 0 || climb->at == climb->last;
}

/* To the parent; a last node without a sibling is lifted to the level where it has one first. */
static void go_up(struct climb *climb)
{
    if (sibling_is_left(climb)) {
        while ((climb->at & 1) == 0 && climb->at != 0) {
            climb->at >>= 1;
            climb->last >>= 1;
        }
    }
    climb->at >>= 1;
    climb->last >>= 1;
}

bool merkle_verify_inclusion(uint64_t index, uint64_t size, const struct merkle_hash *leaf,
                             const struct merkle_proof *proof, const struct merkle_hash *root)
{
    if (index >= size || proof->count > MERKLE_PROOF_HASH_MAX) {
        return false;
    }
    struct climb climb = {.at = index, .last = size - 1};
    struct merkle_hash found = *leaf;
    for (size_t i = 0; i < proof->count; i++) {
        const struct merkle_hash *sibling = &proof->hashes[i];
        if (climb.last == 0) {
            return false;
        }
        found =
            sibling_is_left(&climb) ? merkle_node(sibling, &found) : merkle_node(&found, sibling);
        go_up(&climb);
    }
    return climb.last == 0 && merkle_hash_equal(&found, root);
}

/* 0 < old_size < new_size */
static bool verify_growth(uint64_t old_size, const struct merkle_hash *old_root, uint64_t new_size,
                          const struct merkle_hash *new_root, const struct merkle_proof *proof)
{
    /* A perfect old tree is itself the first node; else the proof names it. */
    bool is_perfect = is_power_of_two(old_size);
    if (proof->count == 0) {
        return false;
    }
    struct merkle_hash found_old = is_perfect ? *old_root : proof->hashes[0];
    struct merkle_hash found_new = found_old;
    struct climb climb = {.at = old_size - 1, .last = new_size - 1};
    while ((climb.at & 1) != 0) {
        climb.at >>= 1;
        climb.last >>= 1;
    }
    for (size_t i = is_perfect ? 0 : 1; i < proof->count; i++) {
        const struct merkle_hash *sibling = &proof->hashes[i];
        if (climb.last == 0) {
            return false;
        }
        if (sibling_is_left(&climb)) {
            found_old = merkle_node(sibling, &found_old);
            found_new = merkle_node(sibling, &found_new);
        } else {
            found_new = merkle_node(&found_new, sibling);
        }
        go_up(&climb);
    }
    return climb.last == 0 && merkle_hash_equal(&found_old, old_root) &&
           merkle_hash_equal(&found_new, new_root);
}

bool merkle_verify_consistency(uint64_t old_size, const struct merkle_hash *old_root,
                               uint64_t new_size, const struct merkle_hash *new_root,
                               const struct merkle_proof *proof)
{
    if (old_size > new_size || proof->count > MERKLE_PROOF_HASH_MAX) {
        return false;
    }
    if (old_size == new_size) {
        return proof->count == 0 && merkle_hash_equal(old_root, new_root);
    }
    if (old_size == 0) {
        struct merkle_hash nothing = root_of_nothing();
        return proof->count == 0 && merkle_hash_equal(old_root, &nothing);
    }
    return verify_growth(old_size, old_root, new_size, new_root, proof);
}
