/* SPDX-License-Identifier: Apache-2.0 */
#include "ingest/metrics.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "base/hash.h"
#include "base/mem.h"
#include "os/thread.h"

enum {
    LABEL_BYTES_MAX = 64, /* longer values are cut: a label is a name, not a text */
    SLOTS = 2048,
};

struct label_set {
    uint64_t hash; /* stands for the three texts: with a secret, since strangers choose them */
    char service[LABEL_BYTES_MAX + 1];
    char operation[LABEL_BYTES_MAX + 1];
    char outcome[LABEL_BYTES_MAX + 1];
    _Atomic uint64_t count;
};

struct ingest_metrics {
    uint64_t secret;
    struct mutex lock; /* of the sets, but for their counts */
    struct label_set sets[INGEST_LABEL_SETS_MAX];
    size_t set_count;
    uint16_t slots[SLOTS]; /* 0: empty, else 1 + index into sets */
    _Atomic uint64_t other;
    _Atomic uint64_t refused;
    _Atomic uint64_t checked[REQUIRED_OUTCOMES];
};

struct ingest_metrics *ingest_metrics_new(void)
{
    struct ingest_metrics *metrics = mem_zeroed(sizeof(*metrics));
    metrics->secret = hash_secret();
    mutex_init(&metrics->lock);
    return metrics;
}

void ingest_metrics_free(struct ingest_metrics *metrics)
{
    if (metrics != NULL) {
        mutex_release(&metrics->lock);
        free(metrics);
    }
}

static slice text_of(const struct event *event, enum field field)
{
    return event_has(event, field) ? event->value[field].text : (slice){0};
}

static void set_label(char *out, slice text)
{
    text = slice_cut(text, LABEL_BYTES_MAX);
    if (text.len > 0) {
        memcpy(out, text.ptr, text.len);
    }
    out[text.len] = '\0';
}

/* Under the lock: the set of that hash, or, where there is none, an empty place for it; NULL: all
 * places are taken. */
static struct label_set *find_set(struct ingest_metrics *metrics, uint64_t hash)
{
    size_t slot = hash % SLOTS;
    for (; metrics->slots[slot] != 0; slot = (slot + 1) % SLOTS) {
        struct label_set *set = &metrics->sets[metrics->slots[slot] - 1];
        if (set->hash == hash) {
            return set;
        }
    }
    if (metrics->set_count == INGEST_LABEL_SETS_MAX) {
        return NULL;
    }
    metrics->slots[slot] = (uint16_t)++metrics->set_count;
    struct label_set *set = &metrics->sets[metrics->set_count - 1];
    set->hash = hash;
    return set;
}

uint32_t ingest_metrics_label(struct ingest_metrics *metrics, const struct event *event)
{
    slice service = text_of(event, FIELD_SERVICE);
    slice operation = text_of(event, FIELD_EVENT_ACTION);
    slice outcome = text_of(event, FIELD_EVENT_OUTCOME);
    uint64_t hash =
        hash_bytes(outcome, hash_bytes(operation, hash_bytes(service, metrics->secret)));
    mutex_lock(&metrics->lock);
    size_t known = metrics->set_count;
    struct label_set *set = find_set(metrics, hash);
    if (metrics->set_count > known) {
        set_label(set->service, service);
        set_label(set->operation, operation);
        set_label(set->outcome, outcome);
    }
    mutex_unlock(&metrics->lock);
    return set != NULL ? (uint32_t)(set - metrics->sets) : INGEST_LABEL_SETS_MAX;
}

void ingest_metrics_count(struct ingest_metrics *metrics, uint32_t label)
{
    ASSERT(label <= INGEST_LABEL_SETS_MAX);
    atomic_fetch_add_explicit(label < INGEST_LABEL_SETS_MAX ? &metrics->sets[label].count
                                                            : &metrics->other,
                              1, memory_order_relaxed);
}

void ingest_metrics_refused(struct ingest_metrics *metrics)
{
    atomic_fetch_add_explicit(&metrics->refused, 1, memory_order_relaxed);
}

void ingest_metrics_checked(struct ingest_metrics *metrics, enum required_outcome outcome)
{
    atomic_fetch_add_explicit(&metrics->checked[outcome], 1, memory_order_relaxed);
}

static void append_label(struct buf *out, const char *name, const char *value)
{
    buf_append_cstr(out, name);
    buf_append_cstr(out, "=\"");
    for (const char *at = value; *at != '\0'; at++) {
        if (*at == '"' || *at == '\\') {
            buf_append_byte(out, '\\');
            buf_append_byte(out, (uint8_t)*at);
        } else if (*at == '\n') {
            buf_append_cstr(out, "\\n");
        } else {
            buf_append_byte(out, (uint8_t)*at);
        }
    }
    buf_append_byte(out, '"');
}

static void append_count(struct buf *out, const struct label_set *set, uint64_t count)
{
    if (count == 0) {
        return; /* its events were duplicates */
    }
    buf_append_cstr(out, "audit_events_total{");
    append_label(out, "service", set->service);
    append_label(out, ",operation", set->operation);
    append_label(out, ",outcome", set->outcome);
    buf_append_cstr(out, "} ");
    buf_append_u64(out, count);
    buf_append_byte(out, '\n');
}

static void append_checks(struct ingest_metrics *metrics, struct buf *out)
{
    static const char *const names[REQUIRED_OUTCOMES] = {
        [REQUIRED_FITS] = "fits",
        [REQUIRED_WARNS] = "warned",
        [REQUIRED_REFUSES] = "refused",
    };
    buf_append_cstr(out, "# HELP audit_schema_checks_total Events held against what their "
                         "organisation requires of them.\n"
                         "# TYPE audit_schema_checks_total counter\n");
    for (size_t i = 0; i < REQUIRED_OUTCOMES; i++) {
        if (names[i] != NULL) {
            buf_append_format(out, "audit_schema_checks_total{outcome=\"%s\"} %llu\n", names[i],
                              (unsigned long long)atomic_load(&metrics->checked[i]));
        }
    }
}

void ingest_metrics_write(struct ingest_metrics *metrics, struct buf *out)
{
    buf_append_cstr(out, "# HELP audit_events_total Events accepted and stored.\n"
                         "# TYPE audit_events_total counter\n");
    mutex_lock(&metrics->lock);
    for (size_t i = 0; i < metrics->set_count; i++) {
        append_count(out, &metrics->sets[i], atomic_load(&metrics->sets[i].count));
    }
    static const struct label_set other = {.service = "other",
                                           .operation = "other",
                                           .outcome = "other"};
    append_count(out, &other, atomic_load(&metrics->other));
    mutex_unlock(&metrics->lock);
    buf_append_cstr(out, "# HELP audit_events_refused_total Records that were not valid events.\n"
                         "# TYPE audit_events_refused_total counter\n"
                         "audit_events_refused_total ");
    buf_append_u64(out, atomic_load(&metrics->refused));
    buf_append_byte(out, '\n');
    append_checks(metrics, out);
}
