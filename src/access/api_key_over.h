/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * api_key_over - keys that let nobody in any more, and go with the organisation or the user that
 * they were of. A key that works stays, and refuses that removal.
 *
 * Threads: any; removals within a transaction of the catalog.
 */

#include "catalog/catalog.h"

/* Whether it was revoked, or has expired. */
bool api_key_is_over(const json_t *key, int64_t now_us);

/* Before that organisation is removed: its keys that are over go, each with its event; of one that
 * is locked out (not is_active) all of them, because none lets anybody in. `errors` as
 * catalog_delete() has them. LIMIT: more than one transaction changes. */
enum err api_key_leave_organization(struct catalog *catalog, const struct catalog_author *author,
                                    const json_t *organization, struct kind_errors *errors,
                                    struct diag *diag);
/* The same before a user is, with the keys that act for the user and are over. */
enum err api_key_leave_user(struct catalog *catalog, const struct catalog_author *author,
                            const json_t *user, struct kind_errors *errors, struct diag *diag);
