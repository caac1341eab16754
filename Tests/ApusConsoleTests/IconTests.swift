import ApusConsole
import FoundationEssentials
import Testing

@Suite struct IconTests {
    @Test func `every icon that is named is in the sprite`() throws {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().path
        let sprite = try String(contentsOfFile: "\(root)/.build-assets/icons.svg", encoding: .utf8)
        for icon in Icon.allCases {
            #expect(sprite.contains("<symbol id=\"\(icon.rawValue)\" "), "run scripts/setup for \(icon)")
            #expect(icon.sign.markup.hasSuffix("#\(icon.rawValue)\"></use></svg>"))
        }
    }
}
