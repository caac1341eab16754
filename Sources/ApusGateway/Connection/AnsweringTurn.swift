import NIOCore
import Synchronization

/// Answers the brief requests that one turn of an event loop has read, one after the other, before any answer is
/// written.
///
/// A loop that serves many connections finds many requests at once. To decode all of them, then to answer all, then to
/// write all, keeps the code of each stage in the processor's caches; doing all three for each request in turn cost half
/// as much again.
final class AnsweringTurn {
    private struct Waiting {
        let handler: BriefRequestHandler
        let context: ChannelHandlerContext
    }

    private let loop: any EventLoop
    private var waiting: [Waiting] = []
    private var spare: [Waiting] = []

    private init(_ loop: any EventLoop) { self.loop = loop }

    /// Lets a handler begin and end its answer in the present turn of the loop, when all that can be read was read.
    func add(_ handler: BriefRequestHandler, _ context: ChannelHandlerContext) {
        waiting.append(Waiting(handler: handler, context: context))
        guard waiting.count == 1 else { return }
        let bound = NIOLoopBound(self, eventLoop: loop)
        loop.execute { bound.value.run() }
    }

    private func run() {
        // What comes while this goes on has a turn of its own.
        let turn = waiting
        waiting = spare
        for entry in turn { entry.handler.beginAnswer(entry.context) }
        for entry in turn { entry.handler.endAnswer(entry.context) }
        spare = turn
        spare.removeAll(keepingCapacity: true)
    }

    // MARK: One for each loop

    private struct Turns {
        var byLoop: [ObjectIdentifier: NIOLoopBound<AnsweringTurn>] = [:]
    }

    private static let turns = Mutex(Turns())

    /// The turn of an event loop, on which this must be called; there are as many as there are loops.
    static func of(_ loop: any EventLoop) -> AnsweringTurn {
        let bound = turns.withLock { turns in
            let id = ObjectIdentifier(loop)
            if let known = turns.byLoop[id] { return known }
            let made = NIOLoopBound(AnsweringTurn(loop), eventLoop: loop)
            turns.byLoop[id] = made
            return made
        }
        return bound.value
    }
}
