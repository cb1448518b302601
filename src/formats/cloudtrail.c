/* SPDX-License-Identifier: Apache-2.0 */
/* AWS CloudTrail records, as found in the log files ({"Records":[...]}) and in event streams. */
#include "formats/mapping.h"

enum {
    RULE_ID,
    RULE_SOURCE,
    RULE_NAME,
    RULE_ADDRESS,
    RULE_ERROR_CODE,
};

static const struct mapping_rule rules[] = {
    [RULE_ID] = MAPPING_RULE1(FIELD_COUNT, "eventID"),
    [RULE_SOURCE] = MAPPING_RULE1(FIELD_COUNT, "eventSource"),
    [RULE_NAME] = MAPPING_RULE1(FIELD_EVENT_ACTION, "eventName"),
    [RULE_ADDRESS] = MAPPING_RULE1(FIELD_COUNT, "sourceIPAddress"),
    [RULE_ERROR_CODE] = MAPPING_RULE1(FIELD_ERROR_CODE, "errorCode"),
    MAPPING_RULE1(FIELD_EVENT_TIMESTAMP, "eventTime"),
    MAPPING_RULE2(FIELD_ACTOR_TYPE, "userIdentity", "type"),
    MAPPING_RULE2(FIELD_ACTOR_ID, "userIdentity", "arn"),
    MAPPING_RULE2(FIELD_ACTOR_ID, "userIdentity", "principalId"),
    MAPPING_RULE2(FIELD_ACTOR_ID, "userIdentity", "invokedBy"),
    MAPPING_RULE2(FIELD_ACTOR_ID, "userIdentity", "accountId"),
    MAPPING_RULE3(FIELD_RESOURCE_TYPE, "resources", "0", "type"),
    MAPPING_RULE3(FIELD_RESOURCE_ID, "resources", "0", "ARN"),
    MAPPING_RULE1(FIELD_REQUEST_ID, "requestID"),
    MAPPING_RULE1(FIELD_USER_AGENT, "userAgent"),
    MAPPING_RULE1(FIELD_ERROR_MESSAGE, "errorMessage"),
};
static_assert(COUNT_OF(rules) <= MAPPING_RULES_MAX, "a mapping collects into a fixed array");

static slice without_domain(slice source)
{
    const slice domain = SLICE(".amazonaws.com");
    if (source.len > domain.len &&
        memcmp(source.ptr + source.len - domain.len, domain.ptr, domain.len) == 0) {
        source.len -= domain.len;
    }
    return source;
}

/* aws.<service>.<name>, cut to what event_type holds: the whole name is in event_data. */
static enum err set_type(struct mapping *mapping, slice service, slice name)
{
    const slice head = SLICE("aws.");
    size_t len = head.len + service.len + 1 + name.len;
    uint8_t *type = arena_take(mapping->arena, len);
    if (type == NULL) {
        return diag_fail(mapping->diag, ERR_LIMIT, "", "the record takes too much memory");
    }
    memcpy(type, head.ptr, head.len);
    memcpy(type + head.len, service.ptr, service.len);
    type[head.len + service.len] = '.';
    memcpy(type + head.len + service.len + 1, name.ptr, name.len);
    slice cut = text_cut((slice){type, len}, fields[FIELD_EVENT_TYPE].max);
    if (!mapping_set(mapping, FIELD_EVENT_TYPE, cut)) {
        return diag_fail(mapping->diag, ERR_INVALID, "/eventName", "must not contain \\u0000");
    }
    return OK;
}

static enum err finish(struct mapping *mapping)
{
    slice source = {0};
    slice name = {0};
    slice text = {0};
    if (!mapping_text(mapping, RULE_NAME, &name)) {
        return diag_fail(mapping->diag, ERR_INVALID, "/eventName", "is required");
    }
    if (!mapping_text(mapping, RULE_SOURCE, &source)) {
        return diag_fail(mapping->diag, ERR_INVALID, "/eventSource", "is required");
    }
    TRY(set_type(mapping, without_domain(source), name));
    (void)mapping_set(mapping, FIELD_EVENT_CATEGORY, SLICE("aws"));
    (void)mapping_set(mapping, FIELD_SERVICE, without_domain(source));

    bool has_failed = mapping_text(mapping, RULE_ERROR_CODE, &text);
    (void)mapping_set(mapping, FIELD_EVENT_OUTCOME,
                      has_failed ? SLICE("failure") : SLICE("success"));
    if (mapping_text(mapping, RULE_ADDRESS, &text) && !mapping_set(mapping, FIELD_ACTOR_IP, text)) {
        (void)mapping_set(mapping, FIELD_SOURCE_ADDRESS, text); /* the name of an AWS service */
    }
    if (mapping_text(mapping, RULE_ID, &text)) {
        TRY(mapping_set_id(mapping, text));
    }
    return OK;
}

const struct format format_cloudtrail = {
    .name = SLICE_INIT("cloudtrail"),
    .container = SLICE_INIT("Records"),
    .rules = rules,
    .rule_count = COUNT_OF(rules),
    .finish = finish,
};
