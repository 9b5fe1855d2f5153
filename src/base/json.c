/* json.c - writes JSON. */
#include "reluopt/json.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include "reluopt/utf8.h"

static void put_text(FILE *out, const char *text)
{
    unsigned character;
    fputc('"', out);
    while (*text != '\0') {
        size_t length = reluopt_utf8_read(text, &character);
        if (length == 0)
            fputs("\\ufffd", out);
        else if (character == '"' || character == '\\')
            fprintf(out, "\\%c", (char)character);
        else if (character < ' ')
            fprintf(out, "\\u%04x", character);
        else
            fwrite(text, 1, length, out);
        text += length > 0 ? length : 1;
    }
    fputc('"', out);
}

static bool in_list(const Json *json)
{
    return json->lists >> json->depth & 1;
}

static void new_line(const Json *json)
{
    fprintf(json->out, "\n%*s", 2 * json->depth, "");
}

/* What comes before a value. */
static void put_name(Json *json, const char *name)
{
    bool broken = json->lines && json->depth > 0 && !in_list(json);
    if (json->filled)
        fputs(broken ? "," : ", ", json->out);
    if (broken)
        new_line(json);
    if (name) {
        put_text(json->out, name);
        fputs(": ", json->out);
    }
    json->filled = true;
}

static void open_value(Json *json, const char *name, bool list)
{
    put_name(json, name);
    fputc(list ? '[' : '{', json->out);
    json->depth++;
    json->lists = (json->lists & ~(UINT64_C(1) << json->depth)) | (uint64_t)list << json->depth;
    json->filled = false;
}

void reluopt_json_object(Json *json, const char *name)
{
    open_value(json, name, false);
}

void reluopt_json_list(Json *json, const char *name)
{
    open_value(json, name, true);
}

void reluopt_json_close(Json *json)
{
    bool list = in_list(json);
    json->depth--;
    if (json->filled && json->lines && !list)
        new_line(json);
    fputc(list ? ']' : '}', json->out);
    json->filled = json->depth > 0;
    if (json->depth == 0)
        fputc('\n', json->out);
}

void reluopt_json_integer(Json *json, const char *name, int64_t value)
{
    put_name(json, name);
    fprintf(json->out, "%" PRId64, value);
}

/* The fewest digits, from 6 on, that read back as the same number. */
void reluopt_json_real(Json *json, const char *name, double value)
{
    char digits[32] = "null";
    for (int precision = 6; isfinite(value) && precision <= 17; precision++) {
        snprintf(digits, sizeof digits, "%.*g", precision, value);
        if (strtod(digits, NULL) == value)
            break;
    }
    put_name(json, name);
    fputs(digits, json->out);
}

void reluopt_json_text(Json *json, const char *name, const char *value)
{
    put_name(json, name);
    put_text(json->out, value);
}

void reluopt_json_reals(Json *json, const char *name, const double *value, size_t count)
{
    reluopt_json_list(json, name);
    for (size_t i = 0; i < count; i++)
        reluopt_json_real(json, NULL, value[i]);
    reluopt_json_close(json);
}
