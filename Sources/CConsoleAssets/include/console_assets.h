// The files that the Console's pages load, put into the binary when it is built.
#pragma once
#include <stddef.h>

typedef struct {
    const char *name;
    const unsigned char *bytes;
    size_t count;
} console_asset;

// The asset of that index, or one without a name behind the last.
console_asset console_asset_at(size_t index);
