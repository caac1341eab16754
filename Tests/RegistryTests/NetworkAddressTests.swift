import ApusGateway
import Testing

@Suite struct NetworkAddressTests {
    @Test(arguments: [
        "127.0.0.1", "127.1.2.3", "0.0.0.0", "0.1.2.3", "10.0.0.1", "10.255.255.255", "100.64.0.1", "100.127.255.255",
        "169.254.169.254", "172.16.0.1", "172.31.255.255", "192.0.0.8", "192.0.2.1", "192.88.99.1", "192.168.0.1",
        "198.18.0.1", "198.19.255.255", "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.255.255.255", "240.0.0.1",
        "255.255.255.255", "::", "::1", "::ffff:10.0.0.1", "::ffff:127.0.0.1", "::ffff:a9fe:a9fe", "::10.0.0.1",
        "2002:0a00:0001::1", "2002:7f00:1::", "2002:a9fe:a9fe::", "64:ff9b::10.0.0.1", "64:ff9b::a9fe:a9fe",
        "64:ff9b:1::1", "100::1", "2001::1", "2001:0:4136:e378::1", "2001:10::1", "2001:db8::1", "3fff::1",
        "3fff:fff::1",
        "fc00::1", "fd12:3456::1", "fe80::1", "fec0::1", "ff02::1", "5f00::1", "4000::1",
    ])
    func `addresses that are not public`(_ text: String) throws {
        #expect(try !#require(NetworkAddress(text)).isPublic)
    }

    @Test(arguments: [
        "1.1.1.1", "8.8.8.8", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "126.255.255.255",
        "128.0.0.1",
        "169.253.255.255", "172.15.255.255", "172.32.0.0", "192.167.255.255", "192.169.0.0", "198.17.255.255",
        "198.20.0.0", "223.255.255.255", "2606:4700::1111", "2a00:1450::1", "2001:200::1", "2001:4860:4860::8888",
        "::ffff:8.8.8.8", "64:ff9b::8.8.8.8", "2002:0808:0808::1", "3fff:1000::1",
    ])
    func `addresses that are public`(_ text: String) throws {
        let address = try #require(NetworkAddress(text))
        #expect(address.isPublic)
        #expect(NetworkAddress(address.description) == address)
    }

    @Test(arguments: [
        "", "2130706433", "0x7f000001", "0177.0.0.1", "127.1", "127.0.0.1.", "1.2.3.4.5", "256.1.1.1", "[::1]",
        "fe80::1%eth0",
        "::ffff:10.0.0", "localhost", " 1.1.1.1", "1.1.1.1\n",
    ])
    func `spellings that are no address`(_ text: String) {
        #expect(NetworkAddress(text) == nil)
    }

    @Test(arguments: [
        ("https://Example.COM", "https://example.com/"), ("https://example.com/a?b=c#d", "https://example.com/a?b=c"),
        ("https://example.com?x", "https://example.com/?x"),
        ("https://example.com:8443/a", "https://example.com:8443/a"),
        ("https://[2606:4700::1111]/a", "https://[2606:4700::1111]/a"), ("HTTPS://1.1.1.1/", "https://1.1.1.1/"),
    ])
    func `an address on the web is put together from its parts`(_ text: String, _ expected: String) throws {
        #expect(try EgressURL(text, subject: "It", schemes: ["https"]).text == expected)
    }

    @Test(arguments: [
        "", " ", "not a url", "http://example.com/", "ftp://example.com/", "https:", "https:/x", "https:///x",
        "https://?x",
        "https://user@example.com/", "https://example.com@10.0.0.1/", "https://example.com\\@10.0.0.1/",
        "https://exa mple.com/", "https://example.com/\n", "https://example.com/\r\nX: y", "https://ex\u{e4}mple.com/",
        "https://2130706433/", "https://0x7f000001/", "https://0x7f.1/", "https://0177.0.0.1/", "https://127.1/",
        "https://1.2.3.4.5/", "https://[::1/", "https://[::1]x/", "https://[1.2.3.4]/", "https://example.com:0/",
        "https://example.com:65536/", "https://example.com:x/", "https://example.com:80:80/", "https://./",
        "https://example.com%2f@x/", "https://\u{ff11}27.0.0.1/",
    ])
    func `addresses that two readers could take for different hosts are refused`(_ text: String) {
        #expect(throws: EgressError.self) { try EgressURL(text, subject: "It", schemes: ["https"]) }
    }
}
