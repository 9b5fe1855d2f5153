/* yaml.c - configuration files: the events of libyaml, fed into the option table.
 *
 * The YAML that makes sense here is a map of scalars, with one level of groups and one list, so everything
 * else is refused where it begins.  A map is entered only where the table has a group of that name: the table
 * bounds the depth. */
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <yaml.h>

#include "reluopt/memory.h"
#include "table.h"

enum { FILE_LIMIT = 1 << 20 };

#define PLACE "%.300s:%zu:%zu: " /* source, line and column, all from 1 */

typedef struct Reader {
    yaml_parser_t parser;
    yaml_event_t event; /* the current one */
    const char *source; /* its name in messages */
    const char *yaml;
    Config *config;
    size_t lines[OPTION_LIMIT]; /* where each option was given; 0: not yet */
    Error *error;
} Reader;

/* Note what is wrong at `mark`. */
static int __attribute__((format(printf, 3, 4))) fail_at(Reader *r, yaml_mark_t mark, const char *format, ...)
{
    char text[SUBJECT_SIZE];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return reluopt_fail(r->error, RELUOPT_USAGE, PLACE "%s", r->source, mark.line + 1, mark.column + 1, text);
}

/* libyaml tells only the offset of a byte that is not text; count lines and characters up to it. */
static yaml_mark_t mark_of_offset(const Reader *r, size_t offset)
{
    yaml_mark_t mark = {0};
    for (const char *c = r->yaml; c < r->yaml + offset; c++)
        if (*c == '\n') {
            mark.line++;
            mark.column = 0;
        } else if ((*c & 0xC0) != 0x80) {
            mark.column++;
        }
    return mark;
}

static int fail_syntax(Reader *r)
{
    const yaml_parser_t *p = &r->parser;
    if (p->error == YAML_MEMORY_ERROR)
        return reluopt_fail(r->error, RELUOPT_MEMORY, "out of memory while reading %s", r->source);
    if (p->error == YAML_READER_ERROR)
        return fail_at(r, mark_of_offset(r, p->problem_offset), "%s", p->problem);
    return fail_at(r, p->problem_mark, "%s%s%s", p->context ? p->context : "", p->context ? ", " : "",
                   p->problem);
}

/* True for what refers elsewhere or names a type: anchors, aliases and tags. */
static bool is_decorated(const yaml_event_t *event)
{
    switch (event->type) {
    case YAML_ALIAS_EVENT:
        return true;
    case YAML_SCALAR_EVENT:
        return event->data.scalar.anchor || event->data.scalar.tag;
    case YAML_SEQUENCE_START_EVENT:
        return event->data.sequence_start.anchor || event->data.sequence_start.tag;
    case YAML_MAPPING_START_EVENT:
        return event->data.mapping_start.anchor || event->data.mapping_start.tag;
    default:
        return false;
    }
}

/* Go to the next event. */
static int advance(Reader *r)
{
    yaml_event_delete(&r->event);
    if (!yaml_parser_parse(&r->parser, &r->event))
        return fail_syntax(r);
    const yaml_event_t *e = &r->event;
    if (is_decorated(e))
        return fail_at(r, e->start_mark, "anchors, aliases and tags are not supported: write the value itself");
    if (e->type == YAML_SCALAR_EVENT && memchr(e->data.scalar.value, '\0', e->data.scalar.length))
        return fail_at(r, e->start_mark, "a text must not contain the NUL character");
    return RELUOPT_OK;
}

static const char *scalar(const Reader *r)
{
    return (const char *)r->event.data.scalar.value;
}

/* Read a list up to its end as "a,b,c". */
static int read_list(Reader *r, const char *key, char *list, size_t size)
{
    size_t length = 0;
    list[0] = '\0';
    for (;;) {
        if (advance(r) != RELUOPT_OK)
            return r->error->code;
        if (r->event.type == YAML_SEQUENCE_END_EVENT)
            return RELUOPT_OK;
        if (r->event.type != YAML_SCALAR_EVENT)
            return fail_at(r, r->event.start_mark, "%s: a list of numbers is expected, such as [500, 500]",
                           key);
        length += (size_t)snprintf(list + length, size - length, "%s%s", length > 0 ? "," : "", scalar(r));
        if (length >= size)
            return fail_at(r, r->event.start_mark, "%s: the list is too long", key);
    }
}

