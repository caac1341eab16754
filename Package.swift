// swift-tools-version: 6.2
import PackageDescription

let settings: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .treatAllWarnings(as: .error),
]

let asyncHTTPClient: Target.Dependency = .product(name: "AsyncHTTPClient", package: "async-http-client")
let argumentParser: Target.Dependency = .product(name: "ArgumentParser", package: "swift-argument-parser")
let crypto: Target.Dependency = .product(name: "Crypto", package: "swift-crypto")
let httpTypes: Target.Dependency = .product(name: "HTTPTypes", package: "swift-http-types")
let hummingbird: Target.Dependency = .product(name: "Hummingbird", package: "hummingbird")
let hummingbirdCore: Target.Dependency = .product(name: "HummingbirdCore", package: "hummingbird")
let hummingbirdTesting: Target.Dependency = .product(name: "HummingbirdTesting", package: "hummingbird")
let logging: Target.Dependency = .product(name: "Logging", package: "swift-log")
let nioCore: Target.Dependency = .product(name: "NIOCore", package: "swift-nio")
let nioHTTPTypes: Target.Dependency = .product(name: "NIOHTTPTypes", package: "swift-nio-extras")
let nioHTTPTypesHTTP1: Target.Dependency = .product(name: "NIOHTTPTypesHTTP1", package: "swift-nio-extras")
let nioHPACK: Target.Dependency = .product(name: "NIOHPACK", package: "swift-nio-http2")
let nioHTTP1: Target.Dependency = .product(name: "NIOHTTP1", package: "swift-nio")
let nioHTTP2: Target.Dependency = .product(name: "NIOHTTP2", package: "swift-nio-http2")
let nioPosix: Target.Dependency = .product(name: "NIOPosix", package: "swift-nio")
let serviceLifecycle: Target.Dependency = .product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
let swiftProtobuf: Target.Dependency = .product(name: "SwiftProtobuf", package: "swift-protobuf")
let unixSignals: Target.Dependency = .product(name: "UnixSignals", package: "swift-service-lifecycle")
let yams: Target.Dependency = .product(name: "Yams", package: "Yams")

/// A target of ours, with the settings that all of them share.
func module(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: settings)
}

/// The test target of `name`; it sees the shared fixtures too.
func tests(of name: String, _ dependencies: [Target.Dependency] = [], exclude: [String] = []) -> Target {
    .testTarget(
        name: "\(name)Tests",
        dependencies: [.target(name: name)] + dependencies,
        exclude: exclude,
        swiftSettings: settings
    )
}

