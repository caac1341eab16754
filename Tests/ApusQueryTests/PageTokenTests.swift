import ApusKernel
import ApusQuery
import Testing

@Suite struct PageTokenTests {
    @Test func `a token has MLflow's text`() throws {
        #expect(PageToken(offset: 2).encoded == "eyJvZmZzZXQiOiAyfQ==")
        #expect(try PageToken(decoding: "eyJvZmZzZXQiOiAyfQ==").offset == 2)
    }

    @Test(arguments: [0, 1, 7, 1_000, 999_999_999_999])
    func `a token reads back as itself`(offset: Int) throws {
        let token = PageToken(offset: offset)
        // An offset of 0 is never sent, and refused as by MLflow.
        if offset > 0 { #expect(try PageToken(decoding: token.encoded) == token) }
    }

    @Test(arguments: [nil, ""])
    func `no token is the first page`(text: String?) throws {
        #expect(try PageToken(decoding: text).offset == 0)
    }

    @Test(arguments: [
        (#"{"offset": "3"}"#, 3), (#"{"offset": 2.7}"#, 2), (#"{"offset": true}"#, 1), (#"{"offset":4,"x":[1]}"#, 4),
    ])
    func `other spellings of an offset are read`(json: String, offset: Int) throws {
        #expect(try PageToken(decoding: Base64Text.encode(json.utf8)).offset == offset)
    }

    @Test(arguments: ["abc", "a", "====x", "é", "eyJvZmZzZXQiOiAyfQ="])
    func `a text that is no base64 is refused`(text: String) {
        #expect(throws: RequestError.invalid("Invalid page token, could not base64-decode")) {
            try PageToken(decoding: text)
        }
    }

    @Test(arguments: [
        ("hello", "decoded value=b'hello'"), ("", "decoded value=b''"), ("it's\n\\", #"decoded value=b"it's\n\\""#),
        (#"{"offset": 1"#, #"decoded value=b'{"offset": 1'"#),
        (#"{"offset": 01}"#, #"decoded value=b'{"offset": 01}'"#),
        ("{}", "parsed value={}"), (#"{"offset": 0}"#, "parsed value={'offset': 0}"), ("[1]", "parsed value=[1]"),
        (#"{"offset": -5}"#, "parsed value={'offset': -5}"),
        (#"{"offset": [1, null]}"#, "parsed value={'offset': [1, None]}"),
        (#"{"offset": 1e300}"#, "parsed value={'offset': 1e+300}"),
        (#"{"offset": 1000000000001}"#, "parsed value={'offset': 1000000000001}"),
        (#"{"offset": 99999999999999999999}"#, "parsed value={'offset': 1e+20}"),
        (#"{"offset": "abc"}"#, "not stringable abc"), (#"{"offset": NaN}"#, "not stringable nan"),
    ])
    func `a token without a usable offset is refused`(json: String, message: String) {
        // Four marks that decode to nothing stand for the empty text, which would be the first page.
        let text = json.isEmpty ? "!!!!" : Base64Text.encode(json.utf8)
        #expect(throws: RequestError.invalid("Invalid page token, \(message)")) { try PageToken(decoding: text) }
    }

    @Test func `deep and long tokens are refused`() {
        let deep = Base64Text.encode(String(repeating: "[", count: 2_000).utf8)
        #expect(throws: RequestError.self) { try PageToken(decoding: deep) }
        #expect(throws: RequestError.self) { try PageToken(decoding: String(repeating: "A", count: 4_097)) }
    }

    private func token(
        _ ids: [String] = ["1", "2"],
        _ filter: String? = "name = 'é\u{1F600}\n'",
        _ order: [OrderRequest] = [OrderRequest(fieldName: "metrics.a", ascending: false, datasetName: "d")],
        offset: Int = 0
    ) -> LoggedModelPageToken {
        LoggedModelPageToken(experimentIDs: ids, filter: filter, orderBy: order, offset: offset)
    }

    @Test func `a bound token has MLflow's text`() {
        let text = Base64Text.decode(token(["1"], "a", [], offset: 3).encoded).map {
            String(decoding: $0, as: UTF8.self)
        }
        #expect(text == #"{"experiment_ids": ["1"], "filter_string": "a", "order_by": null, "offset": 3}"#)
    }

    @Test func `a bound token serves its own search only`() throws {
        let text = token(offset: 50).encoded
        #expect(try token().offset(decoding: text) == 50)
        #expect(try token().offset(decoding: nil) == 0)
        func refusal(_ other: LoggedModelPageToken) -> String? {
            do {
                _ = try other.offset(decoding: text)
                return nil
            } catch {
                return (error as? RequestError)?.message
            }
        }
        #expect(
            refusal(token(["1"]))
                == "Experiment IDs in the page token do not match the requested experiment IDs. "
                + "Expected: ['1']. Found: ['1', '2']"
        )
        #expect(
            refusal(token(["1", "2"], nil))
                == "Filter string in the page token does not match the requested filter string. "
                + "Expected: None. Found: name = 'é😀\n'"
        )
        #expect(
            refusal(token(["1", "2"], "name = 'é😀\n'", []))
                == "Order by in the page token does not match the requested order by. Expected: None. Found: "
                + "[{'field_name': 'metrics.a', 'ascending': False, 'dataset_name': 'd', 'dataset_digest': None}]"
        )
    }

    @Test(arguments: ["x", "bnVsbA==", "aGVsbG8="])
    func `a malformed bound token is refused`(text: String) {
        #expect(throws: RequestError.self) { try token().offset(decoding: text) }
    }
}
