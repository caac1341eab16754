import Testing

@testable import ApusQuery

@Suite struct DifferentialTests {
    @Test func probe() {
        #expect(Answer.all.count > 400)
        for a in Answer.all {
            let o = a.ours
            let same = a.status == 500 ? o.status == 400 : (a.status == o.status && a.answer == o.answer)
            if !same { print("DIFF\t\(a.search)\t\(a.text.debugDescription)\n   M \(a.status) \(a.answer)\n   A \(o.status) \(o.answer)") }
        }
    }
}
