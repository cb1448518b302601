/* SPDX-License-Identifier: Apache-2.0 */
#include "server/front.h"

#include <stdio.h>

#include "base/log.h"
#include "codec/time.h"
#include "gate/cors.h"
#include "os/clock.h"

static const int64_t soon_us = INT64_C(14) * 86400 * 1000000;

/* ---- Reading options ---- */

static bool is_given(const struct options *options, enum option option)
{
    return options_text(options, option)[0] != '\0';
}

bool front_has_tls(const struct options *options)
{
    return is_given(options, OPTION_TLS_CERTIFICATE) || is_given(options, OPTION_TLS_KEY);
}

enum err front_read_tls(const struct options *options, struct http_tls_options *out,
                        struct diag *diag)
{
    bool has_certificate = is_given(options, OPTION_TLS_CERTIFICATE);
    bool asks = options_choice(options, OPTION_TLS_CLIENT) != HTTP_TLS_CLIENT_NONE;
    if (has_certificate != is_given(options, OPTION_TLS_KEY)) {
        return diag_fail(diag, ERR_INVALID, has_certificate ? "tls.key" : "tls.certificate",
                         "is missing: TLS needs a certificate and its key");
    }
    if (asks && !has_certificate) {
        return diag_fail(diag, ERR_INVALID, "tls.client",
                         "certificates of clients need TLS: give tls.certificate and tls.key");
    }
    if (!asks && is_given(options, OPTION_TLS_CLIENT_CA)) {
        return diag_fail(diag, ERR_INVALID, "tls.client_ca",
                         "is given, but no client is asked for a certificate: say tls.client = "
                         "required or optional");
    }
    *out = (struct http_tls_options){
        .certificate = options_text(options, OPTION_TLS_CERTIFICATE),
        .key = options_text(options, OPTION_TLS_KEY),
        .client_ca = options_text(options, OPTION_TLS_CLIENT_CA),
        .client_mode = (enum http_tls_client)options_choice(options, OPTION_TLS_CLIENT),
        .version_min = (enum http_tls_version)options_choice(options, OPTION_TLS_VERSION_MIN),
    };
    return OK;
}

/* The sentence, with the place where the option was given. */
static enum err at_option(const struct options *options, enum option option, enum err failed,
                          const struct diag *why, struct diag *diag)
{
    return failed == OK ? OK
                        : diag_fail(diag, failed, options_where(options, option), "%s", why->text);
}

enum err front_read_proxies(const struct options *options, struct http_networks *out,
                            struct diag *diag)
{
    struct diag why = {0};
    slice text = slice_from_cstr(options_text(options, OPTION_TRUSTED_PROXIES));
    enum err parsed = http_networks_parse(text, out, &why);
    return at_option(options, OPTION_TRUSTED_PROXIES, parsed, &why, diag);
}

static enum err check_origins(const struct options *options, struct diag *diag)
{
    struct cors cors;
    struct diag why = {0};
    slice text = slice_from_cstr(options_text(options, OPTION_CORS_ORIGINS));
    enum err parsed = cors_parse(text, &cors, &why);
    return at_option(options, OPTION_CORS_ORIGINS, parsed, &why, diag);
}

enum err front_check(const struct options *options, struct diag *diag)
{
    struct http_tls_options tls;
    struct http_networks proxies;
    TRY(front_read_tls(options, &tls, diag));
    TRY(front_read_proxies(options, &proxies, diag));
    return check_origins(options, diag);
}

/* The option that token_review_new() complains of; a file it names itself: it may be a default. */
static enum err at_kubernetes(const struct options *options, enum err failed,
                              const struct diag *why, struct diag *diag)
{
    if (strcmp(why->where, "accounts") == 0) {
        return at_option(options, OPTION_KUBERNETES_ACCOUNTS, failed, why, diag);
    }
    if (strcmp(why->where, "url") == 0) {
        return at_option(options, OPTION_KUBERNETES_ADDRESS, failed, why, diag);
    }
    return diag_fail(diag, failed, why->where,
                     "%s; outside of a pod, kubernetes.ca and kubernetes.token_file name the files",
                     why->text);
}

