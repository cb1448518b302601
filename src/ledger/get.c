/* SPDX-License-Identifier: Apache-2.0 */
/* get - single events: by place, and by id. */
#include "base/mem.h"
#include "ledger/core.h"

/* Copies what the views of an event point to. */
static enum err keep(struct event *event, struct arena *arena, struct diag *diag)
{
    for (uint64_t left = event->present; left != 0; left &= left - 1) {
        size_t field = (size_t)__builtin_ctzll(left);
        enum field_type type = fields[field].type;
        bool is_text =
            type != TYPE_UUID && type != TYPE_TIME && type != TYPE_INTEGER && type != TYPE_BOOLEAN;
        if (is_text && !arena_copy(arena, event->value[field].text, &event->value[field].text)) {
            return diag_fail(diag, ERR_LIMIT, "", "the event is larger than the room for it");
        }
    }
    return OK;
}

enum err ledger_get(struct store *store, uint64_t seq, slice org, struct arena *arena,
                    struct store_event *out, struct diag *diag)
{
    struct ledger *ledger = (struct ledger *)store;
    OWNED(snapshot_view) view = snapshot_view_open(ledger->snapshot);
    if (seq >= view->view.size) {
        return diag_fail(diag, ERR_NOT_FOUND, "", "no such event");
    }
    const struct rows *rows = view->view.entries[seq / ROWS_MAX].rows;
    if (rows == NULL) {
        return diag_fail(diag, ERR_GONE, "", "the event was erased");
    }
    CLEANUP(mem_freep) char *scratch = mem_zeroed(ROWS_EVENT_SCRATCH_BYTES);
    struct rows_reader *reader = rows->ops->reader_new(rows);
    struct event event;
    enum err e = rows_event(reader, (uint32_t)(seq % ROWS_MAX), scratch, &event);
    bool is_of_org = org.len == 0 || (e == OK && event_has(&event, FIELD_ORG) &&
                                      slice_equal(event.value[FIELD_ORG].text, org));
    if (e == OK && !is_of_org) {
        e = diag_fail(diag, ERR_NOT_FOUND, "", "no such event");
    } else if (e == OK) {
        e = keep(&event, arena, diag);
    }
    rows->ops->reader_free(reader);
    if (e == ERR_GONE) {
        return diag_fail(diag, e, "", "the event was erased");
    }
    TRY(e);
    *out = (struct store_event){.event = event, .seq = seq};
    return OK;
}

enum err ledger_find_id(struct store *store, const struct uuid *id, slice org,
                        uint64_t seqs_out[STORE_ID_SEQS_MAX], size_t *count_out, struct diag *diag)
{
    struct ledger *ledger = (struct ledger *)store;
    uint64_t candidates[IDENTITY_FIND_MAX];
    size_t found = 0;
    size_t count = identity_find(ledger->identity, event_id_hash(org, id), id, 0, candidates);
    OWNED(snapshot_view) view = snapshot_view_open(ledger->snapshot);
    for (size_t i = 0; i < count && found < STORE_ID_SEQS_MAX; i++) {
        uint64_t seq = candidates[i];
        if (seq >= view->view.size || view->view.entries[seq / ROWS_MAX].rows == NULL) {
            continue;
        }
        const struct rows *rows = view->view.entries[seq / ROWS_MAX].rows;
        struct uuid other;
        rows->ops->id(rows, (uint32_t)(seq % ROWS_MAX), &other);
        CLEANUP(arena_release) struct arena arena = ARENA_INIT(MIB(8));
        struct store_event event;
        if (!uuid_equal(&other, id)) {
            continue;
        }
        enum err e = ledger_get(store, seq, org, &arena, &event, diag);
        if (e == OK) {
            seqs_out[found++] = seq;
        } else if (e != ERR_NOT_FOUND && e != ERR_GONE) {
            return e;
        }
    }
    *count_out = found;
    return found > 0 ? OK : diag_fail(diag, ERR_NOT_FOUND, "", "no such event");
}
