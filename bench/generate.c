/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/generate.h"

#include <math.h>
#include <stdlib.h>

#include "base/mem.h"
#include "codec/time.h"

enum {
    ACTORS = 20000,
    RESOURCES = 200000,
    OPEN_CORRELATIONS = 64,
    MESSAGE_WORDS_LEAST = 8,
    MESSAGE_WORDS_SPAN = 9,
};

struct correlation {
    uint8_t id[16];
    uint8_t fingerprint[32];
    uint32_t namespace, cluster, alert, actor, resource;
};

struct generator {
    uint64_t state[4]; /* xoshiro256** (Blackman and Vigna) */
    int64_t now_us;
    uint64_t mean_us;
    double *actor_odds;
    double *resource_odds;
    struct correlation open[OPEN_CORRELATIONS];
};

struct service {
    const char *name, *category, *object;
};

static const struct service services[] = {
    {"gateway", "gateway", "signal"},
    {"signalprocessing", "signal", "signal"},
    {"aianalysis", "analysis", "analysis"},
    {"workflow-engine", "workflow", "workflow"},
    {"remediation", "workflow", "action"},
    {"notification", "notification", "message"},
    {"orchestrator", "workflow", "request"},
    {"effectiveness", "analysis", "assessment"},
    {"datastorage", "security", "record"},
    {"authwebhook", "security", "webhook"},
    {"holmes-api", "analysis", "investigation"},
    {"context-api", "analysis", "context"},
};
static const char *const verbs[] = {"received", "processed", "completed", "failed", "updated"};
static const char *const actions[] = {"create",      "read",    "update",   "delete",
                                      "execute",     "approve", "reject",   "dispatch",
                                      "deduplicate", "enrich",  "evaluate", "notify"};
static const char *const outcomes[] = {"success", "failure", "pending"};
static const char *const severities[] = {"info", "low", "medium", "high", "critical"};
static const char *const actor_types[] = {"service", "user", "system", "external"};
static const char *const resource_types[] = {"Pod",
                                             "Deployment",
                                             "StatefulSet",
                                             "DaemonSet",
                                             "Node",
                                             "Service",
                                             "Ingress",
                                             "ConfigMap",
                                             "Secret",
                                             "Namespace",
                                             "Job",
                                             "CronJob",
                                             "PersistentVolumeClaim",
                                             "RemediationRequest",
                                             "WorkflowExecution",
                                             "AIAnalysis",
                                             "SignalProcessing",
                                             "NotificationRequest",
                                             "HorizontalPodAutoscaler",
                                             "ServiceAccount"};
static const char *const namespaces[] = {"default",   "kube-system", "payments",    "checkout",
                                         "orders",    "inventory",   "search",      "catalog",
                                         "auth",      "billing",     "shipping",    "reports",
                                         "analytics", "ml-serving",  "ml-training", "monitoring",
                                         "logging",   "ingress",     "platform",    "staging",
                                         "prod-eu",   "prod-us",     "prod-ap",     "edge",
                                         "iot",       "batch",       "streaming",   "cache",
                                         "messaging", "sandbox"};
static const char *const clusters[] = {"prod-eu-west-1", "prod-us-east-1", "prod-ap-south-1",
                                       "staging-eu-1"};
static const char *const alerts[] = {"HighMemoryUsage",    "HighCPUUsage",
                                     "PodCrashLooping",    "PodOOMKilled",
                                     "NodeNotReady",       "NodeDiskPressure",
                                     "NodeMemoryPressure", "DeploymentReplicasMismatch",
                                     "JobFailed",          "CronJobMissed",
                                     "PVCAlmostFull",      "PVCPending",
                                     "HighErrorRate",      "HighLatencyP99",
                                     "IngressDown",        "CertificateExpiring",
                                     "EtcdHighFsync",      "EtcdNoLeader",
                                     "APIServerLatency",   "APIServerErrors",
                                     "KubeletDown",        "DNSFailures",
                                     "NetworkPacketLoss",  "ImagePullBackOff",
                                     "ConfigReloadFailed", "SecretRotationFailed",
                                     "HPAAtMaxReplicas",   "QuotaExceeded",
                                     "DBConnectionsHigh",  "DBReplicationLag",
                                     "QueueDepthHigh",     "ConsumerLagHigh",
                                     "CacheHitRatioLow",   "ThreadPoolExhausted",
                                     "GCPauseHigh",        "FDExhaustion",
                                     "ClockSkew",          "BackupFailed",
                                     "LicenseExpiring",    "StatefulSetReplicasMismatch"};
