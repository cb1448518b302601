/* SPDX-License-Identifier: Apache-2.0 */
#include "server/serve.h"

#include <cairn/client.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "access/callers.h"
#include "accounts/key_usage.h"
#include "api/api.h"
#include "api/health_watch.h"
#include "api/version_report.h"
#include "base/log.h"
#include "base/mem.h"
#include "catalog/catalog.h"
#include "crypto/secret.h"
#include "gate/metrics.h"
#include "gate/negotiate.h"
#include "ingest/journal.h"
#include "ingest/metrics.h"
#include "ingest/outbox_follower.h"
#include "ingest/pool.h"
#include "ingest/requirements.h"
#include "ledger/ledger.h"
#include "limits/limit_link_url.h"
#include "options/options.h"
#include "os/clock.h"
#include "os/file.h"
#include "os/signal.h"
#include "os/system.h"
#include "os/terminal.h"
#include "people/people.h"
#include "server/counting.h"
#include "server/examples.h"
#include "server/first_start.h"
#include "server/front.h"
#include "server/secrets.h"
#include "server/settings.h"
#include "trail/receipts.h"

/* Exit statuses, as cairn(1) has them. */
enum {
    EXIT_FINE = 0,
    EXIT_REFUSED = 1,
    EXIT_USAGE = 2,
    EXIT_SYSTEM = 3,
};

/* Descriptors that connections must leave to the ledger, which ends the process when it cannot open
 * a file, and holds one for each file of the WAL that is not sealed; and to connections above the
 * maximum, while they are told so. At least so many, and a quarter of what there is. */
enum {
    DESCRIPTORS_KEPT = 384,
    DESCRIPTORS_MIN = 512,
};

struct server {
    struct options *options; /* as at the start; those that may change: api.running */
    struct dir *data_dir;
    struct ledger *ledger;
    struct api api;
    struct settings settings;
    struct counting *counting;
    struct health_watch *watch;
    struct http_server *http;
    struct requirements *requirements;
    struct http_networks trusted_proxies;
    char owner_key[OWNER_KEY_BYTES_MAX];
    bool key_is_new;
    uint64_t example_count;
};

/* ---- Failing ---- */

/* A write or sync failed: what the disk holds is unknown, so nothing may be acknowledged any
 * more. */
static void on_fatal(void *context, const struct diag *diag)
{
    UNUSED(context);
    LOG_ERROR("the ledger cannot go on; the process ends", kv_str("where", diag->where),
              kv_str("why", diag->text));
    _exit(EXIT_SYSTEM);
}

static int complain(enum err e, const struct diag *diag)
{
    (void)fprintf(stderr, "cairn serve: %s%s%s\n", diag->where, diag->where[0] != '\0' ? ": " : "",
                  diag->text[0] != '\0' ? diag->text : err_name(e));
    return e == ERR_IO || e == ERR_BUSY ? EXIT_SYSTEM : EXIT_REFUSED;
}

/* ---- Opening, in the order in which things rest on each other ---- */

static void set_log(const struct options *options)
{
    static const char *const formats[] = {"auto", "logfmt", "json"};
    const char *format = formats[options_choice(options, OPTION_LOG_FORMAT)];
    log_set_level((enum log_level)options_choice(options, OPTION_LOG_LEVEL));
    if (strcmp(format, "auto") != 0) {
        log_set_output(STDERR_FILENO, strcmp(format, "json") == 0);
    }
}

static enum err open_ledger(struct server *server, struct diag *diag)
{
    const struct options *options = server->options;
    const struct ledger_options ledger_options = {
        .origin = slice_from_cstr(options_text(options, OPTION_ORIGIN)),
        .queue_bytes_max = options_u64(options, OPTION_QUEUE_BYTES_MAX),
        .wal_file_bytes = options_u64(options, OPTION_WAL_FILE_BYTES),
        .cache_bytes_max = options_u64(options, OPTION_CACHE_BYTES_MAX),
        .reserve_bytes = options_u64(options, OPTION_DISK_RESERVE_BYTES),
        .reserve_percent = (uint32_t)options_u64(options, OPTION_DISK_RESERVE_PERCENT),
        .checkpoint_interval_ms = (uint32_t)options_u64(options, OPTION_CHECKPOINT_INTERVAL_MS),
        .no_cosigner = !options_bool(options, OPTION_COSIGN),
        .on_fatal = on_fatal,
    };
    return ledger_open(options_text(options, OPTION_DATA), &ledger_options, &server->ledger, diag);
}

