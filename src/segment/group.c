/* SPDX-License-Identifier: Apache-2.0 */
#include "segment/group.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "codec/wire.h"
#include "event/stored.h"
#include "segment/group_file.h"

static enum err add_section(struct group *group, const struct section *section, struct diag *diag)
{
    slice bytes = sections_bytes(&group->sections, section);
    enum field field = field_of_stored(section->field);
    bool is_sound = true;
    if (section->kind == GROUP_IDS) {
        is_sound =
            group_table_init(&group->ids, bytes, section->a, GROUP_ID_ENTRY_BYTES, GROUP_ROW_BITS);
    } else if (section->kind == GROUP_LOOKUP && field < FIELD_COUNT) {
        is_sound = group_table_init(&group->lookups[field], bytes, section->a,
                                    GROUP_LOOKUP_ENTRY_BYTES, GROUP_SEGMENT_BITS);
    }
    return is_sound ? OK
                    : diag_fail(diag, ERR_CORRUPT, group->name,
                                "at byte %llu: a table of the wrong length",
                                (unsigned long long)section->offset);
}

enum err group_open(const struct dir *dir, const char *name, struct group **out, struct diag *diag)
{
    OWNED(file) file = NULL;
    slice bytes = {0};
    TRY(file_open(dir, name, FILE_READ, &file, diag));
    TRY(file_map(file, &bytes, diag));
    OWNED(group) group = mem_zeroed(sizeof(*group));
    group->sections.file = bytes;
    (void)snprintf(group->name, sizeof(group->name), "%s", name);
    TRY(sections_parse(bytes, &group_format, name, &group->sections, diag));
    const uint8_t *head = group->sections.head.ptr;
    group->first_seq = wire_get_u64le(head + GROUP_HEAD_FIRST_SEQ);
    group->v7_min_ms = wire_get_u64le(head + GROUP_HEAD_V7_MIN);
    group->v7_max_ms = wire_get_u64le(head + GROUP_HEAD_V7_MAX);
    for (uint32_t i = 0; i < group->sections.count; i++) {
        struct section section = sections_get(&group->sections, i);
        TRY(add_section(group, &section, diag));
    }
    if (group->ids.starts == NULL) {
        return diag_fail(diag, ERR_CORRUPT, name, "the ids are missing");
    }
    *out = MOVE(group);
    return OK;
}

void group_free(struct group *group)
{
    if (group != NULL) {
        file_unmap(group->sections.file);
        free(group);
    }
}

uint64_t group_first_seq(const struct group *group)
{
    return group->first_seq;
}

void group_v7_bounds(const struct group *group, uint64_t *min_ms, uint64_t *max_ms)
{
    *min_ms = group->v7_min_ms;
    *max_ms = group->v7_max_ms;
}

size_t group_find_id(const struct group *group, uint64_t id_hash, uint32_t rows_out[GROUP_FIND_MAX])
{
    return group_table_find(&group->ids, id_hash, rows_out, GROUP_FIND_MAX);
}

void group_prefetch_id(const struct group *group, uint64_t id_hash)
{
    group_table_prefetch(&group->ids, id_hash);
}

uint64_t group_lookup(const struct group *group, enum field field, slice value)
{
    const struct group_table *table = &group->lookups[field];
    uint32_t places[GROUP_SEGMENTS + 1];
    uint64_t segments = 0;
    if (table->starts == NULL) {
        return UINT64_MAX;
    }
    size_t count =
        group_table_find(table, group_value_hash(field, value), places, GROUP_SEGMENTS + 1);
    if (count > GROUP_SEGMENTS) {
        return UINT64_MAX; /* many values with one tag: any segment may have it */
    }
    for (size_t i = 0; i < count; i++) {
        segments |= UINT64_C(1) << places[i];
    }
    return segments;
}
