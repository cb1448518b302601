/* SPDX-License-Identifier: Apache-2.0 */
#include "http/peers.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/hash.h"
#include "base/mem.h"
#include "os/random.h"
#include "os/thread.h"

/* Open addressing with linear probes; a slot with count 0 is empty. There are never more addresses
 * than connections, and twice as many slots. */
struct slot {
    uint8_t address[16];
    uint32_t count;
};

struct peers {
    struct mutex lock;
    uint64_t seed; /* strangers fill the table */
    uint32_t connections_max;
    uint32_t per_address_max;
    uint32_t connections;
    size_t slot_count; /* a power of two */
    struct slot *slots;
};

struct peers *peers_new(uint32_t connections_max, uint32_t per_address_max)
{
    struct peers *peers = mem_zeroed(sizeof(*peers));
    mutex_init(&peers->lock);
    peers->seed = random_u64();
    peers->connections_max = connections_max;
    peers->per_address_max = per_address_max;
    peers->slot_count = 64;
    while (peers->slot_count < (size_t)connections_max * 2) {
        peers->slot_count *= 2;
    }
    peers->slots = mem_array(peers->slot_count, sizeof(struct slot));
    return peers;
}

void peers_free(struct peers *peers)
{
    if (peers == NULL) {
        return;
    }
    mutex_release(&peers->lock);
    free(peers->slots);
    free(peers);
}

static size_t home_of(const struct peers *peers, const uint8_t address[16])
{
    return hash_bytes((slice){address, 16}, peers->seed) & (peers->slot_count - 1);
}

/* The slot of the address, or the empty one where it would go. */
static size_t find(const struct peers *peers, const uint8_t address[16])
{
    size_t i = home_of(peers, address);
    while (peers->slots[i].count > 0 && memcmp(peers->slots[i].address, address, 16) != 0) {
        i = (i + 1) & (peers->slot_count - 1);
    }
    return i;
}

/* With the lock held. */
static bool count_address(struct peers *peers, const uint8_t address[16])
{
    struct slot *slot = &peers->slots[find(peers, address)];
    if (slot->count >= peers->per_address_max) {
        return false;
    }
    memcpy(slot->address, address, 16);
    slot->count++;
    return true;
}

bool peers_add(struct peers *peers, const uint8_t *address)
{
    mutex_lock(&peers->lock);
    bool fits = peers->connections < peers->connections_max &&
                (address == NULL || count_address(peers, address));
    peers->connections += fits ? 1 : 0;
    mutex_unlock(&peers->lock);
    return fits;
}

bool peers_join(struct peers *peers, const uint8_t address[16])
{
    mutex_lock(&peers->lock);
    bool fits = count_address(peers, address);
    mutex_unlock(&peers->lock);
    return fits;
}

/* Slot `hole` became empty: what was pushed past it moves back, so that probes still find it. */
static void close_hole(struct peers *peers, size_t hole)
{
    size_t mask = peers->slot_count - 1;
    for (size_t i = (hole + 1) & mask; peers->slots[i].count > 0; i = (i + 1) & mask) {
        size_t home = home_of(peers, peers->slots[i].address);
        if (((i - home) & mask) >= ((i - hole) & mask)) {
            peers->slots[hole] = peers->slots[i];
            peers->slots[i].count = 0;
            hole = i;
        }
    }
}

/* With the lock held. */
static void forget_address(struct peers *peers, const uint8_t address[16])
{
    size_t i = find(peers, address);
    ASSERT(peers->slots[i].count > 0);
    peers->slots[i].count--;
    if (peers->slots[i].count == 0) {
        close_hole(peers, i);
    }
}

void peers_drop(struct peers *peers, const uint8_t *address)
{
    mutex_lock(&peers->lock);
    ASSERT(peers->connections > 0);
    peers->connections--;
    if (address != NULL) {
        forget_address(peers, address);
    }
    mutex_unlock(&peers->lock);
}

void peers_leave(struct peers *peers, const uint8_t address[16])
{
    mutex_lock(&peers->lock);
    forget_address(peers, address);
    mutex_unlock(&peers->lock);
}

uint64_t peers_count(struct peers *peers)
{
    mutex_lock(&peers->lock);
    uint64_t count = peers->connections;
    mutex_unlock(&peers->lock);
    return count;
}