enum err front_open_reviews(const struct options *options, struct token_review **out,
                            struct diag *diag)
{
    char url[OPTION_HOST_BYTES_MAX + 32];
    struct diag why = {0};
    uint32_t threads = (uint32_t)options_u64(options, OPTION_HANDLER_THREADS);
    if (!is_given(options, OPTION_KUBERNETES_ACCOUNTS)) {
        return OK;
    }
    (void)snprintf(url, sizeof(url), "https://%s",
                   options_text(options, OPTION_KUBERNETES_ADDRESS));
    const struct token_review_options review = {
        .url = url,
        .ca_file = options_text(options, OPTION_KUBERNETES_CA),
        .token_file = options_text(options, OPTION_KUBERNETES_TOKEN_FILE),
        .audiences = options_text(options, OPTION_KUBERNETES_AUDIENCES),
        .accounts = options_text(options, OPTION_KUBERNETES_ACCOUNTS),
        .timeout_ms = (uint32_t)options_u64(options, OPTION_KUBERNETES_TIMEOUT_MS),
        .cache_ms = (uint32_t)options_u64(options, OPTION_KUBERNETES_CACHE_MS),
        .threads_max = threads > 1 ? threads / 2 : 1, /* the others go on when it hangs */
    };
    enum err e = token_review_new(&review, out, &why);
    return e == OK ? OK : at_kubernetes(options, e, &why, diag);
}

/* ---- Telling ---- */

bool front_is_loopback(const char *host)
{
    return strcmp(host, "::1") == 0 || strcmp(host, "localhost") == 0 ||
           strncmp(host, "127.", 4) == 0;
}

static void warn_of_plain(const struct options *options)
{
    char host[OPTION_HOST_BYTES_MAX + 1];
    uint16_t port = 0;
    options_address(options, OPTION_LISTEN, host, &port);
    if (options_choice(options, OPTION_ENVIRONMENT) == 1 && !front_is_loopback(host)) {
        LOG_WARN("other machines reach this server without TLS: keys and events can be read on "
                 "the way. Give tls.certificate and tls.key, or let a proxy end TLS in front of "
                 "it and listen where only the proxy can connect",
                 kv_str("listen", options_text(options, OPTION_LISTEN)));
    }
}

static void tell_certificate(struct http_server *server)
{
    struct http_certificate shown;
    char expires[TIME_TEXT_BYTES + 1] = "";
    if (http_server_certificate(server, &shown) != OK) {
        return;
    }
    int64_t end_us = shown.expires_us > 0 ? shown.expires_us : 0; /* whatever a CA wrote */
    time_format_rfc3339(end_us < TIME_US_MAX ? end_us : TIME_US_MAX, expires);
    int64_t left_us = end_us - clock_now_us();
    if (left_us < soon_us) {
        LOG_WARN(left_us < 0 ? "the server's certificate has expired: clients will refuse it"
                             : "the server's certificate expires soon",
                 kv_str("subject", shown.subject), kv_str("expires", expires));
    }
    LOG_INFO("TLS", kv_str("subject", shown.subject), kv_str("sha256", shown.fingerprint),
             kv_str("expires", expires));
}

void front_tell(const struct options *options, struct http_server *server)
{
    if (front_has_tls(options)) {
        tell_certificate(server);
    } else {
        warn_of_plain(options);
    }
}

void front_reload(const struct options *options, struct http_server *server)
{
    struct http_tls_options tls;
    struct diag diag = {0};
    if (!front_has_tls(options)) {
        return;
    }
    enum err reloaded = front_read_tls(options, &tls, &diag);
    if (reloaded == OK) {
        reloaded = http_server_reload_tls(server, &tls, &diag);
    }
    if (reloaded != OK) {
        LOG_ERROR("the certificate was not changed; the old one stays in use",
                  kv_str("where", diag.where), kv_str("why", diag.text));
        return;
    }
    tell_certificate(server);
}
