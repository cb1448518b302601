/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * answer - what a server said to a command, read as JSON.
 *
 * An answer that is not what was asked for is no answer: it is said on stderr, and never taken for
 * an empty one. Threads: one.
 */

#include <jansson.h>

#include "cli/connect.h"
#include "client/text.h"

struct answer {
    char *text; /* as it came; NULL: there was none */
    size_t len;
    json_t *json; /* an object; NULL: there was nothing to say */
};

void answer_release(struct answer *answer); /* answers are {0} before */

/* Longer targets than that are refused, not cut: part of one may be another's. */
#define ANSWER_TARGET_BYTES_MAX 8192

/* CLI_OK: *out holds an object. Else it was said why not. */
enum cli_exit answer_get(const struct cli *cli, struct cairn_client *client, struct text *target,
                         struct answer *out);

/* The same, and *list_out is the array of that name in it. */
enum cli_exit answer_get_list(const struct cli *cli, struct cairn_client *client,
                              struct text *target, const char *name, struct answer *out,
                              const json_t **list_out);

/* Of a change, whose answer may also be nothing. Takes `body`; NULL: its words were no UTF-8. */
enum cli_exit answer_change(const struct cli *cli, struct cairn_client *client, const char *method,
                            struct text *target, json_t *body, struct answer *out);

/* Reads the answer of another call of `client`, which gave `text` and `result`. Takes `text`. */
enum cli_exit answer_take(const struct cli *cli, const struct cairn_client *client,
                          enum cairn_result result, char *text, size_t len, struct answer *out);

/* Writes the object: a line for each member of it, or the JSON as it came. */
void answer_write(const struct cli *cli, const struct answer *answer);
