/* SPDX-License-Identifier: Apache-2.0 */
/* cairn verify - prove that a ledger on disk is whole, or that an event is in a log. No server. */
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "cli/cli.h"
#include "cli/input.h"
#include "event/event.h"
#include "json/write.h"
#include "ledger/verify.h"
#include "show/progress.h"
#include "tree/checkpoint.h"

enum { EVENT_BYTES_MAX = 4 * 1024 * 1024 };

struct verify_args {
    const char *vkey;
    const char *event;
};

static const struct verify_args defaults = {0};

static const struct cli_option options[] = {
    {"vkey", CLI_TEXT, offsetof(struct verify_args, vkey), "KEY",
     "The verifier key the checkpoint must be signed with, as cairn log says it; else CAIRN_VKEY, "
     "else, of a directory, its own",
     NULL},
    {"event", CLI_PATH, offsetof(struct verify_args, event), "FILE",
     "With a proof: the event's line, as GET of the event with raw=1 gives it; else stdin", NULL},
};

static const char *vkey_of(const struct cli *cli)
{
    const struct verify_args *args = cli->args;
    const char *vkey = args->vkey != NULL ? args->vkey : getenv("CAIRN_VKEY");
    return vkey == NULL ? "" : vkey;
}

/* What stands in the directory may be of others, too. */
static void write_json(const struct cli *cli, const struct buf *json)
{
    struct buf out CLEANUP(buf_release) = BUF_INIT(KIB(64));
    screen_json_line(&cli->screen, &out, buf_slice(json));
    (void)screen_write(buf_slice(&out));
}

/* A finding is a result: it goes to stdout too, where a script looks. */
static enum cli_exit say_finding(const struct cli *cli, const struct diag *diag)
{
    struct buf out CLEANUP(buf_release) = BUF_INIT(KIB(16));
    if (cli_wants_json(cli)) {
        struct json_writer writer = json_writer_to(&out);
        json_begin_object(&writer, NULL);
        json_bool(&writer, "whole", false);
        json_cstr(&writer, "where", diag->where);
        json_cstr(&writer, "detail", diag->text);
        enum err e = json_end(&writer);
        ASSERT(e == OK); /* a diag fits */
        write_json(cli, &out);
        return CLI_REFUSED;
    }
    screen_colour(&cli->screen, &out, COLOUR_RED);
    buf_append_cstr(&out, "damaged");
    screen_colour(&cli->screen, &out, COLOUR_PLAIN);
    buf_append_cstr(&out, ": ");
    (void)screen_text(&out, slice_from_cstr(diag->where), SIZE_MAX);
    buf_append_cstr(&out, ": ");
    (void)screen_text(&out, slice_from_cstr(diag->text), SIZE_MAX);
    buf_append_byte(&out, '\n');
    (void)screen_write(buf_slice(&out));
    return CLI_REFUSED;
}

/* ---- A directory ---- */

static void on_progress(void *context, uint64_t done, uint64_t total)
{
    progress_update(context, done, total, done);
}

static void say_whole(const struct cli *cli, const struct ledger_verify_result *result,
                      double seconds)
{
    struct buf out CLEANUP(buf_release) = BUF_INIT(KIB(16));
    if (cli_wants_json(cli)) {
        struct json_writer writer = json_writer_to(&out);
        json_begin_object(&writer, NULL);
        json_bool(&writer, "whole", true);
        json_cstr(&writer, "origin", result->origin);
        json_u64(&writer, "events", result->events);
        json_u64(&writer, "segments", result->segments);
        json_u64(&writer, "erased", result->erased);
        json_u64(&writer, "unchecked", result->unchecked);
        json_u64(&writer, "checkpoint_size", result->checkpoint_size);
        enum err e = json_end(&writer);
        ASSERT(e == OK);
        write_json(cli, &out);
        return;
    }
    screen_colour(&cli->screen, &out, COLOUR_GREEN);
    buf_append_cstr(&out, "whole");
    screen_colour(&cli->screen, &out, COLOUR_PLAIN);
    buf_append_cstr(&out, ": ");
    screen_count(&out, result->events);
    buf_append_cstr(&out, " events of ");
    (void)screen_text(&out, slice_from_cstr(result->origin), SIZE_MAX);
    buf_append_cstr(&out, ", checkpoint at ");
    screen_count(&out, result->checkpoint_size);
    if (result->erased > 0) {
        buf_append_cstr(&out, ", ");
        screen_count(&out, result->erased);
        buf_append_cstr(&out, " erased");
    }
    if (result->unchecked > 0) {
        buf_append_cstr(&out, ", the newest ");
        screen_count(&out, result->unchecked);
        buf_append_cstr(&out, " left to the running server");
    }
    buf_append_format(&out, "; %.1f s\n", seconds);
    (void)screen_write(buf_slice(&out));
}

static enum cli_exit verify_directory(const struct cli *cli, const char *path)
{
    struct ledger_verify_result result = {0};
    struct diag diag = {0};
    struct progress progress;
    progress_begin(&progress, &cli->screen, "events");
    enum err e =
        ledger_verify(path, slice_from_cstr(vkey_of(cli)), on_progress, &progress, &result, &diag);
    progress_hide(&progress);
    if (e == ERR_CORRUPT) {
        return say_finding(cli, &diag);
    }
    if (e != OK) {
        return cli_fail(cli, e, &diag);
    }
    say_whole(cli, &result, progress_seconds(&progress));
    return CLI_OK;
}

/* ---- A proof ---- */

