import ApusSketch
import ApusTable
import Glibc

/// What a column's profile suggests to check.
struct ColumnProposals {
    private let column: ColumnProfile

    /// Fewer values say little about what may come.
    private static let fewValues = 20
    /// A set is proposed of at most so many values.
    private static let largestSet = 20
    /// Each value of a set comes at least so often on average.
    private static let repetitions = 10

    init(_ column: ColumnProfile) { self.column = column }

    private var missing: Int { column.missing + column.nanCount }
    private var present: Int { max(0, column.count - missing) }
    private var isNumber: Bool { column.type == .integer || column.type == .number }

    var all: [CheckProposal] {
        guard column.count > 0 else { return [] }
        var proposals = [type, nulls].compactMap(\.self)
        guard present >= Self.fewValues else { return proposals }
        if let unique {
            proposals.append(unique)
        } else if let set {
            proposals.append(set)
        }
        // The range of a set, or of numbers that only count rows, says nothing new.
        if set == nil, unique == nil || column.type != .integer { proposals += [range, lengths].compactMap(\.self) }
        return proposals
    }

    private var type: CheckProposal? {
        guard column.type != .other else { return nil }
        return CheckProposal(
            check: Check(.type(column: column.name, [column.type.rawValue])),
            reason: "all values were read as \(column.sqlType)"
        )
    }

    private var nulls: CheckProposal? {
        guard missing > 0 else {
            return CheckProposal(
                check: Check(.values(column: column.name, .notNull)),
                reason: "none of \(column.count) values is missing"
            )
        }
        let share = Double(missing) / Double(column.count)
        // Three standard deviations of a share of so many rows, and half as much again.
        let spread = 3 * (share * (1 - share) / Double(column.count)).squareRoot()
        let most = min(1, share * 1.5 + spread)
        guard most < 0.99 else { return nil }
        return CheckProposal(
            check: Check(
                .statistic(column: column.name, .nullShare, ValueBounds(nil, .number(rounded(most, up: true)))),
                severity: .warn
            ),
            reason: "\(missing) of \(column.count) values are missing (\(percent(share)))"
        )
    }

    /// A key: every value is different, as far as a count of different values can tell, and known exactly for few.
    private var unique: CheckProposal? {
        guard missing == 0, column.type == .integer || column.type == .text else { return nil }
        let error = 3 * column.distinct.relativeError
        guard column.distinct.estimate >= Double(present) * (1 - error) else { return nil }
        // Where each value counts, one that came twice is known.
        if let frequent = column.frequent?.top(1).first, frequent.lowerBound > 1 { return nil }
        // Lengths and ages of few rows are different by chance; keys are dense, or texts of one form.
        let words = ["id", "key", "uuid", "code", "number", "no", "nr"]
        let parts = column.name.lowercased().split { !$0.isLetter }.map(String.init)
        let isNamed =
            parts.contains { words.contains($0) } || column.name.hasSuffix("Id") || column.name.hasSuffix("ID")
        guard isNamed || column.type == .text && present >= 100 || isDense else { return nil }
        return CheckProposal(
            check: Check(.values(column: column.name, .unique)),
            reason: "all \(present) values are different, as in a key"
        )
    }

    /// Whether integers number the rows.
    private var isDense: Bool {
        guard column.type == .integer, let low = column.minimum?.double, let high = column.maximum?.double else {
            return false
        }
        return high - low + 1 == Double(present)
    }

    private var set: CheckProposal? {
        guard column.type == .integer || column.type == .text, let frequent = column.frequent, frequent.isExact,
            frequent.total == present
        else { return nil }
        let items = frequent.top(frequent.capacity)
        guard (1...Self.largestSet).contains(items.count), present >= items.count * Self.repetitions,
            items.allSatisfy({ !$0.isTruncated })
        else { return nil }
        // Small numbers that count something will grow.
        if column.type == .integer, items.count > 5 { return nil }
        let texts = items.map(\.text).sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
        let values =
            column.type == .text
            ? texts.map { TableValue.text($0) } : texts.compactMap { Int64($0) }.sorted().map { .integer($0) }
        guard values.count == items.count else { return nil }
        return CheckProposal(
            check: Check(.values(column: column.name, .inSet(values))),
            reason: "\(present) values are \(items.count == 1 ? "one and the same" : "\(items.count) different ones")"
        )
    }

    private var range: CheckProposal? {
        guard isNumber, column.infiniteCount == 0, let low = column.minimum?.double, let high = column.maximum?.double,
            low.isFinite, high.isFinite, low < high
        else { return nil }
        let room = (high - low) / 2
        // What was never negative is not to become so by the room alone.
        var least = low >= 0 ? max(0, low - room) : low - room
        var most = high <= 0 ? min(0, high + room) : high + room
        let isShare = column.type == .number && low >= 0 && high <= 1 && high > 0.5
        if isShare { (least, most) = (0, 1) }
        return CheckProposal(
            check: Check(
                .values(column: column.name, .between(ValueBounds(value(least, up: false), value(most, up: true)))),
                mostly: 1,
                severity: isShare ? .fail : .warn
            ),
            reason: "values lie from \(shown(low)) to \(shown(high))"
                + (isShare ? ", as shares do" : "; half of that range is left as room on each side")
        )
    }

    private var lengths: CheckProposal? {
        guard column.type == .text, let lengths = column.lengths, lengths.count == present, let low = lengths.minimum,
            let high = lengths.maximum
        else { return nil }
        if low == high {
            return CheckProposal(
                check: Check(
                    .values(column: column.name, .length(ValueBounds(value(low, up: false), value(low, up: false))))
                ),
                reason: "all texts have \(shown(low)) characters"
            )
        }
        guard low > 0 else { return nil }
        let most = ValueBounds(.integer(1), value(high * 2, up: true))
        return CheckProposal(
            check: Check(.values(column: column.name, .length(most)), severity: .warn),
            reason: "texts have \(shown(low)) to \(shown(high)) characters, and none is empty"
        )
    }

    // MARK: Numbers

    /// A bound with few digits, an integer for columns of integers.
    private func value(_ number: Double, up: Bool) -> TableValue {
        let round = rounded(number, up: up)
        if let integer = Int64(exactly: up ? round.rounded(.up) : round.rounded(.down)),
            column.type != .number || round == round.rounded()
        {
            return .integer(integer)
        }
        return .number(round)
    }

    /// Two digits, away from the data.
    private func rounded(_ number: Double, up: Bool) -> Double {
        guard number != 0, number.isFinite else { return number }
        let power = floor(log10(abs(number))) - 1
        // Whole powers of ten below one are written as divisors, so that 0.12 is 12/100 and no 0.12000000000000001.
        if power < 0 {
            let scale = pow(10, -power)
            return (number * scale).rounded(up ? .up : .down) / scale
        }
        let scale = pow(10, power)
        return (number / scale).rounded(up ? .up : .down) * scale
    }

    private func percent(_ share: Double) -> String { "\(shown((share * 1000).rounded() / 10)) %" }

    private func shown(_ number: Double) -> String { TableValue.number(number).shown }
}
