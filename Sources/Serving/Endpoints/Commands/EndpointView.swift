import ApusCommand

/// Shows endpoints to people.
enum EndpointView {
    static func table(_ endpoints: [JSON], now: Int64) -> Table {
        Table(
            [
                TableColumn("NAME", .left, .flexible), TableColumn("STATE"), TableColumn("MODEL", .left, .flexible),
                TableColumn("VERSION", .right), TableColumn("ROLLOUT", .left, .flexible),
                TableColumn("FOLLOWS", .left, .spare), TableColumn("UPDATED"),
            ],
            rows: endpoints.map { endpoint in
                [
                    TableCell(endpoint["name"].text), state(endpoint["state"].text),
                    TableCell(endpoint["stable"]["model"].text), TableCell(endpoint["stable"]["version"].text),
                    TableCell(line(rollout: endpoint["rollout"])), TableCell(endpoint["follow"].text),
                    TableCell(TimeText.age(endpoint["last_updated_time"].integer, now: now)),
                ]
            }
        )
    }

    static func facts(_ endpoint: JSON, now: Int64) -> FactSheet {
        var facts = FactSheet()
        facts.add("Name", TableCell(endpoint["name"].text, style: .bold))
        facts.add("State", state(endpoint["state"].text))
        facts.add("Description", endpoint["description"].string)
        facts.add("Serves", source(endpoint["stable"]))
        facts.add("Standby", source(endpoint["standby"]))
        facts.add("Follows", endpoint["follow"].string)
        facts.add("Strategy", endpoint["strategy"]["kind"].string)
        facts.add("Rollout", line(rollout: endpoint["rollout"]))
        facts.add("Last rollout", line(rollout: endpoint["last_rollout"]))
        facts.add("Outcome", endpoint["rollout"] == .null ? endpoint["last_rollout"]["outcome"].string : nil)
        facts.add("Revision", endpoint["revision"].integer.map(String.init))
        for (label, name) in [("Created", "creation_time"), ("Updated", "last_updated_time")] {
            let time = endpoint[name].integer
            facts.add(label, "\(TimeText.local(time)) (\(TimeText.age(time, now: now)))")
        }
        return facts
    }

    /// The versions of a rollout and what they did.
    static func arms(_ rollout: JSON) -> Table {
        Table(
            [
                TableColumn("VERSION"), TableColumn("ROLE"), TableColumn("REQUESTS", .right),
                TableColumn("FAILURES", .right), TableColumn("P50 MS", .right), TableColumn("P99 MS", .right),
                TableColumn("REWARD", .right),
            ],
            rows: rollout["arms"].elements.map { arm in
                [
                    TableCell(arm["version"].text), TableCell(arm["role"].text), count(arm["requests"]),
                    count(arm["failures"]), number(arm["latency_ms"]["p50"]), number(arm["latency_ms"]["p99"]),
                    number(arm["reward"]["mean"]),
                ]
            }
        )
    }

    /// The estimates of a report, with their intervals.
    static func report(_ report: JSON) -> Table {
        Table(
            [
                TableColumn("VERSION"), TableColumn("ROLE"), TableColumn("SHARE", .right),
                TableColumn("REQUESTS", .right), TableColumn("ERROR RATE", .left), TableColumn("LATENCY MS", .left),
                TableColumn("REWARD", .left),
            ],
            rows: report["versions"].elements.map { version in
                [
                    TableCell(version["version"].text), TableCell(version["role"].text),
                    TableCell(version["percent"].double.map { "\(NumberText.short($0)) %" } ?? ""),
                    count(version["requests"]), interval(version["error_rate"]),
                    interval(version["mean_latency_ms"]), interval(version["mean_reward"]),
                ]
            }
        )
    }

    /// A rollout in a few words; empty for none.
    static func line(rollout: JSON) -> String {
        guard let phase = rollout["phase"].string else { return "" }
        let names = rollout["candidates"].elements.map { candidate in
            let percent = candidate["percent"].double ?? 0
            let share = phase == "running" && percent > 0 ? " (\(NumberText.short(percent)) %)" : ""
            return "version \(candidate["deployment"]["version"].text)\(share)"
        }
        let steps = rollout["step_percents"].elements.count
        let place =
            phase == "running" && steps > 1 ? ", step \((rollout["step"].integer ?? 0) + 1) of \(steps)" : ""
        return "\(rollout["strategy"]["kind"].text) to \(names.joined(separator: ", ")): \(phase)\(place)"
    }

    private static func source(_ deployment: JSON) -> String? {
        guard let model = deployment["model"].string else { return nil }
        return "\(model)/\(deployment["version"].text)"
    }

    private static func state(_ name: String) -> TableCell {
        switch name {
        case "READY": TableCell(name, style: .green)
        case "LOADING": TableCell(name, style: .yellow)
        case "UNAVAILABLE": TableCell(name, style: .red)
        default: TableCell(name)
        }
    }

    private static func count(_ value: JSON) -> TableCell { TableCell(value.integer.map(String.init) ?? "") }

    private static func number(_ value: JSON) -> TableCell {
        TableCell(value.double.map { NumberText.short($0) } ?? "")
    }

    private static func interval(_ value: JSON) -> TableCell {
        guard let estimate = value["estimate"].double else { return "" }
        guard let lower = value["lower"].double, let upper = value["upper"].double else {
            return TableCell(NumberText.short(estimate))
        }
        let (from, to) = (NumberText.short(lower), NumberText.short(upper))
        return TableCell("\(NumberText.short(estimate)) (\(from) to \(to))")
    }
}
