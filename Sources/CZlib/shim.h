#pragma once
#include <limits.h>
#include <stddef.h>
#include <string.h>
#include <zlib.h>

// zlib begins a stream by a macro, which Swift does not import.

/// Writes `length` bytes as one gzip member; returns its length, or 0 when `capacity` is too small or memory is short.
static inline size_t apus_gzip(const void *bytes, size_t length, void *output, size_t capacity, int level) {
    z_stream stream;
    memset(&stream, 0, sizeof stream);
    if (length > UINT_MAX || capacity > UINT_MAX) { return 0; }
    if (deflateInit2(&stream, level, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK) { return 0; }
    stream.next_in = (Bytef *)bytes;
    stream.avail_in = (uInt)length;
    stream.next_out = (Bytef *)output;
    stream.avail_out = (uInt)capacity;
    int result = deflate(&stream, Z_FINISH);
    size_t written = stream.total_out;
    deflateEnd(&stream);
    return result == Z_STREAM_END ? written : 0;
}

/// Begins to inflate; `window_bits` says which format is expected. Returns zlib's code.
static inline int apus_inflate_begin(z_stream *stream, int window_bits) {
    memset(stream, 0, sizeof *stream);
    return inflateInit2(stream, window_bits);
}

/// Begins to deflate; `window_bits` says which format is written. Returns zlib's code.
static inline int apus_deflate_begin(z_stream *stream, int level, int window_bits) {
    memset(stream, 0, sizeof *stream);
    return deflateInit2(stream, level, Z_DEFLATED, window_bits, 8, Z_DEFAULT_STRATEGY);
}
