/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * callers - who it is that calls: whose key it is, and what its organisation or user may do.
 *
 * Keys, users and organisations are kept in memory as the catalog has them: a lookup is one hash
 * and one place of a table. The catalog tells each change behind its commit, so that a key that was
 * revoked, or a user who was locked out, is refused by the next request.
 *
 * Threads: any.
 */

#include "access/api_key.h"
#include "base/err.h"
#include "limits/limit_tiers.h"

struct catalog;
struct kind;

#define CALLERS_ORG_BYTES     64
#define CALLERS_ID_BYTES      64
#define CALLERS_NAME_BYTES    340
#define CALLERS_SESSION_BYTES 32
#define CALLERS_FILTER_BYTES  4096
#define SYSTEM_ORGANIZATION   "default" /* the first; its rights to operate reach everywhere */

struct callers;
struct callers *callers_new(void); /* never NULL; knows nobody */
void callers_free(struct callers *callers);
DEFINE_OWNED(callers);

/* Reads all of them, and hears of each change from then on. The catalog ends first. */
enum err callers_load(struct callers *callers, struct catalog *catalog, struct diag *diag);
struct json_t; /* of jansson, whose header some who include this cannot have */
/* Limits that an organisation, as the catalog has it, has of its own. */
void callers_limits(const struct json_t *organization, struct limit_custom *out);

enum caller_kind {
    CALLER_KEY,
    CALLER_USER,
    CALLER_SERVICE, /* a service account of Kubernetes */
};
const char *caller_kind_name(enum caller_kind kind); /* as events write it: "api_key" */

struct known_caller {
    enum caller_kind kind;
    char id[CALLERS_ID_BYTES + 1]; /* of the key, or the user */
    /* What is shown and recorded: the first characters of a key's id, a user's address, the name of
     * a service account. */
    char name[CALLERS_NAME_BYTES + 1];
    char session[CALLERS_SESSION_BYTES + 1]; /* of a user */
    char org[CALLERS_ORG_BYTES + 1];
    char role[16];
    char api_version[8]; /* the organisation's default */
    char tier[16];
    struct limit_custom limits; /* the organisation's own, instead of its tier's */
    uint32_t rights;
    bool is_system;  /* of the system organisation, in a role that sees all */
    uint64_t filter; /* a hash of what narrows the key; 0: nothing does */
};

/* Why a key is refused is for the log; whoever shows it learns that it is not known. */
enum callers_answer {
    CALLERS_KNOWN,
    CALLERS_NO_KEY,  /* it does not look like one */
    CALLERS_UNKNOWN, /* nobody has it, or it is another one of that id */
    CALLERS_REVOKED,
    CALLERS_EXPIRED,
    CALLERS_SUSPENDED, /* its organisation or its user is */
};
enum callers_answer callers_find(struct callers *callers, slice key, int64_t now_us,
                                 struct known_caller *out);
/* A user by id, who was recognised in another way. UNKNOWN, SUSPENDED. */
enum callers_answer callers_find_user(struct callers *callers, slice id, struct known_caller *out);
/* A service account that is known elsewhere, with a role in an organisation; false: that one is
 * not known, or suspended. */
bool callers_find_service(struct callers *callers, const char *name, const char *org,
                          const char *role, struct known_caller *out);
const char *callers_reason(enum callers_answer answer);

/* The filter that narrows the key of that prefix, as a string of the heap; NULL: none. */
char *callers_filter(struct callers *callers, slice key_prefix);
