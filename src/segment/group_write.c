/* SPDX-License-Identifier: Apache-2.0 */
#include "segment/group_make.h"

static enum err next_section(struct group_make *make, struct section *what, bool *more,
                             const char *name, struct diag *diag)
{
    enum err e = group_make_next(make, what, more);
    return e == ERR_CORRUPT
               ? diag_fail(diag, e, name, "the columns of a segment it is made from are damaged")
               : e;
}

enum err group_write(struct segment *const segments[GROUP_SEGMENTS], uint64_t first_seq,
                     const struct dir *dir, const char *name, struct diag *diag)
{
    CLEANUP(group_make_release) struct group_make make;
    uint8_t head[GROUP_HEAD_BYTES];
    uint64_t bytes = 0;
    group_make_init(&make, segments);
    OWNED(sections_writer) file = NULL;
    TRY(sections_create(dir, name, &group_format, &file, diag));
    for (;;) {
        struct section what = {0};
        bool more = false;
        TRY(next_section(&make, &what, &more, name, diag));
        if (!more) {
            break;
        }
        TRY(sections_add(file, &what, buf_slice(&make.section), diag));
    }
    group_make_head(&make, first_seq, head);
    return sections_commit(file, (slice){head, sizeof(head)}, &bytes, diag);
}

static bool has_section(const struct sections *sections, const struct section *wanted, slice bytes)
{
    for (uint32_t i = 0; i < sections->count; i++) {
        struct section section = sections_get(sections, i);
        if (section.kind == wanted->kind && section.field == wanted->field) {
            return section.a == wanted->a && section.b == wanted->b &&
                   slice_equal(sections_bytes(sections, &section), bytes);
        }
    }
    return false;
}

enum err group_verify(const struct group *group, struct segment *const segments[GROUP_SEGMENTS],
                      struct diag *diag)
{
    CLEANUP(group_make_release) struct group_make make;
    uint8_t head[GROUP_HEAD_BYTES];
    uint32_t made = 0;
    group_make_init(&make, segments);
    TRY(sections_verify(&group->sections, group->name, diag));
    for (;; made++) {
        struct section what = {0};
        bool more = false;
        TRY(next_section(&make, &what, &more, group->name, diag));
        if (!more) {
            break;
        }
        if (!has_section(&group->sections, &what, buf_slice(&make.section))) {
            return diag_fail(diag, ERR_CORRUPT, group->name,
                             "the index of %s is not what follows from its segments",
                             what.kind == GROUP_IDS ? "ids" : "values");
        }
    }
    group_make_head(&make, group->first_seq, head);
    if (made != group->sections.count ||
        memcmp(head, group->sections.head.ptr, sizeof(head)) != 0) {
        return diag_fail(diag, ERR_CORRUPT, group->name, "has strange sections, or wrong bounds");
    }
    return OK;
}