/* What is made by the server is strong; what people wrote in its place may not be. */
static enum err judge_secrets(const struct server *server, bool is_production, struct diag *diag)
{
    struct limit_link_url redis;
    const char *url = options_text(server->options, OPTION_REDIS_URL);
    slice prefix = {0};
    slice key = slice_from_cstr(server->owner_key);
    if (api_key_prefix(key, &prefix)) { /* else first_start() says what it is */
        (void)slice_take(&key, (size_t)(prefix.ptr + prefix.len + 1 - key.ptr));
    }
    if (key.len > 0) {
        TRY(secrets_judge("admin.key", key, is_production, diag));
    }
    TRY(secrets_judge("cursor.secret", (slice){server->api.cursor_key, QUERY_KEY_BYTES},
                      is_production, diag));
    if (url[0] == '\0') {
        return OK;
    }
    TRY(limit_link_url_parse(slice_from_cstr(url), &redis, diag));
    bool is_open = redis.password[0] == '\0' && front_is_loopback(redis.host);
    enum err e =
        is_open ? OK
                : secrets_judge("redis.url", slice_from_cstr(redis.password), is_production, diag);
    secret_wipe(&redis, sizeof(redis));
    return e;
}

static enum err open_secrets(struct server *server, struct diag *diag)
{
    struct api *api = &server->api;
    bool production = options_choice(server->options, OPTION_ENVIRONMENT) == 1;
    TRY(dir_open(options_text(server->options, OPTION_DATA), false, &server->data_dir, diag));
    api->key_environment = api_key_environment(production);
    TRY(secrets_owner_key(server->data_dir, server->owner_key, diag));
    TRY(secrets_key(server->data_dir, "cursor.secret", api->cursor_key, diag));
    TRY(judge_secrets(server, production, diag));
    return OK;
}

/* A key that is made for a catalog which has begun before would open nothing. */
static enum err begin_catalog(struct server *server, struct diag *diag)
{
    const struct api *api = &server->api;
    bool is_due = false;
    TRY(first_start_is_due(api->catalog, &is_due, diag));
    server->key_is_new = is_due && server->owner_key[0] == '\0';
    if (server->key_is_new) {
        TRY(secrets_make_owner_key(server->data_dir, api->key_environment, server->owner_key,
                                   diag));
    }
    return is_due ? first_start(api->catalog, slice_from_cstr(server->owner_key), diag) : OK;
}

static enum err open_catalog(struct server *server, struct diag *diag)
{
    struct api *api = &server->api;
    struct catalog_options options = {.hash_password = people_hash_password};
    api->callers = callers_new();
    TRY(secrets_key(server->data_dir, "catalog.secret", options.hide_key, diag));
    enum err e = catalog_open(server->data_dir, &options, &api->catalog, diag);
    secret_wipe(options.hide_key, sizeof(options.hide_key));
    TRY(e);
    TRY(begin_catalog(server, diag));
    TRY(callers_load(api->callers, api->catalog, diag));
    server->requirements = requirements_new();
    TRY(requirements_load(server->requirements, api->catalog, diag));
    return settings_load(&server->settings, diag);
}

static enum err open_people(struct server *server, struct diag *diag)
{
    struct store_identity log;
    store_identity(server->api.store, &log);
    const struct people_options people = {
        .issuer = log.origin,
        .limits = settings_people(server->api.running),
    };
    return people_open(server->data_dir, server->api.catalog, server->api.callers, &people,
                       &server->api.people, diag);
}

