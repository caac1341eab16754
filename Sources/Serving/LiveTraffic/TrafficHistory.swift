package import ApusKernel
import Synchronization

/// What endpoints did in the last hour, by version, in memory: what pages draw.
package final class TrafficHistory: InferenceObserver {
    /// How far back, and how finely.
    package enum Window: String, Sendable, CaseIterable {
        case minutes = "5m"
        case hour = "1h"

        /// The length of a slot in milliseconds.
        package var step: Int64 { self == .minutes ? 2_000 : 30_000 }
        package var slots: Int { self == .minutes ? 150 : 120 }
    }

    /// Which line of a chart.
    package struct Key: Sendable, Hashable {
        package let deployment: Int64
        package let model: String
        package let version: String
        package let isShadow: Bool
    }

    package struct Point: Sendable, Equatable {
        package var requests: Int
        package var errors: Int
        /// Of the answered ones, in milliseconds; nil when there were none.
        package var p50: Double?
        package var p99: Double?
    }

    package struct Series: Sendable {
        package let key: Key
        /// One for each slot, the oldest first.
        package let points: [Point]
    }

    private struct Line {
        var minutes = TrafficRing(slots: Window.minutes.slots + 2, milliseconds: Window.minutes.step)
        var hour = TrafficRing(slots: Window.hour.slots + 2, milliseconds: Window.hour.step)
        var last: Int64 = 0

        subscript(window: Window) -> TrafficRing { window == .minutes ? minutes : hour }
    }

    /// One endpoint's lines, behind a lock of their own.
    private final class Lines: Sendable {
        let lines = Mutex<[Key: Line]>([:])
    }

    /// An endpoint that is redeployed again and again keeps the lines of its latest versions.
    private static let mostLines = 12

    private let clock: any WallClock
    private let endpoints = Mutex<[String: Lines]>([:])

    package init(clock: any WallClock = SystemWallClock()) {
        self.clock = clock
    }

    package func observe(_ observation: InferenceObservation) {
        var isError = false
        if case .failure(let error) = observation.outcome {
            // A caller that left says nothing about the version.
            guard !(error is CancellationError) else { return }
            isError = true
        }
        let lines = endpoints.withLock { endpoints in
            if let lines = endpoints[observation.endpoint] { return lines }
            let lines = Lines()
            endpoints[observation.endpoint] = lines
            return lines
        }
        let key = Key(
            deployment: observation.deployment,
            model: observation.model,
            version: observation.version,
            isShadow: observation.role == .shadow
        )
        let now = observation.milliseconds
        lines.lines.withLock { lines in
            if lines[key] == nil, lines.count >= Self.mostLines,
                let oldest = lines.min(by: { $0.value.last < $1.value.last })?.key
            {
                lines[oldest] = nil
            }
            lines[key, default: Line()].minutes.record(
                at: now,
                nanoseconds: observation.nanoseconds,
                isError: isError
            )
            lines[key]?.hour.record(at: now, nanoseconds: observation.nanoseconds, isError: isError)
            lines[key]?.last = now
        }
    }

    /// Forgets an endpoint that is gone.
    package func forget(_ endpoint: String) {
        endpoints.withLock { $0[endpoint] = nil }
    }

    /// The lines of an endpoint's chart, by deployment, and when their first slot began.
    ///
    /// The slot that is going on is left out: it would look like a fall.
    package func series(of endpoint: String, _ window: Window) -> (start: Int64, series: [Series]) {
        let last = clock.milliseconds / window.step - 1
        let first = last - Int64(window.slots) + 1
        let start = first * window.step
        guard let lines = endpoints.withLock({ $0[endpoint] }) else { return (start, []) }
        let found = lines.lines.withLock { $0 }
        let series = found.compactMap { key, line -> Series? in
            let ring = line[window]
            let points = (first...last).map { number in
                let slot = ring.slot(number)
                return Point(
                    requests: Int(slot.requests),
                    errors: Int(slot.errors),
                    p50: slot.requests > slot.errors ? ring.quantile(0.5, of: number...number) : nil,
                    p99: slot.requests > slot.errors ? ring.quantile(0.99, of: number...number) : nil
                )
            }
            return points.allSatisfy { $0.requests == 0 } ? nil : Series(key: key, points: points)
        }
        return (
            start,
            series.sorted {
                ($0.key.deployment, $1.key.isShadow ? 1 : 0) < ($1.key.deployment, $0.key.isShadow ? 1 : 0)
            }
        )
    }

    /// What happened in the last minute, by line.
    package func lastMinute(of endpoint: String) -> [Key: Point] {
        guard let lines = endpoints.withLock({ $0[endpoint] }) else { return [:] }
        let last = clock.milliseconds / Window.minutes.step - 1
        let range = max(0, last - 29)...max(0, last)
        return lines.lines.withLock { $0 }.mapValues { line in
            let slots = range.map { line.minutes.slot($0) }
            return Point(
                requests: slots.reduce(0) { $0 + Int($1.requests) },
                errors: slots.reduce(0) { $0 + Int($1.errors) },
                p50: line.minutes.quantile(0.5, of: range),
                p99: line.minutes.quantile(0.99, of: range)
            )
        }
    }
}
