/* SPDX-License-Identifier: Apache-2.0 */
#include "http/conn_tls.h"

#include <openssl/err.h>
#include <stdlib.h>

#include "base/mem.h"
#include "http/exchange.h"

enum {
    OUT_BYTES = 64 * 1024,      /* of ciphertext, ahead of the kernel */
    OUT_BYTES_MAX = 128 * 1024, /* with a last record, a handshake, and what a peer provokes */
    HELLO_BYTES_MAX = 16 * 1024,
    RECORD_HANDSHAKE = 22, /* the first byte of a record */
    CLIENT_HELLO = 1,      /* the first byte behind its five */
};

/* ---- The BIO ---- */

static int bio_read(BIO *bio, char *out, int len)
{
    struct conn_tls *secured = BIO_get_data(bio);
    slice held = {secured->first + secured->first_used,
                  (size_t)(secured->first_len - secured->first_used)};
    slice *source = held.len > 0 ? &held : &secured->input;
    BIO_clear_retry_flags(bio);
    if (source->len == 0 || len <= 0) {
        BIO_set_retry_read(bio);
        return -1;
    }
    slice piece = slice_take(source, (size_t)len < source->len ? (size_t)len : source->len);
    memcpy(out, piece.ptr, piece.len);
    secured->first_used = (uint8_t)(secured->first_len - held.len);
    return (int)piece.len;
}

static int bio_write(BIO *bio, const char *bytes, int len)
{
    struct conn_tls *secured = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    buf_append(&secured->out, (slice){(const uint8_t *)bytes, (size_t)len});
    return secured->out.failed ? -1 : len;
}

static long bio_ctrl(BIO *bio, int command, long number, void *pointer)
{
    UNUSED(bio);
    UNUSED(number);
    UNUSED(pointer);
    return command == BIO_CTRL_FLUSH ? 1 : 0;
}

/* Without a type of its own: a process has 127 of them, and every reload would take one. */
BIO_METHOD *conn_tls_bio(void)
{
    BIO_METHOD *method = BIO_meth_new(BIO_TYPE_NONE, "connection");
    bool is_made = method != NULL && BIO_meth_set_read(method, bio_read) == 1 &&
                   BIO_meth_set_write(method, bio_write) == 1 &&
                   BIO_meth_set_ctrl(method, bio_ctrl) == 1;
    if (!is_made) {
        BIO_meth_free(method);
        return NULL;
    }
    return method;
}

/* ---- Life ---- */

struct conn_tls *conn_tls_new(struct http_tls *tls)
{
    struct conn_tls *secured = mem_zeroed(sizeof(*secured));
    secured->tls = tls;
    buf_init(&secured->out, OUT_BYTES_MAX);
    buf_init(&secured->sending, OUT_BYTES_MAX);
    ERR_clear_error();
    secured->ssl = SSL_new(tls->context);
    BIO *bio = BIO_new(tls->bio);
    if (secured->ssl == NULL || bio == NULL) {
        (void)BIO_free(bio);
        conn_tls_free(secured);
        return NULL;
    }
    BIO_set_data(bio, secured);
    BIO_set_init(bio, 1);
    SSL_set_bio(secured->ssl, bio, bio);
    SSL_set_accept_state(secured->ssl);
    return secured;
}

void conn_tls_free(struct conn_tls *secured)
{
    if (secured == NULL) {
        return;
    }
    if (secured->done != NULL) {
        secured->done(secured->waiting, UV_ECANCELED);
    }
    SSL_free(secured->ssl);
    http_tls_unref(secured->tls);
    buf_release(&secured->out);
    buf_release(&secured->sending);
    free(secured->peer);
    free(secured);
}

size_t conn_tls_unsent(const struct conn_tls *secured)
{
    return secured->out.len + secured->plain[0].len + secured->plain[1].len;
}

/* ---- Writing ---- */

/* The next plaintext for one record. Two short pieces (the head of an answer and its body) go
 * together, through `record`; a long one is taken from where it is. */
static slice next_record(const struct conn_tls *secured, uint8_t record[TLS_RECORD_BYTES])
{
    const uv_buf_t *first = &secured->plain[0];
    const uv_buf_t *second = &secured->plain[1];
    if (first->len == 0) {
        first = second;
    }
    if (first == second || second->len == 0 || first->len >= TLS_RECORD_BYTES) {
        size_t len = first->len < TLS_RECORD_BYTES ? first->len : TLS_RECORD_BYTES;
        return (slice){(const uint8_t *)first->base, len};
    }
    size_t room = TLS_RECORD_BYTES - first->len;
    size_t taken = second->len < room ? second->len : room;
    memcpy(record, first->base, first->len);
    memcpy(record + first->len, second->base, taken);
    return (slice){record, first->len + taken};
}

