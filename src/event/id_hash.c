/* SPDX-License-Identifier: Apache-2.0 */
#include "base/hash.h"
#include "event/event.h"

uint64_t event_id_hash(slice org, const struct uuid *id)
{
    return hash_bytes((slice){id->bytes, sizeof(id->bytes)}, hash_bytes(org, HASH_STORED));
}
