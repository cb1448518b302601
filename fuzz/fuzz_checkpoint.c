/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Checkpoints: what opens is what we signed. The input is a size, a root and an origin, of which a
 * checkpoint is made and signed by log and cosigner, and changes to that note (u16 position, u8
 * xor). However it is changed, it opens as the same checkpoint or not at all; a cosigner alone does
 * not stand in for the log.
 */
#include "base/macros.h"
#include "codec/wire.h"
#include "signers.h"
#include "tree/checkpoint.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
    FIXED_BYTES = 41, /* length of the origin, size, root */
    CHANGE_BYTES = 3,
    SIGNED_S = 1768435200,
};

static bool same(const struct checkpoint *a, const struct checkpoint *b)
{
    return slice_equal(a->origin, b->origin) && a->size == b->size &&
           merkle_hash_equal(&a->root, &b->root);
}

static void check_parts(slice text, const struct checkpoint *head)
{
    struct checkpoint out = {0};
    const struct note_signer *cosigner = &signers[1];
    CLEANUP(buf_release) struct buf note = BUF_INIT(2 * NOTE_BYTES_MAX);
    ASSERT(checkpoint_parse(text, &out, NULL) == OK && same(&out, head));
    ASSERT(note_sign(text, &cosigner, 1, SIGNED_S, &note, NULL) == OK);
    ASSERT(checkpoint_open(buf_slice(&note), (slice){0}, known, 2, &out, NULL) == ERR_INVALID);
    ASSERT(checkpoint_open(buf_slice(&note), (slice){0}, known + 1, 1, &out, NULL) == OK);
    ASSERT(same(&out, head));
}

static void check_changed(struct buf *note, const struct checkpoint *head, slice changes)
{
    struct checkpoint out = {0};
    slice origin = head->origin;
    ASSERT(checkpoint_open(buf_slice(note), origin, known, 2, &out, NULL) == OK);
    ASSERT(same(&out, head));
    ASSERT(checkpoint_open(buf_slice(note), SLICE("no such\n"), known, 2, &out, NULL) ==
           ERR_INVALID);
    while (changes.len >= CHANGE_BYTES) {
        slice change = slice_take(&changes, CHANGE_BYTES);
        note->ptr[wire_get_u16le(change.ptr) % note->len] ^= change.ptr[2];
        out = (struct checkpoint){0};
        if (checkpoint_open(buf_slice(note), (slice){0}, known, 2, &out, NULL) == OK) {
            ASSERT(same(&out, head));
        } else {
            ASSERT(out.origin.ptr == NULL && out.size == 0); /* untouched */
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct note_signer *borrowed[] = {&signers[0], &signers[1]};
    CLEANUP(buf_release) struct buf text = BUF_INIT(NOTE_BYTES_MAX);
    CLEANUP(buf_release) struct buf note = BUF_INIT(2 * NOTE_BYTES_MAX);
    struct checkpoint head = {0};
    if (known[0].name[0] == '\0') {
        make_keys();
    }
    if (size < FIXED_BYTES) {
        return 0;
    }
    slice rest = {data + FIXED_BYTES, size - FIXED_BYTES};
    head.size = wire_get_u64le(data + 1);
    memcpy(head.root.bytes, data + 9, MERKLE_HASH_BYTES);
    head.origin = slice_take(&rest, data[0] < rest.len ? data[0] : rest.len);
    if (head.origin.len == 0 || memchr(head.origin.ptr, '\n', head.origin.len) != NULL) {
        return 0;
    }
    checkpoint_format(&head, &text);
    if (note_sign(buf_slice(&text), borrowed, 2, SIGNED_S, &note, NULL) != OK) {
        return 0; /* an origin that is no text */
    }
    check_parts(buf_slice(&text), &head);
    check_changed(&note, &head, rest);
    return 0;
}
