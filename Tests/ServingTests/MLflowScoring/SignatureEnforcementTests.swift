import ApusKernel
import NIOCore
import Serving
import Testing

@Suite struct SignatureEnforcementTests {
    private func message(_ text: String, _ metadata: ModelMetadata, _ type: ScoringMediaType = .json) -> String {
        do {
            _ = try ScoringReader(metadata).read(ByteBuffer(string: text), type)
            return "accepted"
        } catch let error as ServingError {
            return "\(error.code.rawValue) \(error.message)"
        } catch {
            return "\(error)"
        }
    }

    /// MLflow makes another value of each of these without a word.
    @Test(
        arguments: [
            ("long", "1.5", "inputs.a[0]: 1.5 cannot be taken for a whole number in the range of INT64."),
            (
                "integer", "3000000000",
                "inputs.a[0]: 3000000000 cannot be taken for a whole number in the range of INT32."
            ),
            ("boolean", "null", "inputs.a[0]: null cannot be taken for a boolean."),
            ("boolean", "2", "inputs.a[0]: 2 cannot be taken for a boolean."),
            ("boolean", "\"yes\"", "inputs.a[0]: 'yes' cannot be taken for a boolean."),
            ("float", "1e300", "inputs.a[0]: 1e+300 cannot be taken for a number (float)."),
            ("long", "1e300", "inputs.a[0]: 1e+300 cannot be taken for a whole number in the range of INT64."),
        ]
    )
    func `no cast changes a value without a word`(type: String, value: String, wanted: String) throws {
        let metadata = try ModelMetadata.columns(type)
        #expect(message(#"{"inputs":{"a":[\#(value)]}}"#, metadata) == "INVALID_PARAMETER_VALUE \(wanted)")
    }

    @Test(
        arguments: [
            ("long", "1"), ("long", "1.0"), ("long", "true"), ("long", "\"1\""), ("integer", "-2147483648"),
            ("double", "1"),
            ("double", "null"), ("double", "\"1e3\""), ("double", "false"), ("float", "0.1"), ("float", "3000000000"),
            ("boolean", "1"), ("boolean", "0.0"), ("boolean", "true"), ("string", "\"\""),
            ("long", "9223372036854775807"),
            ("datetime", "\"2020-01-01\""), ("string", "1"), ("string", "null"), ("binary", "\"aGk=\""),
        ]
    )
    func `casts that keep the value are made as MLflow makes them`(type: String, value: String) throws {
        #expect(try message(#"{"inputs":{"a":[\#(value)]}}"#, .columns(type)) == "accepted")
    }

    @Test(
        arguments: [
            ("long", "null"), ("integer", "\"x\""), ("double", "\"x\""), ("double", "\"\""), ("double", "\"0x10\""),
            ("double", "[1]"), ("long", "9223372036854775808"), ("boolean", "[true]"), ("long", "NaN"),
            ("double", "{}"),
        ]
    )
    func `what MLflow refuses is refused`(type: String, value: String) throws {
        #expect(
            try message(#"{"dataframe_split":{"columns":["a"],"data":[[\#(value)]]}}"#, .columns(type)) != "accepted"
        )
    }

