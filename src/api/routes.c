/* SPDX-License-Identifier: Apache-2.0 */
/* routes - every path of the server, and the chain that a request passes before its handler. */
#include "access/rights.h"
#include "accounts/accounts.h"
#include "accounts/key_usage_answer.h"
#include "api/api.h"
#include "api/handlers.h"
#include "config/config.h"
#include "gate/access_event.h"
#include "gate/auth.h"
#include "gate/cors.h"
#include "gate/legacy.h"
#include "gate/meter.h"
#include "gate/metrics.h"
#include "http/forwarded.h"
#include "trail/trail.h"

static const struct api_route open_to_all = {.openness = OPEN_TO_ALL};
static const struct api_route for_loopback = {.right = RIGHT_OPS_READ,
                                              .openness = OPEN_TO_LOOPBACK,
                                              .reaches_all = true};
static const struct api_route for_tiles = {.right = RIGHT_OPS_READ, .openness = OPEN_TILES};
static const struct api_route for_writers = {.right = RIGHT_EVENTS_WRITE};
static const struct api_route for_readers = {.right = RIGHT_EVENTS_READ};
static const struct api_route for_system = {.right = RIGHT_OPS_READ, .reaches_all = true};
static const struct api_route for_system_changes = {.right = RIGHT_OPS_WRITE, .reaches_all = true};
static const struct api_route for_auditors = {.right = RIGHT_CONFIG_READ};

/* What 1.0 did not have is answered in 2.0, whatever is asked for. */
static const struct version_life since_2 = {.introduced = "2.0"};
static const struct api_route readers_since_2 = {.right = RIGHT_EVENTS_READ, .life = &since_2};
static const struct api_route operators_since_2 = {.right = RIGHT_OPS_READ, .life = &since_2};
static const struct api_route system_since_2 = {.right = RIGHT_OPS_READ,
                                                .reaches_all = true,
                                                .life = &since_2};
static const struct api_route system_changes_since_2 = {.right = RIGHT_OPS_WRITE,
                                                        .reaches_all = true,
                                                        .life = &since_2};

/* Kinds that ask for nothing beside their description. */
#define PLAIN_KIND(name) static const struct resource resource_##name = {.kind = &kind_##name}
PLAIN_KIND(targets);
PLAIN_KIND(settings);
PLAIN_KIND(rules);
PLAIN_KIND(dev_hosts);
PLAIN_KIND(teams);

#define KIND_DATA(name, route_life)                                                                \
    static const struct api_route read_##name = {.right = RIGHT_CONFIG_READ,                       \
                                                 .resource = &resource_##name,                     \
                                                 .life = (route_life)};                            \
    static const struct api_route write_##name = {.right = RIGHT_CONFIG_WRITE,                     \
                                                  .resource = &resource_##name,                    \
                                                  .life = (route_life)}
KIND_DATA(organizations, &since_2);
KIND_DATA(api_keys, &since_2);
KIND_DATA(schemas, &since_2);
KIND_DATA(targets, &since_2);
KIND_DATA(users, &since_2);
KIND_DATA(settings, &since_2);
KIND_DATA(rules, NULL);
KIND_DATA(dev_hosts, NULL);
KIND_DATA(teams, NULL);

static const struct api_route for_known = {.openness = OPEN_TO_KNOWN};
static const struct api_route for_logins = {.openness = OPEN_TO_ALL, .action = "LOGIN"};
static const struct api_route for_logouts = {.openness = OPEN_TO_ALL, .action = "LOGOUT"};
static const struct api_route for_signups = {.openness = OPEN_TO_ALL, .action = "CREATE"};

#define GETS(route_path, handler, route_data)                                                      \
    {                                                                                              \
        .method = HTTP_GET, .path = (route_path), .blocking = (handler),                           \
        .data = (void *)(uintptr_t) & (route_data)                                                 \
    }
#define POSTS(route_path, handlers, route_data)                                                    \
    {                                                                                              \
        .method = HTTP_POST, .path = (route_path), .parked = &(handlers),                          \
        .data = (void *)(uintptr_t) & (route_data)                                                 \
    }

