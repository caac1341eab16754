/// A text that equals another only if both have the same bytes.
///
/// Swift's own strings are equal when they look alike: a Kelvin sign equals a K. Databases compare bytes, so a key of a
/// dictionary that mirrors one, and any text that a client chose to name something, must be compared like that.
package struct ExactText: Hashable, Sendable {
    package let text: String

    package init(_ text: String) {
        self.text = text
    }

    package static func == (left: ExactText, right: ExactText) -> Bool {
        left.text.utf8.elementsEqual(right.text.utf8)
    }

    package func hash(into hasher: inout Hasher) {
        var text = text
        text.withUTF8 { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
    }
}
