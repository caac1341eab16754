#pragma once
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// A parser that keeps its buffers between documents; for one thread at a time.
typedef struct apus_json_parser apus_json_parser;

/// The parsed form of a document: simdjson's tape and its string buffer, valid until the parser is used again.
///
/// A tape word has its type in the top 8 bits and a payload in the other 56. An integer or double is followed by a
/// word with its bits. A string's payload is the offset of a 4-byte length, then the bytes.
typedef struct {
    const uint64_t *tape;
    const uint8_t *strings;
} apus_json_tape;

apus_json_parser *apus_json_parser_new(void);
void apus_json_parser_free(apus_json_parser *parser);

/// Parses and validates one document (UTF-8, grammar, nesting of at most max_depth).
/// Returns 0, or simdjson's error code, whose text is apus_json_error_text(code).
int apus_json_parse(apus_json_parser *parser, const uint8_t *bytes, size_t count, size_t max_depth, apus_json_tape *out);
const char *apus_json_error_text(int code);

#ifdef __cplusplus
}
#endif
