import ApusConsole
import Testing

@Suite struct HTMLTests {
    private static let hostile = "<script>alert('1')</script>\" onload=\"x & \0"

    @Test func `text is escaped wherever it stands`() {
        let html = Element.p(.title(Self.hostile), .class("a")) {
            Self.hostile
            Element.code() { Self.hostile }
        }
        let escaped = "&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;&quot; onload=&quot;x &amp; \u{FFFD}"
        #expect(html.markup == "<p title=\"\(escaped)\" class=\"a\">\(escaped)<code>\(escaped)</code></p>")
    }

    @Test func `loops, conditions and void elements`() {
        let isShown = false
        let html = Element.ul() {
            for number in 1...2 { Element.li() { "\(number)" } }
            if isShown { Element.li() { "never" } }
        }
        #expect(html.markup == "<ul><li>1</li><li>2</li></ul>")
        #expect(Element.input(.type("text"), nil, Attribute("disabled")).markup == "<input type=\"text\" disabled>")
    }

    @Test func `a link's parts cannot leave their places`() {
        let link = Link("console", "a/b?c#d", query: [("x y", "1&2=3")], fragment: "f g")
        #expect(link.text == "console/a%2Fb%3Fc%23d?x%20y=1%262%3D3#f%20g")
    }

    @Test(arguments: [
        (0.0, "0"), (1.0, "1"), (-2.0, "-2"), (0.333333333, "0.333333"), (123_456.789, "123457"), (1e-7, "1.0e-7"),
        (1.5e20, "1.5e20"), (Double.nan, "NaN"), (.infinity, "∞"), (-.infinity, "−∞"), (259_114_968.4, "259114968"),
    ])
    func `numbers are short`(_ value: Double, _ text: String) {
        #expect(NumberText.short(value) == text)
    }

    @Test(arguments: [
        (Int64(0), "0 B"), (1, "1 B"), (999, "999 B"), (1_000, "1 kB"), (9_949, "9.9 kB"), (999_499, "999 kB"),
        (999_500, "1 MB"), (1_500_000_000, "1.5 GB"), (.max, "9223 PB"),
    ])
    func `sizes are short`(_ bytes: Int64, _ text: String) {
        #expect(NumberText.bytes(bytes) == text)
    }

    @Test func `times and spans`() {
        #expect(TimeText.utc(1_700_000_000_000) == "2023-11-14 22:13:20 UTC")
        #expect(TimeText.utc(0) == "1970-01-01 00:00:00 UTC")
        #expect(TimeText.utc(-1) == "1969-12-31 23:59:59 UTC")
        for extreme in [Int64.min, .max] { #expect(TimeText.utc(extreme).hasSuffix("UTC")) }
        #expect(TimeText.duration(999) == "999 ms")
        #expect(TimeText.duration(125_000) == "2 m 5 s")
        #expect(TimeText.duration(90_061_000) == "1 d 1 h")
        #expect(TimeText.duration(3_600_000) == "1 h")
    }

    @Test func `every asset is in the binary`() {
        for asset in Asset.allCases where asset != .plotly {
            #expect(asset.link.text.hasPrefix("console/assets/"))
            #expect(!asset.link.text.contains("none"), "\(asset)")
        }
    }
}
