/* SPDX-License-Identifier: Apache-2.0 */
/* people - who may do what: organisations, their users, and the keys of their programs. */
#include "kinds/kinds.h"

#define SCOPES                                                                                     \
    "events:write events:read audit:export config:read config:write ops:read ops:write "           \
    "holds:write erase"
#define ROLES "owner admin auditor operator writer"

static const struct kind_field organization_fields[] = {
    {"name", KIND_NAME, KIND_REQUIRED | KIND_SEARCHED, NULL, 1, 255, NULL, "What people call it"},
    {"email", KIND_EMAIL, KIND_UNIQUE_EVERYWHERE | KIND_SEARCHED, NULL, 3, 255, NULL,
     "Where its owner is reached"},
    {"tier", KIND_CHOICE, KIND_SEARCHED | KIND_GRANTED, "\"FREE\"", 0, 0,
     "FREE STARTUP BUSINESS ENTERPRISE unlimited", "Which limits it has"},
    {"requests_per_minute", KIND_INTEGER, KIND_GRANTED, NULL, 1, 100000000, NULL,
     "A limit of its own instead of its tier's"},
    {"requests_per_hour", KIND_INTEGER, KIND_GRANTED, NULL, 1, 100000000, NULL,
     "A limit of its own instead of its tier's"},
    {"requests_per_day", KIND_INTEGER, KIND_GRANTED, NULL, 1, 1000000000, NULL,
     "A limit of its own instead of its tier's"},
    {"monthly_quota", KIND_INTEGER, KIND_GRANTED, NULL, 0, 1000000000, NULL,
     "Validations in a calendar month, instead of its tier's"},
    {"burst", KIND_INTEGER, KIND_GRANTED, "0", 0, 100000, NULL,
     "Requests beyond the limit of a minute"},
    {"key_days_max", KIND_INTEGER, 0, NULL, 1, 3650, NULL,
     "Days after which its keys end at the latest; none: when they say so themselves"},
    {"api_version", KIND_CHOICE, 0, "\"2.0\"", 0, 0, "2.0 1.0",
     "The version of the API for requests that name none"},
    {"event_categories", KIND_NAMES, 0, NULL, 1, 200, NULL,
     "The categories that its events may have; none: any"},
    {"is_active", KIND_BOOLEAN, KIND_SEARCHED | KIND_GRANTED, "true", 0, 0, NULL,
     "Whether its users and keys are let in"},
};

const struct kind kind_organizations = {
    .name = "organizations",
    .singular = "organization",
    .command = "org",
    .about = "Organisations, which see nothing of each other",
    .event = "organization",
    .event_category = "organization",
    .is_organization = true,
    .fields = organization_fields,
    .field_count = COUNT_OF(organization_fields),
};

static const struct kind_field user_fields[] = {
    {"email", KIND_EMAIL, KIND_REQUIRED | KIND_UNIQUE_EVERYWHERE | KIND_SEARCHED, NULL, 3, 255,
     NULL, "What a user logs in with"},
    {"name", KIND_NAME, 0, NULL, 1, 255, NULL, "What people call them"},
    {"password", KIND_TEXT, KIND_REQUIRED | KIND_PASSWORD, NULL, 8, 1024, NULL,
     "At least 8 characters; only an Argon2id hash is kept"},
    {"role", KIND_CHOICE, KIND_REQUIRED | KIND_SEARCHED, NULL, 0, 0, ROLES, "What they may do"},
    {"is_active", KIND_BOOLEAN, KIND_SEARCHED, "true", 0, 0, NULL, "Whether they are let in"},
    {"totp_enabled", KIND_BOOLEAN, KIND_READ_ONLY, "false", 0, 0, NULL,
     "Whether a one-time code is asked for"},
    {"totp_secret", KIND_TEXT, KIND_HIDDEN | KIND_READ_ONLY, NULL, 0, 255, NULL,
     "What one-time codes are made of"},
    {"totp_step", KIND_INTEGER, KIND_HIDDEN | KIND_READ_ONLY, NULL, 0, INT64_MAX, NULL,
     "The step of the last code that was taken"},
    {"recovery_codes", KIND_NAMES, KIND_HIDDEN | KIND_READ_ONLY, NULL, 0, 10, NULL,
     "Hashes of those that are left"},
    {"last_login_at", KIND_TIME, KIND_READ_ONLY, NULL, 0, 0, NULL, "When they last logged in"},
};

const struct kind kind_users = {
    .name = "users",
    .singular = "user",
    .command = "user",
    .about = "People who log in",
    .order = {"email"},
    .event = "config.users",
    .event_category = "config",
    .fields = user_fields,
    .field_count = COUNT_OF(user_fields),
};

static const struct kind_field key_fields[] = {
    {"name", KIND_NAME, KIND_REQUIRED, NULL, 1, 100, NULL, "What it is for"},
    {"role", KIND_CHOICE, KIND_IMMUTABLE | KIND_SEARCHED, "\"writer\"", 0, 0, ROLES,
     "What it may do; scopes narrow it"},
    {"scopes", KIND_CHOICES, KIND_IMMUTABLE, NULL, 1, 16, SCOPES,
     "What it may do, instead of all that its role may"},
    {"filter", KIND_FILTER, 0, NULL, 1, 4096, NULL, "Only events that match are seen with it"},
    {"user_id", KIND_REFERENCE, KIND_IMMUTABLE | KIND_SEARCHED, NULL, 1, 64, "users",
     "The user that it acts for; none: for the organisation"},
    {"expires_at", KIND_TIME, 0, NULL, 0, 0, NULL, "When it ends; none: when it is revoked"},
    {"key_prefix", KIND_NAME, KIND_READ_ONLY | KIND_UNIQUE_EVERYWHERE | KIND_SEARCHED, NULL, 8, 8,
     NULL, "The first characters of its id, which are what is shown and recorded"},
    {"key_hash", KIND_NAME, KIND_HIDDEN | KIND_READ_ONLY, NULL, 64, 64, NULL,
     "SHA-256 of the key, in hex"},
    {"is_active", KIND_BOOLEAN, KIND_READ_ONLY | KIND_SEARCHED, "true", 0, 0, NULL,
     "Whether it is let in"},
    {"revoked_at", KIND_TIME, KIND_READ_ONLY, NULL, 0, 0, NULL,
     "When it was revoked, or its grace ends"},
    {"last_used_at", KIND_TIME, KIND_READ_ONLY, NULL, 0, 0, NULL, "When it was last used"},
};

const struct kind kind_api_keys = {
    .name = "api-keys",
    .singular = "key",
    .command = "key",
    .about = "Keys of programs",
    .event = "api_key",
    .event_category = "api_key",
    .fields = key_fields,
    .field_count = COUNT_OF(key_fields),
};