static const char *const words[] = {
    "the",         "container", "was",         "restarted",    "after",
    "memory",      "limit",     "exceeded",    "and",          "rollout",
    "completed",   "without",   "errors",      "because",      "of",
    "a",           "slow",      "disk",        "on",           "node",
    "request",     "timed",     "out",         "waiting",      "for",
    "upstream",    "service",   "response",    "retry",        "scheduled",
    "with",        "backoff",   "policy",      "evaluated",    "as",
    "allowed",     "by",        "operator",    "workflow",     "step",
    "finished",    "in",        "expected",    "time",         "alert",
    "matched",     "existing",  "remediation", "deduplicated", "within",
    "window",      "signal",    "enriched",    "owner",        "metadata",
    "from",        "cluster",   "cache",       "failed",       "to",
    "apply",       "patch",     "conflict",    "resolved",     "using",
    "latest",      "version",   "deployment",  "scaled",       "up",
    "replicas",    "health",    "check",       "passed",       "notification",
    "delivered",   "channel",   "approval",    "required",     "before",
    "execution",   "analysis",  "confidence",  "above",        "threshold",
    "root",        "cause",     "identified",  "connection",   "refused",
    "pool",        "exhausted", "certificate", "renewed",      "automatically",
    "successfully"};

/* ---- Numbers ---- */

static uint64_t rotate(uint64_t x, int k)
{
    return (x << k) | (x >> (64 - k));
}

static uint64_t next_u64(struct generator *g)
{
    uint64_t *s = g->state;
    uint64_t result = rotate(s[1] * 5, 7) * 9;
    uint64_t t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotate(s[3], 45);
    return result;
}

static uint32_t below(struct generator *g, size_t n)
{
    return (uint32_t)(((next_u64(g) >> 32) * (uint64_t)n) >> 32);
}

/* Cumulated odds of Zipf's law with exponent a. */
static double *zipf_odds(size_t n, double a)
{
    double *odds = mem_array(n, sizeof(*odds));
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        sum += 1.0 / pow((double)i + 1, a);
        odds[i] = sum;
    }
    for (size_t i = 0; i < n; i++) {
        odds[i] /= sum;
    }
    return odds;
}

static uint32_t zipf(struct generator *g, const double *odds, size_t n)
{
    double u = (double)(next_u64(g) >> 11) * (1.0 / 9007199254740992.0);
    size_t low = 0;
    size_t high = n - 1;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (odds[middle] < u) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return (uint32_t)low;
}

static void random_fill(struct generator *g, uint8_t *out, size_t len)
{
    for (size_t i = 0; i < len; i += 8) {
        uint64_t word = next_u64(g);
        memcpy(out + i, &word, 8);
    }
}

static void open_correlation(struct generator *g, struct correlation *c)
{
    random_fill(g, c->id, sizeof(c->id));
    random_fill(g, c->fingerprint, sizeof(c->fingerprint));
    c->namespace = below(g, COUNT_OF(namespaces));
    c->cluster = below(g, COUNT_OF(clusters));
    c->alert = below(g, COUNT_OF(alerts));
    c->actor = zipf(g, g->actor_odds, ACTORS);
    c->resource = zipf(g, g->resource_odds, RESOURCES);
}

