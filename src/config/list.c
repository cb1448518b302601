/* SPDX-License-Identifier: Apache-2.0 */
/*
 * list - lists of objects of configuration, the same for every kind.
 *
 * A cursor holds where the last object of the page stands in the order of its kind, so that objects
 * that come and go elsewhere move nothing; and a hash of what the list was asked for.
 */
#include <stdlib.h>

#include "base/hash.h"
#include "codec/wire.h"
#include "config/internal.h"
#include "config/legacy_config.h"
#include "gate/auth.h"
#include "query/cursor.h"

enum {
    LIMIT_DEFAULT = 100,
    LEGACY_OBJECTS_MAX = 10000, /* of a list of 1.0, which is whole */
    CURSOR_BYTES_MAX = 4096,
    HASH_BYTES = 8,
};

/* ---- What is asked for ---- */

struct listing {
    const struct kind *kind;
    struct catalog_list list;
    uint64_t page; /* 0: not asked for */
    slice cursor;  /* empty: none */
    json_t *after; /* what it says; NULL: nothing */
    bool has_part; /* one page of it is asked for */
};

static enum err take_number(slice value, const char *name, uint64_t least, uint64_t most,
                            uint64_t *out, struct diag *diag)
{
    return slice_parse_u64(value, out) && *out >= least && *out <= most
               ? OK
               : diag_fail(diag, ERR_INVALID, name, "expected a number from %llu to %llu",
                           (unsigned long long)least, (unsigned long long)most);
}

static enum err take_filter(const struct kind *kind, const struct http_param *param,
                            struct listing *listing, struct diag *diag)
{
    const struct kind_field *field = kind_field(kind, param->name);
    if (field == NULL || (field->flags & KIND_SEARCHED) == 0) {
        return diag_fail(diag, ERR_INVALID, "", "%.*s is no parameter of this list",
                         SLICE_ARG(param->name));
    }
    if (listing->list.filter_count == CATALOG_FILTERS_MAX) {
        return diag_fail(diag, ERR_INVALID, field->name, "too many parameters");
    }
    size_t at = listing->list.filter_count++;
    listing->list.filters[at].field = field;
    listing->list.filters[at].value = param->value;
    return OK;
}

/* Parameters of other parts of the server. */
static bool is_foreign(slice name)
{
    return slice_equal(name, SLICE("org")) || slice_equal(name, SLICE("api_key")) ||
           slice_equal(name, SLICE("api_version"));
}

static enum err take_param(const struct http_param *param, struct listing *listing,
                           struct diag *diag)
{
    uint64_t number = 0;
    bool had_part = listing->has_part;
    listing->has_part = true;
    if (slice_equal(param->name, SLICE("limit"))) {
        TRY(take_number(param->value, "limit", 1, CATALOG_LIST_MAX, &number, diag));
        listing->list.limit = (uint32_t)number;
        return OK;
    }
    if (slice_equal(param->name, SLICE("offset"))) {
        return take_number(param->value, "offset", 0, UINT32_MAX, &listing->list.offset, diag);
    }
    if (slice_equal(param->name, SLICE("page"))) {
        return take_number(param->value, "page", 1, UINT32_MAX, &listing->page, diag);
    }
    if (slice_equal(param->name, SLICE("cursor"))) {
        listing->cursor = param->value;
        return OK;
    }
    listing->has_part = had_part;
    if (slice_equal(param->name, SLICE("total"))) {
        listing->list.wants_total = slice_equal(param->value, SLICE("exact"));
        return OK;
    }
    return is_foreign(param->name) ? OK : take_filter(listing->kind, param, listing, diag);
}

/* ---- Cursors ---- */

/* Of all that a cursor may not be moved between, the order of the kind included. */
static uint64_t fingerprint(const struct listing *listing)
{
    const struct kind *kind = listing->kind;
    uint64_t hash = hash_bytes(slice_from_cstr(kind->name), HASH_STORED);
    for (size_t i = 0; i < KIND_ORDER_MAX && kind->order[i] != NULL; i++) {
        hash = hash_bytes(slice_from_cstr(kind->order[i]), hash);
    }
    hash = hash_bytes(listing->list.org, hash);
    for (size_t i = 0; i < listing->list.filter_count; i++) {
        hash = hash_bytes(slice_from_cstr(listing->list.filters[i].field->name), hash);
        hash = hash_bytes(listing->list.filters[i].value, hash);
    }
    return hash;
}

static enum err use_cursor(const struct http_request *request, struct listing *listing,
                           struct diag *diag)
{
    CLEANUP(buf_release) struct buf bytes = BUF_INIT(CURSOR_BYTES_MAX);
    if (cursor_unseal(CURSOR_OF_OBJECTS, listing->cursor, api_of(request)->cursor_key, &bytes) !=
            OK ||
        bytes.len < HASH_BYTES) {
        return diag_fail(diag, ERR_INVALID, "cursor", "expected a next_cursor as it was given");
    }
    if (wire_get_u64le(bytes.ptr) != fingerprint(listing)) {
        return diag_fail(diag, ERR_INVALID, "cursor", "belongs to another list");
    }
    if (listing->list.offset > 0 || listing->page > 0) {
        return diag_fail(diag, ERR_INVALID, "cursor", "goes neither with offset nor with page");
    }
    listing->after =
        json_loadb((const char *)bytes.ptr + HASH_BYTES, bytes.len - HASH_BYTES, 0, NULL);
    listing->list.after = listing->after;
    return OK;
}

