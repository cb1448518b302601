/* SPDX-License-Identifier: Apache-2.0 */
/* targets - where events and alerts are sent. */
#include "kinds/kinds.h"

static const struct kind_field fields[] = {
    {"name", KIND_NAME, KIND_REQUIRED | KIND_UNIQUE | KIND_SEARCHED, NULL, 1, 100, NULL,
     "What people call it"},
    {"type", KIND_CHOICE, KIND_REQUIRED | KIND_IMMUTABLE | KIND_SEARCHED, NULL, 0, 0,
     "webhook syslog email file", "How it is reached"},
    {"url", KIND_URL, KIND_REQUIRED, NULL, 1, 2048, NULL, "Where it is"},
    {"secret", KIND_TEXT, KIND_SECRET, NULL, 16, 1024, NULL,
     "The key that requests to a webhook are signed with"},
    {"token", KIND_NAME, KIND_SECRET, NULL, 1, 4096, NULL,
     "What is sent as Authorization: Bearer, or as the password"},
    {"enabled", KIND_BOOLEAN, KIND_SEARCHED, "true", 0, 0, NULL, "Whether anything is sent there"},
    {"active", KIND_BOOLEAN, KIND_READ_ONLY, "false", 0, 0, NULL,
     "Whether this server sends to it; it does not yet"},
};

struct scheme {
    const char *type;
    const char *beginnings[3];
};

static const struct scheme schemes[] = {
    {"webhook", {"https://", "http://"}},
    {"syslog", {"syslog://", "syslog+tls://"}},
    {"email", {"smtp://", "smtps://", "mailto:"}},
    {"file", {"file:///"}},
};

static bool has_scheme(const struct scheme *scheme, const char *url)
{
    for (size_t i = 0; i < COUNT_OF(scheme->beginnings); i++) {
        const char *beginning = scheme->beginnings[i];
        if (beginning != NULL && strncmp(url, beginning, strlen(beginning)) == 0) {
            return true;
        }
    }
    return false;
}

static void check(const json_t *object, struct kind_errors *errors)
{
    const char *type = json_string_value(json_object_get(object, "type"));
    const char *url = json_string_value(json_object_get(object, "url"));
    for (size_t i = 0; i < COUNT_OF(schemes) && type != NULL && url != NULL; i++) {
        if (strcmp(type, schemes[i].type) == 0 && !has_scheme(&schemes[i], url)) {
            kind_wrong(errors, "url", "a target of type %s has a URL that begins with %s", type,
                       schemes[i].beginnings[0]);
        }
    }
}

const struct kind kind_targets = {
    .name = "targets",
    .singular = "target",
    .command = "target",
    .about = "Targets are where events and alerts are sent",
    .order = {"name"},
    .event = "config.targets",
    .event_category = "config",
    .fields = fields,
    .field_count = COUNT_OF(fields),
    .check = check,
};
