import ApusConsole
import Testing

@Suite struct MarkdownTests {
    private func markup(_ text: String, breaksLines: Bool = true) -> String {
        let markup = Component.markdown(text, breaksLines: breaksLines).markup
        #expect(markup.hasPrefix("<div class=\"markdown\">") && markup.hasSuffix("</div>"))
        return String(markup.dropFirst(22).dropLast(6))
    }

    @Test(arguments: [
        ("a *b* **c** ~~d~~ `e`", "<p>a <em>b</em> <strong>c</strong> <del>d</del> <code>e</code></p>"),
        ("# A\n## B\n###### C", "<h3>A</h3><h4>B</h4><h6>C</h6>"),
        ("a\nb", "<p>a<br>b</p>"),
        ("- a\n- b", "<ul><li>a</li><li>b</li></ul>"),
        ("- a\n\n- b", "<ul><li><p>a</p></li><li><p>b</p></li></ul>"),
        ("3. a\n4. b", "<ol start=\"3\"><li>a</li><li>b</li></ol>"),
        ("> a", "<blockquote><p>a</p></blockquote>"),
        ("a\n\n---\n\nb", "<p>a</p><hr><p>b</p>"),
        (
            "- [x] a\n- [ ] b",
            "<ul><li class=\"task\"><input type=\"checkbox\" aria-label=\"Done\" disabled checked> a</li>"
                + "<li class=\"task\"><input type=\"checkbox\" aria-label=\"To do\" disabled> b</li></ul>"
        ),
        (
            "| a | b |\n|---|--:|\n| 1 | 2 |",
            "<div class=\"table-wrap\" role=\"region\" aria-label=\"Table\" tabindex=\"0\"><table><thead><tr>"
                + "<th scope=\"col\">a</th><th scope=\"col\" class=\"right\">b</th></tr></thead>"
                + "<tbody><tr><td>1</td><td class=\"right\">2</td></tr></tbody></table></div>"
        ),
    ])
    func `Markdown becomes elements`(_ text: String, _ html: String) {
        #expect(markup(text) == html)
    }

    @Test func `documents flow, code keeps its language`() {
        #expect(markup("a\nb", breaksLines: false) == "<p>a\nb</p>")
        #expect(markup("```python title\nx < 1\n```").contains("<code class=\"language-python\">x &lt; 1\n</code>"))
        #expect(markup("```py\"onload=x\nx\n```").contains("<code>x\n</code>"))
        #expect(Component.markdown("").isEmpty)
    }

    private static func link(_ address: String, _ text: String) -> String {
        "<a href=\"\(address)\" rel=\"noopener noreferrer nofollow\">\(text)</a>"
    }

