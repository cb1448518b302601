/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * token_cache - tokens that were verified before, by their SHA-256, so that the second request of a
 * session costs a hash instead of a signature.
 *
 * Only good tokens are kept, so strangers cannot fill it; they are looked at again for their time
 * on every request, and all are forgotten when stolen keys are replaced. What else may end a token
 * is not known here, and is asked behind it as it is behind token_verify().
 *
 * Threads: any.
 */

#include "people/token.h"

struct token_cache;

/* Room for `tokens_max` (at least 1; rounded up to a power of two), about 400 bytes each. When it
 * is full, that one of four goes which expires first. Never NULL. */
struct token_cache *token_cache_new(size_t tokens_max);
void token_cache_free(struct token_cache *cache);
DEFINE_OWNED(token_cache);

/* False: it was not verified before. Else *answer_out is what it is now, and *out, if that is GOOD,
 * whose. */
bool token_cache_find(struct token_cache *cache, const struct token_issuer *issuer, slice token,
                      int64_t now_us, enum token_answer *answer_out, struct token_claims *out);

/* As token_verify(). */
enum token_answer token_cache_verify(struct token_cache *cache, const struct token_issuer *issuer,
                                     slice token, int64_t now_us, struct token_claims *out);

/* How often the answer was known, and how often not; for metrics. */
void token_cache_counts(struct token_cache *cache, uint64_t *hits_out, uint64_t *misses_out);
