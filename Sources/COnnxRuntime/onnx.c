#include "include/apus_onnx.h"
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// The runtime hands out a table of functions that only ever grows at its end, so the place of each is its contract.
// The numbers count the entries of `OrtApi` in onnxruntime_c_api.h; all are older than its version 6.
enum {
    get_error_code = 1,
    get_error_message = 2,
    create_env = 3,
    create_session = 7,
    run = 9,
    create_session_options = 10,
    set_execution_mode = 13,
    disable_cpu_arena = 19,
    set_log_severity = 22,
    set_graph_optimization = 23,
    set_intra_op_threads = 24,
    set_inter_op_threads = 25,
    input_count = 30,
    output_count = 31,
    input_type = 33,
    output_type = 34,
    input_name = 36,
    output_name = 37,
    create_tensor = 48,
    create_tensor_over = 49,
    is_tensor = 50,
    tensor_data = 51,
    fill_strings = 52,
    string_length = 53,
    string_content = 54,
    as_tensor_info = 55,
    element_type = 60,
    dimension_count = 61,
    dimensions_of = 62,
    element_count = 64,
    tensor_shape = 65,
    cpu_memory = 69,
    allocator_free = 76,
    default_allocator = 78,
    part_of_value = 80,
    count_of_value = 81,
    release_status = 93,
    release_session = 95,
    release_value = 96,
    release_type_info = 98,
    release_shape = 99,
    release_options = 100,
    add_config = 130
};

typedef void *handle;
/// An error, or NULL.
typedef void *status;
typedef struct {
    const void *const *(*api)(uint32_t version);
    const char *(*version)(void);
} api_base;

struct apus_onnx_library {
    void *image;
    const void *const *api;
    const char *version;
    handle environment, memory, allocator;
};
struct apus_onnx_session {
    apus_onnx_library *library;
    handle session;
    size_t input_count, output_count;
    apus_onnx_port *inputs, *outputs;
    const char **input_names;
};

#define CALL(library, slot, result, ...) ((result(*)(__VA_ARGS__))((library)->api[slot]))

/// Writes down why a call failed, and gives the error back.
static int refuse(const apus_onnx_library *library, status failure, char *error, size_t capacity) {
    int code = CALL(library, get_error_code, int, status)(failure);
    snprintf(error, capacity, "%s", CALL(library, get_error_message, const char *, status)(failure));
    CALL(library, release_status, void, status)(failure);
    // 2 is INVALID_ARGUMENT.
    return code == 2 ? -2 : -1;
}
#define TRY(call)                                                                                                      \
    do {                                                                                                               \
        status failure = (call);                                                                                       \
        if (failure) { code = refuse(library, failure, error, capacity); goto done; }                                  \
    } while (0)

int apus_onnx_open(const char *path, apus_onnx_library **out, char *error, size_t capacity) {
    int code = -1;
    void *image = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!image) { snprintf(error, capacity, "%s", dlerror()); return -1; }
    const api_base *(*base)(void) = (const api_base *(*)(void))dlsym(image, "OrtGetApiBase");
    apus_onnx_library *library = calloc(1, sizeof *library);
    if (!base || !library) { snprintf(error, capacity, "%s is no ONNX Runtime", path); goto done; }
    library->image = image;
    library->version = base()->version();
    library->api = base()->api(6);
    if (!library->api) { snprintf(error, capacity, "ONNX Runtime %s is too old", library->version); goto done; }
    // Severity 4 is FATAL: what fails comes back as a status, and need not be written as well.
    TRY(CALL(library, create_env, status, int, const char *, handle *)(4, "apus", &library->environment));
    TRY(CALL(library, cpu_memory, status, int, int, handle *)(0, 0, &library->memory));
    TRY(CALL(library, default_allocator, status, handle *)(&library->allocator));
    *out = library;
    return 0;
done:
    free(library);
    dlclose(image);
    return code;
}

const char *apus_onnx_version(const apus_onnx_library *library) { return library->version; }

static int describe(apus_onnx_library *library, handle shape, apus_onnx_port *port, size_t *count, char *error,
                    size_t capacity) {
    int code = -1;
    TRY(CALL(library, element_type, status, handle, int *)(shape, &port->element_type));
    TRY(CALL(library, dimension_count, status, handle, size_t *)(shape, &port->rank));
    if (port->rank > 8) { snprintf(error, capacity, "a tensor has %zu dimensions; 8 are supported", port->rank); goto done; }
    TRY(CALL(library, dimensions_of, status, handle, int64_t *, size_t)(shape, port->dimensions, port->rank));
    if (count) TRY(CALL(library, element_count, status, handle, size_t *)(shape, count));
    return 0;
done:
    return code;
}