static enum err open_api(struct server *server, struct diag *diag)
{
    struct api *api = &server->api;
    api->store = ledger_store(server->ledger);
    api->version = cairn_version();
    api->started_us = clock_monotonic_us();
    api->metrics = api_metrics_new();
    TRY(key_usage_start(api->catalog, &api->key_usage, diag));
    TRY(front_open_reviews(server->options, &api->reviews, diag));
    api->ingest = (struct ingest){
        .store = api->store,
        .requirements = server->requirements,
        .metrics = ingest_metrics_new(),
        .pool = intake_pool_new(),
    };
    TRY(counting_start(server->options, api, &server->counting, diag));
    settings_apply(&server->settings);
    TRY(journal_start(server->data_dir, api->store, &api->journal, diag));
    TRY(tail_start(api->store, &api->tail, diag));
    return api_receipts_start(api->store, &api->receipts, diag);
}

/* Connections are anybody's to open: as many as the descriptors allow, and not one more. */
static enum err bound_connections(const struct options *options, uint32_t *out, struct diag *diag)
{
    uint64_t wanted = options_u64(options, OPTION_CONNECTIONS_MAX);
    uint64_t descriptors = system_raise_descriptors();
    if (descriptors < DESCRIPTORS_MIN) {
        return diag_fail(diag, ERR_INVALID, "limits",
                         "the process may have %llu files open (ulimit -n), but needs %d",
                         (unsigned long long)descriptors, DESCRIPTORS_MIN);
    }
    uint64_t quarter = descriptors / 4;
    uint64_t most = descriptors - (quarter > DESCRIPTORS_KEPT ? quarter : DESCRIPTORS_KEPT);
    if (most < wanted) {
        LOG_WARN("the limit of open files (ulimit -n) does not allow connections_max",
                 kv_u64("connections_max", wanted), kv_u64("connections", most),
                 kv_u64("open_files", descriptors));
    }
    *out = (uint32_t)(most < wanted ? most : wanted);
    return OK;
}

static enum err open_http(struct server *server, struct diag *diag)
{
    const struct options *options = server->options;
    uint32_t per_address = (uint32_t)options_u64(options, OPTION_CONNECTIONS_PER_ADDRESS_MAX);
    struct http_options http = {
        .listen = options_text(options, OPTION_LISTEN),
        .middleware_data = &server->api,
        .pool_threads = (uint32_t)options_u64(options, OPTION_HANDLER_THREADS),
        .connections_per_address_max = per_address > 0 ? per_address : UINT32_MAX,
        .response_bytes_max = QUERY_ANSWER_BYTES,
    };
    struct http_tls_options tls;
    TRY(front_read_tls(options, &tls, diag));
    TRY(front_read_proxies(options, &server->trusted_proxies, diag));
    TRY(front_check(options, diag));
    http.tls = front_has_tls(options) ? &tls : NULL;
    http.trusted_proxies = &server->trusted_proxies;
    http.early_headers = API_SECURITY_HEADERS;
    TRY(bound_connections(options, &http.connections_max, diag));
    http.routes = api_routes(&http.route_count);
    TRY(api_versions_new(&all_versions, http.routes, http.route_count, &server->api.versions,
                         diag));
    http.middleware = api_middleware(&http.middleware_count);
    version_report_warn(&server->api, clock_now_us());
    api_hooks(&server->api, &http.hooks);
    TRY(http_server_start(&http, &server->http, diag));
    server->api.server = server->http;
    settings_apply(&server->settings); /* its times */
    front_tell(options, server->http);
    return OK;
}

static void format_address(const struct server *server, char *out, size_t out_bytes)
{
    char host[OPTION_HOST_BYTES_MAX + 1];
    uint16_t port = 0;
    options_address(server->options, OPTION_LISTEN, host, &port);
    bool is_v6 = strchr(host, ':') != NULL;
    (void)snprintf(out, out_bytes, is_v6 ? "[%s]:%u" : "%s:%u",
                   host[0] != '\0' ? host : "127.0.0.1", http_server_port(server->http));
}

