extension FilterLexer {
    /// Reads a number, which may begin with a minus sign.
    ///
    /// A letter or underscore behind a number is refused by giving back the number's last digit, so `12a` is the number
    /// 1 and the name `2a`, while `1a` is a name.
    mutating func readNumber() -> Bool {
        let hasMinus = source.peek(position) == "-"
        let start = position + (hasMinus ? 1 : 0)
        if let end = hexadecimalEnd(start) {
            append(.hexadecimal, upTo: end)
        } else if let end = scientificEnd(start) ?? fractionEnd(start) {
            append(.float, upTo: end)
        } else if let end = shortened(digitsEnd(start), atLeast: start + 1) {
            append(.integer, upTo: end)
        } else {
            return false
        }
        return true
    }

    private func digitsEnd(_ start: Int) -> Int {
        source.end(from: start) { $0.decimalDigit != nil }
    }

    private func hexadecimalEnd(_ start: Int) -> Int? {
        guard source.has("0X", at: start) else { return nil }
        let end = source.end(from: start + 2, while: \.isHexDigit)
        return end > start + 2 ? end : nil
    }

    /// `12e3`, `1.5E-7`; a plus sign is not part of it.
    private func scientificEnd(_ start: Int) -> Int? {
        var index = digitsEnd(start)
        guard index > start else { return nil }
        if source.peek(index) == "." {
            let fraction = digitsEnd(index + 1)
            guard fraction > index + 1 else { return nil }
            index = fraction
        }
        guard source.has("E", at: index) else { return nil }
        let exponent = index + (source.peek(index + 1) == "-" ? 2 : 1)
        let end = digitsEnd(exponent)
        return end > exponent ? end : nil
    }

    /// `1.5`, `1.` and `.5`.
    private func fractionEnd(_ start: Int) -> Int? {
        let whole = digitsEnd(start)
        guard source.peek(whole) == "." else { return nil }
        let end = digitsEnd(whole + 1)
        return shortened(end, atLeast: whole > start ? whole + 1 : whole + 2)
    }

    /// The end of a number that must not be followed by a letter: `end`, or one less, but at least `minimum`.
    private func shortened(_ end: Int, atLeast minimum: Int) -> Int? {
        let isFollowed = source.peek(end).map { $0.isNameStart || $0 == "_" } ?? false
        let candidate = isFollowed ? end - 1 : end
        return candidate >= minimum ? candidate : nil
    }
}
