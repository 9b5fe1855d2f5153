/* protobuf.h - messages in the wire format of protocol buffers, for ONNX; private to src/storage.
 *
 * Functions do nothing once the message's `error` holds a failure; theirs is RELUOPT_MEMORY. */
#ifndef RELUOPT_STORAGE_PROTOBUF_H
#define RELUOPT_STORAGE_PROTOBUF_H

#include <stddef.h>
#include <stdint.h>

#include "reluopt/error.h"

typedef struct Message {
    char *bytes; /* malloc'ed */
    size_t size, room;
    Error *error;
} Message;

void protobuf_integer(Message *message, int field, int64_t value);
void protobuf_float(Message *message, int field, float value);
void protobuf_bytes(Message *message, int field, const void *bytes, size_t size);
void protobuf_text(Message *message, int field, const char *text);
/* The member becomes part of the message, and empty. */
void protobuf_message(Message *message, int field, Message *member);

#endif
