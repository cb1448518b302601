/* SPDX-License-Identifier: Apache-2.0 */
#include "show/show.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "kinds/kinds.h"
#include "show/texts.h"

enum { OBJECT_DEPTH_MAX = 8, NAME_BYTES_MAX = 256 };

const char *show_member_text(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text == NULL ? "" : text;
}

static const char *first_of(const json_t *object, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const char *text = show_member_text(object, names[i]);
        if (text[0] != '\0') {
            return text;
        }
    }
    return "";
}

const char *show_actor_of(const json_t *event)
{
    static const char *const names[] = {"actor_id", "actor_email", "actor_ip", "source_address"};
    return first_of(event, names, COUNT_OF(names));
}

void show_resource(struct buf *out, const json_t *event)
{
    static const char *const names[] = {"resource_name", "resource_id"};
    const char *type = show_member_text(event, "resource_type");
    const char *name = first_of(event, names, COUNT_OF(names));
    buf_append_cstr(out, type);
    buf_append_cstr(out, type[0] != '\0' && name[0] != '\0' ? " " : "");
    buf_append_cstr(out, name);
}

void show_time(struct buf *out, const char *rfc3339)
{
    size_t len = strlen(rfc3339);
    if (len < 24 || rfc3339[10] != 'T' || rfc3339[len - 1] != 'Z') {
        buf_append_cstr(out, rfc3339);
        return;
    }
    buf_append(out, (slice){(const uint8_t *)rfc3339, 10});
    buf_append_byte(out, ' ');
    buf_append(out, (slice){(const uint8_t *)rfc3339 + 11, 12});
}

void show_cell(struct table *table, const json_t *value)
{
    struct buf text CLEANUP(buf_release) = BUF_INIT(KIB(64));
    if (json_is_string(value)) {
        show_time(&text, json_string_value(value));
    } else if (value == NULL || json_is_null(value)) {
        buf_append_byte(&text, '-');
    } else {
        char *dumped = json_dumps(value, KIND_JSON);
        buf_append_cstr(&text, dumped == NULL ? "" : dumped);
        free(dumped);
    }
    table_add(table, buf_slice(&text), COLOUR_PLAIN);
}

struct word_colour {
    const char *word;
    enum colour colour;
};

static enum colour colour_of_word(const struct word_colour *words, size_t count, const char *word)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(words[i].word, word) == 0) {
            return words[i].colour;
        }
    }
    return COLOUR_PLAIN;
}

enum colour show_colour_of(const json_t *event)
{
    static const struct word_colour outcomes[] = {
        {"failure", COLOUR_RED},
        {"denied", COLOUR_RED},
        {"pending", COLOUR_YELLOW},
    };
    static const struct word_colour severities[] = {
        {"warning", COLOUR_YELLOW}, {"medium", COLOUR_YELLOW}, {"error", COLOUR_RED},
        {"high", COLOUR_RED},       {"critical", COLOUR_RED},  {"alert", COLOUR_RED},
        {"emergency", COLOUR_RED},  {"debug", COLOUR_DIM},
    };
    enum colour colour =
        colour_of_word(outcomes, COUNT_OF(outcomes), show_member_text(event, "event_outcome"));
    if (colour == COLOUR_PLAIN) {
        colour =
            colour_of_word(severities, COUNT_OF(severities), show_member_text(event, "severity"));
    }
    return colour;
}

/* ---- Events ---- */

static void add_text(void *event, slice name, slice text)
{
    (void)json_object_setn_new(event, (const char *)name.ptr, name.len,
                               json_stringn((const char *)text.ptr, text.len));
}

json_t *show_event(slice json)
{
    json_t *event = json_object();
    if (texts_visit(json, add_text, event) != OK) {
        json_decref(event);
        return NULL;
    }
    return event;
}

void show_events_init(struct table *table, const struct screen *screen)
{
    static const struct table_column columns[] = {
        {"TIME", COLUMN_TEXT},     {"TYPE", COLUMN_TEXT},    {"ACTOR", COLUMN_TEXT},
        {"RESOURCE", COLUMN_TEXT}, {"OUTCOME", COLUMN_TEXT},
    };
    table_init(table, screen, columns, COUNT_OF(columns));
}

static slice text_or_dash(const char *text)
{
    return slice_from_cstr(text[0] == '\0' ? "-" : text);
}

void show_events_add(struct table *table, slice json)
{
    struct buf text CLEANUP(buf_release) = BUF_INIT(KIB(64));
    json_t *event = show_event(json);
    if (event == NULL) {
        return;
    }
    enum colour colour = show_colour_of(event);
    show_time(&text, show_member_text(event, "event_timestamp"));
    table_add(table, buf_slice(&text), COLOUR_DIM);
    table_add(table, text_or_dash(show_member_text(event, "event_type")), COLOUR_PLAIN);
    table_add(table, text_or_dash(show_actor_of(event)), COLOUR_CYAN);
    buf_clear(&text);
    show_resource(&text, event);
    table_add(table, text_or_dash(buf_cstr(&text)), COLOUR_PLAIN);
    const char *outcome = show_member_text(event, "event_outcome");
    const char *severity = show_member_text(event, "severity");
    table_add(table, text_or_dash(outcome[0] != '\0' ? outcome : severity), colour);
    json_decref(event);
}

/* ---- Objects of any shape ---- */

static void add_scalars(struct table *table, json_t *value, const char *name, int depth)
{
    if (json_object_size(value) > 0 && depth < OBJECT_DEPTH_MAX) {
        const char *key = NULL;
        json_t *member = NULL;
        json_object_foreach(value, key, member)
        {
            char below[NAME_BYTES_MAX];
            (void)snprintf(below, sizeof(below), "%s%s%s", name, name[0] == '\0' ? "" : ".", key);
            add_scalars(table, member, below, depth + 1);
        }
        return;
    }
    char *text = json_is_string(value) ? NULL : json_dumps(value, KIND_JSON);
    table_add(table, slice_from_cstr(name), COLOUR_BOLD);
    table_add(table,
              slice_from_cstr(json_is_string(value) ? json_string_value(value)
                              : text == NULL        ? ""
                                                    : text),
              COLOUR_PLAIN);
    free(text);
}

void show_rows(const struct screen *screen, const struct table_column *columns, size_t column_count,
               const json_t *rows, void (*add)(struct table *table, const json_t *row),
               struct buf *out)
{
    struct table table;
    size_t i = 0;
    json_t *row = NULL;
    table_init(&table, screen, columns, column_count);
    json_array_foreach(rows, i, row)
    {
        add(&table, row);
    }
    table_write(&table, out);
    table_release(&table);
}

void show_object(const struct screen *screen, json_t *object, struct buf *out)
{
    static const struct table_column columns[] = {{"NAME", COLUMN_WHOLE}, {"VALUE", COLUMN_WHOLE}};
    struct table table;
    table_init(&table, screen, columns, COUNT_OF(columns));
    add_scalars(&table, object, "", 0);
    table_write(&table, out);
    table_release(&table);
}

void show_json_lines(const struct screen *screen, const json_t *objects, struct buf *out)
{
    size_t i = 0;
    json_t *object = NULL;
    json_array_foreach(objects, i, object)
    {
        char *line = json_dumps(object, KIND_JSON);
        screen_json_line(screen, out, slice_from_cstr(line == NULL ? "" : line));
        free(line);
    }
}
