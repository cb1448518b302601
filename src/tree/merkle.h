/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * merkle - the hash tree of RFC 6962 (SHA-256), built, proven and checked.
 *
 * A tree of n leaves is the fold of the perfect subtrees that the set bits of n name; the frontier
 * keeps those (at most 64 hashes) and is all that appending needs. Proofs need nodes from inside,
 * which their owner provides through merkle_node_fn.
 *
 * Threads: any; a frontier has one owner.
 */

#include "base/err.h"
#include "base/slice.h"

#define MERKLE_HASH_BYTES     32
#define MERKLE_PROOF_HASH_MAX 63

struct merkle_hash {
    uint8_t bytes[MERKLE_HASH_BYTES];
};

struct merkle_frontier {
    uint64_t size;
    struct merkle_hash perfect[64]; /* [level]; meaningful where the bit of `size` is set */
};

struct merkle_hash merkle_leaf(slice entry);
struct merkle_hash merkle_node(const struct merkle_hash *left, const struct merkle_hash *right);
static inline bool merkle_hash_equal(const struct merkle_hash *a, const struct merkle_hash *b)
{
    return memcmp(a->bytes, b->bytes, MERKLE_HASH_BYTES) == 0;
}

/* Starts as {0}. */
void merkle_append(struct merkle_frontier *frontier, const struct merkle_hash *leaf);
/* The same. True when it completed a perfect subtree of 2^level leaves, whose root is then *out. */
bool merkle_append_completing(struct merkle_frontier *frontier, const struct merkle_hash *leaf,
                              unsigned level, struct merkle_hash *out);
/* Appends a perfect subtree of 2^level leaves; `size` must be a multiple of 2^level. */
void merkle_append_subtree(struct merkle_frontier *frontier, unsigned level,
                           const struct merkle_hash *root);
/* The root; of the empty tree SHA-256(""). */
struct merkle_hash merkle_root(const struct merkle_frontier *frontier);

/* The root of 2^k leaves in a row: overwrites `hashes`. `count` is a power of two. */
struct merkle_hash merkle_fold_perfect(struct merkle_hash *hashes, size_t count);

/* The root of the perfect subtree of leaves [index << level, (index + 1) << level). GONE, IO. */
typedef enum err (*merkle_node_fn)(void *context, unsigned level, uint64_t index,
                                   struct merkle_hash *out);

struct merkle_proof {
    struct merkle_hash hashes[MERKLE_PROOF_HASH_MAX];
    size_t count;
};

/* For trees of at most 2^62 leaves, whose proofs never need more than MERKLE_PROOF_HASH_MAX hashes;
 * INVALID beyond.
 *
 * PATH(index, D[size]); INVALID unless index < size; else what `node` answers. */
enum err merkle_prove_inclusion(uint64_t index, uint64_t size, merkle_node_fn node, void *context,
                                struct merkle_proof *out);
/* PROOF(old_size, D[new_size]); INVALID unless old_size <= new_size. Empty when old_size is 0. */
enum err merkle_prove_consistency(uint64_t old_size, uint64_t new_size, merkle_node_fn node,
                                  void *context, struct merkle_proof *out);
/* The root of the first `size` leaves, of any size; else what `node` answers. */
enum err merkle_root_at(uint64_t size, merkle_node_fn node, void *context, struct merkle_hash *out);

bool merkle_verify_inclusion(uint64_t index, uint64_t size, const struct merkle_hash *leaf,
                             const struct merkle_proof *proof, const struct merkle_hash *root);
/* Every tree grows out of the empty one; then the proof is empty and `old_root` is its root. */
bool merkle_verify_consistency(uint64_t old_size, const struct merkle_hash *old_root,
                               uint64_t new_size, const struct merkle_hash *new_root,
                               const struct merkle_proof *proof);
