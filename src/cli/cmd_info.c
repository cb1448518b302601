/* SPDX-License-Identifier: Apache-2.0 */
/* cairn log, cairn health, cairn proof - one question, one answer. */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "cli/answer.h"
#include "show/show.h"

/* ---- log ---- */

struct log_args {
    bool vkey;
};

static const struct log_args log_defaults = {0};

static const struct cli_option log_options[] = {
    {"vkey", CLI_FLAG, offsetof(struct log_args, vkey), "",
     "Prints the verifier key that signs now, and nothing else", NULL},
};

/* "log key" or "cosigner": the key, and from when to when it signs. */
static void add_key(json_t *rows, const json_t *key, size_t index)
{
    CLEANUP(buf_release) struct buf name = BUF_INIT(KIB(1));
    CLEANUP(buf_release) struct buf text = BUF_INIT(KIB(4));
    const char *kind = json_string_value(json_object_get(key, "kind"));
    const char *vkey = json_string_value(json_object_get(key, "vkey"));
    const char *created = json_string_value(json_object_get(key, "created"));
    const char *retires = json_string_value(json_object_get(key, "retires"));
    buf_append_format(&name, "key %zu, %s", index + 1, kind != NULL ? kind : "");
    buf_append_format(&text, "%s  since %s", vkey != NULL ? vkey : "",
                      created != NULL ? created : "");
    if (retires != NULL) {
        buf_append_format(&text, " until %s", retires);
    }
    (void)json_object_set_new(rows, buf_cstr(&name), json_string(buf_cstr(&text)));
}

/* For people: a row for each key, and without the note, which is for programs. */
static json_t *log_rows(const json_t *log)
{
    json_t *rows = json_object();
    const json_t *keys = json_object_get(log, "keys");
    const char *const plain[] = {"origin", "size", "checkpoint_size"};
    for (size_t i = 0; i < COUNT_OF(plain); i++) {
        (void)json_object_set(rows, plain[i], json_object_get(log, plain[i]));
    }
    for (size_t i = 0; i < json_array_size(keys); i++) {
        add_key(rows, json_array_get(keys, i), i);
    }
    return rows;
}

static enum cli_exit write_vkey(const struct cli *cli, const json_t *log)
{
    const char *vkey = show_member_text(log, "vkey");
    struct buf out CLEANUP(buf_release) = BUF_INIT(KIB(64));
    if (vkey[0] == '\0') {
        cli_say(cli, "the server names no verifier key");
        return CLI_REFUSED;
    }
    screen_lines(&cli->screen, &out, slice_from_cstr(vkey));
    buf_append_byte(&out, '\n');
    (void)screen_write(buf_slice(&out));
    return CLI_OK;
}

static enum cli_exit write_log(const struct cli *cli, const struct answer *answer)
{
    const struct log_args *args = cli->args;
    struct buf out CLEANUP(buf_release) = BUF_INIT(MIB(1));
    if (args->vkey) {
        return write_vkey(cli, answer->json);
    }
    if (cli_wants_json(cli)) {
        answer_write(cli, answer);
        return CLI_OK;
    }
    json_t *rows = log_rows(answer->json);
    show_object(&cli->screen, rows, &out);
    (void)screen_write(buf_slice(&out));
    json_decref(rows);
    return CLI_OK;
}

static enum cli_exit ask_log(const struct cli *cli, struct cairn_client *client)
{
    struct answer answer CLEANUP(answer_release) = {0};
    char *text = NULL;
    size_t len = 0;
    enum cairn_result result = cairn_log(client, &text, &len);
    enum cli_exit exit = answer_take(cli, client, result, text, len, &answer);
    return exit == CLI_OK ? write_log(cli, &answer) : exit;
}

static enum cli_exit run_log(struct cli *cli)
{
    return cli_ask(cli, ask_log);
}

