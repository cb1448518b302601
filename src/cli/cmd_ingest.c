/* SPDX-License-Identifier: Apache-2.0 */
/* cairn ingest - files of events into the server, whatever breaks on the way. */
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "cli/connect.h"
#include "cli/input.h"
#include "client/stream.h"
#include "show/progress.h"

enum { READ_BYTES = 1024 * 1024, WINDOW_BYTES_MAX = 8 * 1024 * 1024 };

struct ingest_args {
    const char *format;
    const char *on_error;
    bool backfill;
};

static const struct ingest_args defaults = {.on_error = "stop"};

static const struct cli_option options[] = {
    {"format", CLI_TEXT, offsetof(struct ingest_args, format), "FORMAT",
     "A foreign format that the server maps; without it the events are Cairn's own",
     "cloudtrail mutt"},
    {"on-error", CLI_TEXT, offsetof(struct ingest_args, on_error), "WHAT",
     "What to do at an event that is refused: stop there, or leave it out (stop)", "skip stop"},
    {"backfill", CLI_FLAG, offsetof(struct ingest_args, backfill), "",
     "Takes events of any age; else those older than a week are refused", NULL},
};

/* Where an event that is under way stood. */
struct origin {
    const char *file;
    uint64_t line;  /* 0: not known, of a document that is sent as it is */
    uint64_t event; /* then: which of the document's, from 1 */
};

struct ingest {
    const struct cli *cli;
    const struct ingest_args *args;
    struct cairn_client *client;
    struct cairn_stream *stream;
    struct progress progress;
    const char *file;                   /* under way */
    uint64_t bytes_before, bytes_total; /* of the files that are done; of all, 0: not known */
    uint64_t refused_here;              /* lines that are no objects, left out before sending */
    struct cairn_counts counts;         /* of uploads */
    /* Events that nobody has answered for: number `first` + i stood at origins[i]. */
    struct origin *origins;
    size_t origin_count, origin_capacity;
    uint64_t first; /* from 1 */
};

/* ---- Where events stood ---- */

static void forget_answered(struct ingest *ingest)
{
    uint64_t done = cairn_stream_done(ingest->stream);
    uint64_t answered = done + 1 - ingest->first;
    size_t drop = answered > ingest->origin_count ? ingest->origin_count : (size_t)answered;
    if (drop == 0) {
        return;
    }
    ingest->origin_count -= drop;
    memmove(ingest->origins, ingest->origins + drop,
            ingest->origin_count * sizeof(ingest->origins[0]));
    ingest->first += drop;
}

static void remember(struct ingest *ingest, const char *file, uint64_t line)
{
    if (ingest->origin_count == ingest->origin_capacity) {
        ingest->origin_capacity = ingest->origin_capacity == 0 ? 4096 : ingest->origin_capacity * 2;
        ingest->origins =
            mem_resize(ingest->origins, ingest->origin_capacity * sizeof(ingest->origins[0]));
    }
    ingest->origins[ingest->origin_count++] = (struct origin){.file = file, .line = line};
}

static struct origin find_origin(const struct ingest *ingest, uint64_t event)
{
    if (event < ingest->first || event - ingest->first >= ingest->origin_count) {
        return (struct origin){.file = ingest->file, .event = event};
    }
    return ingest->origins[event - ingest->first];
}

static void complain(struct ingest *ingest, struct origin origin, const char *pointer,
                     const char *detail)
{
    struct buf line = BUF_INIT(KIB(64));
    (void)screen_text(&line, slice_from_cstr(origin.file), SIZE_MAX);
    bool has_line = origin.line > 0;
    buf_append_format(&line, has_line ? ":%llu: " : ": event %llu: ",
                      (unsigned long long)(has_line ? origin.line : origin.event));
    if (pointer[0] != '\0') {
        (void)screen_text(&line, slice_from_cstr(pointer), SIZE_MAX);
        buf_append_cstr(&line, ": ");
    }
    (void)screen_text(&line, slice_from_cstr(detail), SIZE_MAX);
    progress_hide(&ingest->progress);
    (void)fprintf(stderr, "%s\n", buf_cstr(&line));
    buf_release(&line);
}

