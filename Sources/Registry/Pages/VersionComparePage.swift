import ApusConsole
import ApusKernel
import Tracking

/// Two versions of a registered model, side by side.
struct VersionComparePage {
    /// A version with what is known of its origins.
    struct Side: Sendable {
        let version: ModelVersion
        let aliases: [String]
        let run: Run?
        let loggedModel: LoggedModel?
        let signature: ModelSignature?

        /// Params of the run; those of the logged model add to them.
        var params: [KeyValue] { ((run?.params ?? []) + (loggedModel?.params ?? [])).lastOfEachKey() }

        /// The latest value of each metric of the run, and what was measured on the logged model besides.
        ///
        /// The run's value says nothing about one of many models that it logged; the model's own counts then.
        var metrics: [String: Double] {
            var own: [String: Double] = [:]
            for measurement in loggedModel?.metrics ?? [] { own[measurement.point.key] = measurement.point.shownValue }
            let points = (run?.metrics ?? []).map { ($0.key, $0.shownValue) }
            let isOnly = (run?.modelOutputs.count ?? 0) < 2
            return own.merging(points) { isOnly ? $1 : $0 }.filter { !$0.key.hasPrefix("system/") }
        }
    }

    let model: RegisteredModel
    /// Numbers of versions to choose from, the newest first.
    let choices: [Int64]
    let sides: (a: Side, b: Side)?
    let differs: Bool
    private static let rowLimit = 1_000

    var page: ConsolePage {
        ConsolePage(
            "Compare versions",
            section: .models,
            crumbs: [
                .init("Models", RegistryPage.models.link), .init(model.name, RegistryPage.model(model.name).link),
            ]
        ) {
            Component.heading("Compare versions", kind: model.name)
            if choices.isEmpty {
                Component.empty("No versions", "There is nothing to compare yet.")
            } else {
                form
                if let sides { tables(sides.a, sides.b) }
            }
        }
    }

    private var form: HTML {
        Element.form(.class("toolbar"), .action(RegistryPage.compare(model.name).link)) {
            select("a", "Version", sides?.a.version.version)
            select("b", "with version", sides?.b.version.version)
            Element.label() {
                Element.input(.type("checkbox"), .name("differ"), .value("1"), differs ? Attribute("checked") : nil)
                "Only differences"
            }
            Element.button(.class("button button-primary")) { "Compare" }
        }
    }

    private func select(_ name: String, _ label: String, _ chosen: Int64?) -> HTML {
        Element.label() {
            label
            Element.select(.name(name)) {
                for choice in Set(choices + (chosen.map { [$0] } ?? [])).sorted(by: >) {
                    Element.option(.value("\(choice)"), choice == chosen ? Attribute("selected") : nil) {
                        "version \(choice)\(aliases(of: choice))"
                    }
                }
            }
        }
    }

    private func aliases(of version: Int64) -> String {
        let names = model.aliases.filter { $0.version == version }.map { "@\($0.alias)" }
        return names.isEmpty ? "" : " (\(names.joined(separator: ", ")))"
    }

    @HTMLBuilder private func tables(_ a: Side, _ b: Side) -> HTML {
        part(
            "About",
            [
                ("Aliases", aliases(a), aliases(b)),
                ("Stage", HTML(a.version.stage.rawValue), HTML(b.version.stage.rawValue)),
                ("Run", run(a), run(b)),
                ("Logged model", HTML(a.version.loggedModelID), HTML(b.version.loggedModelID)),
                ("Data", data(a), data(b)),
                ("Commit", commit(a), commit(b)),
            ],
            a,
            b
        )
        metrics(a, b)
        part("Params", rows(a.params, b.params), a, b)
        part("Signature", signature(a, b), a, b)
        part("Tags", rows(a.version.tags, b.version.tags), a, b)
        Component.card("Descriptions") {
            Element.div(.class("grid")) {
                for side in [a, b] {
                    Element.div() {
                        Element.p(.class("muted")) { "Version \(side.version.version)" }
                        Component.markdown(side.version.description ?? "")
                    }
                }
            }
        }
    }

    private func columns(_ a: Side, _ b: Side, isNumber: Bool = false) -> [Component.Column] {
        [.init("Name")] + [a, b].map { .init("Version \($0.version.version)", isNumber: isNumber) }
    }

