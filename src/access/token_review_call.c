/* SPDX-License-Identifier: Apache-2.0 */
#include "access/token_review_call.h"

#include <curl/curl.h>
#include <stdlib.h>

#include "access/token_review_read.h"
#include "base/mem.h"
#include "crypto/secret.h"
#include "json/write.h"
#include "os/file.h"

#define PATH       "/apis/authentication.k8s.io/v1/tokenreviews"
#define CANNOT_ASK "the question cannot be put together"

enum {
    CA_BYTES_MAX = 1024 * 1024,
    URL_BYTES_MAX = 1024,
    HEADER_BYTES_MAX = TOKEN_REVIEW_BYTES_MAX + 64,
    /* Of the question, so that no growing leaves a copy of the token behind. */
    QUESTION_BYTES = TOKEN_REVIEW_BYTES_MAX + 8 * 1024,
};

struct token_review_link {
    CURL *curl;
    char error[CURL_ERROR_SIZE];
};

static void wiped_release(struct buf *buf)
{
    secret_wipe(buf->ptr, buf->len);
    buf_release(buf);
}

static void headers_release(struct curl_slist **list)
{
    for (struct curl_slist *item = *list; item != NULL; item = item->next) {
        secret_wipe(item->data, strlen(item->data));
    }
    curl_slist_free_all(*list);
}

struct token_review_link *token_review_link_new(void)
{
    struct token_review_link *link = mem_zeroed(sizeof(*link));
    link->curl = curl_easy_init();
    return link;
}

void token_review_link_free(struct token_review_link *link)
{
    if (link != NULL) {
        curl_easy_cleanup(link->curl);
        free(link);
    }
}

/* ---- The files ---- */

static enum err read_file(const char *path, size_t max, struct secret_file *out, struct diag *diag)
{
    struct diag why = {0};
    enum err e = file_read_path(path, max, &out->bytes, &out->len, &why);
    return e == OK ? OK : diag_fail(diag, ERR_BUSY, path, "%s", why.text);
}

/* One line of bytes that can stand in a header; *out is inside `file`. */
static enum err own_token(const char *path, const struct secret_file *file, slice *out,
                          struct diag *diag)
{
    slice token = secret_file_slice(file);
    while (token.len > 0 &&
           (token.ptr[token.len - 1] == '\n' || token.ptr[token.len - 1] == '\r')) {
        token.len--;
    }
    for (size_t i = 0; i < token.len; i++) {
        if (token.ptr[i] <= ' ' || token.ptr[i] >= 0x7f) {
            return diag_fail(diag, ERR_BUSY, path, "is not a token");
        }
    }
    *out = token;
    return token.len > 0 ? OK : diag_fail(diag, ERR_BUSY, path, "is empty");
}

enum err token_review_check(const struct token_review_server *server, struct diag *diag)
{
    CLEANUP(secret_file_release) struct secret_file ca = {0};
    CLEANUP(secret_file_release) struct secret_file file = {0};
    struct diag why = {0};
    slice token = {0};
    enum err e = read_file(server->ca_file, CA_BYTES_MAX, &ca, &why);
    e = e == OK ? read_file(server->token_file, TOKEN_REVIEW_BYTES_MAX, &file, &why) : e;
    e = e == OK ? own_token(server->token_file, &file, &token, &why) : e;
    return e == OK ? OK : diag_fail(diag, ERR_INVALID, why.where, "%s", why.text);
}

/* ---- The question ---- */

static enum err write_question(const struct token_review_server *server, slice token,
                               struct buf *out)
{
    slice audiences = slice_from_cstr(server->audiences);
    struct json_writer json = json_writer_to(out);
    (void)buf_reserve(out, QUESTION_BYTES);
    json_begin_object(&json, NULL);
    json_cstr(&json, "apiVersion", "authentication.k8s.io/v1");
    json_cstr(&json, "kind", "TokenReview");
    json_begin_object(&json, "spec");
    json_str(&json, "token", token);
    slice word = token_review_word(&audiences);
    if (word.len > 0) {
        json_begin_array(&json, "audiences");
        for (; word.len > 0; word = token_review_word(&audiences)) {
            json_str(&json, NULL, word);
        }
        json_end_array(&json);
    }
    return json_end(&json);
}

/* curl copies the line. */
static bool add_header(struct curl_slist **list, const char *line)
{
    struct curl_slist *grown = curl_slist_append(*list, line);
    *list = grown != NULL ? grown : *list;
    return grown != NULL;
}

static enum err add_headers(slice own, struct curl_slist **list, struct diag *diag)
{
    CLEANUP(wiped_release) struct buf line = BUF_INIT(HEADER_BYTES_MAX);
    (void)buf_reserve(&line, HEADER_BYTES_MAX);
    buf_append_cstr(&line, "Authorization: Bearer ");
    buf_append(&line, own);
    buf_append_byte(&line, '\0');
    bool is_fine = !line.failed && add_header(list, (const char *)line.ptr) &&
                   add_header(list, "Content-Type: application/json") &&
                   add_header(list, "Accept: application/json") &&
                   add_header(list, "Expect:"); /* the body goes at once */
    return is_fine ? OK : diag_fail(diag, ERR_BUSY, "", CANNOT_ASK);
}

static size_t on_write(char *bytes, size_t size, size_t count, void *context)
{
    struct buf *answer = context;
    buf_append(answer, (slice){(const uint8_t *)bytes, size * count});
    return answer->failed ? 0 : size * count;
}

