#include "console_assets.h"

// The compiler notes the files as inputs, so a change of one builds this anew.

static const unsigned char app_css[] = {
#embed "../ApusConsole/Assets/app.css"
};
static const unsigned char icon_svg[] = {
#embed "../ApusConsole/Assets/icon.svg"
};
static const unsigned char theme_js[] = {
#embed "../ApusConsole/Assets/theme.js"
};
static const unsigned char shell_js[] = {
#embed "../ApusConsole/Assets/shell.js"
};
static const unsigned char table_js[] = {
#embed "../ApusConsole/Assets/table.js"
};
static const unsigned char series_js[] = {
#embed "../ApusConsole/Assets/series.js"
};
static const unsigned char lines_js[] = {
#embed "../ApusConsole/Assets/lines.js"
};
static const unsigned char chart_js[] = {
#embed "../ApusConsole/Assets/chart.js"
};
static const unsigned char table_filter_js[] = {
#embed "../ApusConsole/Assets/table-filter.js"
};
static const unsigned char table_columns_js[] = {
#embed "../ApusConsole/Assets/table-columns.js"
};
static const unsigned char table_choice_js[] = {
#embed "../ApusConsole/Assets/table-choice.js"
};
static const unsigned char experiment_js[] = {
#embed "../ApusConsole/Assets/experiment.js"
};
static const unsigned char charts_js[] = {
#embed "../ApusConsole/Assets/charts.js"
};
static const unsigned char parallel_js[] = {
#embed "../ApusConsole/Assets/parallel.js"
};
static const unsigned char relations_js[] = {
#embed "../ApusConsole/Assets/relations.js"
};
static const unsigned char compare_js[] = {
#embed "../ApusConsole/Assets/compare.js"
};
static const unsigned char artifacts_js[] = {
#embed "../ApusConsole/Assets/artifacts.js"
};
static const unsigned char preview_js[] = {
#embed "../ApusConsole/Assets/preview.js"
};
static const unsigned char figure_js[] = {
#embed "../ApusConsole/Assets/figure.js"
};
static const unsigned char highlighter_js[] = {
#embed "../ApusConsole/Assets/highlighter.js"
};
// Made by scripts/setup; a build without them has no icons, and no colours in code.
#if __has_embed("../../.build-assets/icons.svg")
static const unsigned char icons_svg[] = {
#embed "../../.build-assets/icons.svg"
};
static const unsigned char highlight_js_gz[] = {
#embed "../../.build-assets/highlight.js.gz"
};
#else
static const unsigned char icons_svg[] = {0};
static const unsigned char highlight_js_gz[] = {0};
#endif
static const unsigned char find_metrics_js[] = {
#embed "../ApusConsole/Assets/find-metrics.js"
};
static const unsigned char traffic_js[] = {
#embed "../ApusConsole/Assets/traffic.js"
};
static const unsigned char attempt_js[] = {
#embed "../ApusConsole/Assets/attempt.js"
};
static const unsigned char edit_js[] = {
#embed "../ApusConsole/Assets/edit.js"
};
// Fetched by scripts/setup; a build without it shows no charts.
#if __has_embed("../../.build-assets/plotly.min.js.gz")
static const unsigned char plotly_js_gz[] = {
#embed "../../.build-assets/plotly.min.js.gz"
};
#else
static const unsigned char plotly_js_gz[] = {0};
#endif

static const console_asset assets[] = {
    {"app.css", app_css, sizeof app_css},
    {"icon.svg", icon_svg, sizeof icon_svg},
    {"theme.js", theme_js, sizeof theme_js},
    {"shell.js", shell_js, sizeof shell_js},
    {"table.js", table_js, sizeof table_js},
    {"series.js", series_js, sizeof series_js},
    {"lines.js", lines_js, sizeof lines_js},
    {"chart.js", chart_js, sizeof chart_js},
    {"table-filter.js", table_filter_js, sizeof table_filter_js},
    {"table-columns.js", table_columns_js, sizeof table_columns_js},
    {"table-choice.js", table_choice_js, sizeof table_choice_js},
    {"experiment.js", experiment_js, sizeof experiment_js},
    {"charts.js", charts_js, sizeof charts_js},
    {"parallel.js", parallel_js, sizeof parallel_js},
    {"relations.js", relations_js, sizeof relations_js},
    {"compare.js", compare_js, sizeof compare_js},
    {"artifacts.js", artifacts_js, sizeof artifacts_js},
    {"preview.js", preview_js, sizeof preview_js},
    {"figure.js", figure_js, sizeof figure_js},
    {"highlighter.js", highlighter_js, sizeof highlighter_js},
    {"icons.svg", icons_svg, sizeof icons_svg},
    {"highlight.js.gz", highlight_js_gz, sizeof highlight_js_gz},
    {"find-metrics.js", find_metrics_js, sizeof find_metrics_js},
    {"edit.js", edit_js, sizeof edit_js},
    {"traffic.js", traffic_js, sizeof traffic_js},
    {"attempt.js", attempt_js, sizeof attempt_js},
    {"plotly.min.js.gz", plotly_js_gz, sizeof plotly_js_gz},
};

console_asset console_asset_at(size_t index) {
    if (index < sizeof assets / sizeof assets[0]) { return assets[index]; }
    return (console_asset){0};
}
