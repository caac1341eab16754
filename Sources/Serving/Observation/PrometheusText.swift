/// Appends metrics in Prometheus' text format.
struct PrometheusText {
    /// What a metric means to Prometheus.
    enum Kind: String {
        case counter, gauge, histogram, summary
    }

    private(set) var text = ""
    private var name = ""

    /// Begins a metric; the samples that follow are its.
    mutating func family(_ name: String, _ kind: Kind, _ help: String) {
        self.name = name
        text += "# HELP \(name) \(help)\n# TYPE \(name) \(kind.rawValue)\n"
    }

    mutating func sample(_ labels: String, _ value: Int) { text += "\(name){\(labels)} \(value)\n" }
    mutating func sample(_ labels: String, _ value: Double) { text += "\(name){\(labels)} \(value)\n" }

    /// The sum and the count of what took time.
    mutating func summary(_ labels: String, _ histogram: ModelStatistics.Histogram) {
        text += "\(name)_sum{\(labels)} \(Double(histogram.nanoseconds) / 1e9)\n"
        text += "\(name)_count{\(labels)} \(histogram.count)\n"
    }

    mutating func histogram(_ labels: String, _ histogram: ModelStatistics.Histogram) {
        var sum = 0
        for (bound, count) in zip(ModelStatistics.Histogram.bounds, histogram.buckets) {
            sum += count
            text += "\(name)_bucket{\(labels),le=\"\(bound)\"} \(sum)\n"
        }
        text += "\(name)_bucket{\(labels),le=\"+Inf\"} \(histogram.count)\n"
        summary(labels, histogram)
    }

    /// Counts by classes of rows, which are powers of two.
    mutating func batches(_ labels: String, _ classes: [Int: Int]) {
        let sorted = classes.sorted { $0.key < $1.key }
        var count = 0
        var rows = 0.0
        for (bound, requests) in sorted {
            count += requests
            rows += Double(bound) * Double(requests)
        }
        var sum = 0
        for bound in (0...10).map({ 1 << $0 }) {
            sum = sorted.reduce(0) { $0 + ($1.key <= bound ? $1.value : 0) }
            text += "\(name)_bucket{\(labels),le=\"\(bound)\"} \(sum)\n"
        }
        text += "\(name)_bucket{\(labels),le=\"+Inf\"} \(count)\n"
        text += "\(name)_sum{\(labels)} \(rows)\n\(name)_count{\(labels)} \(count)\n"
    }

    /// Labels with their values, which may have any characters.
    static func labels(_ labels: [(name: String, value: String)]) -> String {
        labels.map { "\($0.name)=\"\(escaped($0.value))\"" }.joined(separator: ",")
    }

    private static func escaped(_ value: String) -> String {
        var escaped = ""
        for character in value.unicodeScalars {
            switch character {
            case "\\": escaped += "\\\\"
            case "\"": escaped += "\\\""
            case "\n": escaped += "\\n"
            default: escaped.unicodeScalars.append(character)
            }
        }
        return escaped
    }
}