    @Test func `the message says where the fault is`() throws {
        let metadata = try ModelMetadata.columns("double", "long")
        #expect(
            message(#"{"dataframe_split":{"columns":["b","a"],"data":[[1,2],[2.5,0]]}}"#, metadata).hasPrefix(
                "INVALID_PARAMETER_VALUE dataframe_split.data[1][0]: 2.5"
            )
        )
        #expect(
            message(#"{"dataframe_records":[{"a":1,"b":true},{"a":1,"b":{}}]}"#, metadata).contains(
                "dataframe_records[1].b: an object"
            )
        )
        #expect(message(#"{"instances":[{"a":1,"b":1},{"a":"q","b":1}]}"#, metadata).contains("instances[1].a: 'q'"))
        #expect(message("a,b\n1,2\nx,3\n", metadata, .csv).contains("row 2, column 'a': 'x'"))
        let tensor = #"[{"type":"tensor","tensor-spec":{"dtype":"int32","shape":[-1,2]}}]"#
        #expect(try message(#"{"inputs":[[1,2],[3,4.5]]}"#, .signed(tensor)).contains("inputs[1][1]: 4.5"))
    }

    @Test(
        arguments: [
            (#"{"inputs":{"a":[1]}}"#, "Model is missing inputs ['b']."),
            (
                #"{"inputs":{"a":[1],"z":[2]}}"#,
                "Model is missing inputs ['b']. Note that there were extra inputs: ['z']."
            ),
            (
                #"{"dataframe_split":{"data":[[1,2]]}}"#,
                "Model is missing inputs ['a', 'b']. Note that there were extra inputs: ['0', '1']."
            ),
            (#"{"inputs":[[1,2]]}"#, "Model is missing inputs ['a', 'b']."),
            (#"{"inputs":3}"#, "Model is missing inputs ['a', 'b']."),
            (#"{"inputs":{"a":[1,2],"b":[3]}}"#, "All columns must be of the same length"),
            (#"{"inputs":{"a":[[1]],"b":[3]}}"#, "Column 'a' is given an array of shape [1, 1]"),
            (#"{"inputs":[[[1]]]}"#, "Must pass 2-d input"),
            (#"{"dataframe_records":[]}"#, "Model is missing inputs ['a', 'b']."),
        ]
    )
    func `missing columns are named`(text: String, wanted: String) throws {
        let found = try message(text, .columns("double", "double", "string?"))
        #expect(found.contains(wanted) && found.hasPrefix("INVALID_PARAMETER_VALUE"), "\(found)")
    }

    @Test(
        arguments: [
            ("", "Ensure that input is a valid JSON formatted string"), ("{bad", "valid JSON"),
            ("[1]", "Received a list."),
            ("5", "unexpected input type 'int'"), ("null", "'NoneType'"), ("{}", "input fields: []."),
            (#"{"inputs":[1],"instances":[1]}"#, "input fields: ['inputs', 'instances']."),
            (#"{"dataframe_split":[1]}"#, "must be a dictionary. Got list."),
            (#"{"dataframe_split":{}}"#, "must have 'data' field"),
            (#"{"dataframe_split":{"data":[],"x":1}}"#, "Got 'x'"),
            (#"{"dataframe_split":{"columns":["a","b"],"data":[[1]]}}"#, "2 columns passed, passed data had 1 columns"),
            (#"{"dataframe_split":{"columns":["a"],"data":[1]}}"#, "each a list of values"),
            (#"{"dataframe_split":{"columns":["a","a"],"data":[[1,2]]}}"#, "Column 'a' is given twice"),
            (
                #"{"dataframe_split":{"columns":["a"],"index":[1],"data":[[1],[2]]}}"#,
                "does not match length of index (1)"
            ),
            (#"{"dataframe_records":{"a":1}}"#, "must be a list of records. Got dictionary."),
            (#"{"dataframe_records":[1]}"#, "dataframe_records[0] must be an object"),
            (#"{"inputs":[[1,2],[3]]}"#, "inhomogeneous shape after 1 dimensions"),
            (#"{"inputs":[[1],2]}"#, "inhomogeneous"), (#"{"inputs":[1,[2]]}"#, "inhomogeneous"),
            (#"{"inputs":[[[[[[[[[1]]]]]]]]]}"#, "more than 8 dimensions"),
            (
                #"{"instances":[{"a":1,"b":2},{"a":3}]}"#,
                "The length of values for each input/column name are not the same"
            ),
            (#"{"instances":[{"a":1},5]}"#, "instances[1] must be an object"),
        ]
    )
    func `malformed requests are named as such`(text: String, wanted: String) throws {
        let found = try message(text, .columns("double", "double"))
        #expect(found.contains(wanted) && found.hasPrefix("BAD_REQUEST"), "\(found)")
    }

    @Test func `a short text cannot claim a huge table or array`() throws {
        let metadata = try ModelMetadata.columns("double")
        let sparse = (0..<3000).map { #"{"c\#($0)":1}"# }.joined(separator: ",")
        #expect(message(#"{"dataframe_records":[\#(sparse)]}"#, metadata).contains("nearly empty"))
        let zeros = Array(repeating: "0", count: 3000).joined(separator: ",")
        let nested =
            #"[[[\#(zeros)]\#(String(repeating: ",[]", count: 3000))]\#(String(repeating: ",[]", count: 3000))]"#
        #expect(message(#"{"inputs":\#(nested)}"#, metadata).contains("inhomogeneous"))
        let shorts = String(repeating: ",[]", count: 100_000)
        #expect(message(#"{"dataframe_split":{"data":[[\#(zeros)]\#(shorts)]}}"#, metadata).contains("nearly empty"))
    }

    private static let params = #"""
        [{"name":"t","type":"double","default":0.5,"shape":null},{"name":"n","type":"long","default":3,"shape":null},
         {"name":"stop","type":"string","default":["a"],"shape":[-1]},{"name":"s","type":"string","default":null,"shape":null}]
        """#

    @Test func `parameters are checked, completed and cut down to those that are known`() throws {
        let metadata = try ModelMetadata.columns("double", params: Self.params)
        let reader = ScoringReader(metadata)
        let given = try reader.read(
            ByteBuffer(string: #"{"inputs":{"a":[1]},"params":{"t":1,"stop":["b","c"],"unknown":true}}"#),
            .json
        )
        #expect(
            given.request.parameters
                == ["t": .double(1), "n": .integer(3), "stop": .json(#"["b","c"]"#), "s": .json("null")]
        )
        for (wrong, wanted) in [
            (#"{"n":1.5}"#, "params.n: long is wanted, not float"),
            (#"{"n":true}"#, "params.n: long is wanted, not bool"),
            (#"{"t":"1"}"#, "params.t"), (#"{"stop":"b"}"#, "a list of string is wanted, not str"),
            (#"{"stop":[1]}"#, "params.stop"), (#"{"s":1}"#, "params.s: string is wanted, not int"),
            ("[]", "Parameters must be a dictionary. Got type 'list'."),
        ] {
            let found = message(#"{"inputs":{"a":[1]},"params":\#(wrong)}"#, metadata)
            #expect(found.hasPrefix("INVALID_PARAMETER_VALUE") && found.contains(wanted), "\(found)")
        }
        #expect(try message(#"{"inputs":{"a":[1]},"params":[1]}"#, .columns("double")) == "accepted")
    }
}