/* Empty where no page follows. */
static void make_cursor(const struct http_request *request, const struct listing *listing,
                        const json_t *last, struct buf *out)
{
    CLEANUP(buf_release) struct buf bytes = BUF_INIT(CURSOR_BYTES_MAX);
    uint8_t hash[HASH_BYTES];
    json_t *position = catalog_position(listing->kind, last);
    char *text = json_dumps(position, JSON_COMPACT);
    ASSERT(text != NULL);
    wire_put_u64le(hash, fingerprint(listing));
    buf_append(&bytes, (slice){hash, sizeof(hash)});
    buf_append_cstr(&bytes, text);
    cursor_seal(CURSOR_OF_OBJECTS, buf_slice(&bytes), api_of(request)->cursor_key, out);
    ASSERT(!bytes.failed && !out->failed); /* the fields of an order are short */
    free(text);
    json_decref(position);
}

static enum err take_listing(const struct http_request *request, struct listing *listing,
                             struct diag *diag)
{
    *listing = (struct listing){.kind = config_kind(request), .list = {.limit = LIMIT_DEFAULT}};
    TRY(config_org(request, &listing->list.org, diag));
    for (size_t i = 0; i < request->query_count; i++) {
        TRY(take_param(&request->query[i], listing, diag));
    }
    if (listing->cursor.len > 0) {
        TRY(use_cursor(request, listing, diag));
    }
    if (listing->page > 0) {
        listing->list.offset = (listing->page - 1) * listing->list.limit;
        listing->list.wants_total = true;
    }
    return OK;
}

/* ---- The answer ---- */

struct found {
    json_t *objects;
    bool has_more;
    uint64_t total;
};

static json_t *page_member(const struct listing *listing, const struct found *found,
                           const char *cursor)
{
    json_int_t limit = (json_int_t)listing->list.limit;
    json_int_t total = (json_int_t)found->total;
    if (listing->page > 0) {
        return json_pack("{s:I, s:I, s:I, s:I}", "page", (json_int_t)listing->page, "limit", limit,
                         "total", total, "pages", (total + limit - 1) / limit);
    }
    json_t *page = json_pack("{s:I, s:b, s:s?}", "limit", limit, "has_more", found->has_more,
                             "next_cursor", found->has_more ? cursor : NULL);
    if (listing->list.wants_total) {
        (void)json_object_set_new(page, "total", json_integer(total));
    }
    return page;
}

static void answer(struct http_request *request, const struct listing *listing,
                   const struct found *found)
{
    CLEANUP(buf_release) struct buf cursor = BUF_INIT(2 * CURSOR_BYTES_MAX);
    size_t i = 0;
    json_t *object = NULL;
    json_t *data = json_array();
    if (found->has_more) {
        make_cursor(request, listing,
                    json_array_get(found->objects, json_array_size(found->objects) - 1), &cursor);
    }
    json_array_foreach(found->objects, i, object)
    {
        (void)json_array_append_new(data, config_show(request, object));
    }
    const struct legacy_kind *legacy = legacy_kind_of(request);
    json_t *value = json_object();
    (void)json_object_set_new(value, legacy != NULL ? legacy->list : "data", data);
    if (legacy == NULL || listing->page > 0) {
        (void)json_object_set_new(value, legacy != NULL ? "pagination" : "page",
                                  page_member(listing, found, buf_cstr(&cursor)));
    }
    api_link_next(request, buf_cstr(&cursor));
    config_answer(request, 200, value);
    json_decref(value);
}

/* The page, or all pages of a list of 1.0, which knows none. */
static enum err find(const struct http_request *request, struct listing *listing,
                     struct found *found, struct diag *diag)
{
    struct catalog *catalog = api_of(request)->catalog;
    bool is_whole = legacy_kind_of(request) != NULL && !listing->has_part;
    listing->list.limit = is_whole ? CATALOG_LIST_MAX : listing->list.limit;
    TRY(catalog_list(catalog, listing->kind, &listing->list, &found->objects, &found->has_more,
                     &found->total, diag));
    while (is_whole && found->has_more) {
        size_t count = json_array_size(found->objects);
        json_t *more = NULL;
        if (count >= LEGACY_OBJECTS_MAX) {
            return diag_fail(diag, ERR_LIMIT, "",
                             "there are more than %d: ask for pages of them "
                             "with page and limit",
                             LEGACY_OBJECTS_MAX);
        }
        json_decref(listing->after);
        listing->after = catalog_position(listing->kind, json_array_get(found->objects, count - 1));
        listing->list.after = listing->after;
        TRY(catalog_list(catalog, listing->kind, &listing->list, &more, &found->has_more,
                         &found->total, diag));
        (void)json_array_extend(found->objects, more);
        json_decref(more);
    }
    return OK;
}

void api_config_list(struct http_request *request)
{
    struct diag diag = {0};
    struct listing listing;
    struct found found = {0};
    enum err e = take_listing(request, &listing, &diag);
    if (e == OK) {
        e = find(request, &listing, &found, &diag);
    }
    if (e == OK) {
        answer(request, &listing, &found);
    } else {
        api_fail(request, e, &diag);
    }
    json_decref(found.objects);
    json_decref(listing.after);
}
