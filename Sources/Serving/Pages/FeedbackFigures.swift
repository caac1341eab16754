import ApusConsole

/// What became of predictions, by measure and version.
struct FeedbackFigures {
    struct Metric {
        let name: String
        /// All that there are, numbers and texts.
        let count: Int64
        let numbers: [(deployment: Deployment?, number: UInt16, summary: RewardSummary)]
    }

    let metrics: [Metric]

    var html: HTML {
        Component.table(
            "Feedback",
            columns: [
                .init("Measure"), .init("Version"), .init("Count", isNumber: true), .init("Mean", isNumber: true),
                .init("± standard error", isNumber: true), .init("Above 0", isNumber: true),
            ]
        ) {
            for metric in metrics {
                if metric.numbers.isEmpty {
                    Element.tr() {
                        Element.td() { Element.code() { metric.name } }
                        Element.td(.class("muted")) { "texts, or older" }
                        Element.td(.class("number")) { NumberText.grouped(metric.count) }
                        for _ in 0..<3 { Element.td(.class("number")) { "–" } }
                    }
                }
                for entry in metric.numbers {
                    Element.tr() {
                        Element.td() { Element.code() { metric.name } }
                        Element.td() { entry.deployment.map(VersionLink.html) ?? HTML("deployment \(entry.number)") }
                        Element.td(.class("number")) { NumberText.grouped(entry.summary.count) }
                        Element.td(.class("number")) { Figures.rounded(entry.summary.mean) }
                        Element.td(.class("number")) {
                            Figures.rounded((entry.summary.variance / Double(max(1, entry.summary.count))).squareRoot())
                        }
                        Element.td(.class("number")) {
                            TrafficShares.percent(Double(entry.summary.positive) / Double(max(1, entry.summary.count)))
                        }
                    }
                }
            }
        }
    }
}

/// Numbers with as many digits as a person looks at.
enum Figures {
    /// Four significant digits.
    static func rounded(_ value: Double) -> String {
        guard value.isFinite, value != 0 else { return NumberText.short(value) }
        var scale = 1.0
        while abs(value) * scale < 1_000, scale < 1e12 { scale *= 10 }
        return NumberText.short((value * scale).rounded() / scale)
    }

    /// Such as `0.12 … 0.34`.
    static func range(_ range: ClosedRange<Double>?) -> String {
        range.map { "\(rounded($0.lowerBound)) … \(rounded($0.upperBound))" } ?? "not known yet"
    }
}
