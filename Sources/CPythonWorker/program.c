#include "python_worker.h"

// The compiler notes the file as an input, so a change of it builds this anew.
static const unsigned char program[] = {
#embed "apus_worker.py"
};

const unsigned char *apus_worker_program(size_t *length) {
    *length = sizeof program;
    return program;
}
