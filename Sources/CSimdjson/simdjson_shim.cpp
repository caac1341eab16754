#include "include/apus_simdjson.h"
#include <new>
#include <simdjson.h>

// The library reports errors as values; nothing here may throw across the C boundary.
struct apus_json_parser {
    simdjson::dom::parser parser;
};

extern "C" {

apus_json_parser *apus_json_parser_new(void) { return new (std::nothrow) apus_json_parser(); }

void apus_json_parser_free(apus_json_parser *parser) { delete parser; }

int apus_json_parse(apus_json_parser *parser, const uint8_t *bytes, size_t count, size_t max_depth, apus_json_tape *out) {
    if (parser->parser.max_depth() != max_depth) {
        auto error = parser->parser.allocate(parser->parser.capacity(), max_depth);
        if (error) { return error; }
    }
    auto error = parser->parser.parse(bytes, count, true).error();
    if (error) { return error; }
    out->tape = parser->parser.doc.tape.get();
    out->strings = parser->parser.doc.string_buf.get();
    return 0;
}

const char *apus_json_error_text(int code) {
    return simdjson::error_message(static_cast<simdjson::error_code>(code));
}
}
