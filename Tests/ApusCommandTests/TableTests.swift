import ApusCommand
import Testing

@Suite struct TableTests {
    private let table = Table(
        [
            TableColumn("ID"), TableColumn("NAME", .left, .flexible), TableColumn("LOSS", .right, .wanted),
            TableColumn("TAGS", .left, .spare),
        ],
        rows: [
            ["0123456789abcdef", "画像分類 a rather long name of a run", "0.5", "team=growth"],
            ["fedcba9876543210", "short", "12.25", ""],
        ]
    )

    @Test func `a piped table is as wide as its cells`() {
        #expect(
            table.text(width: nil, isColored: false) == """
                ID                NAME                                   LOSS  TAGS
                0123456789abcdef  画像分類 a rather long name of a run    0.5  team=growth
                fedcba9876543210  short                                 12.25  \n
                """
        )
    }

    @Test func `names are cut and spare columns left out where the terminal is narrow`() {
        #expect(
            table.text(width: 44, isColored: false) == """
                ID                NAME                  LOSS
                0123456789abcdef  画像分類 a rather …    0.5
                fedcba9876543210  short                12.25
                Not shown: TAGS. A wider terminal, a pipe or
                --json shows them.\n
                """
        )
    }

    @Test func `a column that was asked for outlives a wide name`() {
        #expect(
            table.text(width: 35, isColored: false) == """
                ID                NAME         LOSS
                0123456789abcdef  画像分類 …    0.5
                fedcba9876543210  short       12.25
                Not shown: TAGS. A wider terminal,
                a pipe or --json shows them.\n
                """
        )
    }

    @Test(arguments: [1, 5, 12, 20, 33, 40, 80, 200])
    func `no line is wider than the terminal once columns can shrink`(width: Int) {
        let rows = table.text(width: width, isColored: false).split(separator: "\n").prefix(3)
        // Three columns of six and their gaps are the least that is drawn.
        for row in rows { #expect(DisplayWidth.of(String(row)) <= max(width, 22)) }
    }

    @Test func `of spare columns the lowest rank leaves first and then the last`() {
        let columns = [0, 1, 1, 0].enumerated().map { TableColumn("C\($0.offset)", .left, .spare(rank: $0.element)) }
        let table = Table([TableColumn("ID")] + columns, rows: [["1", "aaaa", "bbbb", "cccc", "dddd"]])
        let text = table.text(width: 14, isColored: false)
        #expect(text.hasPrefix("ID  C1    C2\n1   bbbb  cccc\n"))
        #expect(text.contains("Not shown: C0,\nC3."))
    }

    @Test func `colour wraps the text and not the blanks`() {
        let table = Table([TableColumn("A"), TableColumn("B")], rows: [[.status("FAILED"), "x"]])
        #expect(table.text(width: 80, isColored: true).hasSuffix("\u{1B}[31mFAILED\u{1B}[0m  x\n"))
        #expect(!table.text(width: 80, isColored: false).contains("\u{1B}"))
    }

    @Test func `a server's text can neither steer the terminal nor break a line`() {
        let cell = TableCell("a\u{1B}[31mb\nc\u{202E}d\u{9B}e")
        #expect(cell.text == "a\u{FFFD}[31mb c\u{FFFD}d\u{FFFD}e")
    }

    @Test func `missing cells are empty and superfluous ones are left out`() {
        let table = Table([TableColumn("A"), TableColumn("B")], rows: [["1"], ["1", "2", "3"]])
        #expect(table.text(width: nil, isColored: false) == "A  B\n1  \n1  2\n")
    }

    @Test func `facts are wrapped under their beginning`() {
        var facts = FactSheet()
        facts.add("Name", "churn")
        facts.add("Description", "who leaves within thirty days")
        facts.add("Empty", "")
        #expect(
            facts.text(width: 33, isColored: false) == """
                Name         churn
                Description  who leaves within
                             thirty days\n
                """
        )
    }
}