static void on_refused(void *context, uint64_t event, const char *pointer, const char *detail)
{
    struct ingest *ingest = context;
    complain(ingest, find_origin(ingest, event), pointer, detail);
}

/* ---- Cairn's own format: split, named, streamed ---- */

static enum cli_exit fail_stream(struct ingest *ingest, enum cairn_result result)
{
    const struct cairn_problem *problem = cairn_client_problem(ingest->client);
    progress_hide(&ingest->progress);
    if (problem->event > 0) {
        complain(ingest, find_origin(ingest, problem->event), problem->pointer, problem->detail);
        return cli_exit_of_result(result);
    }
    return cli_fail_client(ingest->cli, ingest->client, result);
}

static enum cli_exit flush(struct ingest *ingest)
{
    enum cairn_result result = cairn_stream_flush(ingest->stream);
    if (result != CAIRN_OK) {
        return fail_stream(ingest, result);
    }
    forget_answered(ingest);
    return CLI_OK;
}

static enum cli_exit take_record(struct ingest *ingest, const struct split_record *record)
{
    struct origin origin = {.file = ingest->file, .line = record->line};
    if (!record->is_object) {
        bool skips = strcmp(ingest->args->on_error, "skip") == 0;
        if (!skips) {
            enum cli_exit e = flush(ingest); /* what stands before it is good */
            if (e != CLI_OK) {
                return e;
            }
        }
        complain(ingest, origin, "", "is not a whole JSON object");
        ingest->refused_here++;
        return skips ? CLI_OK : CLI_REFUSED;
    }
    remember(ingest, origin.file, origin.line);
    enum cairn_result result = stream_write_record(ingest->stream, record);
    if (result != CAIRN_OK) {
        return fail_stream(ingest, result);
    }
    forget_answered(ingest);
    return CLI_OK;
}

/* Where the next record begins is not known, so it ends here; what stands before it is good. */
static enum cli_exit refuse_too_long(struct ingest *ingest, uint64_t line)
{
    struct origin origin = {.file = ingest->file, .line = line};
    enum cli_exit exit = flush(ingest);
    if (exit != CLI_OK) {
        return exit;
    }
    complain(ingest, origin, "",
             "the object that begins here is larger than 2 MiB, or does not close");
    ingest->refused_here++;
    return CLI_REFUSED;
}

static void draw(struct ingest *ingest, const struct input *input)
{
    struct cairn_counts counts =
        ingest->args->format == NULL ? cairn_stream_counts(ingest->stream) : ingest->counts;
    progress_update(&ingest->progress, ingest->bytes_before + input_taken(input),
                    ingest->bytes_total, counts.stored + counts.duplicates);
}

static enum cli_exit take_records(struct ingest *ingest, struct split *split, struct buf *window,
                                  bool is_last)
{
    slice rest = buf_slice(window);
    enum cli_exit exit = CLI_OK;
    enum split_state state = SPLIT_RECORD;
    while (exit == CLI_OK && state == SPLIT_RECORD) {
        struct split_record record = {0};
        size_t used = 0;
        state = split_next(split, rest, is_last, &used, &record);
        if (state == SPLIT_TOO_LONG) {
            exit = refuse_too_long(ingest, record.line);
        } else if (state == SPLIT_RECORD) {
            exit = take_record(ingest, &record);
        }
        (void)slice_take(&rest, used);
    }
    buf_drop_front(window, window->len - rest.len);
    return exit;
}

static enum cli_exit stream_input(struct ingest *ingest, struct input *input, struct diag *diag)
{
    struct split split = {0};
    struct buf window CLEANUP(buf_release) = BUF_INIT(WINDOW_BYTES_MAX);
    for (;;) {
        size_t len = 0;
        bool has_room = buf_reserve(&window, READ_BYTES);
        ASSERT(has_room); /* a record is at most 2 MiB, so less than that is left over */
        enum err e = input_read(input, window.ptr + window.len, READ_BYTES, &len, diag);
        if (e != OK) {
            (void)flush(ingest);
            progress_hide(&ingest->progress);
            return cli_fail(ingest->cli, e, diag);
        }
        window.len += len;
        enum cli_exit exit = take_records(ingest, &split, &window, len == 0);
        if (exit == CLI_OK && len > 0 && !input_has_more(input)) {
            exit = flush(ingest); /* whoever writes into the pipe may take a while */
        }
        if (exit != CLI_OK || len == 0) {
            return exit;
        }
        draw(ingest, input);
    }
}

