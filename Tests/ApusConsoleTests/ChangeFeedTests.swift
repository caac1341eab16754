import ApusLedger
import Testing

@Suite struct ChangeFeedTests {
    @Test func `a slow reader finds many changes of one subject as one`() async throws {
        let feed = ChangeFeed()
        feed.note("before")
        let reader = try #require(feed.subscribe())
        for _ in 0..<10 { feed.note("a") }
        feed.note("b")
        #expect(await reader.next() == ["a", "b"])
        async let next = reader.next()
        feed.note("c")
        #expect(await next == ["c"])
        feed.end(reader)
        #expect(await reader.next() == nil)
    }

    @Test func `too many changes become one`() async throws {
        let feed = ChangeFeed()
        let reader = try #require(feed.subscribe())
        for number in 0..<2_000 { feed.note("\(number)") }
        let found = try #require(await reader.next())
        #expect(found.count <= 1_000 && found.contains(ChangeFeed.everything))
    }

    @Test func `the readers are bounded, and end with the feed`() async throws {
        let feed = ChangeFeed()
        let readers = (0..<300).compactMap { _ in feed.subscribe() }
        #expect(readers.count == 256)
        feed.close()
        for reader in readers { #expect(await reader.next() == nil) }
        #expect(feed.subscribe() != nil)
    }

    @Test func `a reader is told first what has changed after its place`() async throws {
        let feed = ChangeFeed()
        feed.note("a")
        let place = feed.place
        let current = try #require(feed.subscribe(after: place))
        feed.note("b")
        feed.note("b")
        feed.note("c")
        let late = try #require(feed.subscribe(after: place))
        #expect(await late.next() == ["b", "c"])
        #expect(await current.next() == ["b", "c"])
        feed.note("a")
        #expect(await late.next() == ["a"])
        let last = try #require(feed.subscribe(after: feed.place))
        feed.end(last)
        #expect(await last.next() == nil)
    }

    @Test(arguments: ["1", "x", "0-0", "1-99999999999999999999", "-", "💥-3"])
    func `a reader whose place is unknown is told that much has changed`(_ place: String) async throws {
        let feed = ChangeFeed()
        feed.note("a")
        let reader = try #require(feed.subscribe(after: place))
        #expect(await reader.next() == [ChangeFeed.everything])
    }

    @Test func `what is forgotten counts as everything`() async throws {
        let feed = ChangeFeed()
        let place = feed.place
        for number in 0..<10_001 { feed.note("\(number)") }
        let reader = try #require(feed.subscribe(after: place))
        #expect(await reader.next() == [ChangeFeed.everything])
    }
}
