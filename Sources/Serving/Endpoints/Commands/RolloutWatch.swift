import ApusCommand

/// Waits for a rollout, and tells how it goes.
struct RolloutWatch {
    private static let pause = Duration.milliseconds(250)
    /// How long a server may be away before the wait is given up.
    private static let patience = 40

    let session: CommandSession
    let isQuiet: Bool

    /// Waits until the rollout that `endpoint` is in has ended, or goes on until a person ends it.
    ///
    /// - Returns: The endpoint as it is then.
    /// - Throws: ``CommandFailure`` when the stable version stayed.
    func follow(_ endpoint: JSON) async throws -> JSON {
        let name = endpoint["name"].text
        let began = endpoint["rollout"]["start_time"].integer
        var present = endpoint
        var said = ""
        var failures = 0
        while let phase = present["rollout"]["phase"].string, present["rollout"]["start_time"].integer == began {
            let line = EndpointView.line(rollout: present["rollout"])
            if line != said, !isQuiet { try session.note(line) }
            said = line
            if phase == "ready" || phase == "running" && Self.waitsForPeople(present["rollout"]) { return present }
            try await Task.sleep(for: Self.pause)
            do {
                present = try await EndpointAPI(client: session.client).get(name)
                failures = 0
            } catch let error as CommandFailure {
                // A server that is being restarted comes back, with the rollout.
                failures += 1
                guard failures < Self.patience else { throw error }
            }
        }
        let last = present["last_rollout"]
        guard last["start_time"].integer == began else { return present }
        if last["phase"].string == "aborted" {
            throw CommandFailure(
                "the rollout was rolled back: \(last["outcome"].text)",
                hint: "See 'apus endpoints report \(name)'."
            )
        }
        if !isQuiet { try session.note("\(EndpointView.line(rollout: last)). \(last["outcome"].text)") }
        return present
    }

    private static func waitsForPeople(_ rollout: JSON) -> Bool {
        ["shadow", "a-b"].contains(rollout["strategy"]["kind"].text)
    }
}
