/* SPDX-License-Identifier: Apache-2.0 */
#include "people/token_cache.h"

#include <stdlib.h>

#include "access/token_table.h"
#include "base/mem.h"
#include "os/thread.h"

struct entry {
    struct token_slot slot; /* ends when the token expires */
    uint64_t epoch;         /* of the keys, when it was verified */
    struct token_claims claims;
};

struct token_cache {
    struct mutex lock; /* of the rest */
    struct token_table table;
    uint64_t hits, misses;
};

struct token_cache *token_cache_new(size_t tokens_max)
{
    struct token_cache *cache = mem_zeroed(sizeof(*cache));
    mutex_init(&cache->lock);
    token_table_init(&cache->table, tokens_max, sizeof(struct entry));
    return cache;
}

void token_cache_free(struct token_cache *cache)
{
    if (cache == NULL) {
        return;
    }
    mutex_release(&cache->lock);
    token_table_release(&cache->table);
    free(cache);
}

static bool take_known(struct token_cache *cache, const uint8_t hash[SHA256_BYTES], uint64_t epoch,
                       struct token_claims *out)
{
    mutex_lock(&cache->lock);
    struct entry *entry = token_table_find(&cache->table, hash);
    if (entry != NULL && entry->epoch != epoch) {
        *entry = (struct entry){0};
        entry = NULL;
    }
    if (entry != NULL) {
        *out = entry->claims;
        cache->hits++;
    } else {
        cache->misses++;
    }
    mutex_unlock(&cache->lock);
    return entry != NULL;
}

bool token_cache_find(struct token_cache *cache, const struct token_issuer *issuer, slice token,
                      int64_t now_us, enum token_answer *answer_out, struct token_claims *out)
{
    uint8_t hash[SHA256_BYTES];
    struct token_claims claims = {0};
    if (token.len > TOKEN_BYTES_MAX) {
        return false;
    }
    sha256(token, hash);
    if (!take_known(cache, hash, token_keys_epoch(issuer->keys), &claims)) {
        return false;
    }
    *answer_out = token_at(&claims, now_us);
    if (*answer_out == TOKEN_GOOD) {
        *out = claims;
    }
    return true;
}

enum token_answer token_cache_verify(struct token_cache *cache, const struct token_issuer *issuer,
                                     slice token, int64_t now_us, struct token_claims *out)
{
    uint8_t hash[SHA256_BYTES];
    struct token_claims claims = {0};
    if (token.len > TOKEN_BYTES_MAX) {
        return TOKEN_TOO_LONG;
    }
    sha256(token, hash);
    uint64_t epoch = token_keys_epoch(issuer->keys); /* before the keys are asked */
    bool is_known = take_known(cache, hash, epoch, &claims);
    enum token_answer answer =
        is_known ? token_at(&claims, now_us) : token_verify(issuer, token, now_us, &claims);
    if (answer != TOKEN_GOOD) {
        return answer;
    }
    if (!is_known) {
        mutex_lock(&cache->lock);
        struct entry *entry = token_table_place(&cache->table, hash, claims.expires_us);
        entry->epoch = epoch;
        entry->claims = claims;
        mutex_unlock(&cache->lock);
    }
    *out = claims;
    return TOKEN_GOOD;
}

void token_cache_counts(struct token_cache *cache, uint64_t *hits_out, uint64_t *misses_out)
{
    mutex_lock(&cache->lock);
    *hits_out = cache->hits;
    *misses_out = cache->misses;
    mutex_unlock(&cache->lock);
}
