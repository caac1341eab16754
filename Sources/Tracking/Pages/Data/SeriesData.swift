import ApusConsole
import ApusGateway
import ApusJSON
import ApusKernel
import HTTPTypes
import HummingbirdCore
import NIOCore

/// The curves of charts.
///
/// The answer is packed, as the numbers of a hundred curves would take longer to write as text than to find: a
/// little-endian 32-bit length, that many bytes of JSON (`{"series":[{"run":…,"total":…,"count":…}]}`, padded with spaces
/// so that what follows begins at a multiple of 8), and for each series `count` positions and `count` values, as 64-bit
/// floating point numbers.
struct SeriesData {
    let store: TrackingStore

    private static let runLimit = 200
    private static let columnLimit = 4_000
    static let mediaType = "application/vnd.apus.series"

    var routes: [Route] {
        [Route(.get, "console/data/series", .root, .read(.run), series)]
    }

    private func series(_ request: GatewayRequest) async throws -> GatewayResponse {
        let runs = request.query.filter { $0.name == "run" }.map(\.value)
        guard let key = request.queryValue("key"), !key.isEmpty, !runs.isEmpty, runs.count <= Self.runLimit else {
            throw RequestError.invalid("Give 'key', and one to \(Self.runLimit) times 'run'.")
        }
        let columns = min(Self.columnLimit, max(1, request.queryValue("columns").flatMap(Int.init) ?? 500))
        guard let axis = SeriesAxis(rawValue: request.queryValue("axis") ?? "step") else {
            throw RequestError.invalid("'axis' is 'step', 'time' or 'relative'.")
        }
        let from = request.queryValue("from").flatMap(Double.init)
        let to = request.queryValue("to").flatMap(Double.init)
        var range: ClosedRange<Double>?
        if let from, let to, from.isFinite, to.isFinite, from <= to { range = from...to }
        let found = try await store.series(runs: runs, key: key, axis: axis, range: range, columns: columns)
        return GatewayResponse(
            headers: [.contentType: Self.mediaType],
            body: ResponseBody(byteBuffer: Self.pack(found))
        )
    }

    static func pack(_ found: [MetricSeries]) -> ByteBuffer {
        var json = JSONWriter()
        json.object { json in
            json.key("series")
            json.array(found) { json, series in
                json.object { json in
                    json.member("run", series.run)
                    json.member("total", Int64(series.total))
                    json.member("count", Int64(series.places.count))
                }
            }
        }
        var head = json.bytes
        while (head.count + 4) % 8 != 0 { head.append(UInt8(ascii: " ")) }
        let count = found.reduce(0) { $0 + $1.places.count }
        var buffer = ByteBufferAllocator().buffer(capacity: 4 + head.count + count * 16)
        buffer.writeInteger(UInt32(clamping: head.count), endianness: .little)
        buffer.writeBytes(head)
        for series in found {
            append(series.places, \.x, to: &buffer)
            append(series.places, \.value, to: &buffer)
        }
        return buffer
    }

    private static func append(_ places: [M4.Place], _ number: (M4.Place) -> Double, to buffer: inout ByteBuffer) {
        buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: places.count * 8) { raw in
            for (index, place) in places.enumerated() {
                let word = number(place).bitPattern.littleEndian
                raw.storeBytes(of: word, toByteOffset: index * 8, as: UInt64.self)
            }
            return places.count * 8
        }
    }
}
