/* markup.c - any text into HTML and SVG. */
#include "reluopt/markup.h"

#include <stdbool.h>

#include "reluopt/utf8.h"

/* XML has neither control characters but these three nor the last two of the basic plane. */
static bool is_xml(unsigned character)
{
    return character >= ' ' ? character != 0xFFFE && character != 0xFFFF
                            : character == '\t' || character == '\n' || character == '\r';
}

/* The character at text, U+FFFD for what is none; returns the bytes it takes. */
static size_t next(const char *text, unsigned *character)
{
    size_t length = reluopt_utf8_read(text, character);
    if (length == 0 || !is_xml(*character))
        *character = 0xFFFD;
    return length > 0 ? length : 1;
}

static void put(FILE *out, const char *text, size_t length, unsigned character)
{
    switch (character) {
    case '&':
        fputs("&amp;", out);
        break;
    case '<':
        fputs("&lt;", out);
        break;
    case '>':
        fputs("&gt;", out);
        break;
    case '"':
        fputs("&quot;", out);
        break;
    case 0xFFFD:
        fputs("\xEF\xBF\xBD", out);
        break;
    default:
        fwrite(text, 1, length, out);
    }
}

/* Characters [from, to) of the text. */
static void put_part(FILE *out, const char *text, size_t from, size_t to)
{
    unsigned character;
    for (size_t i = 0; *text != '\0' && i < to; i++) {
        size_t length = next(text, &character);
        if (i >= from)
            put(out, text, length, character);
        text += length;
    }
}

size_t reluopt_markup_length(const char *text)
{
    unsigned character;
    size_t count = 0;
    for (; *text != '\0'; count++)
        text += next(text, &character);
    return count;
}

void reluopt_markup_text(FILE *out, const char *text)
{
    put_part(out, text, 0, (size_t)-1);
}

void reluopt_markup_short(FILE *out, const char *text, size_t most)
{
    size_t length = reluopt_markup_length(text);
    if (length <= most) {
        reluopt_markup_text(out, text);
        return;
    }
    size_t tail = (most - 1) / 2;
    put_part(out, text, 0, most - 1 - tail);
    fputs("…", out);
    put_part(out, text, length - tail, length);
}

void reluopt_markup_base64(FILE *out, const unsigned char *bytes, size_t count)
{
    static const char digit[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < count; i += 3) {
        size_t left = count - i;
        unsigned group = (unsigned)bytes[i] << 16 | (left > 1 ? (unsigned)bytes[i + 1] << 8 : 0) |
                         (left > 2 ? bytes[i + 2] : 0);
        fputc(digit[group >> 18], out);
        fputc(digit[group >> 12 & 63], out);
        fputc(left > 1 ? digit[group >> 6 & 63] : '=', out);
        fputc(left > 2 ? digit[group & 63] : '=', out);
    }
}