let package = Package(
    name: "apus",
    products: [.executable(name: "apus", targets: ["apus"])],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", exact: "1.8.2"),
        .package(url: "https://github.com/apple/swift-crypto", exact: "4.5.2"),
        .package(url: "https://github.com/apple/swift-http-types", exact: "1.8.0"),
        .package(url: "https://github.com/apple/swift-log", exact: "1.16.2"),
        .package(url: "https://github.com/apple/swift-nio", exact: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-extras", exact: "1.35.2"),
        .package(url: "https://github.com/apple/swift-nio-http2", exact: "1.46.0"),
        .package(url: "https://github.com/apple/swift-protobuf", exact: "1.39.0"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", exact: "2.28.1", traits: []),
        .package(url: "https://github.com/jpsim/Yams", exact: "6.2.2"),
        .package(url: "https://github.com/swift-server/async-http-client", exact: "1.37.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", exact: "2.13.0"),
    ],
    targets: [
        .executableTarget(
            name: "apus",
            dependencies: [
                "ApusCommand", "ApusConsole", "ApusDatabase", "ApusGateway", "ApusJSON", "ApusKernel", "ApusLedger",
                "ApusVault", "CApusSystem", "Datasets", "Registry", "Serving", "Tracking",
                argumentParser, hummingbird, logging, serviceLifecycle, unixSignals, yams,
            ],
            swiftSettings: settings
        ),
        // Capabilities
        module(
            "Datasets",
            [
                "ApusCommand", "ApusConsole", "ApusDatabase", "ApusGateway", "ApusJSON", "ApusKernel", "ApusLedger",
                "ApusSketch", "ApusTable", "ApusVault", "Tracking",
                argumentParser, asyncHTTPClient, crypto, httpTypes, hummingbirdCore, nioCore, nioHTTP1, yams,
            ]
        ),
        module(
            "Registry",
            [
                "ApusCommand", "ApusConsole", "ApusDatabase", "ApusGateway", "ApusJSON", "ApusKernel", "ApusLedger",
                "ApusQuery", "ApusVault", "Tracking",
                argumentParser, asyncHTTPClient, crypto, logging, nioCore, nioHTTP1, serviceLifecycle,
            ]
        ),
        module(
            "Serving",
            [
                "ApusCommand", "ApusConsole", "ApusDatabase", "ApusGateway", "ApusJSON", "ApusKernel", "ApusLedger",
                "ApusQuery", "ApusVault", "COnnxRuntime", "CProcess", "CPythonWorker", "CZlib", "InferenceProtobuf",
                "Registry", "Tracking",
                argumentParser, asyncHTTPClient, crypto, httpTypes, hummingbirdCore, logging, nioCore, nioHPACK,
                nioHTTP2,
                nioPosix, serviceLifecycle, swiftProtobuf, unixSignals, yams,
            ]
        ),
        module(
            "Tracking",
            [
                "ApusCommand", "ApusConsole", "ApusDatabase", "ApusGateway", "ApusJSON", "ApusKernel", "ApusLedger",
                "ApusQuery", "ApusVault",
                argumentParser, httpTypes, hummingbirdCore, logging, nioCore, serviceLifecycle, yams,
            ]
        ),
        // Mechanisms
        module(
            "ApusCommand",
            [
                "ApusJSON", "ApusKernel",
                argumentParser, asyncHTTPClient, nioCore, nioHTTP1, nioPosix, unixSignals,
            ]
        ),
        .target(
            name: "ApusConsole",
            dependencies: [
                "ApusDatabase", "ApusGateway", "ApusJSON", "ApusKernel", "ApusLedger", "CConsoleAssets", "CMarkdown",
                crypto, httpTypes, hummingbird, hummingbirdCore, nioCore, serviceLifecycle,
            ],
            exclude: ["Assets"],
            swiftSettings: settings
        ),
        module("ApusDatabase", ["ApusKernel", "CPostgres", "CSQLite", logging]),
        module(
            "ApusGateway",
            [
                "ApusJSON", "ApusKernel", "CApusSystem", "CZlib",
                asyncHTTPClient, httpTypes, hummingbird, hummingbirdCore, logging, nioCore, nioHTTP1, nioHTTPTypes,
                nioHTTPTypesHTTP1,
                serviceLifecycle,
            ]
        ),
        module("ApusJSON", ["ApusKernel", "CSimdjson"]),
        module("ApusKernel"),
        module("ApusLedger", ["ApusDatabase", "ApusJSON", "ApusKernel", crypto, logging, serviceLifecycle]),
        module("ApusQuery", ["ApusKernel"]),
        module("ApusSketch"),
        module("ApusTable", ["ApusJSON", "ApusKernel", "CProcess"]),
        module("ApusTesting", ["ApusDatabase", "ApusKernel", "ApusLedger", "ApusVault", logging]),
        module("ApusVault", ["ApusDatabase", "ApusKernel", crypto, logging, nioCore]),
        // Generated from the protocol's definition by `scripts/protobuf`; see its header.
        .target(name: "InferenceProtobuf", dependencies: [swiftProtobuf], exclude: ["Definitions"]),
        // Native libraries
        .systemLibrary(name: "CPostgres", pkgConfig: "libpq", providers: [.apt(["libpq-dev"])]),
        .systemLibrary(name: "CZlib", providers: [.apt(["zlib1g-dev"])]),
        .systemLibrary(name: "CSQLite", pkgConfig: "sqlite3", providers: [.apt(["libsqlite3-dev"])]),
        .target(
            name: "CSimdjson",
            cxxSettings: [.unsafeFlags(["-O3", "-fno-exceptions", "-Wno-deprecated-declarations"])],
            linkerSettings: [.linkedLibrary("simdjson")]
        ),
        .target(name: "CApusSystem"),
        .target(name: "COnnxRuntime", linkerSettings: [.linkedLibrary("dl")]),
        // Starts other programs, and confines them.
        .target(name: "CProcess"),
        // Carries the workers' program.
        .target(
            name: "CPythonWorker",
            exclude: ["apus_worker.py"],
            cSettings: [.unsafeFlags(["-Wno-c23-extensions"])]
        ),
        // Linked whole, so that a machine that only runs the binary needs no package for it.
        .target(
            name: "CMarkdown",
            linkerSettings: [.unsafeFlags(["-l:libcmark-gfm-extensions.a", "-l:libcmark-gfm.a"])]
        ),
        .target(name: "CConsoleAssets", cSettings: [.unsafeFlags(["-Wno-c23-extensions"])]),
        // Tests
        tests(of: "ApusCommand", ["ApusJSON", "Datasets", "Registry", "Serving", "Tracking", argumentParser, nioCore]),
        tests(of: "ApusConsole", ["ApusLedger", httpTypes]),
        tests(of: "ApusDatabase", ["ApusKernel", "ApusTesting"]),
        tests(
            of: "ApusGateway",
            ["ApusJSON", "ApusKernel", httpTypes, hummingbird, hummingbirdTesting, logging, nioCore]
        ),
        tests(of: "ApusJSON", ["ApusKernel"]),
        tests(of: "ApusKernel"),
        tests(of: "ApusLedger", ["ApusDatabase", "ApusKernel", "ApusTesting"]),
        tests(of: "ApusQuery", ["ApusKernel"], exclude: ["Differential"]),
        tests(of: "ApusSketch"),
        tests(of: "ApusTable"),
        tests(of: "ApusVault", ["ApusDatabase", "ApusKernel", logging, nioCore]),
        tests(
            of: "Datasets",
            [
                "ApusConsole", "ApusDatabase", "ApusGateway", "ApusJSON", "ApusKernel", "ApusLedger", "ApusSketch",
                "ApusTable", "ApusTesting", "ApusVault", "Tracking",
                crypto, hummingbird, hummingbirdTesting, logging, nioCore,
            ]
        ),
        tests(
            of: "Registry",
            [
                "ApusConsole", "ApusDatabase", "ApusGateway", "ApusJSON", "ApusKernel", "ApusLedger", "ApusTesting",
                "Tracking",
                crypto, httpTypes, hummingbird, hummingbirdTesting, logging, nioCore, serviceLifecycle,
            ]
        ),
        tests(
            of: "Tracking",
            [
                "ApusConsole", "ApusDatabase", "ApusGateway", "ApusJSON", "ApusKernel", "ApusLedger", "ApusQuery",
                "ApusTesting", "ApusVault",
                httpTypes, hummingbird, hummingbirdTesting, logging, nioCore,
            ]
        ),
        tests(
            of: "Serving",
            [
                "ApusCommand", "ApusConsole", "ApusDatabase", "ApusGateway", "ApusJSON", "ApusKernel", "ApusLedger",
                "ApusTesting", "ApusVault", "InferenceProtobuf", "Registry", "Tracking",
                httpTypes, hummingbird, hummingbirdTesting, logging, nioCore, nioHPACK, nioHTTP2, nioPosix,
                serviceLifecycle, swiftProtobuf,
            ]
        ),
        .testTarget(name: "TidyTests", swiftSettings: settings),
    ],
    swiftLanguageModes: [.v6],
    cxxLanguageStandard: .cxx17
)

// Linked by `make fuzz` only: libFuzzer brings its own main function.
if Context.environment["APUS_FUZZ"] != nil {
    package.products.append(.executable(name: "apus-fuzz", targets: ["Fuzzing"]))
    package.targets.append(
        .executableTarget(
            name: "Fuzzing",
            dependencies: [
                "ApusConsole", "ApusGateway", "ApusJSON", "ApusKernel", "ApusQuery", "ApusVault",
                "Datasets", "Serving", "Tracking",
                httpTypes, nioCore,
            ],
            path: "Tests/Fuzzing",
            exclude: ["words.dict"],
            swiftSettings: settings + [.unsafeFlags(["-parse-as-library"])]
        )
    )
}
