/// How requests for one model are put together and how many may wait.
package struct BatchingPolicy: Sendable, Equatable {
    /// The most rows in one run; 0 when requests must not be put together.
    package var maximumBatchSize: Int
    /// The longest that a request waits for others to join it.
    ///
    /// Within this bound the wait is learned: a batch goes off as soon as waiting for the next request would cost those in it more than it saves.
    package var maximumDelay: Duration
    /// More requests than that are refused.
    package var queueLimit: Int
    /// Requests that together hold more bytes than that are refused; one that is larger waits alone.
    package var queueBytes: Int

    package init(
        maximumBatchSize: Int = 0,
        maximumDelay: Duration = .milliseconds(1),
        queueLimit: Int = 1024,
        queueBytes: Int = 256 << 20
    ) {
        self.maximumBatchSize = maximumBatchSize
        self.maximumDelay = maximumDelay
        self.queueLimit = queueLimit
        self.queueBytes = queueBytes
    }
}