static enum err read_whole(const char *path, size_t max, struct buf *out, struct diag *diag)
{
    OWNED(input) input = NULL;
    TRY(input_open(path, &input, diag));
    for (;;) {
        size_t len = 0;
        if (!buf_reserve(out, KIB(16))) {
            return diag_fail(diag, ERR_LIMIT, path, "is larger than %zu bytes", max);
        }
        TRY(input_read(input, out->ptr + out->len, KIB(16), &len, diag));
        if (len == 0) {
            return OK;
        }
        out->len += len;
    }
}

static enum err check_proof(const struct cli *cli, const char *path, struct buf *proof,
                            struct checkpoint *out, struct diag *diag)
{
    const struct verify_args *args = cli->args;
    struct note_verifier verifier;
    struct buf line CLEANUP(buf_release) = BUF_INIT(EVENT_BYTES_MAX);
    TRY(note_verifier_parse(slice_from_cstr(vkey_of(cli)), &verifier, diag));
    TRY(read_whole(path, NOTE_BYTES_MAX, proof, diag));
    TRY(read_whole(args->event != NULL ? args->event : "-", EVENT_BYTES_MAX, &line, diag));
    while (line.len > 0 && (line.ptr[line.len - 1] == '\n' || line.ptr[line.len - 1] == '\r')) {
        line.len--; /* the line feed is not part of the entry */
    }
    if (line.len == 0) {
        return diag_fail(diag, ERR_INVALID, "--event", "holds no event");
    }
    struct leaf_hash leaf = event_leaf_hash(buf_slice(&line));
    struct merkle_hash hash;
    static_assert(sizeof(leaf.bytes) == sizeof(hash.bytes), "both are SHA-256");
    memcpy(hash.bytes, leaf.bytes, sizeof(hash.bytes));
    return tlog_proof_verify(buf_slice(proof), &hash, &verifier, 1, out, diag);
}

static void say_proven(const struct cli *cli, const struct checkpoint *checkpoint, uint64_t index)
{
    struct buf out CLEANUP(buf_release) = BUF_INIT(KIB(16));
    if (cli_wants_json(cli)) {
        struct json_writer writer = json_writer_to(&out);
        json_begin_object(&writer, NULL);
        json_bool(&writer, "proven", true);
        json_str(&writer, "origin", checkpoint->origin);
        json_u64(&writer, "seq", index);
        json_u64(&writer, "checkpoint_size", checkpoint->size);
        enum err e = json_end(&writer);
        ASSERT(e == OK); /* an origin is at most 255 bytes */
        write_json(cli, &out);
        return;
    }
    buf_append_cstr(&out, "proven: event ");
    screen_count(&out, index);
    buf_append_cstr(&out, " of ");
    (void)screen_text(&out, checkpoint->origin, SIZE_MAX);
    buf_append_cstr(&out, ", under a checkpoint of ");
    screen_count(&out, checkpoint->size);
    buf_append_cstr(&out, " events\n");
    (void)screen_write(buf_slice(&out));
}

static enum cli_exit verify_proof(const struct cli *cli, const char *path)
{
    if (vkey_of(cli)[0] == '\0') {
        return cli_usage(cli, "a proof is checked against a key you trust: give --vkey");
    }
    struct buf proof CLEANUP(buf_release) = BUF_INIT(NOTE_BYTES_MAX + KIB(64));
    struct checkpoint checkpoint = {0};
    struct diag diag = {0};
    struct tlog_proof parsed = {0};
    enum err e = check_proof(cli, path, &proof, &checkpoint, &diag);
    if (e == OK) {
        e = tlog_proof_parse(buf_slice(&proof), &parsed, &diag);
    }
    if (e != OK) {
        return cli_fail(cli, e, &diag);
    }
    say_proven(cli, &checkpoint, parsed.index);
    return CLI_OK;
}

static enum cli_exit run(struct cli *cli)
{
    const struct verify_args *args = cli->args;
    const char *path = cli->operand_count > 0 ? cli->operands[0] : getenv("CAIRN_DATA");
    path = path == NULL || path[0] == '\0' ? "./cairn-data" : path;
    struct stat info = {0};
    bool is_stdin = strcmp(path, "-") == 0;
    if (!is_stdin && stat(path, &info) != 0) {
        struct diag diag = {0};
        enum err e = errno == ENOENT ? ERR_NOT_FOUND : ERR_IO;
        return cli_fail(cli, diag_fail(&diag, e, path, "cannot be opened: %s", strerror(errno)),
                        &diag);
    }
    bool is_directory = !is_stdin && S_ISDIR(info.st_mode);
    if (is_stdin && args->event == NULL) {
        return cli_usage(cli, "only one of proof and event can come from stdin: give --event");
    }
    if (!is_directory) {
        return verify_proof(cli, path);
    }
    if (args->event != NULL) {
        return cli_usage(cli, "--event goes with a proof, and %s is a directory", path);
    }
    return verify_directory(cli, path);
}

const struct cli_command cmd_verify = {
    .name = "verify",
    .summary = "Checks a data directory, or a proof, without a server",
    .operands = "[DIR | PROOF]",
    .details =
        "Of a data directory every line is rebuilt and hashed, every index recomputed, and the "
        "tree "
        "compared with the signed checkpoint. A server may run on it; what it is still writing is "
        "left out, and the answer says how much.\n"
        "Of a proof (cairn proof) the event's line, the path to the root and the signature are "
        "checked.\n"
        "Exit status 0: whole; 1: damaged, or not proven; the finding says what and where.",
    .options = options,
    .option_count = COUNT_OF(options),
    .defaults = &defaults,
    .args_bytes = sizeof(defaults),
    .operands_most = 1,
    .run = run,
};
