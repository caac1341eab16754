extension Unicode.Scalar {
    /// Whether the scalar separates tokens.
    var isBlank: Bool {
        if isASCII { return value == 0x20 || (0x09...0x0D).contains(value) || (0x1C...0x1F).contains(value) }
        return properties.isWhitespace
    }

    /// Whether the scalar can stand inside a word: a letter, any kind of digit, or an underscore.
    var isWordPart: Bool {
        if isASCII { return isASCIILetter || (0x30...0x39).contains(value) || value == 0x5F }
        switch properties.generalCategory {
        case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter: return true
        default: return properties.numericType != nil
        }
    }

    /// Whether the scalar can begin a name: a Latin letter up to U+00FC without the few that have other origins.
    var isNameStart: Bool {
        if isASCII { return isASCIILetter }
        switch value {
        case 0xC0...0xDC, 0xE0...0xF6, 0xF8...0xFC: return true
        case 0x130, 0x131, 0x17F, 0x212A, 0x212B: return true  // They fold to ASCII letters or to Å.
        default: return false
        }
    }

    /// The value of a decimal digit of any script; nil for other scalars.
    var decimalDigit: UInt8? {
        if isASCII { return (0x30...0x39).contains(value) ? UInt8(truncatingIfNeeded: value &- 0x30) : nil }
        guard properties.generalCategory == .decimalNumber, let number = properties.numericValue else { return nil }
        return UInt8(exactly: number)
    }

    /// Whether the scalar is an ASCII hexadecimal digit.
    var isHexDigit: Bool {
        (0x30...0x39).contains(value) || (0x41...0x46).contains(value) || (0x61...0x66).contains(value)
    }

    /// The scalar with ASCII letters in upper case.
    var asciiUppercased: Unicode.Scalar {
        (0x61...0x7A).contains(value) ? Unicode.Scalar(UInt8(truncatingIfNeeded: value &- 0x20)) : self
    }

    private var isASCIILetter: Bool { (0x41...0x5A).contains(value) || (0x61...0x7A).contains(value) }
}
