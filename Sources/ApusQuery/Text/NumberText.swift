/// Reads numbers the way Python does.
enum NumberText {
    /// The value of a whole number; nil when `text` is none or does not fit into 64 bits.
    ///
    /// Blanks around it, a sign, decimal digits of any script, and single underscores between digits are allowed.
    static func integer(_ text: String) -> Int64? {
        plain(text).flatMap { plain in plain.utf8.allSatisfy { isDigit($0) || isSign($0) } ? Int64(plain) : nil }
    }

    /// Whether `text` is a whole number of any size.
    static func isInteger(_ text: String) -> Bool {
        guard let plain = plain(text) else { return false }
        let digits = plain.utf8.first.map(isSign) == true ? plain.utf8.dropFirst() : plain.utf8[...]
        return !digits.isEmpty && digits.allSatisfy(isDigit)
    }

    /// The value of any number, of `nan`, and of `inf` and `infinity`; too large ones become infinite.
    static func double(_ text: String) -> Double? {
        guard let plain = plain(text)?.lowercased() else { return nil }
        let unsigned = plain.utf8.first.map(isSign) == true ? plain.utf8.dropFirst() : plain.utf8[...]
        let isNegative = plain.utf8.first == 0x2D
        switch String(unsigned) {
        case "nan": return .nan
        case "inf", "infinity": return isNegative ? -.infinity : .infinity
        default:
            let allowed = "0123456789.e+-".utf8
            guard unsigned.first.map({ isDigit($0) || $0 == 0x2E }) == true, plain.utf8.allSatisfy(allowed.contains)
            else { return nil }
            return Double(plain)
        }
    }

    /// The number that a filter holds: exact when it is whole and fits into 64 bits.
    static func value(_ text: String) -> ComparisonValue? {
        if let integer = integer(text) { return .integer(integer) }
        return double(text).map(ComparisonValue.number)
    }

    /// `text` without blanks around it and underscores in it, with ASCII digits; nil when it cannot be a number.
    private static func plain(_ text: String) -> String? {
        var result = String.UnicodeScalarView()
        var afterDigit = false
        var needsDigit = false
        for scalar in text.trimmedBlanks.unicodeScalars {
            if let digit = scalar.decimalDigit {
                result.append(Unicode.Scalar(0x30 + digit))
                (afterDigit, needsDigit) = (true, false)
            } else {
                guard !needsDigit, scalar.isASCII, !scalar.isBlank else { return nil }
                if scalar == "_" {
                    guard afterDigit else { return nil }
                    needsDigit = true
                } else {
                    result.append(scalar)
                }
                afterDigit = false
            }
        }
        return result.isEmpty || needsDigit ? nil : String(result)
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }
    private static func isSign(_ byte: UInt8) -> Bool { byte == 0x2B || byte == 0x2D }
}
