package import ApusJSON
import ApusKernel
import ApusSketch
import ApusTable

extension TableProfile {
    /// How many bins histograms have.
    package static let histogramBins = 30
    /// The parts at which quantiles are told.
    package static let quantileParts = [0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99]

    /// Writes the profile as an object.
    ///
    /// What errs says how far: `distinct_error` as a part of the estimate, `rank_error` of quantiles and histograms as a
    /// part of the rows, and counts of frequent values as bounds.
    ///
    /// - Parameters:
    ///   - json: Where to.
    ///   - topCount: How many of the most frequent values are written.
    ///   - hasCorrelations: Whether to write the correlations of all pairs of columns of numbers.
    package func write(to json: inout JSONWriter, topCount: Int = 10, hasCorrelations: Bool = false) {
        json.object { json in
            json.key("rows")
            json.integer(Int64(rowCount))
            json.key("columns")
            json.array(columns) { json, column in column.write(to: &json, topCount: topCount) }
            guard hasCorrelations else { return }
            json.key("correlations")
            json.object { json in
                json.key("sample_rows")
                json.integer(Int64(sample.elements.count))
                json.key("columns")
                json.array(sampleColumns) { $0.string($1) }
                for method in CorrelationMatrix.Method.allCases {
                    let matrix = correlations(method)
                    json.key(text: method.rawValue)
                    json.array(sampleColumns.indices) { json, row in
                        json.array(sampleColumns.indices) { json, column in json.number(matrix[row, column]) }
                    }
                }
            }
        }
    }
}

extension ColumnProfile {
    fileprivate func write(to json: inout JSONWriter, topCount: Int) {
        json.object { json in
            json.key("name")
            json.string(name)
            json.key("type")
            json.string(type.rawValue)
            json.key("sql_type")
            json.string(sqlType)
            json.count("count", count)
            json.count("missing", missing)
            json.count("distinct", distinctCount)
            json.key("distinct_error")
            json.double(distinct.isDense ? distinct.relativeError : 0)
            json.key("minimum")
            json.value(minimum)
            json.key("maximum")
            json.value(maximum)
            if let moments { write(moments, to: &json) }
            if let quantiles, quantiles.count > 0 { write(quantiles, to: &json) }
            if type == .text { json.count("empty", emptyCount) }
            if let lengths, lengths.count > 0 {
                json.key("lengths")
                json.object { json in
                    json.member("minimum", lengths.minimum)
                    json.member("maximum", lengths.maximum)
                    json.member("mean", lengths.mean)
                    json.member("standard_deviation", lengths.standardDeviation)
                }
            }
            guard let frequent else { return }
            json.key("top")
            json.array(frequent.top(topCount)) { json, item in
                json.object { json in
                    json.key("value")
                    json.string(item.text)
                    if item.isTruncated {
                        json.key("truncated")
                        json.bool(true)
                    }
                    json.count("at_least", item.lowerBound)
                    json.count("at_most", item.upperBound)
                }
            }
        }
    }

    /// How many different values there are, about; never more than there are values.
    package var distinctCount: Int {
        let estimate = distinct.estimate.rounded()
        return min(count - missing, estimate < 0x1p60 ? Int(estimate) : .max)
    }

    private func write(_ moments: Moments, to json: inout JSONWriter) {
        json.count("nan", nanCount)
        json.count("infinite", infiniteCount)
        json.count("zeros", zeroCount)
        json.count("negative", negativeCount)
        guard moments.count > 0 else { return }
        json.member("mean", moments.mean)
        json.member("standard_deviation", moments.standardDeviation)
        json.member("sum", moments.sum)
        json.member("skewness", moments.skewness)
        json.member("kurtosis", moments.kurtosis)
    }

    /// Of dates and timestamps the unit is seconds since 1970.
    private func write(_ quantiles: QuantileSketch, to json: inout JSONWriter) {
        let view = quantiles.view
        json.key("rank_error")
        json.double(quantiles.isExact ? 0 : quantiles.rankError)
        json.key("quantiles")
        json.object { json in
            for part in TableProfile.quantileParts {
                json.key(text: "\(part)")
                json.number(view.quantile(part))
            }
        }
        guard let histogram = view.histogram(bins: TableProfile.histogramBins) else { return }
        json.key("histogram")
        json.object { json in
            json.key("edges")
            json.array(histogram.edges) { $0.double($1) }
            json.key("counts")
            json.array(histogram.counts) { $0.integer(Int64($1)) }
        }
    }
}

extension JSONWriter {
    fileprivate mutating func count(_ name: StaticString, _ value: Int) {
        key(name)
        integer(Int64(value))
    }

    fileprivate mutating func member(_ name: StaticString, _ value: Double?) {
        key(name)
        number(value)
    }

    fileprivate mutating func number(_ value: Double?) {
        if let value { double(value) } else { null() }
    }

    fileprivate mutating func value(_ value: TableValue?) {
        switch value {
        case nil, .null: null()
        case .boolean(let value): bool(value)
        case .integer(let value): integer(value)
        case .number(let value): double(value)
        case .text(let value): string(value)
        }
    }
}