static enum err describe(struct server *server, struct diag *diag)
{
    char address[OPTION_HOST_BYTES_MAX + 16];
    char text[OPTION_HOST_BYTES_MAX + 64];
    format_address(server, address, sizeof(address));
    int len = snprintf(text, sizeof(text), "pid %ld listen %s%s\n", (long)getpid(),
                       front_has_tls(server->options) ? "https://" : "", address);
    return ledger_describe(server->ledger, (slice){(const uint8_t *)text, (size_t)len}, diag);
}

static enum err load_examples(struct server *server, struct diag *diag)
{
    const char *path = options_text(server->options, OPTION_EXAMPLES);
    if (path[0] == '\0' || store_size(server->api.store) > 0) {
        return OK;
    }
    const struct read_options read = {
        .org = SLICE(SYSTEM_ORGANIZATION),
        .depth_max = (uint32_t)running_u64(server->api.running, OPTION_EVENT_DEPTH_MAX),
    };
    return examples_load(&server->api.ingest, &read, path, &server->example_count, diag);
}

static enum err follow_outbox(struct api *api, struct diag *diag)
{
    struct outbox_follower *follower = NULL;
    TRY(outbox_follower_start(api->catalog, api->store, &follower, diag));
    atomic_store(&api->outbox, follower);
    outbox_follower_settle(follower);
    return OK;
}

static enum err open_server(struct server *server, struct diag *diag)
{
    struct settings *settings = &server->settings;
    settings->api = &server->api;
    settings->api->running = running_new(options_copy(server->options));
    mutex_init(&settings->lock);
    TRY(open_ledger(server, diag));
    TRY(open_secrets(server, diag));
    settings->ledger = server->ledger;
    TRY(open_catalog(server, diag));
    TRY(open_api(server, diag));
    TRY(open_people(server, diag));
    TRY(open_http(server, diag));
    TRY(describe(server, diag));
    TRY(load_examples(server, diag));
    TRY(follow_outbox(&server->api, diag));
    atomic_store(&server->api.is_ready, true);
    return health_watch_start(&server->api, &server->watch, diag);
}

/* Nobody looks for us any more at an address that another may have from now on. */
static void withdraw_address(struct server *server)
{
    char text[64];
    int len = snprintf(text, sizeof(text), "pid %ld stopping\n", (long)getpid());
    slice words = {(const uint8_t *)text, (size_t)len};
    (void)ledger_describe(server->ledger, words, NULL); /* it informs, and no stop hangs on it */
}

/* The other way round. What was never opened is NULL. */
static void close_server(struct server *server)
{
    if (server->ledger != NULL) {
        withdraw_address(server);
    }
    if (server->http != NULL) {
        http_server_stop(server->http);
    }
    health_watch_stop(server->watch);
    tail_stop(server->api.tail);
    api_receipts_stop(server->api.receipts);
    counting_stop(server->counting);
    outbox_follower_stop(server->api.outbox); /* into the ledger */
    journal_stop(MOVE(server->api.journal));  /* requests that end from here on leave no event */
    ledger_close(server->ledger);
    http_server_free(server->http); /* its requests were still held by the ledger */
    people_free(server->api.people);
    key_usage_stop(server->api.key_usage);
    counting_free(server->counting);
    catalog_free(server->api.catalog);
    callers_free(server->api.callers);
    token_review_free(server->api.reviews);
    intake_pool_free(server->api.ingest.pool);
    requirements_free(server->requirements);
    ingest_metrics_free(server->api.ingest.metrics);
    api_metrics_free(server->api.metrics);
    api_versions_free(server->api.versions);
    secret_wipe(server->owner_key, sizeof(server->owner_key));
    dir_free(server->data_dir);
    running_free(server->api.running);
    mutex_release(&server->settings.lock);
    options_free(server->options);
}

/* ---- Words for whoever started it ---- */