    private func part(_ title: String, _ rows: [(name: String, a: HTML, b: HTML)], _ a: Side, _ b: Side) -> HTML {
        let shown = rows.filter { !differs || $0.a != $0.b }
        return Component.card(title, note: note(rows.count { $0.a != $0.b }, of: rows.count)) {
            if shown.isEmpty {
                Component.empty(rows.isEmpty ? "Neither has any" : "No differences")
            } else {
                Component.table(title, columns: columns(a, b)) {
                    for row in shown.prefix(Self.rowLimit) {
                        Element.tr(row.a == row.b ? nil : .class("diff-changed")) {
                            Element.th(Attribute("scope", "row")) { row.name }
                            Element.td() { row.a }
                            Element.td() { row.b }
                        }
                    }
                }
                if shown.count > Self.rowLimit {
                    Element.p(.class("muted")) { "and \(shown.count - Self.rowLimit) more" }
                }
            }
        }
    }

    private func note(_ different: Int, of count: Int) -> String {
        count == 0 ? "" : different == 0 ? "the same" : "\(different) of \(count) differ"
    }

    /// Numbers have their difference beside them.
    private func metrics(_ a: Side, _ b: Side) -> HTML {
        let (left, right) = (a.metrics, b.metrics)
        let keys = Set(left.keys).union(right.keys).sorted()
        let shown = keys.filter { !differs || left[$0] != right[$0] }
        return Component.card("Metrics", note: note(keys.count { left[$0] != right[$0] }, of: keys.count)) {
            if shown.isEmpty {
                Component.empty(keys.isEmpty ? "Neither has any" : "No differences")
            } else {
                Component.table("Metrics", columns: columns(a, b, isNumber: true) + [.init("Change", isNumber: true)]) {
                    for key in shown.prefix(Self.rowLimit) {
                        Element.tr(left[key] == right[key] ? nil : .class("diff-changed")) {
                            Element.th(Attribute("scope", "row")) { key }
                            Element.td(.class("number")) { left[key].map { value($0) } ?? HTML() }
                            Element.td(.class("number")) { right[key].map { value($0) } ?? HTML() }
                            Element.td(.class("number")) { change(left[key], right[key]) }
                        }
                    }
                }
            }
        }
    }

    private func value(_ value: Double) -> HTML {
        Element.span(.title("\(value)")) { NumberText.short(value) }
    }

    private func change(_ from: Double?, _ to: Double?) -> String {
        guard let from, let to, from != to, (to - from).isFinite else { return "" }
        return "\(to > from ? "+" : "−")\(NumberText.short(abs(to - from)))"
    }

    private func rows(_ a: [KeyValue], _ b: [KeyValue]) -> [(name: String, a: HTML, b: HTML)] {
        let left = Dictionary(a.map { ($0.key, $0.value) }, uniquingKeysWith: { $1 })
        let right = Dictionary(b.map { ($0.key, $0.value) }, uniquingKeysWith: { $1 })
        return Set(left.keys).union(right.keys).sorted().map { key in
            (key, HTML(left[key] ?? ""), HTML(right[key] ?? ""))
        }
    }

    private func signature(_ a: Side, _ b: Side) -> [(name: String, a: HTML, b: HTML)] {
        func pairs(_ kind: String, _ fields: [ModelSignature.Field]) -> [KeyValue] {
            fields.map { KeyValue(key: "\(kind) \($0.name)", value: $0.type + ($0.isRequired ? "" : ", optional")) }
        }
        func all(_ signature: ModelSignature?) -> [KeyValue] {
            guard let signature else { return [] }
            return pairs("input", signature.inputs) + pairs("output", signature.outputs)
                + pairs("param", signature.params)
        }
        return rows(all(a.signature), all(b.signature))
    }

    private func aliases(_ side: Side) -> HTML {
        HTMLBuilder.buildArray(side.aliases.map { alias in Element.span(.class("alias")) { alias } })
    }

    private func run(_ side: Side) -> HTML {
        guard !side.version.runID.isEmpty else { return HTML() }
        return Element.a(.href(TrackingPage.run(side.version.runID).link)) {
            side.run.map { HTML($0.info.name) } ?? Element.code() { side.version.runID }
        }
    }

    private func data(_ side: Side) -> HTML {
        HTML((side.run?.datasets ?? []).prefix(20).map { "\($0.name) \($0.digest)" }.joined(separator: ", "))
    }

    private func commit(_ side: Side) -> HTML {
        let commit = side.run?.tags.first { $0.key == "mlflow.source.git.commit" }?.value
        return commit.map { commit in Element.code() { commit } } ?? HTML()
    }
}
