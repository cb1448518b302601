/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/test.h"
#include "os/tempdir.h"
#include "sql/migrate.h"

struct place {
    struct tempdir temp;
    struct dir *dir;
};

static int set_up(void **state)
{
    struct place *place = mem_zeroed(sizeof(*place));
    tempdir_init(&place->temp);
    assert_int_equal(dir_open(place->temp.path, false, &place->dir, NULL), OK);
    *state = place;
    return 0;
}

static int tear_down(void **state)
{
    struct place *place = *state;
    dir_free(place->dir);
    tempdir_release(&place->temp);
    free(place);
    return 0;
}

static struct sql *open_database(const struct place *place)
{
    struct sql *sql = NULL;
    struct diag diag = {0};
    enum err e = sql_open(place->dir, "test.db", &sql, &diag);
    assert_string_equal(diag.text, "");
    assert_int_equal(e, OK);
    return sql;
}

static int64_t count_of(struct sql *sql, const char *table_query)
{
    struct sql_statement *count = NULL;
    bool has_row = false;
    assert_int_equal(sql_statement(sql, table_query, &count, NULL), OK);
    assert_int_equal(sql_step(count, &has_row, NULL), OK);
    assert_true(has_row);
    int64_t rows = sql_i64(count, 0);
    sql_reset(count);
    return rows;
}

static void test_values_come_back_as_they_went_in(void **state)
{
    static const char hostile[] = "Robert'); DROP TABLE t;--\"\\ \xc3\xa9";
    OWNED(sql) sql = open_database(*state);
    struct sql_statement *put = NULL;
    struct sql_statement *get = NULL;
    bool has_row = false;
    assert_int_equal(sql_run(sql, "CREATE TABLE t(a TEXT, b INTEGER, c TEXT)", NULL), OK);
    assert_int_equal(sql_statement(sql, "INSERT INTO t VALUES(?, ?, ?)", &put, NULL), OK);
    sql_bind_text(put, 1, slice_from_cstr(hostile));
    sql_bind_i64(put, 2, INT64_MIN);
    sql_bind_null(put, 3);
    assert_int_equal(sql_step_done(put, NULL), OK);
    assert_int_equal(sql_changes(sql), 1);
    assert_int_equal(sql_statement(sql, "SELECT a, b, c FROM t", &get, NULL), OK);
    assert_int_equal(sql_step(get, &has_row, NULL), OK);
    assert_true(has_row);
    assert_int_equal(sql_column_count(get), 3);
    assert_true(slice_equal(sql_text(get, 0), slice_from_cstr(hostile)));
    assert_true(sql_i64(get, 1) == INT64_MIN);
    assert_true(sql_is_null(get, 2));
    assert_int_equal(sql_text(get, 2).len, 0);
    assert_int_equal(sql_step(get, &has_row, NULL), OK);
    assert_false(has_row);
}

static void test_statements_are_prepared_once(void **state)
{
    OWNED(sql) sql = open_database(*state);
    struct sql_statement *first = NULL;
    struct sql_statement *again = NULL;
    assert_int_equal(sql_statement(sql, "SELECT 1", &first, NULL), OK);
    assert_int_equal(sql_statement(sql, "SELECT 1", &again, NULL), OK);
    assert_ptr_equal(first, again);
    for (int i = 0; i < 400; i++) { /* more than are kept */
        char text[32];
        struct sql_statement *other = NULL;
        bool has_row = false;
        (void)snprintf(text, sizeof(text), "SELECT %d", i);
        assert_int_equal(sql_statement(sql, text, &other, NULL), OK);
        assert_int_equal(sql_step(other, &has_row, NULL), OK);
        assert_int_equal(sql_i64(other, 0), i);
        sql_reset(other);
    }
}

static void test_constraints_are_conflicts(void **state)
{
    static const char schema[] = "CREATE TABLE parents(id TEXT PRIMARY KEY) STRICT;"
                                 "CREATE TABLE children(id TEXT REFERENCES parents(id)) STRICT;"
                                 "INSERT INTO parents VALUES('a');"
                                 "INSERT INTO children VALUES('a')";
    OWNED(sql) sql = open_database(*state);
    struct diag diag = {0};
    assert_int_equal(sql_run(sql, schema, NULL), OK);
    assert_int_equal(sql_run(sql, "INSERT INTO parents VALUES('a')", &diag), ERR_CONFLICT);
    assert_int_equal(sql_run(sql, "DELETE FROM parents", &diag), ERR_CONFLICT);
    assert_int_equal(sql_run(sql, "INSERT INTO children VALUES('b')", &diag), ERR_CONFLICT);
    assert_int_equal(sql_run(sql, "SELEC", &diag), ERR_IO);
}