/* Makes ciphertext of the plaintext, as long as there is not too much of it. */
static bool encrypt(struct http_conn *conn)
{
    struct conn_tls *secured = conn->tls;
    while (secured->plain[0].len + secured->plain[1].len > 0 && secured->out.len < OUT_BYTES) {
        slice piece = next_record(secured, conn->loop->tls->record);
        size_t written = 0;
        ERR_clear_error();
        if (secured->is_failed || SSL_write_ex(secured->ssl, piece.ptr, piece.len, &written) != 1) {
            secured->is_failed = true;
            return false;
        }
        conn_skip(secured->plain, written);
    }
    return true;
}

static void on_written(uv_write_t *write, int status);

/* Gives the kernel's queue what there is, unless it still works on the last. */
static bool start_write(struct http_conn *conn)
{
    struct conn_tls *secured = conn->tls;
    if (secured->is_writing) {
        return true;
    }
    if (!encrypt(conn)) {
        return false;
    }
    if (secured->out.len == 0) {
        return true;
    }
    buf_swap(&secured->out, &secured->sending);
    uv_buf_t buf = uv_buf_init((char *)secured->sending.ptr, (unsigned)secured->sending.len);
    secured->is_writing = true;
    secured->write.data = conn;
    int queued = uv_write(&secured->write, (uv_stream_t *)&conn->tcp, &buf, 1, on_written);
    ASSERT(queued == 0); /* it fails only for handles that are not ours to write */
    return true;
}

static void release_buffers(struct conn_tls *secured)
{
    buf_release(&secured->out);
    buf_release(&secured->sending);
}

/* Everything is with the kernel. */
static void on_flushed(struct http_conn *conn)
{
    struct conn_tls *secured = conn->tls;
    release_buffers(secured);
    uv_write_cb done = secured->done;
    secured->done = NULL;
    if (done != NULL) {
        done(secured->waiting, 0);
    } else {
        conn_flushed(conn);
    }
}

static void on_written(uv_write_t *write, int status)
{
    struct http_conn *conn = write->data;
    struct conn_tls *secured = conn->tls;
    secured->is_writing = false;
    buf_clear(&secured->sending);
    if (conn->is_closing) { /* conn_tls_free() tells whoever waits */
        return;
    }
    if (status < 0 || !start_write(conn)) {
        conn_close(conn);
    } else if (!secured->is_writing) {
        on_flushed(conn);
    }
}

/* Sends what the kernel takes at once, and queues the rest. */
static bool flush(struct http_conn *conn)
{
    struct conn_tls *secured = conn->tls;
    if (secured->is_writing || secured->out.len == 0) {
        return true;
    }
    uv_buf_t buf = uv_buf_init((char *)secured->out.ptr, (unsigned)secured->out.len);
    int sent = uv_try_write((uv_stream_t *)&conn->tcp, &buf, 1);
    if (sent < 0 && sent != UV_EAGAIN) {
        return false;
    }
    buf_drop_front(&secured->out, sent < 0 ? 0 : (size_t)sent);
    if (secured->out.len == 0) {
        release_buffers(secured);
        return true;
    }
    return start_write(conn);
}

static void set_plain(struct conn_tls *secured, const uv_buf_t *bufs, unsigned count)
{
    ASSERT(count <= 2 && secured->done == NULL);
    secured->plain[0] = bufs[0];
    secured->plain[1] = count > 1 ? bufs[1] : uv_buf_init(NULL, 0);
}

long conn_tls_send_now(struct http_conn *conn, const uv_buf_t *bufs, unsigned count)
{
    struct conn_tls *secured = conn->tls;
    if (conn_unsent(conn) > 0) {
        return 0;
    }
    set_plain(secured, bufs, count);
    size_t total = secured->plain[0].len + secured->plain[1].len;
    bool is_fine = encrypt(conn);
    size_t left = secured->plain[0].len + secured->plain[1].len;
    memset(secured->plain, 0, sizeof(secured->plain));
    return is_fine && flush(conn) ? (long)(total - left) : -1;
}