const struct cli_command cmd_log = {
    .name = "log",
    .summary = "Says the log's origin, verifier key, size and checkpoint",
    .operands = "",
    .details =
        "Keep the verifier key (vkey) where the server cannot change it: with it anybody can "
        "check what the server says.",
    .options = log_options,
    .option_count = COUNT_OF(log_options),
    .defaults = &log_defaults,
    .args_bytes = sizeof(log_defaults),
    .uses_server = true,
    .run = run_log,
};

/* ---- health ---- */

static enum cli_exit ask_health(const struct cli *cli, struct cairn_client *client)
{
    struct answer answer CLEANUP(answer_release) = {0};
    char *text = NULL;
    size_t len = 0;
    enum cairn_result result = cairn_health(client, &text, &len);
    bool has_answer = text != NULL; /* it says how it is, be it well or not */
    enum cli_exit exit =
        answer_take(cli, client, has_answer ? CAIRN_OK : result, text, len, &answer);
    if (exit != CLI_OK) {
        return exit;
    }
    answer_write(cli, &answer);
    return result == CAIRN_OK ? CLI_OK : CLI_REFUSED;
}

static enum cli_exit run_health(struct cli *cli)
{
    return cli_ask(cli, ask_health);
}

const struct cli_command cmd_health = {
    .name = "health",
    .summary = "Says how the server is",
    .operands = "",
    .details = "Exit status 0: well; 1: it answers and is not well; 3: it does not answer.",
    .uses_server = true,
    .run = run_health,
};

/* ---- proof ---- */

struct proof_args {
    const char *out;
};

static const struct proof_args proof_defaults = {0};

static const struct cli_option proof_options[] = {
    {"out", CLI_PATH, offsetof(struct proof_args, out), "FILE",
     "Writes the proof into this file; else to stdout", NULL},
};

/* 0, or the errno. */
static int write_file(const char *path, slice bytes)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    int error = fd < 0 ? errno : 0;
    while (error == 0 && bytes.len > 0) {
        ssize_t n = write(fd, bytes.ptr, bytes.len);
        error = n >= 0 || errno == EINTR ? 0 : errno;
        (void)slice_take(&bytes, n > 0 ? (size_t)n : 0);
    }
    if (fd >= 0 && close(fd) != 0 && error == 0) {
        error = errno;
    }
    return error;
}

static enum cli_exit write_proof(const struct cli *cli, const char *path, slice proof)
{
    struct buf out CLEANUP(buf_release) = BUF_INIT(MIB(64));
    struct diag diag = {0};
    if (path == NULL) {
        screen_lines(&cli->screen, &out, proof);
        (void)screen_write(buf_slice(&out));
        return CLI_OK;
    }
    int error = write_file(path, proof);
    if (error == 0) {
        return CLI_OK;
    }
    return cli_fail(cli, diag_fail(&diag, ERR_IO, path, "cannot be written: %s", strerror(error)),
                    &diag);
}

static enum cli_exit ask_proof(const struct cli *cli, struct cairn_client *client)
{
    const struct proof_args *args = cli->args;
    char *text = NULL;
    size_t len = 0;
    enum cairn_result result = cairn_proof(client, cli->operands[0], &text, &len);
    enum cli_exit exit = result == CAIRN_OK
                             ? write_proof(cli, args->out, (slice){(const uint8_t *)text, len})
                             : cli_fail_client(cli, client, result);
    cairn_free(text);
    return exit;
}

static enum cli_exit run_proof(struct cli *cli)
{
    return cli_ask(cli, ask_proof);
}

const struct cli_command cmd_proof = {
    .name = "proof",
    .summary = "Fetches the proof that an event is in the log",
    .operands = "EVENT_ID",
    .details = "The file is a c2sp.org/tlog-proof@v1. cairn verify checks it without a server.",
    .options = proof_options,
    .option_count = COUNT_OF(proof_options),
    .defaults = &proof_defaults,
    .args_bytes = sizeof(proof_defaults),
    .operands_least = 1,
    .operands_most = 1,
    .uses_server = true,
    .run = run_proof,
};
