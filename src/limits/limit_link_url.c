/* SPDX-License-Identifier: Apache-2.0 */
#include "limits/limit_link_url.h"

#include "codec/hex.h"

static bool is_no_at(uint8_t byte)
{
    return byte != '@';
}

static bool is_no_slash(uint8_t byte)
{
    return byte != '/';
}

static bool is_no_colon(uint8_t byte)
{
    return byte != ':';
}

static bool is_no_bracket(uint8_t byte)
{
    return byte != ']';
}

/* Undoes %XX. False if it is broken, holds a NUL, or does not fit with its own NUL. */
static bool decode(slice text, char *out, size_t out_bytes)
{
    size_t used = 0;
    while (text.len > 0) {
        uint8_t byte = slice_take(&text, 1).ptr[0];
        if (byte == '%') {
            int said = hex_byte(text);
            if (said < 0) {
                return false;
            }
            byte = (uint8_t)said;
            (void)slice_take(&text, 2);
        }
        if (byte == 0 || used + 1 >= out_bytes) {
            return false;
        }
        out[used++] = (char)byte;
    }
    out[used] = '\0';
    return true;
}

/* Eats "host" or "[host]" up to the colon of the port. */
static bool take_host(slice *rest, char *out, size_t out_bytes)
{
    slice host = {0};
    if (slice_take_literal(rest, SLICE("["))) {
        host = slice_take_while(rest, is_no_bracket);
        if (!slice_take_literal(rest, SLICE("]"))) {
            return false;
        }
    } else {
        host = slice_take_while(rest, is_no_colon);
    }
    return host.len > 0 && decode(host, out, out_bytes);
}

static enum err bad(struct diag *diag, const char *what)
{
    return diag_fail(diag, ERR_INVALID, "redis.url", "%s", what);
}

enum err limit_link_url_parse(slice text, struct limit_link_url *out, struct diag *diag)
{
    struct limit_link_url url = {.port = 6379};
    if (slice_take_literal(&text, SLICE("rediss://"))) {
        return bad(diag, "rediss:// needs TLS, which the hiredis of this system does not have");
    }
    if (!slice_take_literal(&text, SLICE("redis://"))) {
        return bad(diag, "expected redis://[user:password@]host[:port][/database]");
    }
    slice before_path = slice_take_while(&text, is_no_slash);
    slice credentials = slice_take_while(&before_path, is_no_at);
    if (slice_take_literal(&before_path, SLICE("@"))) {
        slice user = slice_take_while(&credentials, is_no_colon);
        bool is_whole = slice_take_literal(&credentials, SLICE(":")) &&
                        decode(user, url.user, sizeof(url.user)) && credentials.len > 0 &&
                        decode(credentials, url.password, sizeof(url.password));
        if (!is_whole) {
            return bad(diag, "expected user:password or :password before the @");
        }
    } else {
        before_path = credentials;
    }
    if (!take_host(&before_path, url.host, sizeof(url.host))) {
        return bad(diag, "expected a host");
    }
    uint64_t number = 0;
    if (slice_take_literal(&before_path, SLICE(":"))) {
        if (!slice_parse_u64(before_path, &number) || number < 1 || number > 65535) {
            return bad(diag, "expected a port from 1 to 65535");
        }
        url.port = (int)number;
    } else if (before_path.len > 0) {
        return bad(diag, "expected a colon and a port behind the address");
    }
    if (slice_take_literal(&text, SLICE("/")) && text.len > 0) {
        if (!slice_parse_u64(text, &number) || number > 65535) {
            return bad(diag, "expected the number of a database behind the slash");
        }
        url.database = (int)number;
    }
    *out = url;
    return OK;
}
