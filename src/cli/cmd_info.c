/* SPDX-License-Identifier: Apache-2.0 */
/* cairn log, cairn health, cairn proof - one question, one answer. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "cli/connect.h"
#include "show/show.h"

/* ---- log and health: a small object ---- */

static void print_answer(const struct cli *cli, slice answer)
{
    struct buf out CLEANUP(buf_release) = BUF_INIT(MIB(16));
    json_t *json = json_loadb((const char *)answer.ptr, answer.len, JSON_ALLOW_NUL, NULL);
    if (cli_wants_json(cli) || !json_is_object(json)) {
        show_json_line(answer, &out);
    } else {
        show_object(&cli->screen, json, &out);
    }
    (void)screen_write(buf_slice(&out));
    json_decref(json);
}

static enum cli_exit ask(struct cli *cli,
                         enum cairn_result (*question)(struct cairn_client *client, char **text_out,
                                                       size_t *len_out),
                         void (*print)(const struct cli *cli, slice answer))
{
    struct cairn_client *client = NULL;
    enum cli_exit exit = cli_connect(cli, &client);
    if (exit != CLI_OK) {
        return exit;
    }
    char *text = NULL;
    size_t len = 0;
    enum cairn_result result = question(client, &text, &len);
    if (text != NULL) {
        print(cli, (slice){(const uint8_t *)text, len});
        exit = result == CAIRN_OK ? CLI_OK : CLI_REFUSED; /* it answers, and says it is not well */
    } else {
        exit = cli_fail_client(cli, client, result);
    }
    cairn_free(text);
    cairn_client_free(client);
    return exit;
}

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

static void print_log(const struct cli *cli, slice answer)
{
    const struct log_args *args = cli->args;
    CLEANUP(buf_release) struct buf out = BUF_INIT(MIB(1));
    json_t *log = json_loadb((const char *)answer.ptr, answer.len, JSON_ALLOW_NUL, NULL);
    const char *vkey = json_string_value(json_object_get(log, "vkey"));
    if (args->vkey && vkey != NULL) {
        buf_append_cstr(&out, vkey);
        buf_append_byte(&out, '\n');
    } else if (cli_wants_json(cli) || log == NULL) {
        show_json_line(answer, &out);
    } else {
        json_t *rows = log_rows(log);
        show_object(&cli->screen, rows, &out);
        json_decref(rows);
    }
    (void)screen_write(buf_slice(&out));
    json_decref(log);
}

static enum cli_exit run_log(struct cli *cli)
{
    return ask(cli, cairn_log, print_log);
}

static enum cli_exit run_health(struct cli *cli)
{
    return ask(cli, cairn_health, print_answer);
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

static enum cli_exit write_proof(const struct cli *cli, const char *path, slice proof)
{
    struct diag diag = {0};
    if (path == NULL) {
        return screen_write(proof) ? CLI_OK : CLI_UNREACHABLE;
    }
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    bool ok = fd >= 0;
    while (ok && proof.len > 0) {
        ssize_t n = write(fd, proof.ptr, proof.len);
        ok = n > 0;
        (void)slice_take(&proof, ok ? (size_t)n : 0);
    }
    ok = ok && close(fd) == 0;
    if (ok) {
        return CLI_OK;
    }
    return cli_fail(cli, diag_fail(&diag, ERR_IO, path, "cannot be written: %s", strerror(errno)),
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
