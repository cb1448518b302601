/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A record is checked once, made compact, and walked once: at each key, the rules that still agree
 * with the path stay in a set; the walk goes down only where that set is not empty.
 */
#include "formats/mapping.h"

#include "event/complete.h"

enum { DEPTH_DEFAULT = 64 };

/* N of UUIDv5(N, format + ":" + id): 6a1e0f4c-93d7-4b58-8c2e-5f07b9d3a641. */
static const struct uuid id_namespace = {{0x6a, 0x1e, 0x0f, 0x4c, 0x93, 0xd7, 0x4b, 0x58, 0x8c,
                                          0x2e, 0x5f, 0x07, 0xb9, 0xd3, 0xa6, 0x41}};

/* ---- Collecting ---- */

/* The rules of `live` whose key at `depth` is `key`. */
static uint64_t rules_with_key(const struct format *format, uint64_t live, uint32_t depth,
                               slice key)
{
    uint64_t agree = 0;
    for (uint64_t rest = live; rest != 0; rest &= rest - 1) {
        unsigned rule = (unsigned)__builtin_ctzll(rest);
        const struct mapping_rule *r = &format->rules[rule];
        if (depth < r->depth && slice_equal(r->keys[depth], key)) {
            agree |= UINT64_C(1) << rule;
        }
    }
    return agree;
}

/* A scalar at the end of the paths of `live`, which all have `depth` keys by now. */
static void keep_scalar(struct mapping *mapping, uint64_t live, uint32_t depth,
                        const struct json_item *item)
{
    struct json_value value = {0};
    switch (item->kind) {
    case JSON_STRING:
        value.kind = JSON_IS_STRING;
        value.raw = (slice){item->text.ptr - 1, item->text.len + 2};
        value.has_escapes = item->has_escapes;
        break;
    case JSON_NUMBER:
        value.kind = JSON_IS_NUMBER;
        value.raw = item->text;
        break;
    case JSON_TRUE:
        value.kind = JSON_IS_TRUE;
        break;
    case JSON_FALSE:
        value.kind = JSON_IS_FALSE;
        break;
    case JSON_NULL:
    case JSON_END:
    case JSON_ERROR:
    case JSON_OBJECT_BEGIN:
    case JSON_OBJECT_END:
    case JSON_ARRAY_BEGIN:
    case JSON_ARRAY_END:
    case JSON_KEY:
        return;
    }
    for (; live != 0; live &= live - 1) {
        unsigned rule = (unsigned)__builtin_ctzll(live);
        if (mapping->format->rules[rule].depth == depth) {
            mapping->values[rule] = value;
            mapping->found |= UINT64_C(1) << rule;
        }
    }
}

/* Walks the inside of the object or array just begun, `depth` keys down. */
static void collect(struct mapping *mapping, struct json_walk *walk, uint64_t live, uint32_t depth)
{
    struct json_item item;
    slice ignored;
    for (unsigned index = 0;; index++) {
        char number = (char)('0' + index);
        slice key = {(const uint8_t *)&number, index < 10 ? 1 : 0};
        struct json_walk before = *walk;
        enum json_item_kind kind = json_walk_next(walk, &item);
        if (kind == JSON_OBJECT_END || kind == JSON_ARRAY_END || kind == JSON_ERROR) {
            return;
        }
        if (kind == JSON_KEY) {
            key = item.text;
            before = *walk;
        }
        uint64_t agree = rules_with_key(mapping->format, live, depth, key);
        if (agree == 0) {
            *walk = before;
            if (!json_walk_value(walk, &ignored)) {
                return;
            }
            continue;
        }
        kind = item.kind == JSON_KEY ? json_walk_next(walk, &item) : kind;
        if (kind == JSON_OBJECT_BEGIN || kind == JSON_ARRAY_BEGIN) {
            collect(mapping, walk, agree, depth + 1); /* ends: no rule has more keys than the max */
        } else {
            keep_scalar(mapping, agree, depth + 1, &item);
        }
    }
}

/* ---- Setting ---- */

bool mapping_text(struct mapping *mapping, size_t rule, slice *out)
{
    const struct json_value *value = &mapping->values[rule];
    return (mapping->found >> rule & 1) != 0 && value->kind == JSON_IS_STRING &&
           text_from_json(value, mapping->arena, out) == OK && out->len > 0;
}

