/* SPDX-License-Identifier: Apache-2.0 */
#include "segment/sections.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "codec/crc32c.h"
#include "codec/wire.h"

#define WRITE_BYTES MIB(1)

/* Trailer. */
enum {
    TRAILER_FOOTER_AT = 0,
    TRAILER_COUNT = 8,
    TRAILER_VERSION = 12,
    TRAILER_ZERO = 16,
    TRAILER_CRC = 20, /* of the footer and the trailer up to here */
    TRAILER_MAGIC = 24,
};
static_assert(TRAILER_MAGIC + 8 == SECTIONS_TRAILER_BYTES, "the magic ends the file");

struct sections_writer {
    const struct dir *dir;
    struct file *file;
    struct sections_format format;
    char name[SECTIONS_NAME_BYTES];
    char aside[SECTIONS_NAME_BYTES + 4];
    uint64_t at; /* bytes that were put, written or not */
    uint8_t *pending;
    size_t pending_len;
    struct section list[SECTIONS_MAX];
    uint32_t count;
    bool is_open;
    bool is_committed;
};

static enum err flush(struct sections_writer *writer, struct diag *diag)
{
    slice bytes = {writer->pending, writer->pending_len};
    uint64_t at = writer->at - bytes.len;
    TRY(file_write_at(writer->file, at, bytes, diag));
    file_write_out(writer->file, at, bytes.len);
    writer->pending_len = 0;
    return OK;
}

static enum err put(struct sections_writer *writer, slice bytes, struct diag *diag)
{
    while (bytes.len > 0) {
        size_t room = WRITE_BYTES - writer->pending_len;
        slice part = slice_take(&bytes, bytes.len < room ? bytes.len : room);
        memcpy(writer->pending + writer->pending_len, part.ptr, part.len);
        writer->pending_len += part.len;
        writer->at += part.len;
        if (writer->pending_len == WRITE_BYTES) {
            TRY(flush(writer, diag));
        }
    }
    return OK;
}

enum err sections_create(const struct dir *dir, const char *name,
                         const struct sections_format *format, struct sections_writer **out,
                         struct diag *diag)
{
    ASSERT(strlen(name) < SECTIONS_NAME_BYTES);
    OWNED(sections_writer) writer = mem_zeroed(sizeof(*writer));
    writer->dir = dir;
    writer->format = *format;
    writer->pending = mem_pages(WRITE_BYTES);
    (void)snprintf(writer->name, sizeof(writer->name), "%s", name);
    (void)snprintf(writer->aside, sizeof(writer->aside), "%s.tmp", name);
    TRY(file_open(dir, writer->aside, FILE_CREATE, &writer->file, diag));
    TRY(file_truncate(writer->file, 0, diag)); /* of an earlier try */
    uint8_t header[SECTIONS_HEADER_BYTES] = {0};
    memcpy(header, format->magic, sizeof(format->magic));
    wire_put_u32le(header + sizeof(format->magic), format->version);
    TRY(put(writer, (slice){header, sizeof(header)}, diag));
    *out = MOVE(writer);
    return OK;
}

void sections_writer_free(struct sections_writer *writer)
{
    if (writer == NULL) {
        return;
    }
    if (writer->file != NULL && !writer->is_committed) {
        (void)dir_remove(writer->dir, writer->aside, NULL);
    }
    file_free(writer->file);
    free(writer->pending);
    free(writer);
}

void sections_begin(struct sections_writer *writer, uint16_t kind, uint16_t field)
{
    ASSERT(!writer->is_open);
    ASSERT(writer->count < SECTIONS_MAX);
    uint64_t at = (writer->at + SECTIONS_ALIGNMENT - 1) / SECTIONS_ALIGNMENT * SECTIONS_ALIGNMENT;
    writer->list[writer->count] = (struct section){.kind = kind, .field = field, .offset = at};
    writer->is_open = true;
}

