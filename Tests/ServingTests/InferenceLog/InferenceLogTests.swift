import ApusTesting
import FoundationEssentials
import NIOCore
import Serving
import Testing

/// Predictions on disk: what is written comes back, whatever happens in between.
@Suite struct InferenceLogTests {
    @Test func `records come back as they were written, the newest first`() async throws {
        try await InferenceLogFixture.with { fixture in
            try await fixture.with { log in
                var records = try (0..<5).map { try fixture.record($0) }
                records[1].errorCode = "INVALID_PARAMETER_VALUE"
                records[1].errorMessage = "Input 'x' is missing."
                records[1].reason = .failed
                records[2].isShadow = true
                records[3].inputDocument = ByteBuffer(string: "{\"messages\":[]}")
                records[3].outputDocument = ByteBuffer(string: "[1]")
                records[4].reason = .slow
                records[4] = records[4]
                for record in records { log.append(record) }
                await log.flush()
                #expect(try await log.all() == records.reversed())
                #expect(log.counts(of: "wine").written == 5)
            }
        }
    }

    @Test func `what was written is there after the log is opened again`() async throws {
        try await InferenceLogFixture.with { fixture in
            var records: [PredictionRecord] = []
            for round in 0..<4 {
                try await fixture.with { log in
                    for number in 0..<10 {
                        records.append(try fixture.record(round * 10 + number))
                        log.append(records[records.count - 1])
                    }
                }
            }
            try await fixture.with { log in
                let all = try await log.all()
                #expect(all == records.reversed())
            }
        }
    }

    @Test func `a prediction is found by its name, with the versions beside it`() async throws {
        try await InferenceLogFixture.with { fixture in
            try await fixture.with { log in
                let records = try (0..<40).map { try fixture.record($0) }
                var shadow = records[20]
                shadow.isShadow = true
                shadow.version = "2"
                log.append(shadow)
                for record in records {
                    log.append(record)
                    if record.latencyNanoseconds % 8 == 0 { await log.flush() }
                }
                await log.flush()
                let id = try #require(PredictionID(records[20].id))
                #expect(try await log.records(of: id, endpoint: "wine") == [records[20], shadow])
                #expect(try await log.records(of: id, endpoint: "other").isEmpty)
                let unknown = PredictionID(milliseconds: id.milliseconds, deployment: 1)
                #expect(try await log.records(of: unknown, endpoint: "wine").isEmpty)
            }
        }
    }

