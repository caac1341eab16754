// The least that a server on Hummingbird does: it reads a request's body and answers the same bytes each time.
//
//   http PORT FILE CONTENT_TYPE

import Foundation
import Hummingbird
import Logging
import NIOCore

let arguments = CommandLine.arguments
guard arguments.count == 4, let port = Int(arguments[1]), let data = FileManager.default.contents(atPath: arguments[2]) else {
    exit(2)
}
let answer = ByteBuffer(bytes: data)
let headers: HTTPFields = [.contentType: arguments[3]]
let router = Router()
router.post("**") { request, _ in
    _ = try await request.body.collect(upTo: 1 << 26)
    return Response(status: .ok, headers: headers, body: .init(byteBuffer: answer))
}
let application = Application(
    router: router,
    configuration: .init(address: .hostname("127.0.0.1", port: port), serverName: nil),
    logger: Logger(label: "http") { _ in SwiftLogNoOpLogHandler() }
)
try await application.runService()
