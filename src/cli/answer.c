/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/answer.h"

#include <stdlib.h>

#include "kinds/kinds.h"
#include "show/show.h"

void answer_release(struct answer *answer)
{
    json_decref(answer->json);
    cairn_free(answer->text);
    *answer = (struct answer){0};
}

enum cli_exit answer_take(const struct cli *cli, const struct cairn_client *client,
                          enum cairn_result result, char *text, size_t len, struct answer *out)
{
    json_error_t error = {0};
    if (result != CAIRN_OK) {
        cairn_free(text);
        return cli_fail_client(cli, client, result);
    }
    json_t *json = json_loadb(text, len, JSON_ALLOW_NUL, &error);
    if (!json_is_object(json)) {
        cli_say(cli, "this is no answer of a Cairn server: %s",
                json == NULL ? error.text : "it is no JSON object");
        json_decref(json);
        cairn_free(text);
        return CLI_UNREACHABLE;
    }
    *out = (struct answer){.text = text, .len = len, .json = json};
    return CLI_OK;
}

enum cli_exit answer_get(const struct cli *cli, struct cairn_client *client, struct text *target,
                         struct answer *out)
{
    char *text = NULL;
    size_t len = 0;
    if (target->failed) {
        return cli_usage(cli, "these words are too long");
    }
    enum cairn_result result = cairn_get(client, target->ptr, &text, &len);
    return answer_take(cli, client, result, text, len, out);
}

enum cli_exit answer_change(const struct cli *cli, struct cairn_client *client, const char *method,
                            struct text *target, json_t *body, struct answer *out)
{
    char *said = NULL;
    size_t len = 0;
    char *text = body != NULL ? json_dumps(body, KIND_JSON) : NULL;
    json_decref(body);
    if (text == NULL || target->failed) {
        free(text);
        return cli_usage(cli,
                         target->failed ? "these words are too long" : "these words are not UTF-8");
    }
    enum cairn_result result = cairn_change(client, method, target->ptr, text, &said, &len);
    free(text);
    if (result == CAIRN_OK && len == 0) {
        cairn_free(said);
        return CLI_OK;
    }
    return answer_take(cli, client, result, said, len, out);
}

enum cli_exit answer_get_list(const struct cli *cli, struct cairn_client *client,
                              struct text *target, const char *name, struct answer *out,
                              const json_t **list_out)
{
    enum cli_exit exit = answer_get(cli, client, target, out);
    if (exit != CLI_OK) {
        return exit;
    }
    *list_out = json_object_get(out->json, name);
    if (!json_is_array(*list_out)) {
        cli_say(cli, "this is no answer of a Cairn server: it has no list called %s", name);
        return CLI_UNREACHABLE;
    }
    return CLI_OK;
}

void answer_write(const struct cli *cli, const struct answer *answer)
{
    struct buf out CLEANUP(buf_release) = BUF_INIT(MIB(64));
    if (cli_wants_json(cli)) {
        screen_json_line(&cli->screen, &out, (slice){(const uint8_t *)answer->text, answer->len});
    } else {
        show_object(&cli->screen, answer->json, &out);
    }
    (void)screen_write(buf_slice(&out));
}