static int read_ports(apus_onnx_session *session, int name_slot, int type_slot, size_t count, apus_onnx_port **out,
                      char *error, size_t capacity) {
    apus_onnx_library *library = session->library;
    int code = -1;
    apus_onnx_port *ports = calloc(count + 1, sizeof *ports);
    if (!ports) { snprintf(error, capacity, "out of memory"); return -1; }
    *out = ports;
    for (size_t index = 0; index < count; index++) {
        char *name = NULL;
        handle type = NULL;
        const void *tensor = NULL;
        TRY(CALL(library, name_slot, status, handle, size_t, handle, char **)(session->session, index, library->allocator, &name));
        ports[index].name = strdup(name);
        (void)CALL(library, allocator_free, status, handle, void *)(library->allocator, name);
        TRY(CALL(library, type_slot, status, handle, size_t, handle *)(session->session, index, &type));
        status failure = CALL(library, as_tensor_info, status, handle, const void **)(type, &tensor);
        int described = 0;
        // What is no tensor, such as a sequence of maps, has no element type.
        if (!failure && tensor) described = describe(library, (handle)tensor, &ports[index], NULL, error, capacity);
        CALL(library, release_type_info, void, handle)(type);
        if (failure) { code = refuse(library, failure, error, capacity); goto done; }
        if (described) { code = described; goto done; }
    }
    return 0;
done:
    return code;
}

int apus_onnx_load(apus_onnx_library *library, const char *path, const apus_onnx_options *options,
                   apus_onnx_session **out, char *error, size_t capacity) {
    int code = -1;
    handle settings = NULL;
    apus_onnx_session *session = calloc(1, sizeof *session);
    if (!session) { snprintf(error, capacity, "out of memory"); return -1; }
    session->library = library;
    TRY(CALL(library, create_session_options, status, handle *)(&settings));
    TRY(CALL(library, set_log_severity, status, handle, int)(settings, 4));
    TRY(CALL(library, set_intra_op_threads, status, handle, int)(settings, options->intra_op_threads));
    TRY(CALL(library, set_inter_op_threads, status, handle, int)(settings, options->inter_op_threads));
    TRY(CALL(library, set_graph_optimization, status, handle, int)(settings, options->graph_optimization));
    TRY(CALL(library, set_execution_mode, status, handle, int)(settings, options->execution_mode));
    if (!options->keeps_memory) TRY(CALL(library, disable_cpu_arena, status, handle)(settings));
    const char *spins = options->allows_spinning ? "1" : "0";
    TRY(CALL(library, add_config, status, handle, const char *, const char *)(settings, "session.intra_op.allow_spinning", spins));
    TRY(CALL(library, add_config, status, handle, const char *, const char *)(settings, "session.inter_op.allow_spinning", spins));
    if (options->provider) {
        char symbol[128];
        snprintf(symbol, sizeof symbol, "OrtSessionOptionsAppendExecutionProvider_%s", options->provider);
        status (*append)(handle, int) = (status(*)(handle, int))dlsym(library->image, symbol);
        if (!append) {
            snprintf(error, capacity, "this ONNX Runtime has no execution provider '%s'", options->provider);
            goto done;
        }
        TRY(append(settings, options->device));
    }
    TRY(CALL(library, create_session, status, handle, const char *, handle, handle *)(library->environment, path, settings, &session->session));
    TRY(CALL(library, input_count, status, handle, size_t *)(session->session, &session->input_count));
    TRY(CALL(library, output_count, status, handle, size_t *)(session->session, &session->output_count));
    code = read_ports(session, input_name, input_type, session->input_count, &session->inputs, error, capacity);
    if (code) goto done;
    code = read_ports(session, output_name, output_type, session->output_count, &session->outputs, error, capacity);
    if (code) goto done;
    session->input_names = calloc(session->input_count + 1, sizeof(char *));
    if (!session->input_names) { code = -1; snprintf(error, capacity, "out of memory"); goto done; }
    for (size_t index = 0; index < session->input_count; index++) session->input_names[index] = session->inputs[index].name;
    CALL(library, release_options, void, handle)(settings);
    *out = session;
    return 0;
done:
    if (settings) CALL(library, release_options, void, handle)(settings);
    apus_onnx_unload(session);
    return code;
}

void apus_onnx_unload(apus_onnx_session *session) {
    if (session->session) CALL(session->library, release_session, void, handle)(session->session);
    for (size_t index = 0; session->inputs && index < session->input_count; index++) free((void *)session->inputs[index].name);
    for (size_t index = 0; session->outputs && index < session->output_count; index++) free((void *)session->outputs[index].name);
    free(session->inputs);
    free(session->outputs);
    free(session->input_names);
    free(session);
}

size_t apus_onnx_inputs(const apus_onnx_session *session, const apus_onnx_port **ports) {
    *ports = session->inputs;
    return session->input_count;
}

