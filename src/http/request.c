/* SPDX-License-Identifier: Apache-2.0 */
#include "http/request.h"

#include "http/exchange.h"

static slice span_of(const struct exchange *exchange, struct http_span span)
{
    return (slice){exchange->head.ptr + span.at, span.len};
}

bool http_header_at(const struct http_request *request, size_t i, struct http_param *out)
{
    const struct exchange *exchange = exchange_reading(request);
    if (i >= exchange->parser.field_count || exchange->head.ptr == NULL) {
        return false;
    }
    out->name = span_of(exchange, exchange->parser.fields[i].name);
    out->value = span_of(exchange, exchange->parser.fields[i].value);
    return true;
}

bool http_header(const struct http_request *request, const char *lower_name, slice *out)
{
    slice wanted = slice_from_cstr(lower_name);
    const struct exchange *exchange = exchange_reading(request);
    if (exchange->head.ptr == NULL) {
        return false;
    }
    for (size_t i = 0; i < exchange->parser.field_count; i++) {
        const struct http_field *field = &exchange->parser.fields[i];
        if (field->name.len == wanted.len &&
            http_name_equal(span_of(exchange, field->name), wanted)) {
            *out = span_of(exchange, field->value);
            return true;
        }
    }
    return false;
}

slice http_path_param(const struct http_request *request, const char *name)
{
    slice wanted = slice_from_cstr(name);
    for (size_t i = 0; i < request->path_param_count; i++) {
        if (slice_equal(request->path_params[i].name, wanted)) {
            return request->path_params[i].value;
        }
    }
    ASSERT(request == NULL); /* the route's template has no such parameter */
    return (slice){0};
}

bool http_query(const struct http_request *request, const char *name, slice *out)
{
    slice wanted = slice_from_cstr(name);
    for (size_t i = 0; i < request->query_count; i++) {
        if (slice_equal(request->query[i].name, wanted)) {
            *out = request->query[i].value;
            return true;
        }
    }
    return false;
}