enum err sections_put(struct sections_writer *writer, slice bytes, struct diag *diag)
{
    static const uint8_t zeros[SECTIONS_ALIGNMENT];
    ASSERT(writer->is_open);
    struct section *section = &writer->list[writer->count];
    if (section->len == 0 && bytes.len > 0) {
        TRY(put(writer, (slice){zeros, (size_t)(section->offset - writer->at)}, diag));
    }
    section->crc = crc32c(section->crc, bytes);
    section->len += bytes.len;
    return put(writer, bytes, diag);
}

void sections_finish(struct sections_writer *writer, uint32_t a, uint32_t b)
{
    ASSERT(writer->is_open);
    struct section *section = &writer->list[writer->count];
    section->a = a;
    section->b = b;
    section->offset = section->len > 0 ? section->offset : writer->at;
    writer->count++;
    writer->is_open = false;
}

enum err sections_add(struct sections_writer *writer, const struct section *what, slice bytes,
                      struct diag *diag)
{
    sections_begin(writer, what->kind, what->field);
    TRY(sections_put(writer, bytes, diag));
    sections_finish(writer, what->a, what->b);
    return OK;
}

static void entry_put(uint8_t *out, const struct section *section)
{
    wire_put_u16le(out, section->kind);
    wire_put_u16le(out + 2, section->field);
    wire_put_u32le(out + 4, section->crc);
    wire_put_u64le(out + 8, section->offset);
    wire_put_u64le(out + 16, section->len);
    wire_put_u32le(out + 24, section->a);
    wire_put_u32le(out + 28, section->b);
}

static enum err put_footer(struct sections_writer *writer, slice head, struct diag *diag)
{
    uint8_t entry[SECTIONS_ENTRY_BYTES];
    uint8_t trailer[SECTIONS_TRAILER_BYTES] = {0};
    uint32_t crc = crc32c(0, head);
    wire_put_u64le(trailer + TRAILER_FOOTER_AT, writer->at);
    wire_put_u32le(trailer + TRAILER_COUNT, writer->count);
    wire_put_u32le(trailer + TRAILER_VERSION, writer->format.version);
    TRY(put(writer, head, diag));
    for (uint32_t i = 0; i < writer->count; i++) {
        entry_put(entry, &writer->list[i]);
        crc = crc32c(crc, (slice){entry, sizeof(entry)});
        TRY(put(writer, (slice){entry, sizeof(entry)}, diag));
    }
    crc = crc32c(crc, (slice){trailer, TRAILER_CRC});
    wire_put_u32le(trailer + TRAILER_CRC, crc);
    memcpy(trailer + TRAILER_MAGIC, writer->format.magic, sizeof(writer->format.magic));
    return put(writer, (slice){trailer, sizeof(trailer)}, diag);
}

enum err sections_commit(struct sections_writer *writer, slice head, uint64_t *bytes_out,
                         struct diag *diag)
{
    ASSERT(!writer->is_open);
    ASSERT(head.len == writer->format.head_bytes);
    TRY(put_footer(writer, head, diag));
    TRY(flush(writer, diag));
    TRY(file_sync(writer->file, diag));
    TRY(dir_rename(writer->dir, writer->aside, writer->name, diag));
    writer->is_committed = true;
    TRY(dir_sync(writer->dir, diag));
    *bytes_out = writer->at;
    return OK;
}

/* ---- Reading ---- */

static enum err damaged(struct diag *diag, const char *name, const char *what)
{
    return diag_fail(diag, ERR_CORRUPT, name, "%s", what);
}

static bool has_header(slice file, const struct sections_format *format)
{
    return memcmp(file.ptr, format->magic, sizeof(format->magic)) == 0 &&
           wire_get_u32le(file.ptr + 12) == 0;
}

struct section sections_get(const struct sections *sections, uint32_t index)
{
    ASSERT(index < sections->count);
    const uint8_t *entry = sections->entries + (size_t)index * SECTIONS_ENTRY_BYTES;
    return (struct section){
        .kind = wire_get_u16le(entry),
        .field = wire_get_u16le(entry + 2),
        .crc = wire_get_u32le(entry + 4),
        .offset = wire_get_u64le(entry + 8),
        .len = wire_get_u64le(entry + 16),
        .a = wire_get_u32le(entry + 24),
        .b = wire_get_u32le(entry + 28),
    };
}

