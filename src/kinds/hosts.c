/* SPDX-License-Identifier: Apache-2.0 */
/* hosts - development hosts, and which team a host belongs to. */
#include "kinds/kinds.h"

static const struct kind_field dev_fields[] = {
    {"hostname", KIND_HOST, KIND_REQUIRED | KIND_IMMUTABLE, NULL, 1, 255, NULL,
     "The host; those that are not listed are in production"},
};

const struct kind kind_dev_hosts = {
    .name = "dev-hosts",
    .singular = "dev-host",
    .command = "dev-host",
    .about = "Development hosts, for which rules do what their dev_handling says",
    .key = "hostname",
    .event = "config.dev-hosts",
    .event_category = "config",
    .fields = dev_fields,
    .field_count = COUNT_OF(dev_fields),
};

static const struct kind_field team_fields[] = {
    {"hostname", KIND_HOST, KIND_REQUIRED | KIND_IMMUTABLE, NULL, 1, 255, NULL, "The host"},
    {"team_assignment", KIND_NAME, KIND_REQUIRED | KIND_SEARCHED, NULL, 1, 100, NULL,
     "The team that hears of what no rule handles"},
};

const struct kind kind_teams = {
    .name = "teams",
    .singular = "team",
    .command = "team",
    .about = "Which team a host belongs to",
    .key = "hostname",
    .event = "config.teams",
    .event_category = "config",
    .fields = team_fields,
    .field_count = COUNT_OF(team_fields),
};
