/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * sections - the shape that segment and group files share: a header, sections, a footer that says
 * where they are, a trailer that says where the footer is (docs/format/segment.md, "Container").
 *
 *   sections_create .. sections_begin, sections_put*, sections_finish .. sections_commit
 *
 * Whoever reads skips kinds that it does not know, so that later versions may add some.
 *
 * Threads: a writer belongs to one; a parsed file is immutable, any.
 */

#include "os/file.h"

#define SECTIONS_MAX           256u
#define SECTIONS_ALIGNMENT     64u
#define SECTIONS_HEADER_BYTES  16u
#define SECTIONS_ENTRY_BYTES   32u
#define SECTIONS_TRAILER_BYTES 32u
#define SECTIONS_NO_FIELD      0xffffu
#define SECTIONS_NAME_BYTES    64u

/* What a file is. */
struct sections_format {
    char magic[8]; /* at both ends, without a NUL */
    uint32_t version;
    uint32_t head_bytes; /* of the fixed part of the footer */
};

struct section {
    uint16_t kind;
    uint16_t field; /* stored number, or SECTIONS_NO_FIELD */
    uint32_t crc;   /* CRC32C of its bytes */
    uint64_t offset;
    uint64_t len;
    uint32_t a, b; /* what the kind says */
};

/* ---- Writing ---- */

struct sections_writer;

/* Creates "<name>.tmp". */
enum err sections_create(const struct dir *dir, const char *name,
                         const struct sections_format *format, struct sections_writer **out,
                         struct diag *diag);
/* What was not committed is removed. */
void sections_writer_free(struct sections_writer *writer);
DEFINE_OWNED(sections_writer);

void sections_begin(struct sections_writer *writer, uint16_t kind, uint16_t field);
/* Appends to the section that was begun. IO; FULL. */
enum err sections_put(struct sections_writer *writer, slice bytes, struct diag *diag);
void sections_finish(struct sections_writer *writer, uint32_t a, uint32_t b);
/* The three in one. */
enum err sections_add(struct sections_writer *writer, const struct section *what, slice bytes,
                      struct diag *diag);

/* Footer (`head` first) and trailer; syncs, renames, syncs the directory. *bytes_out: the size. */
enum err sections_commit(struct sections_writer *writer, slice head, uint64_t *bytes_out,
                         struct diag *diag);

/* ---- Reading ---- */

struct sections {
    slice file;
    slice head;
    const uint8_t *entries;
    uint32_t count;
    uint64_t footer_at;
};

/* Checks header, trailer, footer CRC, and that every section lies inside the file; what is in the
 * sections is not looked at. CORRUPT. */
enum err sections_parse(slice file, const struct sections_format *format, const char *name,
                        struct sections *out, struct diag *diag);
struct section sections_get(const struct sections *sections, uint32_t index);
slice sections_bytes(const struct sections *sections, const struct section *section);

/* Everything the footer's own checks leave open: CRC of each section, zeros between them. CORRUPT
 * names the section and its offset. */
enum err sections_verify(const struct sections *sections, const char *name, struct diag *diag);