#define CONFIG_BYTES_MAX   ((size_t)256 * 1024)
#define VALIDATE_BYTES_MAX ((size_t)1024 * 1024)
/* Those that change something sleep until the commit that they share; those that also work long,
 * like hashing a password, are not run by more threads than work needs. */
#define CHANGES(route_method, route_path, handler, route_data)                                     \
    {                                                                                              \
        .method = (route_method), .path = (route_path), .blocking = (handler),                     \
        .mostly_waits = true, .body_bytes_max = CONFIG_BYTES_MAX,                                  \
        .data = (void *)(uintptr_t) & (route_data)                                                 \
    }
#define WORKS(route_path, handler, route_data)                                                     \
    {                                                                                              \
        .method = HTTP_POST, .path = (route_path), .blocking = (handler),                          \
        .body_bytes_max = CONFIG_BYTES_MAX, .data = (void *)(uintptr_t) & (route_data)             \
    }
/* One object of a kind at `route_path`/{id}; a list of them at `route_path`. */
#define KIND_READS(route_path, name)                                                               \
    GETS(route_path, api_config_list, read_##name),                                                \
        GETS(route_path "/{id}", api_config_get, read_##name)
#define KIND_ROUTES(route_path, name)                                                              \
    KIND_READS(route_path, name), CHANGES(HTTP_POST, route_path, api_config_create, write_##name), \
        CHANGES(HTTP_PUT, route_path "/{id}", api_config_replace, write_##name),                   \
        CHANGES(HTTP_PATCH, route_path "/{id}", api_config_patch, write_##name),                   \
        CHANGES(HTTP_DELETE, route_path "/{id}", api_config_delete, write_##name)
/* Keys are no objects like others: their secret is shown once; they are revoked, not deleted. */
#define KEY_ROUTES(route_path)                                                                     \
    KIND_READS(route_path, api_keys),                                                              \
        CHANGES(HTTP_POST, route_path, api_key_create, write_api_keys),                            \
        CHANGES(HTTP_PATCH, route_path "/{id}", api_config_patch, write_api_keys),                 \
        CHANGES(HTTP_DELETE, route_path "/{id}", api_key_revoke, write_api_keys),                  \
        CHANGES(HTTP_POST, route_path "/{id}/rotate", api_key_rotate, write_api_keys),             \
        GETS(route_path "/{id}/usage", api_key_usage_get, read_api_keys)

/* Who may use an alias, and its row. */
#define WRITERS     .right = RIGHT_EVENTS_WRITE
#define READERS     .right = RIGHT_EVENTS_READ
#define KEY_READERS .right = RIGHT_CONFIG_READ, .resource = &resource_api_keys
#define KEY_WRITERS .right = RIGHT_CONFIG_WRITE, .resource = &resource_api_keys
#define LOOPBACK    .right = RIGHT_OPS_READ, .openness = OPEN_TO_LOOPBACK, .reaches_all = true
#define EVERYONE    .openness = OPEN_TO_ALL
#define LOGINS      .openness = OPEN_TO_ALL, .action = "LOGIN"
#define SIGNUPS     .openness = OPEN_TO_ALL, .action = "CREATE"
#define ALIAS_DATA(shape, ...)                                                                     \
    (void *)(uintptr_t) & (const struct api_route)                                                 \
    {                                                                                              \
        __VA_ARGS__, .legacy = &(shape)                                                            \
    }
#define ALIAS(route_path, handler, who, shape)                                                     \
    {.method = HTTP_GET,                                                                           \
     .path = (route_path),                                                                         \
     .blocking = (handler),                                                                        \
     .data = ALIAS_DATA(shape, who)},
#define ALIAS_PARKED(route_path, handlers, who, shape)                                             \
    {.method = HTTP_GET,                                                                           \
     .path = (route_path),                                                                         \
     .parked = &(handlers),                                                                        \
     .data = ALIAS_DATA(shape, who)},

#define ALIAS_CHANGE(route_method, route_path, handler, who, shape)                                \
    {.method = (route_method),                                                                     \
     .path = (route_path),                                                                         \
     .blocking = (handler),                                                                        \
     .body_bytes_max = VALIDATE_BYTES_MAX,                                                         \
     .data = ALIAS_DATA(shape, who)},
#define ALIAS_WRITE(route_path, handlers, who, shape)                                              \
    {.method = HTTP_POST,                                                                          \
     .path = (route_path),                                                                         \
     .parked = &(handlers),                                                                        \
     .data = ALIAS_DATA(shape, who)},

static const struct http_route routes[] = {
    POSTS("/api/v1/audit/events", api_events_post, for_writers),
    POSTS("/api/v1/audit/events/batch", api_events_batch, for_writers),
    POSTS("/api/v1/ingest/{format}", api_ingest_post, for_writers),

    GETS("/api/v1/audit/events", api_events_query, for_readers),
    GETS("/api/v1/audit/events/{event_id}", api_event_get, for_readers),
    GETS("/api/v1/audit/events/{event_id}/proof", api_event_proof, readers_since_2),
    GETS("/api/v1/audit/timeline/{correlation_id}", api_timeline_get, readers_since_2),
    GETS("/api/v1/audit/stats", api_stats_get, for_readers),
    {.method = HTTP_GET,
     .path = "/api/v1/audit/tail",
     .parked = &api_tail_get,
     .data = (void *)(uintptr_t)&readers_since_2},

    KIND_ROUTES("/api/v1/organizations", organizations),
    KIND_ROUTES("/api/v1/schemas", schemas),
    KIND_ROUTES("/api/v1/rules", rules),
    KIND_ROUTES("/api/v1/targets", targets),
    KIND_ROUTES("/api/v1/dev-hosts", dev_hosts),
    KIND_ROUTES("/api/v1/teams", teams),
    KEY_ROUTES("/api/v1/api-keys"),
    KEY_ROUTES("/api/v1/auth/api-keys"),
    KIND_ROUTES("/api/v1/users", users),
    CHANGES(HTTP_DELETE, "/api/v1/users/{id}/totp", api_totp_reset, write_users),
    WORKS("/api/v1/auth/signup", api_signup, for_signups),
    WORKS("/api/v1/auth/login", api_login, for_logins),
    CHANGES(HTTP_POST, "/api/v1/auth/refresh", api_refresh, for_logins),
    CHANGES(HTTP_POST, "/api/v1/auth/logout", api_logout, for_logouts),
    GETS("/api/v1/auth/me", api_me, for_known),
    WORKS("/api/v1/auth/password", api_password, for_known),
    CHANGES(HTTP_POST, "/api/v1/auth/totp", api_totp_begin, for_known),
    CHANGES(HTTP_POST, "/api/v1/auth/totp/confirm", api_totp_confirm, for_known),
    CHANGES(HTTP_DELETE, "/api/v1/auth/totp", api_totp_end, for_known),
    CHANGES(HTTP_POST, "/api/v1/auth/token-keys/rotate", api_token_keys_rotate, for_system_changes),
    GETS("/api/v1/audit", api_changes_get, for_auditors),
    GETS("/api/v1/settings", api_settings_list, read_settings),
    GETS("/api/v1/settings/{name}", api_setting_get, read_settings),
    CHANGES(HTTP_PUT, "/api/v1/settings/{name}", api_setting_put, write_settings),
    CHANGES(HTTP_PATCH, "/api/v1/settings/{name}", api_setting_put, write_settings),
    CHANGES(HTTP_DELETE, "/api/v1/settings/{name}", api_setting_delete, write_settings),
    CHANGES(HTTP_POST, "/api/v1/settings/{name}/revert", api_setting_revert, write_settings),
    GETS("/api/v1/limits", api_limits_get, operators_since_2),
    GETS("/api/v1/limits/analytics", api_limits_analytics, operators_since_2),
    CHANGES(HTTP_POST, "/api/v1/limits/{id}/reset", api_limits_reset, system_changes_since_2),
    {.method = HTTP_POST,
     .path = "/api/v1/validate",
     .blocking = api_validate_post,
     .body_bytes_max = VALIDATE_BYTES_MAX,
     .data = (void *)(uintptr_t)&for_writers},

    GETS("/checkpoint", api_checkpoint_get, for_tiles),
    GETS("/tile/{tile...}", api_tile_get, for_tiles),
    GETS("/tile/entries/{tile...}", api_tile_get, for_system), /* they show the events */
    GETS("/api/v1/log", api_log_get, readers_since_2),
    GETS("/api/v1/log/proof/consistency", api_consistency_get, readers_since_2),
    {.method = HTTP_POST,
     .path = "/api/v1/log/keys/rotate",
     .blocking = api_log_rotate,
     .data = (void *)(uintptr_t)&system_changes_since_2},

    GETS("/health", api_health, open_to_all),
    {.method = HTTP_GET,
     .path = "/health/live",
     .parked = &api_health_live,
     .data = (void *)(uintptr_t)&open_to_all},
    GETS("/health/ready", api_health_ready, open_to_all),
    GETS("/health/detailed", api_health_detailed, for_system),
    GETS("/health/database", api_health_database, open_to_all),
    GETS("/health/redis", api_health_redis, open_to_all),
    GETS("/metrics", api_metrics_get, for_loopback),
    GETS("/api/v1/migrations", api_migrations_get, system_since_2),
    GETS("/api/v1/version", api_version_get, open_to_all),
    GETS("/api/v1/version/usage", api_version_usage_get, system_since_2),

#include "api/aliases.def"
};

const struct http_route *api_routes(size_t *count)
{
    *count = COUNT_OF(routes);
    return routes;
}

/* Streams of events have the limit that is an option: it bounds what one request may send, not what
 * it costs. */
static enum http_pass bound_body(struct http_request *request, void *data)
{
    const struct api *api = data;
    const struct http_route *route = request->route;
    if (route != NULL && route->method == HTTP_POST && route->parked != NULL) {
        request->body_bytes_max = (size_t)running_u64(api->running, OPTION_BODY_BYTES_MAX);
    }
    return HTTP_PASS_ON;
}

/* Read top to bottom: the first that says no answers. */
static const struct http_middleware chain[] = {
    {http_forwarded, NULL},     {api_version_pass, NULL}, {auth_identify, auth_ask},
    {meter_request, meter_ask}, {auth_authorise, NULL},   {bound_body, NULL},
};

const struct http_middleware *api_middleware(size_t *count)
{
    *count = COUNT_OF(chain);
    return chain;
}

static void answer_origin(struct api *api, struct http_request *request)
{
    struct cors cors;
    slice origins = running_text(api->running, OPTION_CORS_ORIGINS, request->arena);
    if (origins.len > 0 && cors_parse(origins, &cors, NULL) == OK) {
        cors_answer(&cors, request);
    }
}

static void add_headers(struct http_request *request, void *data)
{
    struct api *api = data;
    legacy_adapt_problem(api, request);
    api_version_headers(api->versions, request);
    http_response_lines(request->response, SLICE(API_SECURITY_HEADERS));
    if (request->response->status == 401) { /* RFC 9110: whoever says it, it says how */
        http_response_header_cstr(request->response, "WWW-Authenticate", "Bearer realm=\"cairn\"");
    }
    bool is_https = request->is_https; /* over plain HTTP nobody may believe it (RFC 6797) */
    if (is_https && running_bool(api->running, OPTION_HSTS)) {
        http_response_lines(request->response,
                            SLICE("Strict-Transport-Security: max-age=31536000\r\n"));
    }
    answer_origin(api, request);
}

static void note_outcome(const struct http_request *request, const struct http_outcome *outcome,
                         void *data)
{
    struct api *api = data;
    api_metrics_request(api->metrics, request, outcome);
    api_key_usage_note(api, request, outcome, api_version_note(api->versions, request));
    access_event(api, request, outcome);
}

void api_hooks(struct api *api, struct http_hooks *out)
{
    *out = (struct http_hooks){
        .before_response = add_headers,
        .on_response = note_outcome,
        .data = api,
    };
}
