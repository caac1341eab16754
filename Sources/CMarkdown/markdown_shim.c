#include "apus_markdown.h"
#include <pthread.h>

// The library keeps its extensions, and the characters that mean something to them while a text is read, in globals.
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

cmark_node *apus_markdown_parse(const char *bytes, size_t count) {
    cmark_parser *parser = cmark_parser_new(CMARK_OPT_DEFAULT);
    if (!parser) { return NULL; }
    pthread_mutex_lock(&lock);
    cmark_gfm_core_extensions_ensure_registered();
    // Its extension for bare addresses reads past their ends (CVE-2023-22485); the walk in Swift finds them.
    const char *names[] = {"table", "strikethrough", "tasklist"};
    for (size_t index = 0; index < sizeof names / sizeof names[0]; index++) {
        cmark_syntax_extension *extension = cmark_find_syntax_extension(names[index]);
        if (extension) { cmark_parser_attach_syntax_extension(parser, extension); }
    }
    cmark_parser_feed(parser, bytes, count);
    cmark_node *document = cmark_parser_finish(parser);
    pthread_mutex_unlock(&lock);
    cmark_parser_free(parser);
    if (document) { cmark_consolidate_text_nodes(document); }
    return document;
}
