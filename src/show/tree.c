/* SPDX-License-Identifier: Apache-2.0 */
#include "show/tree.h"

#include <stdlib.h>

#include "base/mem.h"
#include "codec/time.h"

enum { DEPTH_SHOWN_MAX = 12, SERVICE_COLUMNS = 16 };

void tree_add(struct tree *tree, slice json)
{
    json_t *event = show_event(json);
    if (event == NULL) {
        return;
    }
    if (tree->count == tree->capacity) {
        tree->capacity = tree->capacity == 0 ? 64 : tree->capacity * 2;
        tree->nodes = mem_resize(tree->nodes, tree->capacity * sizeof(tree->nodes[0]));
    }
    tree->nodes[tree->count++] = (struct tree_node){.event = event,
                                                    .parent = SIZE_MAX,
                                                    .children = SIZE_MAX,
                                                    .next = SIZE_MAX};
}

void tree_release(struct tree *tree)
{
    for (size_t i = 0; i < tree->count; i++) {
        json_decref(tree->nodes[i].event);
    }
    free(tree->nodes);
    *tree = (struct tree){0};
}

/* ---- Links ---- */

static void link_parents(struct tree *tree)
{
    json_t *places = json_object(); /* event_id to position */
    for (size_t i = 0; i < tree->count; i++) {
        const char *id = show_member_text(tree->nodes[i].event, "event_id");
        if (id[0] != '\0') {
            (void)json_object_set_new(places, id, json_integer((json_int_t)i));
        }
    }
    for (size_t i = 0; i < tree->count; i++) {
        const char *parent = show_member_text(tree->nodes[i].event, "parent_event_id");
        const json_t *place = json_object_get(places, parent);
        size_t at = place == NULL ? SIZE_MAX : (size_t)json_integer_value(place);
        tree->nodes[i].parent = at == i ? SIZE_MAX : at;
    }
    json_decref(places);
    for (size_t i = tree->count; i > 0; i--) { /* from behind: each list begins with the oldest */
        struct tree_node *node = &tree->nodes[i - 1];
        if (node->parent != SIZE_MAX) {
            node->next = tree->nodes[node->parent].children;
            tree->nodes[node->parent].children = i - 1;
        }
    }
}

/* ---- Drawing ---- */

static int64_t time_of(const json_t *event)
{
    int64_t us = 0;
    const char *text = show_member_text(event, "event_timestamp");
    return time_parse_rfc3339(slice_from_cstr(text), &us) ? us : 0;
}

static enum colour colour_of_service(const char *service)
{
    static const enum colour colours[] = {COLOUR_CYAN, COLOUR_MAGENTA, COLOUR_BLUE, COLOUR_GREEN,
                                          COLOUR_YELLOW};
    unsigned sum = 0;
    for (; *service != '\0'; service++) {
        sum = sum * 31 + (uint8_t)*service;
    }
    return colours[sum % COUNT_OF(colours)];
}

static void append_offset(struct buf *out, int64_t us)
{
    struct buf number CLEANUP(buf_release) = BUF_INIT(64);
    uint64_t ms = us < 0 ? 0 : (uint64_t)us / 1000;
    if (ms < 10000) {
        buf_append_format(&number, "+%llu ms", (unsigned long long)ms);
    } else {
        buf_append_byte(&number, '+');
        screen_duration(&number, ms / 1000);
    }
    screen_spaces(out, number.len < 10 ? 10 - number.len : 0);
    buf_append(out, buf_slice(&number));
    buf_append_cstr(out, "  ");
}

static void write_node(const struct tree_node *node, int64_t first_us, const struct screen *screen,
                       struct buf *out)
{
    struct buf words CLEANUP(buf_release) = BUF_INIT(KIB(64));
    const char *service = show_member_text(node->event, "service");
    const char *outcome = show_member_text(node->event, "event_outcome");
    screen_colour(screen, out, COLOUR_DIM);
    append_offset(out, time_of(node->event) - first_us);
    screen_colour(screen, out, colour_of_service(service));
    size_t used = screen_text(out, slice_from_cstr(service), SERVICE_COLUMNS);
    screen_colour(screen, out, COLOUR_PLAIN);
    screen_spaces(out, SERVICE_COLUMNS - used + 2);

    size_t depth = node->depth > DEPTH_SHOWN_MAX ? DEPTH_SHOWN_MAX : node->depth;
    screen_spaces(out, depth > 0 ? (depth - 1) * 3 : 0);
    buf_append_cstr(out, depth > 0 ? "└─ " : "");
    buf_append_format(&words, "%s  %s", show_member_text(node->event, "event_type"),
                      show_actor_of(node->event));
    buf_append_cstr(&words, "  ");
    show_resource(&words, node->event);
    size_t before = 12 + SERVICE_COLUMNS + 2 + depth * 3 + 10;
    size_t width = screen->width > before + 20 ? screen->width - before : 20;
    (void)screen_text(out, buf_slice(&words), width);
    if (outcome[0] != '\0') {
        buf_append_cstr(out, "  ");
        screen_colour(screen, out, show_colour_of(node->event));
        (void)screen_text(out, slice_from_cstr(outcome), 10);
        screen_colour(screen, out, COLOUR_PLAIN);
    }
    buf_append_byte(out, '\n');
}

/* Takes the next child that was not drawn; SIZE_MAX: none. */
static size_t take_child(struct tree *tree, size_t parent)
{
    size_t child = tree->nodes[parent].children;
    while (child != SIZE_MAX && tree->nodes[child].is_drawn) {
        child = tree->nodes[child].next;
    }
    tree->nodes[parent].children = child == SIZE_MAX ? SIZE_MAX : tree->nodes[child].next;
    return child;
}

/* Depth first without recursion: a chain of links may be as long as the timeline. */
static void write_below(struct tree *tree, size_t root, int64_t first_us,
                        const struct screen *screen, struct buf *out)
{
    size_t at = root;
    tree->nodes[root].depth = 0;
    tree->nodes[root].is_drawn = true;
    write_node(&tree->nodes[root], first_us, screen, out);
    for (;;) {
        size_t child = take_child(tree, at);
        if (child != SIZE_MAX) {
            tree->nodes[child].depth = tree->nodes[at].depth + 1;
            tree->nodes[child].is_drawn = true;
            write_node(&tree->nodes[child], first_us, screen, out);
            at = child;
        } else if (at == root) {
            return;
        } else {
            at = tree->nodes[at].parent;
        }
    }
}

void tree_write(struct tree *tree, const struct screen *screen, struct buf *out)
{
    if (tree->count == 0) {
        return;
    }
    int64_t first_us = time_of(tree->nodes[0].event);
    link_parents(tree);
    for (size_t i = 0; i < tree->count; i++) {
        if (tree->nodes[i].parent == SIZE_MAX) {
            write_below(tree, i, first_us, screen, out);
        }
    }
    for (size_t i = 0; i < tree->count; i++) {
        if (!tree->nodes[i].is_drawn) {
            write_below(tree, i, first_us, screen, out); /* a circle of links */
        }
    }
}
