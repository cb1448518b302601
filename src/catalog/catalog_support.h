/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * catalog_support - for the tests of this room and of those above it: a catalog in a temporary
 * directory with the first organisation in it, changes of one object each, and the events that
 * wait. Included by *_test.c only; what returns a json_t returns a new reference.
 *
 * Threads: one, but insert_as(), which any may call.
 */

#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/test.h"
#include "catalog/catalog.h"
#include "os/tempdir.h"

struct place {
    struct tempdir temp;
    struct dir *dir;
    struct catalog *catalog;
    size_t told, told_again; /* changes, by the first listener and the second */
};

static const struct catalog_author author = {
    .org = SLICE("default"),
    .changed_by = SLICE("a1b2c3d4"),
    .actor_type = SLICE("api_key"),
    .actor_id = SLICE("a1b2c3d4"),
    .request_id = SLICE("request-1"),
    .reason = SLICE("because"),
};

static inline json_t *parse(const char *text)
{
    json_t *value = json_loads(text, 0, NULL);
    assert_non_null(value);
    return value;
}

static inline json_t *hash_password(slice password)
{
    char text[64];
    (void)snprintf(text, sizeof(text), "hash of %zu bytes", password.len);
    return json_string(text);
}

static inline void count_change(void *context, const struct kind *kind, slice org, slice id)
{
    struct place *place = context;
    assert_non_null(kind);
    assert_true(org.len > 0 && id.len > 0);
    place->told++;
}

static inline void count_again(void *context, const struct kind *kind, slice org, slice id)
{
    struct place *place = context;
    assert_non_null(kind);
    assert_true(org.len > 0 && id.len > 0);
    place->told_again++;
    assert_int_equal(place->told_again, place->told); /* behind the first */
}

static inline void open_catalog(struct place *place)
{
    struct diag diag = {0};
    const struct catalog_options options = {
        .hide_key = {1, 2, 3},
        .hash_password = hash_password,
    };
    if (catalog_open(place->dir, &options, &place->catalog, &diag) != OK) {
        fail_msg("%s: %s", diag.where, diag.text);
    }
    catalog_listen(place->catalog, count_change, place);
    catalog_listen(place->catalog, count_again, place);
}

/* One change in a transaction of its own. */
static inline enum err insert_as(struct catalog *catalog, const struct catalog_author *who,
                                 const struct kind *kind, const char *text, const char *given_text,
                                 json_t **out, struct kind_errors *errors)
{
    json_t *sent = parse(text);
    json_t *given = given_text != NULL ? parse(given_text) : NULL;
    struct diag diag = {0};
    assert_int_equal(catalog_hash(catalog, kind, sent, &given, &diag), OK);
    assert_int_equal(catalog_begin(catalog, NULL), OK);
    const struct catalog_change change = {.kind = kind,
                                          .author = who,
                                          .sent = sent,
                                          .given = given};
    enum err e = catalog_insert(catalog, &change, out, errors, &diag);
    e = catalog_end(catalog, e, &diag);
    json_decref(sent);
    json_decref(given);
    return e;
}

static inline json_t *insert(struct place *place, const struct kind *kind, const char *text)
{
    struct kind_errors errors;
    json_t *object = NULL;
    enum err e = insert_as(place->catalog, &author, kind, text, NULL, &object, &errors);
    if (e != OK) {
        fail_msg("%s %s: %s", err_name(e), errors.list[0].pointer, errors.list[0].detail);
    }
    return object;
}

static inline const char *text_in(const json_t *object, const char *name)
{
    return json_string_value(json_object_get(object, name));
}

static inline int set_up(void **state)
{
    struct place *place = mem_zeroed(sizeof(*place));
    tempdir_init(&place->temp);
    assert_int_equal(dir_open(place->temp.path, false, &place->dir, NULL), OK);
    open_catalog(place);
    struct kind_errors errors;
    assert_int_equal(insert_as(place->catalog, &author, &kind_organizations,
                               "{\"name\":\"the first\"}", "{\"id\":\"default\"}", NULL, &errors),
                     OK);
    *state = place;
    return 0;
}

static inline int tear_down(void **state)
{
    struct place *place = *state;
    catalog_free(place->catalog);
    dir_free(place->dir);
    tempdir_release(&place->temp);
    free(place);
    return 0;
}

/* ---- Events ---- */

struct events {
    json_t *list;
    int64_t last;
};

static inline enum err take_event(void *context, const struct catalog_event *event)
{
    struct events *events = context;
    json_t *json = json_loadb((const char *)event->json.ptr, event->json.len, 0, NULL);
    assert_non_null(json);
    assert_true(event->position > events->last);
    events->last = event->position;
    (void)json_array_append_new(events->list, json);
    return OK;
}

static inline json_t *events_of(struct place *place)
{
    struct events events = {.list = json_array()};
    assert_int_equal(catalog_outbox(place->catalog, 10000, take_event, &events, NULL), OK);
    return events.list;
}

#define RULE                                                                                       \
    "{\"match_string\":\"x\",\"prod_handling\":\"p\",\"dev_handling\":\"d\","                      \
    "\"team_assignment\":\"t\"}"
