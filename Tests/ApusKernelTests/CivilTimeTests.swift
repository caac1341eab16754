import ApusKernel
import Testing

@Suite struct CivilTimeTests {
    /// The first is RFC 9110's own example.
    @Test(arguments: [
        (784_111_777 as Int64, "Sun, 06 Nov 1994 08:49:37 GMT"), (0, "Thu, 01 Jan 1970 00:00:00 GMT"),
        (1_709_164_800, "Thu, 29 Feb 2024 00:00:00 GMT"), (-1, "Wed, 31 Dec 1969 23:59:59 GMT"),
        (253_402_300_799, "Fri, 31 Dec 9999 23:59:59 GMT"),
    ])
    func `headers have the date of HTTP`(_ seconds: Int64, _ expected: String) {
        #expect(CivilTime(secondsSince1970: seconds).httpDate == expected)
    }

    @Test func `parts of a date are padded`() {
        let time = CivilTime(secondsSince1970: -62_135_596_800)
        #expect(time.date == "0001-01-01")
        #expect(time.timeOfDay == "00:00:00")
    }

    @Test(arguments: [Int64.min, .max]) func `a time that no calendar has is taken for the last one`(_ seconds: Int64) {
        let year = CivilTime(secondsSince1970: seconds).year
        #expect(year == (seconds < 0 ? -271_821 : 275_760))
    }
}
