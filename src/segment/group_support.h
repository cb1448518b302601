/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* group_support - for tests of groups: 64 small segments, one of them gone, one half erased, and
 * their index. */

#include <stdio.h>

#include "codec/wire.h"
#include "columns/row_set.h"
#include "segment/group.h"
#include "segment/segment_support.h"

enum { ROWS = 150, GONE_SEGMENT = 9, ERASED_SEGMENT = 20 };

struct world {
    struct tempdir temp;
    struct dir *dir;
    struct samples samples[GROUP_SEGMENTS];
    struct segment *segments[GROUP_SEGMENTS];
    struct row_set erased;
    struct group *group;
};
static struct world world;

static int set_up(void **state)
{
    UNUSED(state);
    struct diag diag = {0};
    world.dir = support_dir(&world.temp);
    for (uint32_t row = 0; row < ROWS; row += 2) {
        row_set_add(&world.erased, row);
    }
    for (size_t i = 0; i < GROUP_SEGMENTS; i++) {
        char name[16];
        (void)snprintf(name, sizeof(name), "%zu.seg", i);
        samples_init(&world.samples[i], 1000 + i, ROWS);
        for (uint32_t row = 0; row < ROWS; row++) { /* ids of their own, about a third of them v7 */
            struct uuid *id = &world.samples[i].events[row].value[FIELD_EVENT_ID].uuid;
            wire_put_u32be(id->bytes + 12, (uint32_t)(i * ROWS + row));
            id->bytes[6] = row % 3 == 0 ? 0x70 : 0x40;
            id->bytes[8] = 0x80;
        }
        if (i == GONE_SEGMENT) {
            continue;
        }
        struct rows *rows =
            rows_memory_new(world.samples[i].events, ROWS, i * (uint64_t)ROWS_MAX, NULL);
        world.segments[i] =
            support_segment(rows, i == ERASED_SEGMENT ? &world.erased : NULL, world.dir, name);
        rows_memory_free(rows);
    }
    if (group_write(world.segments, 0, world.dir, "g.idx", &diag) != OK ||
        group_open(world.dir, "g.idx", &world.group, &diag) != OK ||
        group_verify(world.group, world.segments, &diag) != OK) {
        fail_msg("%s: %s", diag.where, diag.text);
    }
    return 0;
}

static int tear_down(void **state)
{
    UNUSED(state);
    for (size_t i = 0; i < GROUP_SEGMENTS; i++) {
        segment_free(world.segments[i]);
        samples_release(&world.samples[i]);
    }
    group_free(world.group);
    dir_free(world.dir);
    tempdir_release(&world.temp);
    return 0;
}