bool conn_tls_send_later(struct http_conn *conn, uv_write_t *write, const uv_buf_t *bufs,
                         unsigned count, uv_write_cb done)
{
    struct conn_tls *secured = conn->tls;
    set_plain(secured, bufs, count);
    secured->waiting = write;
    secured->done = done;
    return start_write(conn);
}

void conn_tls_end(struct http_conn *conn)
{
    struct conn_tls *secured = conn->tls;
    if (!secured->is_failed && SSL_is_init_finished(secured->ssl) != 0) {
        ERR_clear_error();
        (void)SSL_shutdown(secured->ssl); /* it may only be too late */
    }
    (void)flush(conn); /* a connection that cannot be written is closed by its reader */
}

/* ---- Reading ---- */

/* Looks at the first bytes before OpenSSL does: it would make room for a ClientHello of 128 KiB
 * because five bytes say so. MORE: go on, with what is in `first`. */
static enum tls_taken check_first(struct conn_tls *secured, slice *bytes)
{
    size_t missing = TLS_FIRST_BYTES - (size_t)secured->first_len;
    slice piece = slice_take(bytes, bytes->len < missing ? bytes->len : missing);
    memcpy(secured->first + secured->first_len, piece.ptr, piece.len);
    secured->first_len = (uint8_t)(secured->first_len + piece.len);
    const uint8_t *first = secured->first;
    if (first[0] != RECORD_HANDSHAKE) {
        return first[0] >= 'A' && first[0] <= 'Z' ? TLS_TAKEN_PLAIN : TLS_TAKEN_BAD;
    }
    if (secured->first_len < TLS_FIRST_BYTES || first[5] != CLIENT_HELLO) {
        return TLS_TAKEN_MORE;
    }
    size_t record = (size_t)first[3] << 8 | first[4];
    size_t hello = (size_t)first[6] << 16 | (size_t)first[7] << 8 | first[8];
    bool is_modest = record >= 4 && hello <= HELLO_BYTES_MAX;
    return is_modest ? TLS_TAKEN_MORE : TLS_TAKEN_BAD;
}

static void note_peer(struct conn_tls *secured)
{
    X509 *x509 = SSL_get0_peer_certificate(secured->ssl);
    if (x509 != NULL) {
        secured->peer = mem_zeroed(sizeof(*secured->peer));
        http_certificate_describe(x509, secured->peer);
    }
}

/* After a call that did not give what it could have. */
static enum tls_taken why_not(struct conn_tls *secured, int result)
{
    int error = SSL_get_error(secured->ssl, result);
    if (error == SSL_ERROR_WANT_READ) {
        return TLS_TAKEN_MORE;
    }
    if (error == SSL_ERROR_ZERO_RETURN) {
        return TLS_TAKEN_END;
    }
    secured->is_failed = true;
    return TLS_TAKEN_BAD;
}

static enum tls_taken decrypt(struct http_conn *conn, slice *plain_out)
{
    struct conn_tls *secured = conn->tls;
    uint8_t *plain = conn->loop->tls->plain;
    size_t len = 0;
    size_t n = 0;
    int result = 1;
    ERR_clear_error();
    if (SSL_is_init_finished(secured->ssl) == 0) {
        result = SSL_do_handshake(secured->ssl);
        if (result == 1) {
            note_peer(secured);
        }
    }
    while (result == 1 && len < TLS_PLAIN_BYTES) {
        result = SSL_read_ex(secured->ssl, plain + len, TLS_PLAIN_BYTES - len, &n);
        len += result == 1 ? n : 0;
    }
    *plain_out = (slice){plain, len};
    return result == 1 ? TLS_TAKEN_BAD : why_not(secured, result); /* it has room for all */
}

enum tls_taken conn_tls_take(struct http_conn *conn, slice bytes, slice *plain_out)
{
    struct conn_tls *secured = conn->tls;
    *plain_out = (slice){0};
    if (secured->first_len < TLS_FIRST_BYTES) {
        enum tls_taken taken = check_first(secured, &bytes);
        if (taken != TLS_TAKEN_MORE || secured->first_len < TLS_FIRST_BYTES) {
            return taken;
        }
    }
    if (secured->is_failed) {
        return TLS_TAKEN_BAD;
    }
    secured->input = bytes;
    enum tls_taken taken = decrypt(conn, plain_out);
    secured->input = (slice){0};
    return flush(conn) ? taken : TLS_TAKEN_BAD;
}
