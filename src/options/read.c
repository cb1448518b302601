/* SPDX-License-Identifier: Apache-2.0 */
/*
 * read - the sources of options: flags, environment, the text of a configuration file.
 *
 * A line of cairn.conf is `key = value`, a comment that begins with #, or empty. A value may stand
 * in double quotes, and then keeps its spaces. A # inside a value belongs to the value.
 */
#include <assert.h>
#include <stdio.h>

#include "options/options.h"

static enum err read_flag(struct options *options, int argc, char *const *argv, int *at,
                          struct diag *diag)
{
    const char *word = argv[*at];
    if (word[0] != '-' || word[1] != '-' || word[2] == '\0') {
        /* It is not shown: it may be the value of a SECRET behind a '=' and a space. */
        return diag_fail(diag, ERR_INVALID, "",
                         "word %d is not understood; cairn serve takes options only, --NAME=VALUE",
                         *at + 1);
    }
    const char *equals = strchr(word, '=');
    size_t flag_len = (equals == NULL ? strlen(word) : (size_t)(equals - word)) - 2;
    slice flag = {(const uint8_t *)word + 2, flag_len};
    char where[96];
    (void)snprintf(where, sizeof(where), "--%.*s", SLICE_ARG(flag));

    enum option option = OPTION_COUNT;
    if (!option_find_flag(flag, &option)) {
        return diag_fail(diag, ERR_INVALID, where, "is no option of cairn serve; see --help");
    }
    const char *value = equals == NULL ? NULL : equals + 1;
    bool is_boolean = option_info(option)->type == OPTION_TYPE_BOOLEAN;
    /* serve has no operands, so a word behind a flag that is no flag is its value. */
    bool has_next = *at + 1 < argc && (!is_boolean || argv[*at + 1][0] != '-');
    if (value == NULL && has_next) {
        *at += 1;
        value = argv[*at];
    }
    if (value == NULL && !is_boolean) {
        return diag_fail(diag, ERR_INVALID, where, "needs a value: %s %s", where,
                         option_placeholder(option));
    }
    return options_set(options, option, slice_from_cstr(value == NULL ? "true" : value),
                       OPTION_FROM_FLAG, where, diag);
}

enum err options_read_flags(struct options *options, int argc, char *const *argv, struct diag *diag)
{
    for (int at = 0; at < argc; at++) {
        if (strcmp(argv[at], "--help") == 0 || strcmp(argv[at], "-h") == 0) {
            continue;
        }
        TRY(read_flag(options, argc, argv, &at, diag));
    }
    return OK;
}

bool options_help_asked(int argc, char *const *argv)
{
    for (int i = 0; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            return true;
        }
    }
    return false;
}

/* ---- Environment ---- */

/* NULL also for an empty one: that is how shells and unit files take a variable back. */
static const char *environment_find(char *const *environment, const char *name)
{
    size_t len = strlen(name);
    for (; environment != NULL && *environment != NULL; environment++) {
        if (strncmp(*environment, name, len) == 0 && (*environment)[len] == '=') {
            const char *value = *environment + len + 1;
            return value[0] == '\0' ? NULL : value;
        }
    }
    return NULL;
}

enum alias_as { ALIAS_VALUE, ALIAS_HOST, ALIAS_PORT, ALIAS_JSON, ALIAS_SECONDS };

struct alias {
    const char *name;
    enum option option;
    enum alias_as as;
};

static const struct alias aliases[] = {
#define ALIAS(variable, id, as_) {variable, OPTION_##id, ALIAS_##as_},
#include "options/options.def"
#undef ALIAS
};

/* Half of an address replaces that half of what stands there now. */
static void alias_address(const struct options *options, const struct alias *alias,
                          const char *value, struct buf *out)
{
    char host[OPTION_HOST_BYTES_MAX + 1];
    uint16_t port = 0;
    options_address(options, alias->option, host, &port);
    const char *new_host = alias->as == ALIAS_HOST ? value : host;
    bool is_v6 = strchr(new_host, ':') != NULL;
    buf_append_format(out, is_v6 ? "[%s]:" : "%s:", new_host);
    if (alias->as == ALIAS_PORT) {
        buf_append_cstr(out, value);
    } else {
        buf_append_u64(out, port);
    }
}