struct generator *generator_new(uint64_t seed, int64_t start_us, uint64_t mean_us)
{
    struct generator *g = mem_zeroed(sizeof(*g));
    for (size_t i = 0; i < COUNT_OF(g->state); i++) { /* splitmix64 */
        seed += UINT64_C(0x9e3779b97f4a7c15);
        uint64_t z = seed;
        z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
        z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
        g->state[i] = z ^ (z >> 31);
    }
    g->now_us = start_us;
    g->mean_us = mean_us;
    g->actor_odds = zipf_odds(ACTORS, 1.0);
    g->resource_odds = zipf_odds(RESOURCES, 0.9);
    for (size_t i = 0; i < OPEN_CORRELATIONS; i++) {
        open_correlation(g, &g->open[i]);
    }
    return g;
}

void generator_free(struct generator *generator)
{
    if (generator != NULL) {
        free(generator->actor_odds);
        free(generator->resource_odds);
        free(generator);
    }
}

/* ---- Texts ---- */

static void put_hex(struct buf *out, const uint8_t *bytes, size_t len)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < len; i++) {
        buf_append_byte(out, (uint8_t)digits[bytes[i] >> 4]);
        buf_append_byte(out, (uint8_t)digits[bytes[i] & 15]);
    }
}

static void put_random_hex(struct generator *g, struct buf *out, size_t len)
{
    uint8_t bytes[32];
    random_fill(g, bytes, sizeof(bytes));
    put_hex(out, bytes, len);
}

static void put_uuid(struct buf *out, const uint8_t id[16], uint8_t version)
{
    uint8_t b[16];
    memcpy(b, id, sizeof(b));
    b[6] = (uint8_t)((b[6] & 0x0f) | (version << 4));
    b[8] = (uint8_t)((b[8] & 0x3f) | 0x80);
    put_hex(out, b, 4);
    for (size_t i = 4; i < 10; i += 2) {
        buf_append_byte(out, '-');
        put_hex(out, b + i, 2);
    }
    buf_append_byte(out, '-');
    put_hex(out, b + 10, 6);
}

static void put_event_id(struct generator *g, struct buf *out)
{
    uint8_t id[16];
    uint64_t ms = (uint64_t)g->now_us / 1000;
    random_fill(g, id, sizeof(id));
    for (size_t i = 0; i < 6; i++) {
        id[i] = (uint8_t)(ms >> (40 - 8 * i));
    }
    put_uuid(out, id, 7);
}

static void put_message(struct generator *g, struct buf *out)
{
    uint32_t count = MESSAGE_WORDS_LEAST + below(g, MESSAGE_WORDS_SPAN);
    for (uint32_t i = 0; i < count; i++) {
        buf_append_cstr(out, i > 0 ? " " : "");
        buf_append_cstr(out, words[below(g, COUNT_OF(words))]);
    }
    if (below(g, 20) == 0) { /* escapes and what is not ASCII */
        buf_append_cstr(out, " \\\"path\\\": C:\\\\tmp caf\\u00e9");
    }
}

/* What both halves of an event speak of. */
struct facts {
    const struct service *service;
    const struct correlation *correlation;
    const char *verb, *outcome, *severity, *action;
};

