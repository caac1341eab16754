#pragma once
#include <stddef.h>

/// The program that a worker runs, as UTF-8 text.
const unsigned char *apus_worker_program(size_t *length);
