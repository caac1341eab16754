#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// How numbers lie in memory.
typedef enum {
    APUS_JSON_BOOL,
    APUS_JSON_INT8,
    APUS_JSON_INT16,
    APUS_JSON_INT32,
    APUS_JSON_INT64,
    APUS_JSON_UINT8,
    APUS_JSON_UINT16,
    APUS_JSON_UINT32,
    APUS_JSON_UINT64,
    APUS_JSON_FLOAT16,
    APUS_JSON_BFLOAT16,
    APUS_JSON_FLOAT,
    APUS_JSON_DOUBLE
} apus_json_number_layout;

/// The most that one number and the comma before it take.
enum { apus_json_number_bytes = 28 };

/// Writes numbers as JSON, divided by commas, and returns how many bytes that took. Each is the shortest text that
/// reads as the same number. What is not finite becomes `null`, or `NaN`, `Infinity`, `-Infinity` where tokens are
/// wanted. The values need not be aligned.
size_t apus_json_write_numbers(
    apus_json_number_layout layout, const void *values, size_t count, bool tokens, uint8_t *output);

#ifdef __cplusplus
}
#endif