static enum err read_alias(struct options *options, const struct alias *alias, const char *value,
                           struct diag *diag)
{
    struct buf CLEANUP(buf_release) text = BUF_INIT(KIB(8));
    switch (alias->as) {
    case ALIAS_VALUE:
        buf_append_cstr(&text, value);
        break;
    case ALIAS_HOST:
    case ALIAS_PORT:
        alias_address(options, alias, value, &text);
        break;
    case ALIAS_SECONDS:
        buf_append_format(&text, "%ss", value);
        break;
    case ALIAS_JSON:
        buf_append_cstr(&text,
                        strcmp(value, "true") == 0 || strcmp(value, "1") == 0 ? "json" : "auto");
        break;
    }
    if (buf_check(&text) != OK) {
        return diag_fail(diag, ERR_INVALID, alias->name, "is too long");
    }
    return options_set(options, alias->option, buf_slice(&text), OPTION_FROM_ENVIRONMENT,
                       alias->name, diag);
}

enum err options_read_environment(struct options *options, char *const *environment,
                                  struct diag *diag)
{
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        const struct option_info *info = option_info((enum option)i);
        const char *value = environment_find(environment, info->environment);
        if (value != NULL) {
            TRY(options_set(options, (enum option)i, slice_from_cstr(value),
                            OPTION_FROM_ENVIRONMENT, info->environment, diag));
        }
    }
    for (size_t i = 0; i < COUNT_OF(aliases); i++) {
        const struct alias *alias = &aliases[i];
        const char *value = environment_find(environment, alias->name);
        bool own_is_set =
            environment_find(environment, option_info(alias->option)->environment) != NULL;
        if (value == NULL || own_is_set) {
            continue;
        }
        if (options_source(options, alias->option) == OPTION_FROM_FLAG) {
            continue; /* half of an address must not be put together with a flag's */
        }
        TRY(read_alias(options, alias, value, diag));
    }
    return OK;
}

/* ---- The file ---- */

static bool byte_is_not_feed(uint8_t byte)
{
    return byte != '\n';
}

static bool byte_is_key(uint8_t byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
           (byte >= '0' && byte <= '9') || byte == '_' || byte == '.' || byte == '-';
}

static slice trim_end(slice text)
{
    while (text.len > 0 &&
           (byte_is_space(text.ptr[text.len - 1]) || text.ptr[text.len - 1] == '\r')) {
        text.len--;
    }
    return text;
}

static enum err read_line(struct options *options, slice line, const char *where, uint64_t *seen,
                          struct diag *diag)
{
    line = trim_end(line);
    slice_skip_spaces(&line);
    if (line.len == 0 || line.ptr[0] == '#') {
        return OK;
    }
    slice key = slice_take_while(&line, byte_is_key);
    slice_skip_spaces(&line);
    if (key.len == 0 || !slice_take_literal(&line, SLICE("="))) {
        return diag_fail(diag, ERR_INVALID, where, "expected key = value");
    }
    slice_skip_spaces(&line);
    slice inside = {0}, value = line;
    if (value.len > 0 && value.ptr[0] == '"') {
        if (!slice_take_quoted(&line, &inside) || line.len > 0) {
            return diag_fail(diag, ERR_INVALID, where, "the quotes do not close at the line's end");
        }
        value = inside;
    }
    enum option option = OPTION_COUNT;
    if (!option_find_name(key, &option)) {
        return diag_fail(diag, ERR_INVALID, where, "unknown key %.*s; see cairn.conf(5)",
                         (int)(key.len > 60 ? 60 : key.len), (const char *)key.ptr);
    }
    if ((*seen & UINT64_C(1) << option) != 0) {
        return diag_fail(diag, ERR_INVALID, where, "%s was set above already",
                         option_info(option)->name);
    }
    *seen |= UINT64_C(1) << option;
    return options_set(options, option, value, OPTION_FROM_FILE, where, diag);
}

enum err options_read_text(struct options *options, slice text, const char *name, struct diag *diag)
{
    static_assert(OPTION_COUNT <= 64, "a set of options is a uint64_t");
    uint64_t seen = 0;
    for (unsigned long number = 1; text.len > 0; number++) {
        char where[96];
        (void)snprintf(where, sizeof(where), "%.70s:%lu", name, number);
        slice line = slice_take_while(&text, byte_is_not_feed);
        (void)slice_take_literal(&text, SLICE("\n"));
        TRY(read_line(options, line, where, &seen, diag));
    }
    return OK;
}