static void test_a_number_is_bound_and_run_at_once(void **state)
{
    OWNED(sql) sql = open_database(*state);
    static const char below[] = "DELETE FROM t WHERE a < ?";
    assert_int_equal(sql_run(sql, "CREATE TABLE t(a); INSERT INTO t VALUES(1), (2), (3)", NULL),
                     OK);
    assert_int_equal(sql_run_i64(sql, below, 2, NULL), OK);
    assert_int_equal(sql_changes(sql), 1);
    assert_int_equal(count_of(sql, "SELECT sum(a) FROM t"), 5);
    assert_int_equal(sql_run_i64(sql, below, INT64_MIN, NULL), OK);
    assert_int_equal(count_of(sql, "SELECT sum(a) FROM t"), 5);
    assert_int_equal(sql_run_i64(sql, "DELETE FROM u WHERE a < ?", 2, NULL), ERR_IO);
}

static void test_transactions_are_whole(void **state)
{
    struct sql *sql = open_database(*state);
    assert_int_equal(sql_run(sql, "CREATE TABLE t(a INTEGER PRIMARY KEY)", NULL), OK);
    assert_int_equal(sql_begin(sql, NULL), OK);
    assert_int_equal(sql_run(sql, "INSERT INTO t VALUES(1)", NULL), OK);
    sql_rollback(sql);
    sql_rollback(sql);
    assert_int_equal(count_of(sql, "SELECT count(*) FROM t"), 0);
    assert_int_equal(sql_begin(sql, NULL), OK);
    assert_int_equal(sql_run(sql, "INSERT INTO t VALUES(2)", NULL), OK);
    assert_int_equal(sql_commit(sql, NULL), OK);
    assert_int_equal(sql_begin(sql, NULL), OK);
    assert_int_equal(sql_run(sql, "INSERT INTO t VALUES(3)", NULL), OK);
    sql_free(sql); /* an open transaction ends with it */
    sql = open_database(*state);
    assert_int_equal(count_of(sql, "SELECT sum(a) FROM t"), 2);
    sql_free(sql);
}

static void test_a_part_can_be_undone(void **state)
{
    OWNED(sql) sql = open_database(*state);
    assert_int_equal(sql_run(sql, "CREATE TABLE t(a INTEGER PRIMARY KEY)", NULL), OK);
    assert_int_equal(sql_begin(sql, NULL), OK);
    for (int a = 1; a <= 3; a++) {
        char text[64];
        (void)snprintf(text, sizeof(text), "INSERT INTO t VALUES(%d)", a);
        assert_int_equal(sql_savepoint(sql, NULL), OK);
        assert_int_equal(sql_run(sql, text, NULL), OK);
        assert_int_equal(sql_run(sql, text, NULL), ERR_CONFLICT); /* which ends nothing */
        assert_int_equal(a == 2 ? sql_undo(sql, NULL) : sql_keep(sql, NULL), OK);
    }
    assert_int_equal(sql_commit(sql, NULL), OK);
    assert_int_equal(count_of(sql, "SELECT sum(a) FROM t"), 4);
}

/* SQLite rolls all of it back by itself; what follows must not take it for a transaction. */
static void test_a_full_disk_ends_the_whole_transaction(void **state)
{
    enum err (*const ends[])(struct sql * sql, struct diag * diag) = {sql_undo, sql_keep,
                                                                      sql_commit};
    OWNED(sql) sql = open_database(*state);
    assert_int_equal(sql_run(sql, "CREATE TABLE t(a INTEGER PRIMARY KEY, b BLOB)", NULL), OK);
    for (size_t i = 0; i < COUNT_OF(ends); i++) {
        struct diag diag = {0};
        assert_int_equal(sql_run(sql, "PRAGMA max_page_count = 20", NULL), OK);
        assert_int_equal(sql_begin(sql, NULL), OK);
        assert_int_equal(sql_run(sql, "INSERT INTO t VALUES(1, 'kept?')", NULL), OK);
        assert_int_equal(sql_savepoint(sql, NULL), OK);
        assert_int_equal(sql_run(sql, "INSERT INTO t VALUES(2, zeroblob(1000000))", NULL),
                         ERR_FULL);
        assert_int_equal(ends[i](sql, &diag), ERR_FULL);
        assert_string_equal(diag.text, "the transaction was rolled back");
        assert_int_equal(count_of(sql, "SELECT count(*) FROM t"), 0);
        assert_int_equal(sql_run(sql, "PRAGMA max_page_count = 1000", NULL), OK);
        assert_int_equal(sql_begin(sql, NULL), OK);
        assert_int_equal(sql_commit(sql, NULL), OK);
    }
}

static void test_the_file_is_its_owners(void **state)
{
    const struct place *place = *state;
    OWNED(sql) sql = open_database(place);
    char path[4096];
    struct stat info;
    (void)snprintf(path, sizeof(path), "%s/test.db", place->temp.path);
    assert_non_null(sql);
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
}

