#pragma once
#include <cmark-gfm.h>
#include <cmark-gfm-core-extensions.h>
#include <stddef.h>

/// Parses CommonMark with tables, strikethrough and task lists, from UTF-8.
///
/// Returns the document, to be freed with cmark_node_free, or NULL. May be called from many threads at once.
cmark_node *apus_markdown_parse(const char *bytes, size_t count);