/* ---- Foreign formats: sent as they are ---- */

struct upload {
    struct ingest *ingest;
    struct input *input;
    struct diag diag;
    enum err error;
};

static long read_for_upload(void *context, char *buffer, size_t size)
{
    struct upload *upload = context;
    size_t len = 0;
    upload->error = input_read(upload->input, (uint8_t *)buffer, size, &len, &upload->diag);
    draw(upload->ingest, upload->input);
    return upload->error == OK ? (long)len : -1;
}

static struct cairn_send_options send_options(struct ingest *ingest)
{
    return (struct cairn_send_options){
        .format = ingest->args->format,
        .skip_refused = strcmp(ingest->args->on_error, "skip") == 0,
        .backfill = ingest->args->backfill,
        .on_refused = on_refused,
        .context = ingest,
    };
}

static void add_counts(struct cairn_counts *sum, const struct cairn_counts *more)
{
    if (more->stored > 0) {
        sum->first_seq = sum->stored == 0 ? more->first_seq : sum->first_seq;
        sum->last_seq = more->last_seq;
    }
    sum->stored += more->stored;
    sum->duplicates += more->duplicates;
    sum->refused += more->refused;
}

/* CLI_OK: the document was sent, and *result_out is what the server answered. */
static enum cli_exit upload_once(struct ingest *ingest, const char *path,
                                 enum cairn_result *result_out, struct diag *diag)
{
    struct cairn_send_options wanted = send_options(ingest);
    struct cairn_counts counts = {0};
    OWNED(input) input = NULL;
    enum err e = input_open(path, &input, diag);
    if (e != OK) {
        return cli_fail(ingest->cli, e, diag);
    }
    struct upload upload = {.ingest = ingest, .input = input};
    *result_out = cairn_upload(ingest->client, &wanted, read_for_upload, &upload, &counts);
    add_counts(&ingest->counts, &counts);
    if (upload.error != OK) {
        progress_hide(&ingest->progress);
        return cli_fail(ingest->cli, upload.error, &upload.diag);
    }
    ingest->bytes_before += *result_out == CAIRN_OK ? input_taken(input) : 0;
    return CLI_OK;
}

/* A record's own id is its event_id, so a document that broke off can be sent again whole. */
static enum cli_exit upload_file(struct ingest *ingest, const char *path, struct diag *diag)
{
    bool is_stdin = strcmp(path, "-") == 0; /* it is gone once it was read */
    enum cairn_result result = CAIRN_OK;
    unsigned failures = 0;
    ingest->file = is_stdin ? "stdin" : path;
    do {
        enum cli_exit exit = upload_once(ingest, path, &result, diag);
        if (exit != CLI_OK) {
            return exit;
        }
        failures++;
    } while (!is_stdin && stream_wait_to_retry(ingest->client, result, failures));
    return result == CAIRN_OK ? CLI_OK : fail_stream(ingest, result);
}

/* ---- All of it ---- */

static enum cli_exit stream_file(struct ingest *ingest, const char *path, struct diag *diag)
{
    OWNED(input) input = NULL;
    ingest->file = strcmp(path, "-") == 0 ? "stdin" : path;
    enum err e = input_open(path, &input, diag);
    if (e != OK) {
        (void)flush(ingest);
        return cli_fail(ingest->cli, e, diag);
    }
    enum cli_exit exit = stream_input(ingest, input, diag);
    ingest->bytes_before += input_taken(input);
    return exit;
}

static enum cli_exit run_files(struct ingest *ingest)
{
    const struct cli *cli = ingest->cli;
    struct diag diag = {0};
    enum cli_exit exit = CLI_OK;
    for (size_t i = 0; i < cli->operand_count && exit == CLI_OK; i++) {
        exit = ingest->args->format != NULL ? upload_file(ingest, cli->operands[i], &diag)
                                            : stream_file(ingest, cli->operands[i], &diag);
    }
    if (exit == CLI_OK && ingest->stream != NULL) {
        exit = flush(ingest);
    }
    return exit;
}

