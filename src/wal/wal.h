/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * wal - the write-ahead log: rows that are not yet in a sealed segment.
 *
 *   000000000007.wal   [header block][frame][frame]...[zeros]
 *   frame              [header][row entries][zeros up to the next 4,096]
 *   row entry          u32 length, 32 bytes leaf hash, the row; length 0: erased, the hash alone
 *
 * Files have a fixed size, are filled with zeros and synced before their first frame, and are used
 * again (spare-*.wal) once all their rows are in synced segments. A random salt, new at each reuse,
 * keeps frames of an earlier life from being taken for new ones. One frame is in flight at a time,
 * and a block that holds a durable frame is never written again. docs/format.md has the bytes.
 *
 * Threads: wal_append() from one thread (the sequencer); wal_prepare_spare() from one other (the
 * sealer); wal_file_* from any.
 */

#include <stdatomic.h>

#include "event/event.h"
#include "os/file.h"

#define WAL_FRAME_ALIGN      4096u
#define WAL_FILE_BYTES       (64 * 1024 * 1024) /* default size of a file */
#define WAL_FILE_BYTES_MIN   (1024 * 1024)
#define WAL_FRAME_BYTES_MAX  (32 * 1024 * 1024)
#define WAL_ENTRY_HEAD_BYTES 36 /* length and leaf hash in front of a row */

struct wal;

/* One file; shared by the active segments whose rows it holds. */
struct wal_file {
    struct file *file;
    uint64_t number;
    uint64_t bytes;
    uint64_t salt;
    _Atomic uint32_t users; /* the writer, and each unsealed segment with rows here */
    bool is_zeroed;         /* of one that nobody uses: how far its way to the spares is */
    bool is_spare;          /* likewise: that is its name by now */
    struct wal_file *next;  /* list of the wal */
};

/*
 * Starts writing behind what recovery found: in a new file, whose number is above `last_number`.
 * `direct` false, or refused by the file system: buffered writes and fdatasync.
 */
struct wal_options {
    uint64_t file_bytes; /* 0: WAL_FILE_BYTES */
    bool direct;
};
enum err wal_open(const struct dir *dir, const struct wal_options *options, uint64_t last_number,
                  struct wal **out, struct diag *diag);
void wal_free(struct wal *wal);
DEFINE_OWNED(wal);

/* Takes a file that recovery reads into the care of the wal; the caller has one use of it. What it
 * holds is durable afterwards: a process that died may have left a frame unsynced, which will be
 * shown from now on. */
enum err wal_adopt(struct wal *wal, uint64_t number, struct wal_file **out, struct diag *diag);

/*
 * Writes one frame and makes it durable. `frame` is WAL_FRAME_ALIGN-aligned memory that begins with
 * WAL_FRAME_HEAD_BYTES for the header, then `body_len` bytes of row entries, then room up to the
 * next multiple of WAL_FRAME_ALIGN; header and padding are filled in here. Where the body went:
 * *out (no use of the file is taken). Room was reserved before. IO: the wal is spent,
 * the process must stop.
 */
#define WAL_FRAME_HEAD_BYTES 64
static inline size_t wal_frame_bytes(size_t body_len) /* on disk, header and padding included */
{
    return (WAL_FRAME_HEAD_BYTES + body_len + WAL_FRAME_ALIGN - 1) / WAL_FRAME_ALIGN *
           WAL_FRAME_ALIGN;
}
/* Makes sure that a frame with up to `body_len` bytes fits where the next one goes, in a new file
 * if need be. FULL: there is no room for one, and nothing changed; IO. */
enum err wal_reserve(struct wal *wal, size_t body_len, struct diag *diag);
struct wal_frame_info {
    size_t body_len;
    uint64_t first_seq;
    uint32_t count; /* of rows */
    int64_t commit_us;
};
struct wal_place {
    struct wal_file *file;
    uint64_t body_at;
};
enum err wal_append(struct wal *wal, uint8_t *frame, const struct wal_frame_info *info,
                    struct wal_place *out, struct diag *diag);

