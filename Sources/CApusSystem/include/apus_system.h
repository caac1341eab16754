#pragma once
#include <stdint.h>

/// The type of the file system that holds a path, as statfs(2) names it; 0 when it cannot be told.
uint64_t apus_file_system_type(const char *path);