size_t apus_onnx_outputs(const apus_onnx_session *session, const apus_onnx_port **ports) {
    *ports = session->outputs;
    return session->output_count;
}

int apus_onnx_run(apus_onnx_session *session, const apus_onnx_input *inputs, const size_t *wanted, size_t wanted_count,
                  apus_onnx_value **results, char *error, size_t capacity) {
    apus_onnx_library *library = session->library;
    int code = -1;
    size_t count = session->input_count;
    handle small_values[16];
    const char *small_names[16];
    handle *values = count <= 16 ? small_values : malloc(count * sizeof(handle));
    const char **names = wanted_count <= 16 ? small_names : malloc(wanted_count * sizeof(char *));
    if (!values || !names) { snprintf(error, capacity, "out of memory"); goto done; }
    memset(values, 0, count * sizeof(handle));
    for (size_t index = 0; index < count; index++) {
        const apus_onnx_input *input = &inputs[index];
        if (input->strings) {
            TRY(CALL(library, create_tensor, status, handle, const int64_t *, size_t, int, handle *)(
                library->allocator, input->dimensions, input->rank, input->element_type, &values[index]));
            TRY(CALL(library, fill_strings, status, handle, const char *const *, size_t)(values[index], input->strings, input->string_count));
        } else {
            TRY(CALL(library, create_tensor_over, status, handle, void *, size_t, const int64_t *, size_t, int, handle *)(
                library->memory, (void *)input->data, input->bytes, input->dimensions, input->rank, input->element_type, &values[index]));
        }
    }
    for (size_t index = 0; index < wanted_count; index++) names[index] = session->outputs[wanted[index]].name;
    TRY(CALL(library, run, status, handle, handle, const char *const *, const handle *, size_t, const char *const *, size_t, handle *)(
        session->session, NULL, session->input_names, values, count, names, wanted_count, (handle *)results));
    code = 0;
done:
    for (size_t index = 0; values && index < count; index++)
        if (values[index]) CALL(library, release_value, void, handle)(values[index]);
    if (values != small_values) free(values);
    if (names != small_names) free(names);
    return code;
}

int apus_onnx_look(apus_onnx_session *session, apus_onnx_value *value, apus_onnx_port *shape, const void **data,
                   size_t *count, char *error, size_t capacity) {
    apus_onnx_library *library = session->library;
    int code = -1, is_a_tensor = 0;
    handle info = NULL;
    memset(shape, 0, sizeof *shape);
    *data = NULL;
    *count = 0;
    TRY(CALL(library, is_tensor, status, handle, int *)(value, &is_a_tensor));
    if (!is_a_tensor) return 0;
    TRY(CALL(library, tensor_shape, status, handle, handle *)(value, &info));
    code = describe(library, info, shape, count, error, capacity);
    if (code) goto done;
    // 8 is a string tensor, whose memory is not to be read.
    if (shape->element_type != 8) TRY(CALL(library, tensor_data, status, handle, void **)(value, (void **)data));
    code = 0;
done:
    if (info) CALL(library, release_shape, void, handle)(info);
    return code;
}

int apus_onnx_string_bytes(apus_onnx_session *session, apus_onnx_value *value, size_t *bytes, char *error,
                           size_t capacity) {
    apus_onnx_library *library = session->library;
    int code = -1;
    TRY(CALL(library, string_length, status, handle, size_t *)(value, bytes));
    return 0;
done:
    return code;
}

int apus_onnx_strings(apus_onnx_session *session, apus_onnx_value *value, void *text, size_t bytes, size_t *offsets,
                      size_t count, char *error, size_t capacity) {
    apus_onnx_library *library = session->library;
    int code = -1;
    TRY(CALL(library, string_content, status, handle, void *, size_t, size_t *, size_t)(value, text, bytes, offsets, count));
    return 0;
done:
    return code;
}

int apus_onnx_count(apus_onnx_session *session, apus_onnx_value *value, size_t *count, char *error, size_t capacity) {
    apus_onnx_library *library = session->library;
    int code = -1;
    TRY(CALL(library, count_of_value, status, handle, size_t *)(value, count));
    return 0;
done:
    return code;
}

int apus_onnx_part(apus_onnx_session *session, apus_onnx_value *value, int index, apus_onnx_value **part, char *error,
                   size_t capacity) {
    apus_onnx_library *library = session->library;
    int code = -1;
    TRY(CALL(library, part_of_value, status, handle, int, handle, handle *)(value, index, library->allocator, (handle *)part));
    return 0;
done:
    return code;
}

void apus_onnx_release(apus_onnx_session *session, apus_onnx_value *value) {
    CALL(session->library, release_value, void, handle)(value);
}