slice sections_bytes(const struct sections *sections, const struct section *section)
{
    return (slice){sections->file.ptr + section->offset, (size_t)section->len};
}

static bool sections_lie_inside(const struct sections *sections)
{
    for (uint32_t i = 0; i < sections->count; i++) {
        struct section section = sections_get(sections, i);
        if (section.offset < SECTIONS_HEADER_BYTES || section.offset > sections->footer_at ||
            section.len > sections->footer_at - section.offset ||
            (section.len > 0 && section.offset % SECTIONS_ALIGNMENT != 0)) {
            return false;
        }
    }
    return true;
}

enum err sections_parse(slice file, const struct sections_format *format, const char *name,
                        struct sections *out, struct diag *diag)
{
    if (file.len < SECTIONS_HEADER_BYTES + format->head_bytes + SECTIONS_TRAILER_BYTES ||
        !has_header(file, format)) {
        return damaged(diag, name, "at byte 0: is no such file, or has lost its beginning");
    }
    if (wire_get_u32le(file.ptr + 8) != format->version) {
        return diag_fail(diag, ERR_CORRUPT, name, "format version %u, this build reads %u",
                         wire_get_u32le(file.ptr + 8), format->version);
    }
    size_t trailer_at = file.len - SECTIONS_TRAILER_BYTES;
    const uint8_t *trailer = file.ptr + trailer_at;
    if (memcmp(trailer + TRAILER_MAGIC, format->magic, sizeof(format->magic)) != 0) {
        return damaged(diag, name, "has lost its end");
    }
    struct sections parsed = {
        .file = file,
        .footer_at = wire_get_u64le(trailer + TRAILER_FOOTER_AT),
        .count = wire_get_u32le(trailer + TRAILER_COUNT),
    };
    if (parsed.count > SECTIONS_MAX || parsed.footer_at < SECTIONS_HEADER_BYTES ||
        parsed.footer_at > trailer_at ||
        trailer_at - parsed.footer_at !=
            format->head_bytes + (size_t)parsed.count * SECTIONS_ENTRY_BYTES) {
        return damaged(diag, name, "its trailer points nowhere");
    }
    const uint8_t *footer = file.ptr + parsed.footer_at;
    slice checked = {footer, (size_t)(trailer + TRAILER_CRC - footer)};
    if (crc32c(0, checked) != wire_get_u32le(trailer + TRAILER_CRC)) {
        return diag_fail(diag, ERR_CORRUPT, name, "at byte %llu: the footer's checksum is wrong",
                         (unsigned long long)parsed.footer_at);
    }
    parsed.head = (slice){footer, format->head_bytes};
    parsed.entries = footer + format->head_bytes;
    if (!sections_lie_inside(&parsed)) {
        return damaged(diag, name, "a section lies outside the file");
    }
    *out = parsed;
    return OK;
}

enum err sections_verify(const struct sections *sections, const char *name, struct diag *diag)
{
    uint64_t at = SECTIONS_HEADER_BYTES;
    for (uint32_t i = 0; i < sections->count; i++) {
        struct section section = sections_get(sections, i);
        if (section.len == 0) {
            continue;
        }
        if (section.offset < at || section.offset - at >= SECTIONS_ALIGNMENT ||
            !slice_is_zero((slice){sections->file.ptr + at, section.offset - at})) {
            return diag_fail(diag, ERR_CORRUPT, name, "at byte %llu: strange bytes",
                             (unsigned long long)at);
        }
        if (crc32c(0, sections_bytes(sections, &section)) != section.crc) {
            return diag_fail(diag, ERR_CORRUPT, name,
                             "at byte %llu: section %u of kind %u, its checksum is wrong",
                             (unsigned long long)section.offset, i, section.kind);
        }
        at = section.offset + section.len;
    }
    if (at != sections->footer_at) {
        return diag_fail(diag, ERR_CORRUPT, name, "at byte %llu: strange bytes before the footer",
                         (unsigned long long)at);
    }
    return OK;
}