/* An option that curl refuses is one it cannot allocate for, or that this build of it does not
 * have: then nothing is asked. */
#define SET(option, value)                                                                         \
    (code = code == CURLE_OK ? curl_easy_setopt(curl, (option), (value)) : code)

static CURLcode set_safety(CURL *curl, const struct secret_file *ca)
{
    CURLcode code = CURLE_OK;
    struct curl_blob blob = {ca->bytes, ca->len, CURL_BLOB_COPY};
    SET(CURLOPT_PROTOCOLS_STR, "https");
    SET(CURLOPT_FOLLOWLOCATION, 0L);
    SET(CURLOPT_PROXY, ""); /* not even one that the environment names */
    SET(CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
    SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    SET(CURLOPT_SSL_VERIFYPEER, 1L);
    SET(CURLOPT_SSL_VERIFYHOST, 2L);
    SET(CURLOPT_CAINFO_BLOB, &blob); /* a file would be kept by curl for a day */
    SET(CURLOPT_CAPATH, NULL);
    return code;
}

static CURLcode set_question(CURL *curl, const char *url, struct curl_slist *headers,
                             const struct buf *question)
{
    CURLcode code = CURLE_OK;
    SET(CURLOPT_URL, url);
    SET(CURLOPT_HTTPHEADER, headers);
    SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    SET(CURLOPT_POST, 1L);
    SET(CURLOPT_POSTFIELDS, (const char *)question->ptr);
    SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)question->len);
    return code;
}

static CURLcode set_answer(struct token_review_link *link, uint32_t timeout_ms, struct buf *answer)
{
    CURLcode code = CURLE_OK;
    CURL *curl = link->curl;
    SET(CURLOPT_NOSIGNAL, 1L);
    SET(CURLOPT_CONNECTTIMEOUT_MS, (long)timeout_ms);
    SET(CURLOPT_TIMEOUT_MS, (long)timeout_ms);
    SET(CURLOPT_TCP_KEEPALIVE, 1L);
    SET(CURLOPT_ERRORBUFFER, link->error);
    SET(CURLOPT_WRITEFUNCTION, on_write);
    SET(CURLOPT_WRITEDATA, (void *)answer);
    return code;
}

/* ---- The answer ---- */

static enum err judge(const struct token_review_link *link, CURLcode code, const struct buf *answer,
                      bool *is_away, struct diag *diag)
{
    long status = 0;
    (void)curl_easy_getinfo(link->curl, CURLINFO_RESPONSE_CODE, &status);
    if (answer->failed) {
        return diag_fail(diag, ERR_BUSY, "", "the API server's answer is too long");
    }
    if (code != CURLE_OK) {
        const char *why = link->error[0] != '\0' ? link->error : curl_easy_strerror(code);
        *is_away = status == 0;
        return diag_fail(diag, ERR_BUSY, "", "the API server does not answer: %.100s", why);
    }
    if (status == 401 || status == 403) {
        return diag_fail(diag, ERR_BUSY, "",
                         "the API server refuses our own token with %ld: it needs the role "
                         "system:auth-delegator",
                         status);
    }
    if (status != 200 && status != 201) {
        return diag_fail(diag, ERR_BUSY, "", "the API server answers with status %ld", status);
    }
    return OK;
}

static enum err perform(struct token_review_link *link, const struct token_review_server *server,
                        const struct buf *question, struct buf *answer, bool *is_away,
                        struct diag *diag)
{
    CLEANUP(secret_file_release) struct secret_file ca = {0};
    CLEANUP(secret_file_release) struct secret_file own_file = {0};
    CLEANUP(headers_release) struct curl_slist *headers = NULL;
    CLEANUP(buf_release) struct buf url = BUF_INIT(URL_BYTES_MAX + sizeof(PATH));
    slice own = {0};
    TRY(read_file(server->ca_file, CA_BYTES_MAX, &ca, diag));
    TRY(read_file(server->token_file, TOKEN_REVIEW_BYTES_MAX, &own_file, diag));
    TRY(own_token(server->token_file, &own_file, &own, diag));
    buf_append_cstr(&url, server->url);
    buf_append_cstr(&url, PATH);
    TRY(add_headers(own, &headers, diag));
    CURLcode code = set_safety(link->curl, &ca);
    code = code == CURLE_OK ? set_question(link->curl, buf_cstr(&url), headers, question) : code;
    code = code == CURLE_OK ? set_answer(link, server->timeout_ms, answer) : code;
    if (code != CURLE_OK) {
        return diag_fail(diag, ERR_BUSY, "", CANNOT_ASK);
    }
    code = curl_easy_perform(link->curl);
    return judge(link, code, answer, is_away, diag);
}

enum err token_review_call(struct token_review_link *link, const struct token_review_server *server,
                           slice token, struct buf *answer, bool *is_away, struct diag *diag)
{
    CLEANUP(wiped_release) struct buf question = BUF_INIT(QUESTION_BYTES);
    *is_away = false;
    link->error[0] = '\0';
    if (link->curl == NULL || write_question(server, token, &question) != OK) {
        return diag_fail(diag, ERR_BUSY, "", CANNOT_ASK);
    }
    enum err e = perform(link, server, &question, answer, is_away, diag);
    curl_easy_reset(link->curl); /* it points into what ends here; the connection stays */
    return e;
}