/* So that the bar knows the whole; a pipe among the files leaves it without an end. */
static void find_total(struct ingest *ingest)
{
    for (size_t i = 0; i < ingest->cli->operand_count; i++) {
        OWNED(input) input = NULL;
        bool is_stdin = strcmp(ingest->cli->operands[i], "-") == 0;
        if (is_stdin || input_open(ingest->cli->operands[i], &input, NULL) != OK ||
            input_total(input) == 0) {
            ingest->bytes_total = 0;
            return;
        }
        ingest->bytes_total += input_total(input);
    }
}

static void print_json(const struct cairn_counts *counts)
{
    (void)printf("{\"stored\":%llu,\"duplicates\":%llu,\"refused\":%llu",
                 (unsigned long long)counts->stored, (unsigned long long)counts->duplicates,
                 (unsigned long long)counts->refused);
    if (counts->stored > 0) {
        (void)printf(",\"first_seq\":%llu,\"last_seq\":%llu", (unsigned long long)counts->first_seq,
                     (unsigned long long)counts->last_seq);
    }
    (void)printf("}\n");
}

static void print_summary(const struct ingest *ingest, const struct cairn_counts *counts)
{
    if (cli_wants_json(ingest->cli)) {
        print_json(counts);
        return;
    }
    struct buf line CLEANUP(buf_release) = BUF_INIT(KIB(4));
    double seconds = progress_seconds(&ingest->progress);
    screen_count(&line, counts->stored);
    buf_append_cstr(&line, " stored");
    if (counts->stored > 0) {
        buf_append_cstr(&line, " (seq ");
        screen_count(&line, counts->first_seq);
        buf_append_cstr(&line, " to ");
        screen_count(&line, counts->last_seq);
        buf_append_byte(&line, ')');
    }
    buf_append_cstr(&line, ", ");
    screen_count(&line, counts->duplicates);
    buf_append_cstr(&line, " there already, ");
    screen_count(&line, counts->refused);
    buf_append_format(&line, " refused; %.1f s, ", seconds);
    screen_count(&line, (uint64_t)((double)(counts->stored + counts->duplicates) / seconds));
    (void)printf("%s/s\n", buf_cstr(&line));
}

static enum cli_exit run_connected(struct ingest *ingest)
{
    struct cairn_send_options wanted = send_options(ingest);
    if (ingest->args->format == NULL) {
        enum cairn_result result = cairn_stream_open(ingest->client, &wanted, &ingest->stream);
        if (result != CAIRN_OK) {
            return cli_fail_client(ingest->cli, ingest->client, result);
        }
    }
    progress_begin(&ingest->progress, &ingest->cli->screen, "events");
    find_total(ingest);
    enum cli_exit exit = run_files(ingest);
    progress_hide(&ingest->progress);
    struct cairn_counts counts =
        ingest->stream != NULL ? cairn_stream_counts(ingest->stream) : ingest->counts;
    counts.refused += ingest->refused_here;
    print_summary(ingest, &counts);
    cairn_stream_free(ingest->stream);
    free(ingest->origins);
    return exit == CLI_OK && counts.refused > 0 ? CLI_REFUSED : exit;
}

static enum cli_exit run(struct cli *cli)
{
    struct ingest ingest = {.cli = cli, .args = cli->args, .first = 1};
    enum cli_exit exit = cli_connect(cli, &ingest.client);
    if (exit != CLI_OK) {
        return exit;
    }
    exit = run_connected(&ingest);
    cairn_client_free(ingest.client);
    return exit;
}

const struct cli_command cmd_ingest = {
    .name = "ingest",
    .summary = "Sends events from files",
    .operands = "FILE...",
    .details =
        "Takes NDJSON, JSON objects one after the other, and arrays; plain, gzip or zstd; - is "
        "stdin. "
        "An event without an event_id is given one, so that whatever breaks on the way, each is "
        "stored once. A busy server is waited for.\n"
        "Says at the end how many were stored, were there already, and were refused.",
    .options = options,
    .option_count = COUNT_OF(options),
    .defaults = &defaults,
    .args_bytes = sizeof(defaults),
    .operands_least = 1,
    .operands_most = SIZE_MAX,
    .uses_server = true,
    .run = run,
};