static void put_columns(struct generator *g, struct buf *out, const struct facts *f)
{
    const struct correlation *c = f->correlation;
    uint32_t actor = below(g, 2) != 0 ? c->actor : zipf(g, g->actor_odds, ACTORS);
    uint32_t resource = below(g, 2) != 0 ? c->resource : zipf(g, g->resource_odds, RESOURCES);
    char time[TIME_TEXT_BYTES];
    time_format_rfc3339(g->now_us, time);
    buf_append_cstr(out, "{\"event_id\":\"");
    put_event_id(g, out);
    buf_append_format(out, "\",\"event_timestamp\":\"%.*s\"", (int)sizeof(time), time);
    buf_append_format(out, ",\"event_type\":\"%s.%s.%s\",\"event_category\":\"%s\"",
                      f->service->name, f->service->object, f->verb, f->service->category);
    buf_append_format(out, ",\"action\":\"%s\",\"outcome\":\"%s\",\"severity\":\"%s\"", f->action,
                      f->outcome, f->severity);
    buf_append_format(out, ",\"actor_type\":\"%s\",\"actor_id\":\"%s-account-%06u\"",
                      actor_types[below(g, COUNT_OF(actor_types))], actor_types[actor & 3],
                      (actor * 2654435761u) % 1000000u);
    buf_append_format(out, ",\"actor_ip\":\"10.%u.%u.%u\"", (actor * 7919u >> 3) & 255,
                      (actor * 104729u >> 5) & 255, below(g, 16));
    buf_append_format(out, ",\"resource_type\":\"%s\",\"resource_id\":\"%s-app-%08x\"",
                      resource_types[resource % COUNT_OF(resource_types)],
                      namespaces[resource % COUNT_OF(namespaces)], resource * 2654435761u);
    buf_append_cstr(out, ",\"correlation_id\":\"");
    put_uuid(out, c->id, 4);
    buf_append_format(out, "\",\"namespace\":\"%s\",\"cluster\":\"%s\",\"service\":\"%s\"",
                      namespaces[c->namespace], clusters[c->cluster], f->service->name);
}

static void put_labels(struct generator *g, struct buf *out, const struct facts *f)
{
    buf_append_format(out, "\",\"labels\":{\"pod\":\"%s-", namespaces[f->correlation->namespace]);
    put_random_hex(g, out, 4);
    buf_append_byte(out, '-');
    put_random_hex(g, out, 2);
    buf_append_format(out, "\",\"node\":\"node-%u\",\"container\":\"%s\"}", below(g, 200),
                      services[below(g, COUNT_OF(services))].name);
    buf_append_format(out, ",\"reason\":null,\"tags\":[\"%s\",\"%s\"]}}}\n", f->severity,
                      f->action);
}

static void put_data(struct generator *g, struct buf *out, const struct facts *f)
{
    uint8_t workflow[16];
    buf_append_format(out,
                      ",\"event_data\":{\"version\":\"1.0\",\"service\":\"%s\","
                      "\"operation\":\"%s_%s\",\"status\":\"%s\",\"payload\":{\"alert\":\"%s\"",
                      f->service->name, f->service->object, f->verb, f->outcome,
                      alerts[f->correlation->alert]);
    buf_append_cstr(out, ",\"fingerprint\":\"");
    put_hex(out, f->correlation->fingerprint, sizeof(f->correlation->fingerprint));
    buf_append_cstr(out, "\",\"trace_id\":\"");
    put_random_hex(g, out, 16);
    buf_append_format(out, "\",\"attempt\":%u,\"duration_ms\":%u,\"confidence\":0.%03u",
                      1 + below(g, 4), below(g, 30) * below(g, 400), below(g, 1000));
    buf_append_format(out, ",\"is_duplicate\":%s,\"message\":\"",
                      below(g, 5) != 0 ? "false" : "true");
    put_message(g, out);
    buf_append_cstr(out, "\",\"workflow_id\":\"");
    random_fill(g, workflow, sizeof(workflow));
    put_uuid(out, workflow, 4);
    put_labels(g, out, f);
}

void generator_next(struct generator *g, struct buf *out)
{
    g->now_us += 1 + (int64_t)below(g, (size_t)(2 * g->mean_us));
    struct correlation *c = &g->open[below(g, OPEN_CORRELATIONS)];
    if (below(g, 6) == 0) {
        open_correlation(g, c);
    }
    uint32_t lot = below(g, 100);
    const struct facts facts = {
        .service = &services[below(g, COUNT_OF(services))],
        .correlation = c,
        .verb = verbs[below(g, COUNT_OF(verbs))],
        .outcome = outcomes[lot < 90   ? 0
                            : lot < 98 ? 1
                                       : 2],
        .severity = severities[below(g, COUNT_OF(severities))],
        .action = actions[below(g, COUNT_OF(actions))],
    };
    put_columns(g, out, &facts);
    put_data(g, out, &facts);
}
