import ApusTable
import Datasets

/// A check of every kind, with parameters that a form of writing could lose.
enum SampleChecks {
    static let all: [Check] = values + columns + rows + table

    private static let values: [Check] = [
        .notNull, .null, .unique, .between(ValueBounds(.integer(0), .integer(120))),
        .between(ValueBounds(.number(0.5), nil, isLowerStrict: true)),
        .between(ValueBounds(.text("2024-01-01"), .text("2024-12-31"), isUpperStrict: true)),
        .inSet([.integer(1), .number(2.5), .text("no"), .text("1"), .boolean(true), .text("a, b: {c}")]),
        .notInSet([.text(""), .text("null"), .text("~"), .text("1e3"), .text("#x")]),
        .matches(["^\\d+$", "[[:alpha:]]'\""], .any), .matches(["a", "b"], .all), .notMatches(["x|y"]),
        .like(["a%"], .any),
        .like(["a%", "%b"], .all), .notLike(["_"]), .length(ValueBounds(.integer(2), .integer(2))),
        .length(ValueBounds(nil, .integer(9))), .dateFormat("%Y-%m-%d %H:%M"), .date, .json,
        .increasing(strictly: true),
        .decreasing(strictly: false), .zScore(3.5, bothSides: false), .refersTo(table: "customers@main", column: "id"),
    ].map { Check(.values(column: "the \"column\"", $0), mostly: 0.95, severity: .warn, note: "why: 'it' is\nso") }

    private static let columns: [Check] =
        ColumnStatistic.allCases.map { statistic in
            Check(.statistic(column: "age", statistic, ValueBounds(.number(0.25), .integer(3), isLowerStrict: true)))
        } + [
            Check(
                .quantiles(
                    column: "age",
                    [
                        QuantileBounds(part: 0.5, bounds: ValueBounds(.integer(30), .integer(40))),
                        QuantileBounds(part: 0.95, bounds: ValueBounds(nil, .integer(90))),
                    ],
                    .linear
                )
            ),
            Check(.distinct(column: "sex", .contains, [.text("f")])),
            Check(.distinct(column: "sex", .equals, [.integer(1)])),
            Check(.distinct(column: "sex", .within, [.text("f"), .text("m")])),
            Check(.mostCommon(column: "sex", [.text("f")], ties: true)),
            Check(.mostCommon(column: "sex", [.text("f")], ties: false)), Check(.type(column: "age", ["integer"])),
            Check(.type(column: "age", ["DECIMAL(18,3)", "double"])), Check(.exists(column: "age", position: nil)),
            Check(.exists(column: "age", position: 3)), Check(id: "recent", .fresh(column: "day", seconds: 86_400)),
            Check(.fresh(column: "day", seconds: 90.5)),
        ]
        + DriftMethod.allCases.map {
            Check(.drift(column: "age", DriftTest(reference: "patients@v1", method: $0, threshold: 0.1)))
        }

    private static let rows: [Check] = MissingRule.allCases.flatMap { rule in
        [
            Check(.rows(columns: ["a", "b", "c"], .unique, rule), mostly: 0.5),
            Check(.rows(columns: ["a", "b"], .greater(orEqual: true), rule)),
            Check(.rows(columns: ["a", "b"], .greater(orEqual: false), rule)),
            Check(.rows(columns: ["a", "b"], .equal, rule)),
            Check(.rows(columns: ["a", "b", "c"], .equal, rule)),
            Check(.rows(columns: ["a", "b", "c"], .different, rule)),
            Check(.rows(columns: ["a", "b"], .inPairs([[.text("x"), .integer(1)], [.null, .integer(2)]]), rule)),
            Check(.rows(columns: ["a", "b", "c"], .sum(1.5), rule)),
        ]
    }

    private static let table: [Check] = [
        .rowCount(ValueBounds(.integer(400))), .rowCount(ValueBounds(.integer(5), .integer(5))),
        .columnCount(ValueBounds(.integer(3), .integer(5))), .columnList(["a", "b"]),
        .columnSet(["b", "a"], exact: true),
        .columnSet(["b"], exact: false), .sameSchema(as: "patients@v1"), .sameRowCount(as: "labels"),
        .duplicates(ValueBounds(nil, .integer(0))), .noRows(sql: "SELECT * FROM data WHERE note = '{x}' AND age > 3"),
    ].map { Check(.table($0)) }
}