bool mapping_set(struct mapping *mapping, enum field field, slice text)
{
    union value value;
    if (value_from_text(field, text, mapping->arena, &value, NULL) != OK) {
        return false;
    }
    mapping->event->value[field] = value;
    mapping->event->present |= FIELD_BIT(field);
    return true;
}

enum err mapping_set_id(struct mapping *mapping, slice foreign_id)
{
    slice format = mapping->format->name;
    size_t len = format.len + 1 + foreign_id.len;
    if (mapping_set(mapping, FIELD_EVENT_ID, foreign_id)) {
        return OK;
    }
    uint8_t *name = arena_take(mapping->arena, len);
    if (name == NULL) {
        return diag_fail(mapping->diag, ERR_LIMIT, "", "the record takes too much memory");
    }
    memcpy(name, format.ptr, format.len);
    name[format.len] = ':';
    memcpy(name + format.len + 1, foreign_id.ptr, foreign_id.len);
    mapping->event->value[FIELD_EVENT_ID].uuid = uuid_make_v5(&id_namespace, (slice){name, len});
    mapping->event->present |= FIELD_BIT(FIELD_EVENT_ID);
    return OK;
}

static void apply_rules(struct mapping *mapping)
{
    for (uint64_t rest = mapping->found; rest != 0; rest &= rest - 1) {
        unsigned rule = (unsigned)__builtin_ctzll(rest);
        enum field field = mapping->format->rules[rule].field;
        union value value;
        if (field != FIELD_COUNT && !event_has(mapping->event, field) &&
            value_from_json(field, &mapping->values[rule], mapping->arena, &value, NULL) == OK) {
            mapping->event->value[field] = value;
            mapping->event->present |= FIELD_BIT(field);
        }
    }
}

/* The checked record, compact, as event_data. */
static enum err take_record(struct mapping *mapping, slice record, uint32_t depth_max)
{
    struct json_value body;
    TRY(json_check(record, depth_max, mapping->arena, &body, mapping->diag));
    if (body.kind != JSON_IS_OBJECT) {
        return diag_fail(mapping->diag, ERR_INVALID, "", "must be an object");
    }
    if (body.depth + 1 > depth_max) {
        return diag_fail(mapping->diag, ERR_INVALID, "", "is nested too deep to be kept");
    }
    union value value;
    enum err e = value_from_json(FIELD_EVENT_DATA, &body, mapping->arena, &value, NULL);
    if (e != OK) {
        return diag_fail(mapping->diag, e, "", "must have at most %u bytes",
                         fields[FIELD_EVENT_DATA].max);
    }
    mapping->event->value[FIELD_EVENT_DATA] = value;
    mapping->event->present = FIELD_BIT(FIELD_EVENT_DATA);
    return OK;
}

enum err format_read(const struct format *format, slice record, const struct read_options *options,
                     struct arena *arena, struct event *out, uint64_t *sent_out, struct diag *diag)
{
    struct mapping mapping;
    mapping.format = format;
    mapping.arena = arena;
    mapping.event = out;
    mapping.diag = diag;
    mapping.found = 0;
    if (record.len > READ_LINE_BYTES_MAX) {
        return diag_fail(diag, ERR_LIMIT, "", "must have at most %d bytes", READ_LINE_BYTES_MAX);
    }
    TRY(take_record(&mapping, record,
                    options->depth_max == 0 ? DEPTH_DEFAULT : options->depth_max));
    struct json_walk walk;
    struct json_item item;
    json_walk_init(&walk, out->value[FIELD_EVENT_DATA].text);
    (void)json_walk_next(&walk, &item);
    collect(&mapping, &walk, (UINT64_C(1) << format->rule_count) - 1, 0);
    apply_rules(&mapping);
    TRY(format->finish(&mapping));
    if (options->header_correlation_id.len > 0 && !event_has(out, FIELD_CORRELATION_ID)) {
        (void)mapping_set(&mapping, FIELD_CORRELATION_ID, options->header_correlation_id);
    }

    uint64_t sent = out->present;
    struct read_options completed = *options;
    completed.source_format =
        options->source_format.len > 0 ? options->source_format : format->name;
    TRY(event_complete(&completed, out, diag));
    *sent_out = sent;
    return OK;
}
