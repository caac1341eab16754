package import ApusDatabase

/// How sources are read; what does not concern a kind of source is an error, rather than passed over.
package struct ConnectorOptions: Sendable {
    /// Where the files go in the dataset: a directory, or for one file its path; nil for what the source says.
    package var destination: String?
    // Web
    package var http = HTTPOptions()
    // Databases
    package var query: ForeignQuery?
    package var sql = SQLOptions()

    package init() {}
}

/// How addresses on the web are read.
package struct HTTPOptions: Sendable {
    /// Sent with each request to the address itself; never logged, and not to where it redirects to.
    package var headers: [(name: String, value: String)] = []
    /// What the content must be, in 64 hexadecimal digits.
    package var sha256: String?
    /// The most bytes of a file.
    package var maximumBytes: Int64 = 1 << 40
    /// How long to wait for the next bytes.
    package var idleTimeout: Duration = .seconds(60)
    package var retries = RetrySchedule()

    package init() {}
}

/// How databases are read.
package struct SQLOptions: Sendable {
    package var format = ForeignFormat.csv
    /// The column by which an import finds what is new.
    package var watermark: String?
    /// A file ends with the row that makes it larger than this.
    package var partBytes: Int64 = 256 << 20
    /// A statement that runs longer is stopped.
    package var statementTimeout: Duration = .seconds(3600)

    package init() {}
}