    @Test func `a range of time includes its beginning and not its end`() async throws {
        try await InferenceLogFixture.with { fixture in
            try await fixture.with { log in
                let records = try (0..<30).map { try fixture.record($0) }
                for record in records {
                    log.append(record)
                    if record.latencyNanoseconds % 4 == 3 { await log.flush() }
                }
                await log.flush()
                let page = try await log.page(
                    endpoint: "wine",
                    from: records[5].milliseconds,
                    to: records[9].milliseconds
                )
                #expect(page.records == records[5..<9].reversed())
                #expect(page.nextToken == nil)
                await #expect(throws: ServingError.self) {
                    _ = try await log.page(endpoint: "wine", pageToken: "../../etc/passwd.1")
                }
            }
        }
    }

    @Test func `a file cut at any byte gives the blocks before the cut`() async throws {
        try await InferenceLogFixture.with { fixture in
            var ends: [Int] = [0]
            var records: [PredictionRecord] = []
            let log = fixture.open()
            for number in 0..<4 {
                for _ in 0..<3 {
                    records.append(try fixture.record(number))
                    log.append(records[records.count - 1])
                }
                await log.flush()
                ends.append(try fixture.read(try #require(fixture.files().first)).count)
            }
            let file = try #require(fixture.files().first)
            let whole = try fixture.read(file)
            let name = try #require(file.split(separator: "/").last)
            for length in 0...whole.count {
                let path = "\(fixture.folder)-\(length)"
                try fixture.write(whole.prefix(length), to: "\(path)/wine/\(name)")
                let blocks = ends.lastIndex { $0 <= length } ?? 0
                try await fixture.with(at: path) { cut in
                    #expect(try await cut.all() == records[..<(blocks * 3)].reversed(), "cut at \(length)")
                    // What comes later is not behind the torn piece.
                    let next = try fixture.record(99)
                    cut.append(next)
                    await cut.flush()
                    #expect(try await cut.all().first == next, "cut at \(length)")
                }
            }
            await log.close()
        }
    }

    @Test func `a damaged byte costs its block and no other`() async throws {
        try await InferenceLogFixture.with { fixture in
            try await fixture.with { log in
                for number in 0..<3 {
                    log.append(try fixture.record(number))
                    await log.flush()
                }
                let file = try #require(fixture.files().first)
                var data = try fixture.read(file)
                data[data.count / 2] ^= 0x40
                try fixture.write(data, to: file)
                #expect(try await log.all().count == 2)
            }
        }
    }

    @Test func `many small blocks become few when the segment is sealed, in the same order`() async throws {
        try await InferenceLogFixture.with { fixture in
            var records: [PredictionRecord] = []
            try await fixture.with { log in
                for number in 0..<60 {
                    records.append(try fixture.record(number))
                    log.append(records[number])
                    await log.flush()
                }
                let page = try await log.page(endpoint: "wine", limit: 10)
                #expect(page.records == records[50...].reversed())
                let grown = try fixture.read(try #require(fixture.files().first)).count
                fixture.clock.advance(milliseconds: 2 * 3_600_000)
                await log.tend()
                let files = try fixture.files()
                #expect(files.count == 1 && files[0].hasSuffix(".seg"))
                #expect(try fixture.read(files[0]).count < grown / 2)
                // A page that was begun before goes on after.
                let next = try await log.page(endpoint: "wine", limit: 10, pageToken: page.nextToken ?? "")
                #expect(next.records == records[40..<50].reversed())
                #expect(try await log.all() == records.reversed())
            }
            try await fixture.with { log in
                let all = try await log.all()
                #expect(all == records.reversed())
            }
        }
    }

    @Test func `what is too old or too much is removed, the oldest first`() async throws {
        try await InferenceLogFixture.with { fixture in
            var sizes = InferenceLog.Sizes()
            sizes.segment = 4 << 10
            try await fixture.with(sizes) { log in
                var records: [PredictionRecord] = []
                for number in 0..<64 {
                    var record = try fixture.record(number)
                    // Noise, which does not get smaller.
                    record.outputDocument = ByteBuffer(bytes: (0..<1_000).map { _ in UInt8.random(in: 0...255) })
                    records.append(record)
                    log.append(record)
                    await log.flush()
                }
                #expect(try fixture.files().count > 8)
                log.retain(.init(maximumAgeSeconds: 3_600, maximumBytes: 20_000), for: "wine")
                await log.tend()
                let kept = try await log.all()
                #expect(kept.count >= 12 && kept.count <= 20)
                #expect(kept == records.suffix(kept.count).reversed())
                #expect(try fixture.files().reduce(0) { try $0 + fixture.read($1).count } <= 20_000)
                fixture.clock.advance(milliseconds: 3_600_000 + 1_000)
                await log.tend()
                await log.tend()
                #expect(try await log.all().isEmpty)
                #expect(try fixture.files().isEmpty)
            }
        }
    }

    @Test func `what does not fit into the queue is dropped and counted`() async throws {
        try await InferenceLogFixture.with { fixture in
            try await fixture.with(limitBytes: 200_000) { log in
                // The thread may write some meanwhile, never more than there are.
                for number in 0..<2_000 { log.append(try fixture.record(number, bytes: 50_000)) }
                await log.flush()
                let counts = log.counts(of: "wine")
                #expect(counts.dropped > 0)
                #expect(counts.written + counts.dropped == 2_000)
                #expect(try await log.all(pageSize: 1_000).count == counts.written)
                let next = try fixture.record(1)
                log.append(next)
                await log.flush()
                #expect(try await log.all().first == next)
            }
        }
    }

    @Test func `writers side by side lose nothing and mix nothing up`() async throws {
        try await InferenceLogFixture.with { fixture in
            try await fixture.with { log in
                await withTaskGroup(of: Void.self) { group in
                    for writer in 0..<8 {
                        group.addTask {
                            for number in 0..<250 {
                                guard
                                    let record = try? fixture.record(
                                        writer * 1_000 + number,
                                        endpoint: writer % 2 == 0 ? "even" : "odd/.."
                                    )
                                else { return }
                                log.append(record)
                                if number % 50 == 0 { await log.flush() }
                            }
                        }
                    }
                }
                await log.flush()
                for (endpoint, parity) in [("even", 0), ("odd/..", 1)] {
                    let numbers = try await log.all(endpoint, pageSize: 100).map { Int($0.latencyNanoseconds) }
                    let wanted = (0..<8).filter { $0 % 2 == parity }.flatMap { writer in
                        (0..<250).map { writer * 1_000 + $0 }
                    }
                    #expect(numbers.sorted() == wanted)
                }
                #expect(log.counts.dropped == 0)
            }
        }
    }

    @Test func `the log of an endpoint that is gone is removed`() async throws {
        try await InferenceLogFixture.with { fixture in
            try await fixture.with { log in
                log.append(try fixture.record(1))
                log.append(try fixture.record(2, endpoint: "other"))
                await log.flush()
                log.remove("wine")
                await log.flush()
                #expect(try await log.all().isEmpty)
                #expect(try fixture.files().isEmpty)
                #expect(try await log.all("other").count == 1)
            }
        }
    }

    @Test func `a folder that cannot be written costs records and nothing else`() async throws {
        try await InferenceLogFixture.with { fixture in
            // A file stands where the folder would be.
            try fixture.write(Data([1]), to: fixture.folder)
            try await fixture.with { log in
                log.append(try fixture.record(1))
                await log.flush()
                var counts = InferenceLog.Counts()
                counts.failed = 1
                #expect(log.counts(of: "wine") == counts)
                #expect(try await log.all().isEmpty)
            }
        }
    }
}
