/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Entries of a tlog have a 16-bit length. A line that is longer is represented by its digest
 * record, a line of its own that can be checked against it.
 */
#include "codec/hex.h"
#include "crypto/sha256.h"
#include "event/event.h"

#define ENTRY_BYTES_MAX   65535u
#define DIGEST_RECORD_MAX 128u
#define LEAF_PREFIX       SLICE("\0") /* RFC 6962: leaves 0x00, nodes 0x01 */

static_assert(SHA256_BYTES == LEAF_HASH_BYTES, "leaf hashes are SHA-256");

void event_write_entry(slice line, struct buf *out)
{
    if (line.len <= ENTRY_BYTES_MAX) {
        buf_append(out, line);
        return;
    }
    uint8_t hash[SHA256_BYTES];
    char hex[2 * SHA256_BYTES];
    sha256(line, hash);
    hex_encode((slice){hash, sizeof(hash)}, hex);
    buf_append(out, SLICE("{\"line_sha256\":\""));
    buf_append(out, (slice){(const uint8_t *)hex, sizeof(hex)});
    buf_append(out, SLICE("\",\"length\":"));
    buf_append_u64(out, line.len);
    buf_append_byte(out, '}');
}

struct leaf_hash event_leaf_hash(slice line)
{
    struct leaf_hash leaf;
    if (line.len <= ENTRY_BYTES_MAX) {
        sha256_two(LEAF_PREFIX, line, leaf.bytes);
        return leaf;
    }
    CLEANUP(buf_release) struct buf record = BUF_INIT(DIGEST_RECORD_MAX);
    event_write_entry(line, &record);
    ASSERT(!record.failed);
    sha256_two(LEAF_PREFIX, buf_slice(&record), leaf.bytes);
    return leaf;
}

enum err event_leaf(const struct event *event, struct buf *line, struct leaf_hash *out)
{
    buf_clear(line);
    event_write_line(event, line);
    TRY(buf_check(line));
    *out = event_leaf_hash(buf_slice(line));
    return OK;
}
