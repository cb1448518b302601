/* SPDX-License-Identifier: Apache-2.0 */
/*
 * postgres_load - the same events into PostgreSQL, as who has no Cairn would store them.
 *
 *   postgres_load conninfo="host=/tmp/x dbname=bench" how=insert|copy|single [events=100000]
 *                 [rows=500] [connections=2] [seed=42] [start_s=1768435200]
 *
 * `insert`: statements of `rows` rows; `copy`: COPY of `rows` rows, each its own transaction;
 * `single`: one row a transaction, prepared, whatever `rows` says. Values are made before the clock
 * starts; each connection is a thread, as libpq waits. Prints one line of JSON.
 */
#include <jansson.h>
#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/slice.h"
#include "bench/figures.h"
#include "bench/generate.h"
#include "os/clock.h"
#include "os/thread.h"

enum { CONNECTIONS_MAX = 64, EVENT_SPACING_US = 3000000 };

/* The members of a generated event that are columns, in the order of the statements. The time comes
 * twice: make_row() cuts the second to the date by which the table is partitioned. */
static const char *const members[] = {
    "event_id",    "event_timestamp", "event_type", "event_category", "action",
    "outcome",     "actor_type",      "actor_id",   "actor_ip",       "resource_type",
    "resource_id", "correlation_id",  "namespace",  "cluster",        "severity",
    "event_data",  "event_timestamp",
};
#define MEMBERS COUNT_OF(members)
#define COLUMNS                                                                                    \
    "event_id,event_timestamp,event_type,event_category,event_action,event_outcome,actor_type,"    \
    "actor_id,actor_ip,resource_type,resource_id,correlation_id,namespace,cluster_name,severity,"  \
    "event_data,event_date"

struct row {
    char *values[MEMBERS];
};

static const char *const ways[] = {"insert", "copy", "single"};
enum way { WAY_INSERT, WAY_COPY, WAY_SINGLE };

/* What one transaction sends: the text of an INSERT, the data of a COPY; of `single` nothing, its
 * values are the row's. */
struct worker {
    struct thread thread;
    PGconn *connection;
    const struct row *rows;
    size_t count, many;
    enum way way;
    struct buf *statements; /* [(count + many - 1) / many] */
    struct samples waits_us;
};

static void die(PGconn *connection, const char *what)
{
    (void)fprintf(stderr, "postgres_load: %s: %s", what, PQerrorMessage(connection));
    exit(1);
}

static void check(PGconn *connection, PGresult *result, ExecStatusType wanted)
{
    if (PQresultStatus(result) != wanted) {
        die(connection, "statement");
    }
    PQclear(result);
}

/* ---- Rows ---- */

static void make_row(slice json, struct row *out)
{
    json_t *event = json_loadb((const char *)json.ptr, json.len, 0, NULL);
    ASSERT(event != NULL);
    for (size_t i = 0; i < MEMBERS; i++) {
        const json_t *member = json_object_get(event, members[i]);
        out->values[i] = json_is_string(member)
                             ? mem_text(json_string_value(member), json_string_length(member))
                             : json_dumps(member, JSON_COMPACT);
        ASSERT(out->values[i] != NULL);
    }
    out->values[MEMBERS - 1][sizeof("2025-01-15") - 1] = '\0';
    json_decref(event);
}

static struct row *make_rows(uint64_t count, uint64_t seed, uint64_t start_s)
{
    struct row *rows = mem_array(count, sizeof(*rows));
    OWNED(generator)
    generator = generator_new(seed, (int64_t)start_s * 1000000, EVENT_SPACING_US);
    CLEANUP(buf_release) struct buf line = BUF_INIT(MIB(1));
    for (uint64_t i = 0; i < count; i++) {
        buf_clear(&line);
        generator_next(generator, &line);
        make_row(buf_slice(&line), &rows[i]);
    }
    return rows;
}

/* ---- The three ways ---- */

static void make_insert(PGconn *connection, const struct row *rows, size_t count, struct buf *out)
{
    buf_append_cstr(out, "INSERT INTO audit_events (" COLUMNS ") VALUES ");
    for (size_t i = 0; i < count; i++) {
        for (size_t k = 0; k < MEMBERS; k++) {
            const char *value = rows[i].values[k];
            char *quoted = PQescapeLiteral(connection, value, strlen(value));
            buf_append_cstr(out, k > 0 ? "," : i > 0 ? ",(" : "(");
            buf_append_cstr(out, quoted);
            PQfreemem(quoted);
        }
        buf_append_byte(out, ')');
    }
    buf_append_byte(out, '\0');
}

static void make_copy(const struct row *rows, size_t count, struct buf *out)
{
    for (size_t i = 0; i < count; i++) {
        for (size_t k = 0; k < MEMBERS; k++) {
            buf_append_cstr(out, k > 0 ? "\t" : "");
            for (const char *p = rows[i].values[k]; *p != '\0'; p++) {
                buf_append_cstr(out, *p == '\\' ? "\\" : "");
                buf_append_byte(out, (uint8_t)*p);
            }
        }
        buf_append_byte(out, '\n');
    }
}

static void make_statements(struct worker *worker)
{
    if (worker->way == WAY_SINGLE) {
        return;
    }
    worker->statements =
        mem_array((worker->count + worker->many - 1) / worker->many, sizeof(struct buf));
    for (size_t at = 0; at < worker->count; at += worker->many) {
        struct buf *out = &worker->statements[at / worker->many];
        size_t left = worker->count - at;
        size_t n = left < worker->many ? left : worker->many;
        buf_init(out, MIB(64));
        if (worker->way == WAY_COPY) {
            make_copy(worker->rows + at, n, out);
        } else {
            make_insert(worker->connection, worker->rows + at, n, out);
        }
        ASSERT(!out->failed);
    }
}

