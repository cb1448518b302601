/* SPDX-License-Identifier: Apache-2.0 */
/* Messages of hosts and traps of devices, as MUTT's ingestor takes them: hostname, message and
 * timestamp, and if there are any the severity of syslog and the object of an SNMP trap. */
#include "formats/mapping.h"

enum {
    RULE_HOST,
    RULE_MESSAGE,
    RULE_TIME,
    RULE_SEVERITY,
    RULE_TRAP,
};

static const struct mapping_rule rules[] = {
    [RULE_HOST] = MAPPING_RULE1(FIELD_ACTOR_ID, "hostname"),
    [RULE_MESSAGE] = MAPPING_RULE1(FIELD_COUNT, "message"),
    [RULE_TIME] = MAPPING_RULE1(FIELD_EVENT_TIMESTAMP, "timestamp"),
    [RULE_SEVERITY] = MAPPING_RULE1(FIELD_COUNT, "syslog_severity"),
    [RULE_TRAP] = MAPPING_RULE1(FIELD_RESOURCE_ID, "trap_oid"),
    MAPPING_RULE1(FIELD_CORRELATION_ID, "_correlation_id"),
    MAPPING_RULE1(FIELD_CORRELATION_ID, "correlation_id"),
};
static_assert(COUNT_OF(rules) <= MAPPING_RULES_MAX, "a mapping collects into a fixed array");

/* RFC 5424, 6.2.1: 0 is the most severe. A number, or the same as text; else none. */
static void set_severity(struct mapping *mapping)
{
    static const slice names[] = {SLICE_INIT("emergency"), SLICE_INIT("alert"),
                                  SLICE_INIT("critical"),  SLICE_INIT("error"),
                                  SLICE_INIT("warning"),   SLICE_INIT("notice"),
                                  SLICE_INIT("info"),      SLICE_INIT("debug")};
    slice text = {0};
    uint64_t number = 0;
    if ((mapping->found & (UINT64_C(1) << RULE_SEVERITY)) == 0) {
        return;
    }
    if (!mapping_text(mapping, RULE_SEVERITY, &text)) {
        text = mapping->values[RULE_SEVERITY].raw;
    }
    if (slice_parse_u64(text, &number) && number < COUNT_OF(names)) {
        (void)mapping_set(mapping, FIELD_SEVERITY, names[number]);
    }
}

static enum err finish(struct mapping *mapping)
{
    static const struct {
        size_t rule;
        const char *pointer;
    } required[] = {{RULE_HOST, "/hostname"},
                    {RULE_MESSAGE, "/message"},
                    {RULE_TIME, "/timestamp"}};
    slice text = {0};
    for (size_t i = 0; i < COUNT_OF(required); i++) {
        if ((mapping->found & (UINT64_C(1) << required[i].rule)) == 0) {
            return diag_fail(mapping->diag, ERR_INVALID, required[i].pointer, "is required");
        }
    }
    bool is_trap = mapping_text(mapping, RULE_TRAP, &text);
    (void)mapping_set(mapping, FIELD_EVENT_TYPE,
                      is_trap ? SLICE("snmp.trap") : SLICE("syslog.message"));
    (void)mapping_set(mapping, FIELD_ACTOR_TYPE, SLICE("host"));
    if (is_trap) {
        (void)mapping_set(mapping, FIELD_RESOURCE_TYPE, SLICE("trap"));
    }
    set_severity(mapping);
    return OK;
}

const struct format format_mutt = {
    .name = SLICE_INIT("mutt"),
    .container = SLICE_INIT("events"),
    .rules = rules,
    .rule_count = COUNT_OF(rules),
    .finish = finish,
};