    @Test(arguments: [
        ("[a](https://b.c/d?e=1&f=2)", link("https://b.c/d?e=1&amp;f=2", "a")),
        ("[a](HTTP://b.c)", link("HTTP://b.c", "a")),
        ("<mailto:a@b.c>", link("mailto:a@b.c", "mailto:a@b.c")),
        ("see https://b.c/d_e_f.", "see \(link("https://b.c/d_e_f", "https://b.c/d_e_f"))."),
        ("(http://b.c/(d))", "(\(link("http://b.c/(d)", "http://b.c/(d)")))"),
        ("xhttp://b.c", "xhttp://b.c"), ("http://", "http://"), ("://", "://"),
        ("[https://b.c](https://d.e)", link("https://d.e", "https://b.c")),
        (
            "![a](https://b.c/d.png)",
            "<a href=\"https://b.c/d.png\" rel=\"noopener noreferrer nofollow\" title=\"Image on another host\">a</a>"
        ),
        ("![*a*](d.png)", "a"), ("[a](d.md)", "a"), ("[a](#d)", "a"), ("[a](//b.c)", "a"), ("[a](/console)", "a"),
    ])
    func `links lead to the web only, and images are not loaded`(_ text: String, _ html: String) {
        #expect(markup(text) == "<p>\(html)</p>")
    }

    /// Whatever stands in a text, tags are those that this target writes, and addresses those that it allows.
    private func expectHarmless(_ text: String) {
        let markup = Component.markdown(text).markup
        let tags: Set<Substring> = [
            "div", "p", "a", "br", "hr", "em", "strong", "del", "code", "pre", "button", "h3", "h4", "h5", "h6",
            "blockquote", "ul", "ol", "li", "input", "table", "thead", "tbody", "tr", "th", "td",
        ]
        let names: Set<Substring> = [
            "class", "href", "rel", "title", "type", "aria-label", "disabled", "checked", "start", "role", "tabindex",
            "scope", "data-copy",
        ]
        for piece in markup.split(separator: "<").dropFirst(markup.hasPrefix("<") ? 0 : 1) {
            let tag = piece.prefix { $0 != ">" }
            let name = tag.drop { $0 == "/" }.prefix { $0 != " " }
            #expect(tags.contains(name), "\(text.prefix(80)): \(tag.prefix(80))")
            // Quotes in values are escaped, so every second piece is outside of them.
            for (place, outside) in tag.dropFirst(name.count).split(separator: "\"", omittingEmptySubsequences: false)
                .enumerated() where place % 2 == 0 && !tag.hasPrefix("/")
            {
                for word in outside.split(separator: " ") {
                    #expect(names.contains(word.prefix { $0 != "=" }), "\(text.prefix(80)): \(word.prefix(80))")
                }
            }
        }
        for address in markup.split(separator: "href=\"").dropFirst() {
            let scheme = address.prefix { $0 != ":" }.lowercased()
            #expect(["http", "https", "mailto"].contains(scheme), "\(text.prefix(80))")
        }
    }

    @Test(arguments: [
        "<script>alert(1)</script>", "a <img src=x onerror=alert(1)> b", "<svg/onload=alert(1)>",
        "<!--><script>alert(1)</script>-->", "<![CDATA[<script>]]>", "<?php echo 1 ?>", "</div></main><script>",
        "<div>\n\n*a*\n\n</div>", "<a href=\"javascript:alert(1)\">a</a>", "<iframe srcdoc='<script>'>",
        "[a](javascript:alert(1))", "[a](JaVaScRiPt:alert(1))", "[a](java\tscript:alert(1))", "[a](<java\nscript:1>)",
        "[a](&#106;avascript:alert(1))", "[a](javascript&colon;alert(1))", "[a](&#x6A;&#x61;vascript:alert(1))",
        "[a](\u{1}javascript:alert(1))", "[a](&Tab;javascript:alert(1))", "[a](\\javascript:alert(1))",
        "[a](%6Aavascript:alert(1))", "[a](vbscript:x)", "[a](data:text/html,<script>alert(1)</script>)",
        "[a](data:text/html;base64,PHNjcmlwdD4=)", "[a](file:///etc/passwd)", "[a](blob:x)", "[a](feed:javascript:x)",
        "[a](view-source:x)", "[a](https:javascript:alert(1))", "[a](https://x\"onmouseover=\"alert(1))",
        "[a](https://x 'y\" onmouseover=\"alert(1)')", "[a](<https://x\" onclick=alert(1) y=\">)",
        "[a](https://x \"\"onclick=alert(1)\")", "[a](http:\\\\x)", "[a](https://x&quot;onclick=&quot;alert(1))",
        "[a]: javascript:alert(1)\n\n[a]", "[a]: <javascript:alert(1)> 'x'\n\n[a][]", "![a](javascript:alert(1))",
        "![a\"onerror=alert(1)](https://x)", "![a](x \"\\\"onerror=alert(1)\")", "<javascript:alert(1)>",
        "<https://x\"onclick=alert(1)>", "<JAVASCRIPT:alert(1)>", "https://x\"onclick=alert(1)", "https://x'><script>",
        "https://x<script>alert(1)</script>", "javascript://x/%0Aalert(1)", "http://x\u{202E}gpj.exe",
        "[[[[[[a](https://b)](javascript:x)](c)", "[![a](https://b)](javascript:alert(1))", "[a](b)](javascript:x)",
        "```<script>\nalert(1)\n```", "```a\" onload=\"x\n1\n```", "    <script>alert(1)</script>", "`<script>`",
        "| <script> | b |\n|--|--|\n| <img src=x onerror=1> | [a](javascript:x) |", "- [x] <script>\n- [ ] [a](data:x)",
        "# <script>alert(1)</script>", "> <script>alert(1)</script>", "a\0<script>", "\u{FEFF}<script>",
        "&lt;script&gt;",
        "&#60;script&#62;alert(1)", "<a\u{0}href=javascript:x>", "<x onclick=alert(1)\n>a", "[a](<>)", "![]()",
        "[](https://a)",
        "~~<script>~~", "*<script>*", "<<script>alert(1)//<</script>", "<details open ontoggle=alert(1)>",
        "<form action=https://x><input name=a>", "<base href=https://x>", "<meta http-equiv=refresh content=0>",
        "<style>*{display:none}</style>", "<link rel=stylesheet href=https://x>", "<math><mtext></form><script>",
    ])
    func `nothing of a text becomes markup or leads to a script`(_ text: String) {
        expectHarmless(text)
        expectHarmless("> - \(text)\n\nafter \(text)\n")
        #expect(!Component.markdown(text).markup.contains("<script"))
    }

    @Test(arguments: [
        ">", "[", "![[]()", "![", "[](", "*", "*a **a ", "`a``", "<a ", "- ", "> - 1. ", "[a](<b", "~a~~", "://",
        "http://", "https://a.b/", "(http://a)", "|", "|\n", "\\", "&a;", "a\n", "[^a]", "\r", "http://a)))))",
    ])
    func `no text takes long or becomes much`(_ piece: String) {
        let text = String(repeating: piece, count: MarkdownTests.largest / piece.utf8.count)
        let begin = ContinuousClock.now
        let size = Component.markdown(text).markup.utf8.count
        #expect(begin.duration(to: .now) < .seconds(5))
        #expect(size < 60 * Self.largest)
        expectHarmless(String(text.prefix(4_000)))
    }

    private static let largest = 65_536

    @Test func `texts are read at the same time without one changing another`() async {
        await withTaskGroup(of: Int.self) { group in
            for _ in 0..<8 {
                group.addTask {
                    (0..<2_000).count { _ in !Component.markdown("~~a~~ |").markup.contains("<del>a</del>") }
                }
            }
            for await wrong in group { #expect(wrong == 0) }
        }
    }

    @Test func `wide tables, long references and long texts are bounded`() {
        let wide = String(repeating: "|", count: 16_000) + "\n" + String(repeating: "|-", count: 15_999) + "|\n"
        #expect(markup(wide + String(repeating: "x\n", count: 8_000)).hasPrefix("<p class=\"note\">|||"))
        let address = "https://a/" + String(repeating: "x", count: 2_000)
        let references = "[a]: \(address)\n\n" + String(repeating: "[a]", count: 20_000)
        #expect(markup(references).utf8.count < 2_000_000)
        #expect(markup(String(repeating: "*a* ", count: Self.largest)).hasPrefix("<p class=\"note\">*a* "))
    }

    @Test func `deep nesting ends in text`() {
        let markup = markup(String(repeating: ">", count: 20_000) + " deep <b>")
        #expect(markup.contains("deep &lt;b&gt;"))
        #expect(markup.split(separator: "<blockquote>").count < 40)
    }
}