/* Whether this process holds a lock of the file, as another process sees it: 0 or 1. */
static int look_at_lock(const char *path)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    int fd = open(path, O_RDWR | O_CLOEXEC);
    bool is_told = fd >= 0 && fcntl(fd, F_GETLK, &lock) == 0;
    return is_told && lock.l_type != F_UNLCK ? 1 : 0;
}

/* Without that lock another process that looks into the database and goes takes itself for the
 * last, and deletes the log into which this one writes. */
static void test_a_second_connection_leaves_the_first_its_lock(void **state)
{
    const struct place *place = *state;
    char path[512];
    int status = 0;
    OWNED(sql) writer = open_database(place);
    assert_int_equal(sql_run(writer, "CREATE TABLE t(a)", NULL), OK);
    OWNED(sql) reader = open_database(place);
    assert_int_equal(count_of(reader, "SELECT count(*) FROM t"), 0);
    (void)snprintf(path, sizeof(path), "%s/test.db", dir_path(place->dir));
    pid_t other = fork();
    if (other == 0) {
        _exit(look_at_lock(path));
    }
    assert_int_equal(waitpid(other, &status, 0), other);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 1);
}

static void test_what_is_no_database_is_refused(void **state)
{
    const struct place *place = *state;
    struct sql *sql = NULL;
    struct diag diag = {0};
    OWNED(file) file = NULL;
    char bytes[8192];
    memset(bytes, 'x', sizeof(bytes));
    assert_int_equal(file_open(place->dir, "test.db", FILE_CREATE, &file, NULL), OK);
    assert_int_equal(file_write_at(file, 0, (slice){(uint8_t *)bytes, sizeof(bytes)}, NULL), OK);
    assert_int_equal(sql_open(place->dir, "test.db", &sql, &diag), ERR_CORRUPT);
    assert_null(sql);
}

/* ---- Migrations ---- */

static const struct sql_migration steps[] = {
    {"0001-things", "CREATE TABLE things(id INTEGER PRIMARY KEY) STRICT"},
    {"0002-names", "ALTER TABLE things ADD COLUMN name TEXT; INSERT INTO things VALUES(1, 'a')"},
    {"0003-bad", "INSERT INTO things VALUES(2, 'b'); INSERT INTO things VALUES(2, 'b')"},
};

static void list_step(void *context, slice name, int64_t applied_us)
{
    struct buf *names = context;
    assert_true(applied_us > 0);
    buf_append(names, name);
    buf_append_byte(names, ' ');
}

static void test_each_step_runs_once(void **state)
{
    CLEANUP(buf_release) struct buf names = BUF_INIT(KIB(1));
    struct sql *sql = open_database(*state);
    assert_int_equal(sql_migrate(sql, steps, 1, NULL), OK);
    assert_int_equal(sql_migrate(sql, steps, 2, NULL), OK);
    sql_free(sql);
    sql = open_database(*state);
    assert_int_equal(sql_migrate(sql, steps, 2, NULL), OK);
    assert_int_equal(count_of(sql, "SELECT count(*) FROM things"), 1);
    assert_int_equal(sql_migrations(sql, list_step, &names, NULL), OK);
    assert_true(slice_equal(buf_slice(&names), SLICE("0001-things 0002-names ")));
    sql_free(sql);
}

static void test_a_step_that_fails_leaves_nothing(void **state)
{
    OWNED(sql) sql = open_database(*state);
    struct diag diag = {0};
    assert_int_equal(sql_migrate(sql, steps, 1, &diag), OK);
    assert_int_equal(sql_migrate(sql, steps, 3, &diag), ERR_CONFLICT);
    assert_int_equal(count_of(sql, "SELECT count(*) FROM things"), 0);
    assert_int_equal(count_of(sql, "SELECT count(*) FROM migrations"), 1);
}

static void test_a_newer_database_is_refused(void **state)
{
    OWNED(sql) sql = open_database(*state);
    struct diag diag = {0};
    assert_int_equal(sql_migrate(sql, steps, 2, NULL), OK);
    assert_int_equal(sql_migrate(sql, steps, 1, &diag), ERR_INVALID);
    assert_non_null(strstr(diag.text, "0002-names"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_values_come_back_as_they_went_in, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_statements_are_prepared_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_constraints_are_conflicts, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_number_is_bound_and_run_at_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_transactions_are_whole, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_part_can_be_undone, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_full_disk_ends_the_whole_transaction, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_the_file_is_its_owners, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_second_connection_leaves_the_first_its_lock, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_what_is_no_database_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_each_step_runs_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_step_that_fails_leaves_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_newer_database_is_refused, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