/* Give `key`, found at `place`, the current event as its value. */
static int read_value(Reader *r, const char *key, yaml_mark_t place)
{
    char subject[SUBJECT_SIZE], list[RELUOPT_TEXT];
    yaml_mark_t mark = r->event.start_mark;
    snprintf(subject, sizeof subject, PLACE "%s", r->source, place.line + 1, place.column + 1, key);
    const Option *option = option_find(key, subject, r->error);
    if (!option)
        return r->error->code;
    size_t *line = &r->lines[option - option_table];
    if (*line > 0)
        return fail_at(r, place, "%s: given twice, first on line %zu", key, *line);
    *line = place.line + 1;

    bool is_list = r->event.type == YAML_SEQUENCE_START_EVENT;
    if (r->event.type == YAML_MAPPING_START_EVENT || (is_list && option->type != TYPE_WIDTHS))
        return fail_at(r, mark, "%s: is not a %s", key, is_list ? "list" : "group of keys");
    if (is_list && read_list(r, key, list, sizeof list) != RELUOPT_OK)
        return r->error->code;
    const char *value = is_list ? list : scalar(r);
    snprintf(subject, sizeof subject, PLACE "%s: %.100s", r->source, mark.line + 1, mark.column + 1, key,
             *value != '\0' ? value : "''");
    return option_set(option, r->config, value, subject, r->error);
}

/* Read a map up to its end; `group` is what comes before the dot in the full names of its keys, or "". */
// NOLINTNEXTLINE(misc-no-recursion): no deeper than the table has groups
static int read_map(Reader *r, const char *group)
{
    for (;;) {
        char key[2 * KEY_SIZE]; /* longer keys are cut, and stay unknown */
        if (advance(r) != RELUOPT_OK)
            return r->error->code;
        yaml_mark_t place = r->event.start_mark;
        if (r->event.type == YAML_MAPPING_END_EVENT)
            return RELUOPT_OK;
        if (r->event.type != YAML_SCALAR_EVENT)
            return fail_at(r, place, "a key must be a word, not a list or a map");
        snprintf(key, sizeof key, "%s%s%s", group, *group != '\0' ? "." : "", scalar(r));
        if (advance(r) != RELUOPT_OK)
            return r->error->code;
        bool is_group = r->event.type == YAML_MAPPING_START_EVENT && option_is_group(key);
        int code = is_group ? read_map(r, key) : read_value(r, key, place);
        if (code != RELUOPT_OK)
            return code;
    }
}

/* Read the root of the one document: a map, or nothing. */
static int read_root(Reader *r)
{
    if (advance(r) != RELUOPT_OK)
        return r->error->code;
    if (r->event.type == YAML_MAPPING_START_EVENT)
        return read_map(r, "");
    if (r->event.type == YAML_SCALAR_EVENT && r->event.data.scalar.length == 0)
        return RELUOPT_OK;
    return fail_at(r, r->event.start_mark, "lines of \"key: value\" are expected");
}

static int read_stream(Reader *r)
{
    bool seen = false;
    for (;;) {
        if (advance(r) != RELUOPT_OK)
            return r->error->code;
        if (r->event.type == YAML_STREAM_END_EVENT)
            return RELUOPT_OK;
        if (r->event.type != YAML_DOCUMENT_START_EVENT)
            continue;
        if (seen)
            return fail_at(r, r->event.start_mark, "a second document: a configuration has one");
        seen = true;
        if (read_root(r) != RELUOPT_OK)
            return r->error->code;
    }
}

int reluopt_config_parse(Config *config, const char *yaml, size_t size, const char *source, Error *error)
{
    static const char byte_order_mark[] = "\xEF\xBB\xBF";
    size_t skip = size >= 3 && memcmp(yaml, byte_order_mark, 3) == 0 ? 3 : 0;
    yaml += skip;
    size -= skip;
    Reader r = {.source = source, .yaml = yaml, .config = config, .error = error};
    if (!yaml_parser_initialize(&r.parser))
        return reluopt_fail(error, RELUOPT_MEMORY, "out of memory while reading %s", source);
    yaml_parser_set_input_string(&r.parser, (const unsigned char *)yaml, size);
    yaml_parser_set_encoding(&r.parser, YAML_UTF8_ENCODING);
    int code = read_stream(&r);
    yaml_event_delete(&r.event);
    yaml_parser_delete(&r.parser);
    return code;
}

int reluopt_config_read(Config *config, const char *path, Error *error)
{
    char *yaml = reluopt_alloc(FILE_LIMIT + 1, 1, error);
    if (!yaml)
        return error->code;
    FILE *file = fopen(path, "r");
    size_t size = file ? fread(yaml, 1, FILE_LIMIT + 1, file) : 0;
    int code;
    if (!file || ferror(file))
        code =
            reluopt_fail(error, RELUOPT_USAGE, "cannot read the configuration %s: %s", path, strerror(errno));
    else if (size > FILE_LIMIT)
        code = reluopt_fail(error, RELUOPT_USAGE, "%s: larger than 1 MiB, so not a configuration", path);
    else
        code = reluopt_config_parse(config, yaml, size, path, error);
    if (file)
        fclose(file);
    free(yaml);
    return code;
}
