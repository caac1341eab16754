#pragma once
#include <stddef.h>
#include <stdint.h>

/// ONNX Runtime, loaded at run time: the machine that builds needs neither its header nor its library.
typedef struct apus_onnx_library apus_onnx_library;
typedef struct apus_onnx_session apus_onnx_session;
/// A value that the runtime owns: a tensor, a sequence or a map.
typedef struct apus_onnx_value apus_onnx_value;

/// What a caller chooses for a session. Zero means the runtime's default.
typedef struct {
    int intra_op_threads;
    int inter_op_threads;
    /// 0 none, 1 basic, 2 extended, 99 all.
    int graph_optimization;
    /// 0 sequential, 1 parallel.
    int execution_mode;
    /// Whether idle threads spin, which costs a core between runs.
    int allows_spinning;
    /// Whether memory is kept between runs, behind one lock for all of a session's runs.
    int keeps_memory;
    /// Such as "CUDA"; NULL for the processor.
    const char *provider;
    int device;
} apus_onnx_options;

/// The type of an element, as the runtime numbers them: 1 float, 8 string, 10 float16 and so on; 0 for no tensor.
typedef struct {
    const char *name;
    int element_type;
    size_t rank;
    /// -1 where a dimension is free.
    int64_t dimensions[8];
} apus_onnx_port;

/// One tensor that goes in. Either `data`, whose memory must live until the run ends, or `strings`.
typedef struct {
    int element_type;
    size_t rank;
    const int64_t *dimensions;
    const void *data;
    size_t bytes;
    const char *const *strings;
    size_t string_count;
} apus_onnx_input;

// Each function that may fail returns 0, or -1 with a text in `error`; -2 when the input is to blame.

int apus_onnx_open(const char *path, apus_onnx_library **out, char *error, size_t capacity);
const char *apus_onnx_version(const apus_onnx_library *library);

int apus_onnx_load(apus_onnx_library *library, const char *path, const apus_onnx_options *options,
                   apus_onnx_session **out, char *error, size_t capacity);
void apus_onnx_unload(apus_onnx_session *session);

size_t apus_onnx_inputs(const apus_onnx_session *session, const apus_onnx_port **ports);
size_t apus_onnx_outputs(const apus_onnx_session *session, const apus_onnx_port **ports);

/// Runs the session. `inputs` has one element for each input port, in their order; `wanted` holds the indices of the
/// output ports that are computed, and `results` receives one value for each.
int apus_onnx_run(apus_onnx_session *session, const apus_onnx_input *inputs, const size_t *wanted, size_t wanted_count,
                  apus_onnx_value **results, char *error, size_t capacity);

/// Looks at a value: its rank and dimensions, its type, and its memory unless it holds strings or is no tensor.
int apus_onnx_look(apus_onnx_session *session, apus_onnx_value *value, apus_onnx_port *shape, const void **data,
                   size_t *count, char *error, size_t capacity);
/// The total length of a string tensor's texts.
int apus_onnx_string_bytes(apus_onnx_session *session, apus_onnx_value *value, size_t *bytes, char *error,
                           size_t capacity);
/// Copies a string tensor: all texts without separators, and where each begins.
int apus_onnx_strings(apus_onnx_session *session, apus_onnx_value *value, void *text, size_t bytes, size_t *offsets,
                      size_t count, char *error, size_t capacity);
/// How many parts a sequence or a map has.
int apus_onnx_count(apus_onnx_session *session, apus_onnx_value *value, size_t *count, char *error, size_t capacity);
/// A part of a sequence; of a map, its keys (0) or its values (1). The caller releases it.
int apus_onnx_part(apus_onnx_session *session, apus_onnx_value *value, int index, apus_onnx_value **part, char *error,
                   size_t capacity);
void apus_onnx_release(apus_onnx_session *session, apus_onnx_value *value);
