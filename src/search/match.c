/* SPDX-License-Identifier: Apache-2.0 */
#include "search/match.h"

#include "base/mem.h"
#include "columns/codes.h"
#include "columns/column.h"
#include "columns/row_set.h"
#include "filter/tokens.h"
#include "search/uuid_words.h"

enum { TILE_WORDS = ROWS_TILE / 64, TABLE_BITS = ROWS_MAX + 64 };

struct matcher {
    const struct rows *rows;
    uint32_t count;
    struct match_bounds *spare; /* one for each level of the filter */
    uint64_t *table;            /* TABLE_BITS: codes that match */
};

static void match_node(struct matcher *matcher, const struct filter *filter, uint32_t level,
                       struct match_bounds *out);

/* ---- Text columns ---- */

static slice value_at(const struct rows_text_column *column, uint32_t index, char *scratch)
{
    return column->ops->text_value(column, index, scratch);
}

static slice beginning_of(slice value, size_t len)
{
    return (slice){value.ptr, value.len < len ? value.len : len};
}

/* The first value whose beginning is at or (`behind`) behind `prefix`, or, with `whole`, that
 * is. */
static uint32_t search(const struct rows_text_column *column, slice wanted, bool whole, bool behind)
{
    char scratch[ROWS_TEXT_SCRATCH_BYTES];
    uint32_t low = 0;
    uint32_t high = column->value_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        slice value = value_at(column, middle, scratch);
        int order = slice_compare(whole ? value : beginning_of(value, wanted.len), wanted);
        if (order < 0 || (behind && order == 0)) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static bool is_search(const struct filter *leaf)
{
    return (leaf->op == FILTER_EQUAL && leaf->network.byte_count == 0) || leaf->op == FILTER_PREFIX;
}

static void add_values(const struct matcher *matcher, const struct rows_text_column *column,
                       uint32_t first, uint32_t n, struct row_set *out)
{
    if (n > 0) {
        codes_in_range(column, matcher->count, first + (column->has_absent ? 1 : 0), n, out);
    }
}

static void add_scanned(const struct matcher *matcher, const struct rows_text_column *column,
                        const struct filter *leaf, struct row_set *out)
{
    char scratch[ROWS_TEXT_SCRATCH_BYTES];
    uint32_t found = 0;
    uint32_t last = 0;
    memset(matcher->table, 0, TABLE_BITS / 8);
    for (uint32_t index = 0; index < column->value_count; index++) {
        slice value = value_at(column, index, scratch);
        if (value.ptr == NULL || !filter_leaf_text(leaf, value)) {
            continue;
        }
        uint32_t code = index + (column->has_absent ? 1 : 0);
        matcher->table[code / 64] |= UINT64_C(1) << (code % 64);
        last = index;
        found++;
    }
    if (found == 1) {
        add_values(matcher, column, last, 1, out);
    } else if (found > 1) {
        codes_in_table(column, matcher->count, matcher->table, TABLE_BITS, out);
    }
}

/* Adds the rows whose value of a text column matches. */
static void add_text(const struct matcher *matcher, enum field field, const struct filter *leaf,
                     struct row_set *out)
{
    struct rows_text_column column;
    if (!matcher->rows->ops->text_column(matcher->rows, field, &column)) {
        return;
    }
    ASSERT(column.value_count <= ROWS_MAX);
    if (leaf->op == FILTER_PRESENT) {
        add_values(matcher, &column, 0, column.value_count, out);
    } else if (column.is_sorted && is_search(leaf)) {
        bool whole = leaf->op == FILTER_EQUAL;
        uint32_t from = search(&column, leaf->text, whole, false);
        uint32_t to = search(&column, leaf->text, whole, true);
        add_values(matcher, &column, from, to > from ? to - from : 0, out);
    } else {
        add_scanned(matcher, &column, leaf, out);
    }
}

/* ---- Numbers ---- */

/* The numbers for which a leaf holds: [*low, *high]. False: none. */
static bool range_of(const struct filter *leaf, int64_t *low, int64_t *high)
{
    *low = ROWS_ABSENT + 1;
    *high = INT64_MAX;
    switch (leaf->op) {
    case FILTER_EQUAL:
        *low = leaf->number;
        *high = leaf->number;
        break;
    case FILTER_LESS:
        *high = leaf->number == INT64_MIN ? INT64_MIN : leaf->number - 1;
        break;
    case FILTER_LESS_EQUAL:
        *high = leaf->number;
        break;
    case FILTER_GREATER:
        *low = leaf->number == INT64_MAX ? INT64_MAX : leaf->number + 1;
        return leaf->number != INT64_MAX;
    case FILTER_GREATER_EQUAL:
        *low = leaf->number;
        break;
    case FILTER_PRESENT:
        break;
    case FILTER_ALL:
    case FILTER_AND:
    case FILTER_OR:
    case FILTER_NOT:
    case FILTER_PREFIX:
    case FILTER_REGEX:
    case FILTER_WORDS:
        return false;
    }
    *low = *low == ROWS_ABSENT ? ROWS_ABSENT + 1 : *low;
    return *low <= *high;
}

static uint64_t numbers_in_range(const int64_t *numbers, uint32_t n, int64_t low, int64_t high)
{
    uint64_t bits = 0;
    for (uint32_t i = 0; i < n; i++) {
        bits |= (uint64_t)(numbers[i] >= low && numbers[i] <= high) << i;
    }
    return bits;
}

static void add_numbers(const struct matcher *matcher, enum field field, const struct filter *leaf,
                        struct row_set *out)
{
    const struct rows *rows = matcher->rows;
    int64_t low = 0;
    int64_t high = 0;
    if (!range_of(leaf, &low, &high)) {
        return;
    }
    if (field == FIELD_EVENT_TIMESTAMP && (rows->time_min_us > high || rows->time_max_us < low)) {
        return;
    }
    if (field == FIELD_EVENT_TIMESTAMP && rows->time_min_us >= low && rows->time_max_us <= high) {
        row_set_fill(out, matcher->count);
        return;
    }
    for (uint32_t first = 0; first < matcher->count; first += ROWS_TILE) {
        int64_t numbers[ROWS_TILE];
        uint32_t n = matcher->count - first < ROWS_TILE ? matcher->count - first : ROWS_TILE;
        if (!rows->ops->numbers(rows, field, first, n, numbers)) {
            return;
        }
        for (uint32_t i = 0; i < n; i += 64) {
            out->words[(first + i) / 64] |=
                numbers_in_range(numbers + i, n - i < 64 ? n - i : 64, low, high);
        }
    }
}

/* ---- Ids ---- */

static void add_ids(const struct matcher *matcher, const struct filter *leaf, struct row_set *out)
{
    const struct rows *rows = matcher->rows;
    if (leaf->op == FILTER_PRESENT) {
        row_set_fill(out, matcher->count);
        return;
    }
    for (uint32_t row = 0; row < matcher->count; row++) {
        struct uuid id;
        rows->ops->id(rows, row, &id);
        if (filter_leaf_uuid(leaf, &id)) {
            row_set_add(out, row);
        }
    }
}

static void add_id_words(const struct matcher *matcher, const struct filter *leaf,
                         struct row_set *out)
{
    const struct rows *rows = matcher->rows;
    struct uuid_words words;
    uuid_words_find(leaf->text, &words);
    for (uint32_t row = 0; row < matcher->count && words.count > 0; row++) {
        struct uuid id;
        rows->ops->id(rows, row, &id);
        if (uuid_words_match(&words, &id)) {
            row_set_add(out, row);
        }
    }
}

/* ---- Inside event_data and event_metadata ---- */

static void narrow(const struct rows *rows, const struct leaf_tokens *tokens, uint64_t tiles[4])
{
    for (size_t i = 0; i < tokens->count; i++) {
        uint64_t any[4] = {0};
        for (size_t j = 0; j < tokens->all_of[i].count; j++) {
            uint64_t of_this[4];
            memcpy(of_this, tiles, sizeof(of_this));
            rows->ops->bloom(rows, tokens->all_of[i].any_of[j], of_this);
            for (size_t word = 0; word < 4; word++) {
                any[word] |= of_this[word];
            }
        }
        memcpy(tiles, any, sizeof(any));
    }
}

static bool is_literal(slice text)
{
    return slice_equal(text, SLICE("true")) || slice_equal(text, SLICE("false")) ||
           slice_equal(text, SLICE("null"));
}

static void narrow_words(const struct rows *rows, slice text, uint64_t tiles[4])
{
    const struct filter words = {.op = FILTER_WORDS, .target = FILTER_ON_ANY, .text = text};
    struct leaf_tokens tokens;
    tokens_of_leaf(&words, &tokens);
    narrow(rows, &tokens, tiles);
}

/* Tiles that may hold what a leaf looks for in JSON. A string that is equal to the operand has its
 * words too, which is a second, independent question; numbers and literals have none. */
static void find_tiles(const struct rows *rows, const struct filter *leaf, uint64_t tiles[4])
{
    struct leaf_tokens tokens;
    memset(tiles, 0xff, 4 * sizeof(*tiles));
    tokens_of_leaf(leaf, &tokens);
    if (leaf->op != FILTER_EQUAL || tokens.count == 0) {
        narrow(rows, &tokens, tiles);
        return;
    }
    uint64_t numbers[4] = {0};
    if (tokens.all_of[0].count > 1) {
        memset(numbers, 0xff, sizeof(numbers));
        rows->ops->bloom(rows, tokens.all_of[0].any_of[1], numbers);
    }
    rows->ops->bloom(rows, tokens.all_of[0].any_of[0], tiles);
    if (!is_literal(leaf->text)) {
        narrow_words(rows, leaf->text, tiles);
    }
    for (size_t word = 0; word < 4; word++) {
        tiles[word] |= numbers[word];
    }
}

static void add_tiles(const uint64_t tiles[4], struct row_set *out)
{
    for (uint32_t tile = 0; tile < ROWS_TILES_MAX; tile++) {
        if ((tiles[tile / 64] >> (tile % 64) & 1) != 0) {
            memset(&out->words[(size_t)tile * TILE_WORDS], 0xff, TILE_WORDS * sizeof(uint64_t));
        }
    }
}

/* ---- Leaves ---- */

static void match_field(const struct matcher *matcher, const struct filter *leaf,
                        struct match_bounds *out)
{
    if (field_is_text_column(leaf->field)) {
        add_text(matcher, leaf->field, leaf, &out->must);
    } else if (field_is_number_column(leaf->field)) {
        add_numbers(matcher, leaf->field, leaf, &out->must);
    } else if (leaf->field == FIELD_EVENT_ID) {
        add_ids(matcher, leaf, &out->must);
    } else {
        row_set_fill(&out->may, matcher->count); /* whether there is any JSON, the row knows */
        return;
    }
    out->may = out->must;
}

static void match_words(const struct matcher *matcher, const struct filter *leaf,
                        struct match_bounds *out)
{
    uint64_t tiles[4];
    for (uint64_t left = filter_words_fields(); left != 0; left &= left - 1) {
        enum field field = (enum field)__builtin_ctzll(left);
        if (field == FIELD_EVENT_ID) {
            add_id_words(matcher, leaf, &out->must);
        } else {
            add_text(matcher, field, leaf, &out->must);
        }
    }
    out->may = out->must;
    find_tiles(matcher->rows, leaf, tiles);
    add_tiles(tiles, &out->may);
}

static void match_leaf(const struct matcher *matcher, const struct filter *leaf,
                       struct match_bounds *out)
{
    uint64_t tiles[4];
    memset(out, 0, sizeof(*out));
    switch (leaf->target) {
    case FILTER_ON_FIELD:
        match_field(matcher, leaf, out);
        break;
    case FILTER_ON_DATA:
    case FILTER_ON_METADATA:
        find_tiles(matcher->rows, leaf, tiles);
        add_tiles(tiles, &out->may);
        break;
    case FILTER_ON_ANY:
        match_words(matcher, leaf, out);
        break;
    }
}

/* ---- AND, OR, NOT ---- */

/* Those that go through whole dictionaries are asked last, when there may be nothing left to
 * ask. */
static bool is_costly(const struct filter *filter)
{
    if (filter->op == FILTER_WORDS || filter->op == FILTER_REGEX) {
        return true;
    }
    for (size_t i = 0; i < filter->child_count; i++) {
        if (is_costly(filter->children[i])) {
            return true;
        }
    }
    return false;
}

static void match_and(struct matcher *matcher, const struct filter *filter, uint32_t level,
                      struct match_bounds *out)
{
    struct match_bounds *child = &matcher->spare[level];
    row_set_fill(&out->must, matcher->count);
    row_set_fill(&out->may, matcher->count);
    for (int costly = 0; costly < 2; costly++) {
        for (size_t i = 0; i < filter->child_count; i++) {
            if (is_costly(filter->children[i]) != (costly == 1)) {
                continue;
            }
            if (row_set_is_empty(&out->may)) {
                return;
            }
            match_node(matcher, filter->children[i], level + 1, child);
            row_set_and(&out->must, &child->must);
            row_set_and(&out->may, &child->may);
        }
    }
}

static void match_or(struct matcher *matcher, const struct filter *filter, uint32_t level,
                     struct match_bounds *out)
{
    struct match_bounds *child = &matcher->spare[level];
    memset(out, 0, sizeof(*out));
    for (size_t i = 0; i < filter->child_count; i++) {
        match_node(matcher, filter->children[i], level + 1, child);
        row_set_or(&out->must, &child->must);
        row_set_or(&out->may, &child->may);
    }
}

static void match_not(struct matcher *matcher, const struct filter *filter, uint32_t level,
                      struct match_bounds *out)
{
    struct match_bounds *child = &matcher->spare[level];
    match_node(matcher, filter->children[0], level + 1, child);
    row_set_fill(&out->must, matcher->count);
    row_set_fill(&out->may, matcher->count);
    row_set_and_not(&out->must, &child->may);
    row_set_and_not(&out->may, &child->must);
}

/* Recursion is as deep as the filter, whose depth its maker bounds. */
static void match_node(struct matcher *matcher, const struct filter *filter, uint32_t level,
                       struct match_bounds *out)
{
    switch (filter->op) {
    case FILTER_ALL:
        row_set_fill(&out->must, matcher->count);
        row_set_fill(&out->may, matcher->count);
        break;
    case FILTER_AND:
        match_and(matcher, filter, level, out);
        break;
    case FILTER_OR:
        match_or(matcher, filter, level, out);
        break;
    case FILTER_NOT:
        match_not(matcher, filter, level, out);
        break;
    case FILTER_EQUAL:
    case FILTER_PREFIX:
    case FILTER_REGEX:
    case FILTER_LESS:
    case FILTER_LESS_EQUAL:
    case FILTER_GREATER:
    case FILTER_GREATER_EQUAL:
    case FILTER_PRESENT:
    case FILTER_WORDS:
        match_leaf(matcher, filter, out);
        break;
    }
}

static void find_live(const struct matcher *matcher, slice org, struct row_set *out)
{
    row_set_fill(out, matcher->count);
    if (matcher->rows->erased != NULL) {
        row_set_and_not(out, matcher->rows->erased);
    }
    if (org.len > 0) {
        const struct filter is_org = {.op = FILTER_EQUAL,
                                      .target = FILTER_ON_FIELD,
                                      .field = FIELD_ORG,
                                      .text = org};
        struct row_set of_org = {0};
        add_text(matcher, FIELD_ORG, &is_org, &of_org);
        row_set_and(out, &of_org);
    }
}

enum err match_rows(const struct rows *rows, uint32_t count, slice org, const struct filter *filter,
                    struct match_bounds *out)
{
    ASSERT(count <= rows->count);
    CLEANUP(mem_freep) struct match_bounds *spare = mem_array(filter->depth + 1, sizeof(*spare));
    CLEANUP(mem_freep) uint64_t *table = mem_zeroed(TABLE_BITS / 8);
    struct matcher matcher = {.rows = rows, .count = count, .spare = spare, .table = table};
    struct row_set live;
    find_live(&matcher, org, &live);
    if (row_set_is_empty(&live)) {
        memset(out, 0, sizeof(*out));
        return OK;
    }
    match_node(&matcher, filter, 0, out);
    row_set_and(&out->must, &live);
    row_set_and(&out->may, &live);
    return OK;
}

/* Recursion is as deep as the filter. */
uint64_t match_fields(const struct filter *filter)
{
    const uint64_t data = FIELD_BIT(FIELD_EVENT_DATA);
    const uint64_t metadata = FIELD_BIT(FIELD_EVENT_METADATA);
    if (filter->op < FILTER_EQUAL) {
        uint64_t wanted = 0;
        for (size_t i = 0; i < filter->child_count; i++) {
            wanted |= match_fields(filter->children[i]);
        }
        return wanted;
    }
    switch (filter->target) {
    case FILTER_ON_FIELD:
        return FIELD_BIT(filter->field);
    case FILTER_ON_DATA:
        return data;
    case FILTER_ON_METADATA:
        return metadata;
    case FILTER_ON_ANY:
        break;
    }
    return filter_words_fields() | data | metadata;
}
