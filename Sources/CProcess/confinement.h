#pragma once
#include "process.h"

// What a new process does to itself before it becomes another program. All of it may be called between fork and exec,
// none of it fails: what the machine does not offer is left out, and the return value tells what was done.

int apus_confine_network(void);
int apus_confine_files(const char *const *readable, const char *const *writable);
int apus_drop_powers(void);
int apus_confine_system_calls(int allows_network);
