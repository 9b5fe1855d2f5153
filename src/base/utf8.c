/* utf8.c - text as characters. */
#include "reluopt/utf8.h"

size_t reluopt_utf8_read(const char *text, unsigned *character)
{
    static const unsigned first_of_length[] = {0, 1, 0x80, 0x800, 0x10000}; /* shorter forms are not UTF-8 */
    const unsigned char *bytes = (const unsigned char *)text;
    size_t length = bytes[0] < 0x80 ? 1 : bytes[0] < 0xC0 ? 0 : bytes[0] < 0xE0 ? 2 : bytes[0] < 0xF0 ? 3 : 4;
    unsigned value = length == 1 ? bytes[0] : bytes[0] & (0x7Fu >> length);
    if (length == 0 || bytes[0] >= 0xF8)
        return 0;
    for (size_t i = 1; i < length; i++) {
        if ((bytes[i] & 0xC0) != 0x80)
            return 0; /* a zero byte also ends here */
        value = value << 6 | (bytes[i] & 0x3F);
    }
    if (value < first_of_length[length] || (value >= 0xD800 && value < 0xE000) || value > 0x10FFFF)
        return 0;
    *character = value;
    return length;
}
