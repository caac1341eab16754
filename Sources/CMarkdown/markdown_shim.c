#include "apus_markdown.h"
#include <pthread.h>

static pthread_once_t once = PTHREAD_ONCE_INIT;

cmark_node *apus_markdown_parse(const char *bytes, size_t count) {
    // The library's list of extensions is global and has no lock.
    pthread_once(&once, cmark_gfm_core_extensions_ensure_registered);
    cmark_parser *parser = cmark_parser_new(CMARK_OPT_DEFAULT);
    if (!parser) { return NULL; }
    // Its extension for bare addresses reads past their ends (CVE-2023-22485); the walk in Swift finds them.
    const char *names[] = {"table", "strikethrough", "tasklist"};
    for (size_t index = 0; index < sizeof names / sizeof names[0]; index++) {
        cmark_syntax_extension *extension = cmark_find_syntax_extension(names[index]);
        if (extension) { cmark_parser_attach_syntax_extension(parser, extension); }
    }
    cmark_parser_feed(parser, bytes, count);
    cmark_node *document = cmark_parser_finish(parser);
    cmark_parser_free(parser);
    if (document) { cmark_consolidate_text_nodes(document); }
    return document;
}
