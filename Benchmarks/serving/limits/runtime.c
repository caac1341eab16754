// Runs a model in this process without any server, on as many threads as asked, and prints runs a second.
//
//   runtime LIBRARY MODEL INPUT_FILE ROWS WIDTH THREADS SECONDS
//
// INPUT_FILE holds ROWS x WIDTH 32-bit floats. All outputs are computed, and looked at, as a server would.

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "apus_onnx.h"

static apus_onnx_session *session;
static apus_onnx_input input;
static int64_t dimensions[2];
static double end;

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void *work(void *argument) {
    char error[512];
    const apus_onnx_port *ports;
    size_t outputs = apus_onnx_outputs(session, &ports), wanted[8];
    for (size_t i = 0; i < outputs && i < 8; i++) wanted[i] = i;
    for (long *runs = argument; now() < end; (*runs)++) {
        apus_onnx_value *values[8] = {0};
        if (apus_onnx_run(session, &input, wanted, outputs, values, error, sizeof error)) {
            fprintf(stderr, "runtime: %s\n", error);
            exit(1);
        }
        for (size_t i = 0; i < outputs; i++) {
            apus_onnx_port shape;
            const void *data;
            size_t count;
            apus_onnx_look(session, values[i], &shape, &data, &count, error, sizeof error);
            apus_onnx_release(session, values[i]);
        }
    }
    return NULL;
}

int main(int argc, char **argv) {
    if (argc != 8) return fprintf(stderr, "runtime LIBRARY MODEL INPUT_FILE ROWS WIDTH THREADS SECONDS\n"), 2;
    int threads = atoi(argv[6]);
    char error[512] = "";
    apus_onnx_library *library;
    // As Apus runs them by default: one thread for each run, and runs side by side.
    apus_onnx_options options = {.intra_op_threads = 1, .inter_op_threads = 1, .graph_optimization = 99};
    dimensions[0] = atol(argv[4]);
    dimensions[1] = atol(argv[5]);
    size_t size = (size_t)(dimensions[0] * dimensions[1]) * sizeof(float);
    void *data = malloc(size);
    FILE *file = fopen(argv[3], "rb");
    if (!data || !file || fread(data, 1, size, file) != size) return fprintf(stderr, "runtime: %s is too short\n", argv[3]), 1;
    input = (apus_onnx_input){.element_type = 1, .rank = 2, .dimensions = dimensions, .data = data, .bytes = size};
    if (apus_onnx_open(argv[1], &library, error, sizeof error) || apus_onnx_load(library, argv[2], &options, &session, error, sizeof error))
        return fprintf(stderr, "runtime: %s\n", error), 1;
    pthread_t handles[64];
    static long runs[64][16];
    double begin = now();
    end = begin + atof(argv[7]);
    for (int i = 0; i < threads && i < 64; i++) pthread_create(&handles[i], NULL, work, runs[i]);
    long total = 0;
    for (int i = 0; i < threads && i < 64; i++) pthread_join(handles[i], NULL), total += runs[i][0];
    printf("%.2f\n", (double)total / (now() - begin));
    return 0;
}
