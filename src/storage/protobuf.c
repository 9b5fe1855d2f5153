/* protobuf.c - messages in the wire format of protocol buffers: a field is its number and wire type, then its
 * value. https://protobuf.dev/programming-guides/encoding */
#include "protobuf.h"

#include <stdlib.h>
#include <string.h>

enum { VARINT = 0, LENGTH = 2, FIXED32 = 5, FIRST_ROOM = 256 };

static void append(Message *message, const void *bytes, size_t size)
{
    if (message->error->code || size == 0)
        return;
    if (size > message->room - message->size) {
        size_t room = 2 * (message->size + size) + FIRST_ROOM;
        char *grown = realloc(message->bytes, room);
        if (!grown) {
            reluopt_fail(message->error, RELUOPT_MEMORY, "out of memory for %zu bytes of an ONNX file", room);
            return;
        }
        message->bytes = grown;
        message->room = room;
    }
    memcpy(message->bytes + message->size, bytes, size);
    message->size += size;
}

/* Seven bits a byte, least significant first; the top bit says that more follow. */
static void put_varint(Message *message, uint64_t value)
{
    unsigned char bytes[10];
    size_t size = 0;
    do {
        bytes[size++] = (unsigned char)((value & 0x7F) | (value > 0x7F ? 0x80 : 0));
        value >>= 7;
    } while (value > 0);
    append(message, bytes, size);
}

static void put_tag(Message *message, int field, int wire_type)
{
    put_varint(message, (uint64_t)field << 3 | (uint64_t)wire_type);
}

void protobuf_integer(Message *message, int field, int64_t value)
{
    put_tag(message, field, VARINT);
    put_varint(message, (uint64_t)value);
}

void protobuf_float(Message *message, int field, float value)
{
    put_tag(message, field, FIXED32);
    append(message, &value,
           sizeof value); /* least significant byte first, as this program's processors have it */
}

void protobuf_bytes(Message *message, int field, const void *bytes, size_t size)
{
    put_tag(message, field, LENGTH);
    put_varint(message, size);
    append(message, bytes, size);
}

void protobuf_text(Message *message, int field, const char *text)
{
    protobuf_bytes(message, field, text, strlen(text));
}

void protobuf_message(Message *message, int field, Message *member)
{
    protobuf_bytes(message, field, member->bytes, member->size);
    free(member->bytes);
    *member = (Message){.error = member->error};
}
