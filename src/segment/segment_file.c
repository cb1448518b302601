/* SPDX-License-Identifier: Apache-2.0 */
#include "segment/segment_file.h"

#include "codec/wire.h"

const struct sections_format segment_format = {
    .magic = {'C', 'A', 'I', 'R', 'N', 'S', 'E', 'G'},
    .version = 1,
    .head_bytes = SEGMENT_HEAD_BYTES,
};

static_assert(SEGMENT_HEAD_ROOT + MERKLE_HASH_BYTES == SEGMENT_HEAD_BYTES, "the root comes last");
static_assert(DICTIONARY_HEX_BYTES_MAX / 2 <= UINT8_MAX, "the length of HEX has 8 bits");
static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "columns are mapped as they are stored");

uint32_t segment_text_shape_pack(const struct segment_text_shape *shape)
{
    return shape->width | (shape->has_absent ? UINT32_C(1) << 8 : 0) |
           (uint32_t)shape->dictionary.encoding << 16 | shape->dictionary.hex_len / 2 << 24;
}

bool segment_text_shape_unpack(uint32_t a, uint32_t b, struct segment_text_shape *out)
{
    uint32_t width = b & 0xff;
    uint32_t encoding = b >> 16 & 0xff;
    bool is_width = width == ROWS_CODE_CONSTANT || width == ROWS_CODE_U8 ||
                    width == ROWS_CODE_U16 || width == ROWS_CODE_U32;
    if (!is_width || (b >> 8 & 0xff) > 1 || encoding > DICTIONARY_PLAIN || a == 0 || a > ROWS_MAX) {
        return false;
    }
    *out = (struct segment_text_shape){
        .width = width,
        .has_absent = (b >> 8 & 0xff) != 0,
        .dictionary =
            {
                .count = a,
                .encoding = (enum dictionary_encoding)encoding,
                .hex_len = (b >> 24) * 2,
            },
    };
    return true;
}

void segment_head_put(uint8_t out[SEGMENT_HEAD_BYTES], const struct segment_summary *summary,
                      bool time_ordered)
{
    memset(out, 0, SEGMENT_HEAD_BYTES);
    wire_put_u64le(out + SEGMENT_HEAD_FIRST_SEQ, summary->first_seq);
    wire_put_u32le(out + SEGMENT_HEAD_COUNT, summary->count);
    wire_put_u32le(out + SEGMENT_HEAD_ERASED, summary->erased);
    wire_put_u64le(out + SEGMENT_HEAD_TIME_MIN, (uint64_t)summary->time_min_us);
    wire_put_u64le(out + SEGMENT_HEAD_TIME_MAX, (uint64_t)summary->time_max_us);
    wire_put_u64le(out + SEGMENT_HEAD_RECORDED_MIN, (uint64_t)summary->recorded_min_us);
    wire_put_u64le(out + SEGMENT_HEAD_RECORDED_MAX, (uint64_t)summary->recorded_max_us);
    wire_put_u32le(out + SEGMENT_HEAD_FLAGS, time_ordered ? SEGMENT_FLAG_TIME_ORDERED : 0);
    memcpy(out + SEGMENT_HEAD_ROOT, summary->root.bytes, MERKLE_HASH_BYTES);
}