static void copy_rows(PGconn *connection, const struct buf *data)
{
    check(connection, PQexec(connection, "COPY audit_events (" COLUMNS ") FROM STDIN"),
          PGRES_COPY_IN);
    if (PQputCopyData(connection, (const char *)data->ptr, (int)data->len) != 1 ||
        PQputCopyEnd(connection, NULL) != 1) {
        die(connection, "COPY");
    }
    check(connection, PQgetResult(connection), PGRES_COMMAND_OK);
    PQclear(PQgetResult(connection));
}

static void prepare_single(PGconn *connection)
{
    CLEANUP(buf_release) struct buf sql = BUF_INIT(KIB(4));
    buf_append_cstr(&sql, "INSERT INTO audit_events (" COLUMNS ") VALUES (");
    for (size_t i = 0; i < MEMBERS; i++) {
        buf_append_format(&sql, "%s$%zu", i == 0 ? "" : ",", i + 1);
    }
    buf_append(&sql, (slice){(const uint8_t *)")", 2});
    check(connection, PQprepare(connection, "one", (const char *)sql.ptr, (int)MEMBERS, NULL),
          PGRES_COMMAND_OK);
}

static void store(struct worker *worker, size_t at)
{
    PGconn *connection = worker->connection;
    size_t number = at / worker->many;
    switch (worker->way) {
    case WAY_INSERT:
        check(connection, PQexec(connection, (const char *)worker->statements[number].ptr),
              PGRES_COMMAND_OK);
        break;
    case WAY_COPY:
        copy_rows(connection, &worker->statements[number]);
        break;
    case WAY_SINGLE:
        check(connection,
              PQexecPrepared(connection, "one", (int)MEMBERS,
                             (const char *const *)worker->rows[at].values, NULL, NULL, 0),
              PGRES_COMMAND_OK);
        break;
    }
}

static void work(void *arg)
{
    struct worker *worker = arg;
    for (size_t at = 0; at < worker->count; at += worker->many) {
        int64_t began_us = clock_monotonic_us();
        store(worker, at);
        samples_add(&worker->waits_us, (uint64_t)(clock_monotonic_us() - began_us));
    }
}

/* ---- The run ---- */

static void connect_worker(struct worker *worker, const char *conninfo)
{
    worker->connection = PQconnectdb(conninfo);
    if (PQstatus(worker->connection) != CONNECTION_OK) {
        die(worker->connection, "connect");
    }
    if (worker->way == WAY_SINGLE) {
        prepare_single(worker->connection);
    }
    make_statements(worker);
}

static void run(struct worker *workers, size_t worker_count, uint64_t events)
{
    struct samples all = {0};
    int64_t began_us = clock_monotonic_us();
    for (size_t i = 0; i < worker_count; i++) {
        enum err e = thread_start(&workers[i].thread, "worker", work, &workers[i], NULL);
        ASSERT(e == OK);
    }
    for (size_t i = 0; i < worker_count; i++) {
        thread_join(&workers[i].thread);
    }
    double seconds = (double)(clock_monotonic_us() - began_us) / 1e6;
    for (size_t i = 0; i < worker_count; i++) {
        for (size_t k = 0; k < workers[i].waits_us.count; k++) {
            samples_add(&all, workers[i].waits_us.values[k]);
        }
        samples_release(&workers[i].waits_us);
        PQfinish(workers[i].connection);
    }
    (void)printf("{\"events\":%llu,\"statements\":%zu,\"seconds\":%.3f,\"events_per_s\":%.0f,"
                 "\"p50_us\":%llu,\"p99_us\":%llu}\n",
                 (unsigned long long)events, all.count, seconds, (double)events / seconds,
                 (unsigned long long)samples_part(&all, 0.50),
                 (unsigned long long)samples_part(&all, 0.99));
    samples_release(&all);
}

/* False: there is no such way. */
static bool find_way(const char *name, enum way *out)
{
    for (size_t i = 0; i < COUNT_OF(ways); i++) {
        if (name != NULL && strcmp(ways[i], name) == 0) {
            *out = (enum way)i;
            return true;
        }
    }
    return false;
}

int main(int argc, char **argv)
{
    static struct worker workers[CONNECTIONS_MAX];
    const char *conninfo = words_text(argc, argv, "conninfo");
    enum way way = WAY_INSERT;
    bool has_way = find_way(words_text(argc, argv, "how"), &way);
    uint64_t events = words_number(argc, argv, "events", 100000);
    uint64_t count = words_number(argc, argv, "connections", 2);
    size_t many = way == WAY_SINGLE ? 1 : (size_t)words_number(argc, argv, "rows", 500);
    if (conninfo == NULL || !has_way || many == 0 || count == 0 || count > CONNECTIONS_MAX) {
        (void)fprintf(stderr, "postgres_load: conninfo=, how=insert|copy|single, rows from 1 and "
                              "connections from 1 to 64 are needed\n");
        return 2;
    }
    struct row *rows = make_rows(events, words_number(argc, argv, "seed", 42),
                                 words_number(argc, argv, "start_s", 1768435200));
    for (uint64_t i = 0; i < count; i++) {
        uint64_t from = events * i / count;
        workers[i] = (struct worker){.rows = rows + from,
                                     .count = (size_t)(events * (i + 1) / count - from),
                                     .many = many,
                                     .way = way};
        connect_worker(&workers[i], conninfo);
    }
    run(workers, (size_t)count, events); /* what was made ends with the process */
    return 0;
}
