/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A table of sets of four. The first bytes of the hash choose the set; nobody can choose those of a
 * token that verifies, so the sets fill evenly.
 */
#include "people/token_cache.h"

#include <stdlib.h>

#include "base/mem.h"
#include "crypto/sha256.h"
#include "os/thread.h"

enum { WAYS = 4 };

struct entry {
    uint8_t hash[SHA256_BYTES];
    uint64_t epoch;             /* of the keys, when it was verified */
    struct token_claims claims; /* expires_us 0: the place is free */
};

struct token_cache {
    struct mutex lock; /* of the rest */
    struct entry *entries;
    size_t set_mask;
    uint64_t hits, misses;
};

struct token_cache *token_cache_new(size_t tokens_max)
{
    struct token_cache *cache = mem_zeroed(sizeof(*cache));
    size_t sets = 1;
    ASSERT(tokens_max > 0 && tokens_max <= 1 << 24);
    while (sets * WAYS < tokens_max) {
        sets *= 2;
    }
    mutex_init(&cache->lock);
    cache->entries = mem_array(sets * WAYS, sizeof(*cache->entries));
    cache->set_mask = sets - 1;
    return cache;
}

void token_cache_free(struct token_cache *cache)
{
    if (cache == NULL) {
        return;
    }
    mutex_release(&cache->lock);
    free(cache->entries);
    free(cache);
}

/* ---- Under the lock ---- */

static struct entry *set_of(struct token_cache *cache, const uint8_t hash[SHA256_BYTES])
{
    uint64_t number = 0;
    memcpy(&number, hash, sizeof(number));
    return &cache->entries[(size_t)(number & cache->set_mask) * WAYS];
}

static struct entry *find(struct token_cache *cache, const uint8_t hash[SHA256_BYTES])
{
    struct entry *set = set_of(cache, hash);
    for (size_t i = 0; i < WAYS; i++) {
        if (set[i].claims.expires_us != 0 && memcmp(set[i].hash, hash, SHA256_BYTES) == 0) {
            return &set[i];
        }
    }
    return NULL;
}

static void put(struct token_cache *cache, const uint8_t hash[SHA256_BYTES], uint64_t epoch,
                const struct token_claims *claims)
{
    struct entry *set = set_of(cache, hash);
    struct entry *place = find(cache, hash); /* another thread may have been quicker */
    for (size_t i = 0; place == NULL && i < WAYS; i++) {
        place = set[i].claims.expires_us == 0 ? &set[i] : NULL;
    }
    if (place == NULL) {
        place = &set[0];
        for (size_t i = 1; i < WAYS; i++) {
            place = set[i].claims.expires_us < place->claims.expires_us ? &set[i] : place;
        }
    }
    memcpy(place->hash, hash, SHA256_BYTES);
    place->epoch = epoch;
    place->claims = *claims;
}

/* ---- From any thread ---- */

static bool take_known(struct token_cache *cache, const uint8_t hash[SHA256_BYTES], uint64_t epoch,
                       struct token_claims *out)
{
    mutex_lock(&cache->lock);
    struct entry *entry = find(cache, hash);
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
        put(cache, hash, epoch, &claims);
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
