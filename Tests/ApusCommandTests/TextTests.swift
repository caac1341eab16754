import ApusCommand
import Testing

@Suite struct TextTests {
    @Test(
        arguments: [
            ("", 0), ("abc", 3), ("Zoë", 3), ("Zoe\u{308}", 3), ("日本語", 6), ("🐦", 2), ("👩‍👩‍👧", 2), ("한국", 4), ("❤️", 2),
            ("–…→", 3),
        ] as [(String, Int)]
    )
    func `a text takes the columns that a terminal gives it`(text: String, width: Int) {
        #expect(DisplayWidth.of(text) == width)
    }

    @Test(
        arguments: [
            ("abcdef", 6, "abcdef"), ("abcdef", 4, "abc…"), ("日本語", 4, "日…"), ("日本語", 5, "日本…"), ("ab", 0, ""),
        ] as [(String, Int, String)]
    )
    func `a cut text fits and shows that it was cut`(text: String, width: Int, cut: String) {
        #expect(PrintableText.cut(text, to: width) == cut)
    }

    @Test(
        arguments: [
            (0.5, "0.5"), (1.0, "1"), (0.123456789, "0.123457"), (1e-9, "1e-09"), (123_456_789, "1.23457e+08"),
            (-.infinity, "-inf"), (.nan, "NaN"), (.greatestFiniteMagnitude, "1.79769e+308"),
        ] as [(Double, String)]
    )
    func `numbers have six digits at most`(number: Double, text: String) {
        #expect(NumberText.short(number) == text)
    }

    @Test(
        arguments: [
            (0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (999_949, "999.9 kB"), (999_950, "1.0 MB"),
            (3_000_000, "3.0 MB"),
            (Int64.max, "9.2 EB"), (-1, "0 B"),
        ] as [(Int64, String)]
    )
    func `sizes have a unit`(count: Int64, text: String) {
        #expect(NumberText.bytes(count) == text)
    }

    @Test func `a time is told in its zone`() {
        #expect(TimeText.fixed(1_795_230_567_118, offsetSeconds: 0) == "2026-11-21 03:09")
        #expect(TimeText.fixed(1_795_230_567_118, offsetSeconds: 3600) == "2026-11-21 04:09")
        for nonsense in [nil, 0, -5, Int64.max, Int64.min] {
            #expect(!TimeText.local(nonsense).isEmpty)
            #expect(!TimeText.fixed(nonsense, offsetSeconds: .max).isEmpty)
        }
    }

    @Test(
        arguments: [
            (0, "just now"), (59, "just now"), (60, "1m ago"), (3599, "59m ago"), (7200, "2h ago"), (86_400, "1d ago"),
            (59 * 86_400, "59d ago"), (60 * 86_400, "2mo ago"), (800 * 86_400, "2y ago"), (-3600, "in the future"),
        ] as [(Int64, String)]
    )
    func `an age is told in its largest unit`(seconds: Int64, text: String) {
        let now: Int64 = 1_795_230_567_118
        #expect(TimeText.age(now - seconds * 1000, now: now) == text)
    }

    @Test(
        arguments: [
            (350, "350ms"), (12_450, "12.4s"), (185_000, "3m 05s"), (7_800_000, "2h 10m"), (356_400_000, "4d 03h"),
            (-1, "–"),
        ] as [(Int64, String)]
    )
    func `a duration is told in two units at most`(milliseconds: Int64, text: String) {
        #expect(TimeText.duration(from: 1000, to: 1000 + milliseconds) == text)
    }

    @Test func `times that overflow are not told`() {
        #expect(TimeText.age(.max, now: .min) == "–")
        #expect(TimeText.duration(from: .max, to: .min) == "–")
    }

    @Test(
        arguments: [
            ([], ""), ([1], "▅"), ([0, 1], "▁█"), ([0, .nan, 7], "▁ █"), ([.nan], " "), ([2, 2, 2], "▅▅▅"),
            ([-.greatestFiniteMagnitude, 0, .greatestFiniteMagnitude], "▁▅█"),
        ] as [([Double], String)]
    )
    func `a series is drawn from its lowest to its highest`(values: [Double], text: String) {
        #expect(Sparkline.text(values, width: 10) == text)
    }

    @Test func `a long series is drawn by its means`() {
        let text = Sparkline.text((0..<1000).map(Double.init), width: 8)
        #expect(text == "▁▂▃▄▅▆▇█")
    }

    @Test(
        arguments: [
            ("a b", ["a", "b"]), ("a  'b c' \"d 'e'\"", ["a", "b c", "d 'e'"]), ("a\\ b ''", ["a b", ""]),
            ("'open", nil),
        ] as [(String, [String]?)]
    )
    func `a line is split as a shell splits it`(line: String, words: [String]?) {
        #expect(ShellWords.split(line) == words)
    }
}