/* The commands find ./cairn-data by themselves. */
static void suggest(const char *data)
{
    bool is_found = strcmp(data, option_info(OPTION_DATA)->fallback) == 0;
    const char *option = is_found ? "" : " --data ";
    (void)printf("Try, in another terminal:\n\n"
                 "  %1$s query 'event_outcome:failure' --limit 10%2$s%3$s\n"
                 "  %1$s stats --by event_type%2$s%3$s\n"
                 "  %1$s tail%2$s%3$s\n\n"
                 "Ctrl-C stops the server.\n\n",
                 program_invocation_name, /* as it was called: from the PATH or with a folder */
                 option, is_found ? "" : data);
}

static void greet(const struct server *server)
{
    const char *data = options_text(server->options, OPTION_DATA);
    char address[OPTION_HOST_BYTES_MAX + 16];
    format_address(server, address, sizeof(address));
    LOG_INFO("ready", kv_str("listen", address), kv_str("data", data),
             kv_u64("events", store_size(server->api.store)));
    (void)printf("\nCairn %s is ready at %s://%s with %llu events in %s\n\n", cairn_version(),
                 front_has_tls(server->options) ? "https" : "http", address,
                 (unsigned long long)store_size(server->api.store), data);
    if (server->key_is_new && terminal_is(STDOUT_FILENO)) { /* never into a file of logs */
        (void)printf("  owner key   %s\n", server->owner_key);
    }
    if (server->owner_key[0] != '\0') {
        (void)printf("  key file    %s/admin.key\n\n", data);
    }
    suggest(data);
    (void)fflush(stdout);
}

/* ---- Running ---- */

static void wait_for_stop(struct server *server, const sigset_t *signals)
{
    for (;;) {
        int signal_number = 0;
        if (sigwait(signals, &signal_number) != 0) {
            continue;
        }
        if (signal_number != SIGHUP) {
            return;
        }
        settings_reload(&server->settings);
        front_reload(server->options, server->http);
    }
}

/* Whoever spreads requests over servers learns first that this one goes, while it still serves. */
static void drain(const struct server *server, const sigset_t *signals)
{
    uint64_t ms = running_u64(server->api.running, OPTION_DRAIN_MS);
    sigset_t stops = *signals;
    (void)sigdelset(&stops, SIGHUP);
    if (ms > 0) {
        LOG_INFO("draining", kv_u64("ms", ms));
        (void)signals_wait_us(&stops, (int64_t)ms * 1000);
    }
}

static int run(struct server *server, const sigset_t *signals)
{
    struct diag diag = {0};
    enum err e = open_server(server, &diag);
    int status = e == OK ? EXIT_FINE : complain(e, &diag);
    if (e == OK) {
        greet(server);
        wait_for_stop(server, signals);
        atomic_store(&server->api.is_stopping, true);
        drain(server, signals);
        LOG_INFO("stopping");
    }
    atomic_store(&server->api.is_stopping, true);
    close_server(server);
    if (e == OK) {
        LOG_INFO("stopped");
    }
    return status;
}

static int print_help(void)
{
    CLEANUP(buf_release) struct buf text = BUF_INIT(MIB(1));
    options_write_help(&text);
    (void)printf("cairn serve - run the server\n\nUsage: cairn serve [OPTIONS]\n\n%s",
                 buf_cstr(&text));
    return EXIT_FINE;
}

int serve(int argc, char **argv, char **environment)
{
    struct server server = {0};
    struct diag diag = {0};
    sigset_t signals;
    if (options_help_asked(argc, argv)) {
        return print_help();
    }
    if (options_load(argc, argv, environment, &server.options, &diag) != OK) {
        (void)fprintf(stderr, "cairn serve: %s: %s\n", diag.where, diag.text);
        return EXIT_USAGE;
    }
    set_log(server.options);
    (void)sigemptyset(&signals);
    (void)sigaddset(&signals, SIGINT);
    (void)sigaddset(&signals, SIGTERM);
    (void)sigaddset(&signals, SIGHUP);
    (void)pthread_sigmask(SIG_BLOCK, &signals, NULL);
    return run(&server, &signals);
}