/* Keeps one spare file ready, so that changing files costs no more than a frame. FULL, IO. */
enum err wal_prepare_spare(struct wal *wal, struct diag *diag);
/* Whether it is time for that: the file is half full, and there is none. From the thread that
 * appends. */
bool wal_wants_spare(struct wal *wal);

void wal_file_use(struct wal_file *file);
void wal_file_unuse(struct wal_file *file);
/* Turns files that nobody uses any more into spares, or removes them when there are enough. What
 * fails is begun again the next time. FULL, IO. */
enum err wal_retire(struct wal *wal, struct diag *diag);

/*
 * After an erasure, nothing that files with numbers below `below` and spares held may be left.
 * From wal_condemn() on (by the thread that appends) none of them is used again before it was
 * overwritten; wal_purge() overwrites those that it can, and says whether that was all: readers
 * may hold some.
 */
void wal_condemn(struct wal *wal, uint64_t below);
enum err wal_purge(struct wal *wal, bool *done_out, struct diag *diag); /* FULL, IO */

struct wal_figures {
    uint64_t files, bytes;
};
void wal_figures(struct wal *wal, struct wal_figures *out);

/* ---- Reading back ---- */

struct wal_frame {
    uint64_t first_seq;
    uint32_t count;
    int64_t commit_us;
    uint64_t body_at; /* in the file */
    slice body;       /* in memory of the reader, until the next call */
    slice padding;    /* likewise: what fills its last block, zeros if nobody changed them */
};

/* Everything a file has, in order. */
struct wal_reader;
/* CORRUPT when the header is not a WAL's. *supersedes_out: files of this number and above, below
 * this file's own, are replaced by it; 0: none. */
enum err wal_reader_open(const struct dir *dir, const char *name, struct wal_reader **out,
                         struct diag *diag);
void wal_reader_free(struct wal_reader *reader);
DEFINE_OWNED(wal_reader);
uint64_t wal_reader_number(const struct wal_reader *reader); /* as the header says */
uint64_t wal_reader_supersedes(const struct wal_reader *reader);
bool wal_reader_head_is_clean(const struct wal_reader *reader); /* zeros behind the header */

/*
 * The next frame; OK with frame->count == 0 where the valid frames end. What lies behind is then
 * searched for a later frame of the same salt: if there is one, the file is damaged in its middle
 * and the answer is CORRUPT with the offset; else the tail is torn or empty, which is no error.
 */
enum err wal_reader_next(struct wal_reader *reader, struct wal_frame *frame, struct diag *diag);

/* Takes the next row entry from a frame's body: row->len 0 is an erased one. CORRUPT. */
enum err wal_take_row(slice *body, struct leaf_hash *leaf, slice *row);

/*
 * Exchanging what the WAL holds, for erasure: one file of `file_bytes` with all rows that stay,
 * written beside the others, becomes the WAL with its commit, and supersedes files from
 * `supersedes` on. wal_rewrite_frame() takes a frame as wal_append() does. What fails before the
 * commit changes nothing.
 */
struct wal_rewrite;
enum err wal_rewrite_begin(struct wal *wal, uint64_t supersedes, uint64_t file_bytes,
                           struct wal_rewrite **out, struct diag *diag);
enum err wal_rewrite_frame(struct wal_rewrite *rewrite, uint8_t *frame,
                           const struct wal_frame_info *info, uint64_t *body_at_out,
                           struct diag *diag);
/* *out: the handle the rows will be read through, one use of which goes to the caller. FULL:
 * nothing changed; IO: the new file may be the WAL or not, and the process must stop. */
enum err wal_rewrite_commit(struct wal_rewrite *rewrite, struct wal_file **out, struct diag *diag);
void wal_rewrite_free(struct wal_rewrite *rewrite);
DEFINE_OWNED(wal_rewrite);

/* The lowest number in use; 0: no file is. */
uint64_t wal_lowest(struct wal *wal);

/* "000000000042.wal" -> 42. False if the name is not a WAL file's in use. */
bool wal_parse_name(const char *name, uint64_t *number_out);
