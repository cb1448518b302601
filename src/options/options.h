/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * options - what the server can be told: one table, five sources, one value each.
 *
 * options.def is the table. A value comes from, the strongest first: flag, environment, setting
 * changed while running, configuration file, default. What each source says is kept, and the
 * strongest that says anything counts: sources may be read in any order, and taken back.
 *
 * Threads: a loaded `struct options` is read by any; what changes it needs an owner. The values of
 * a server that runs are in running.h.
 */

#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/slice.h"

enum option {
#define OPTION(id, ...) OPTION_##id,
#include "options/options.def"
#undef OPTION
    OPTION_COUNT
};

enum option_type {
    OPTION_TYPE_TEXT,
    OPTION_TYPE_PATH,     /* a directory, relative to the working directory */
    OPTION_TYPE_FILE,     /* a file, the same way */
    OPTION_TYPE_NAME,     /* of a log: no space, no '+', no control character */
    OPTION_TYPE_ADDRESS,  /* host:port, [v6]:port, or :port for every address */
    OPTION_TYPE_SIZE,     /* bytes: 1048576, 1024K, 1MiB; units are powers of 1,024 */
    OPTION_TYPE_DURATION, /* milliseconds: 1500, 1500ms, 2s, 5min, 1h */
    OPTION_TYPE_INTEGER,
    OPTION_TYPE_BOOLEAN, /* true, yes, on, 1; false, no, off, 0 */
    OPTION_TYPE_CHOICE,  /* one of the names, in any case */
};

#define OPTION_RUNNING 1u
#define OPTION_START   2u
#define OPTION_SECRET  4u

struct option_info {
    const char *name;
    const char *environment; /* the variable */
    enum option_type type;
    const char *fallback; /* the default */
    uint64_t least, most;
    const char *choices; /* separated by spaces */
    unsigned flags;
    const char *group;
    const char *sentence; /* without a full stop at its end */
};

/* The row of an option. Its texts last as long as the process. */
const struct option_info *option_info(enum option option);
/* By its name in the file ("log.level") or its flag ("log-level"). False if there is none. */
bool option_find_name(slice name, enum option *out);
bool option_find_flag(slice flag, enum option *out);
/* The name that is nearest to one that there is not, for who mistyped it; NULL: none is near. */
const char *option_near(slice name);
/* The flag without its dashes, NUL-terminated. */
#define OPTION_FLAG_BYTES_MAX 48
const char *option_flag(enum option option, char out[OPTION_FLAG_BYTES_MAX]);
/* What to write in place of the value in a synopsis: "HOST:PORT". */
const char *option_placeholder(enum option option);
const char *option_type_name(enum option_type type); /* "duration" */

enum option_source {
    OPTION_FROM_DEFAULT,
    OPTION_FROM_FILE,
    OPTION_FROM_SETTING,
    OPTION_FROM_ENVIRONMENT,
    OPTION_FROM_FLAG,
};
#define OPTION_SOURCES 5
const char *option_source_name(enum option_source source); /* "environment" */

struct options;

/* Every option at its default; a copy with all sources. Both are the caller's. */
struct options *options_new(void);
struct options *options_copy(const struct options *options);
void options_free(struct options *options);
DEFINE_OWNED(options);

/*
 * Reads everything: `argv` is what follows the word `serve`, `environment` is as environ(7) (NULL:
 * none), the file is the one that --config or CAIRN_CONFIG names. INVALID, with the flag, the
 * variable or file:line in diag->where and the limits in the sentence; what reading the file gave.
 */
enum err options_load(int argc, char *const *argv, char *const *environment, struct options **out,
                      struct diag *diag);
/* A copy of `options` in which the file says what it says now. As options_load(). */
enum err options_reload(const struct options *options, struct options **out, struct diag *diag);
/* Whether --help or -h is among the arguments. */
bool options_help_asked(int argc, char *const *argv);

/* The three sources, each alone; tests and options_load() use them. Weaker values are checked too.
 * `name` is the file's name for messages. */
enum err options_read_flags(struct options *options, int argc, char *const *argv,
                            struct diag *diag);
enum err options_read_environment(struct options *options, char *const *environment,
                                  struct diag *diag);
enum err options_read_text(struct options *options, slice text, const char *name,
                           struct diag *diag);
/* `where` names the place in messages. INVALID; also a SETTING of what cannot change. */
enum err options_set(struct options *options, enum option option, slice text,
                     enum option_source source, const char *where, struct diag *diag);

/* The source says nothing of it any more. */
void options_unset(struct options *options, enum option option, enum option_source source);
/* What `source` says of an option in `from`, or that it says nothing, is so in `options` too. */
void options_take(struct options *options, enum option option, enum option_source source,
                  const struct options *from);

/* ---- Values: those of the strongest source ---- */

/* TEXT, PATH, FILE, NAME, ADDRESS, CHOICE; lasts until the next change. "" is not given. */
const char *options_text(const struct options *options, enum option option);
/* SIZE in bytes, DURATION in milliseconds, INTEGER. */
uint64_t options_u64(const struct options *options, enum option option);
bool options_bool(const struct options *options, enum option option);
/* The position of a CHOICE in its list. */
size_t options_choice(const struct options *options, enum option option);
/* Of a type that is a number inside, which BOOLEAN and CHOICE are too; else 0. */
uint64_t options_number(const struct options *options, enum option option);
/* The halves of an ADDRESS; the host is without brackets, "" is every address. */
#define OPTION_HOST_BYTES_MAX 255
void options_address(const struct options *options, enum option option,
                     char host_out[OPTION_HOST_BYTES_MAX + 1], uint16_t *port_out);
enum option_source options_source(const struct options *options, enum option option);
/* "flag --listen", "environment CAIRN_LISTEN", "file cairn.conf:3", "default". */
const char *options_where(const struct options *options, enum option option);
/* Appends the value as the file would write it: "64MiB", "1s", "true". */
void options_format(const struct options *options, enum option option, struct buf *out);
/* The same of one source. False: it says nothing. */
bool options_format_from(const struct options *options, enum option option,
                         enum option_source source, struct buf *out);
/* The same of a limit of a SIZE, DURATION or INTEGER. */
void option_format_limit(enum option_type type, uint64_t number, struct buf *out);

/* ---- Words ---- */

/* The options part of `cairn serve --help`, by groups, cut at 80 columns. */
void options_write_help(struct buf *out);
/* Name, value and source of every option: aligned, or as NDJSON, in which what is no UTF-8 is only
 * said to be so. Of a SECRET, that it is given. */
void options_write_list(const struct options *options, bool json, struct buf *out);
/* The OPTIONS sections of the manual pages, in scdoc. */
void options_write_conf_page(struct buf *out);
void options_write_serve_page(struct buf *out);
