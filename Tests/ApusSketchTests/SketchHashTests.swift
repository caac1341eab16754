import ApusSketch
import Testing

@Suite struct SketchHashTests {
    /// wyhash, final version 4.2, with the seed 0 and the bytes 0, 1, 2 and so on.
    @Test(
        arguments: [
            (0, 0x9322_8a4d_e0ee_c5a2), (1, 0x8e6d_4af7_d310_c8c4), (2, 0x5121_ba5b_c9a8_28b5),
            (3, 0x78c4_aa0c_972a_522d),
            (4, 0xe08a_eeb6_8058_fb32), (5, 0x845a_2c5d_a231_8785), (7, 0x094e_98fe_b605_5cc6),
            (8, 0xb4d6_ac74_d009_e1d4),
            (9, 0xb429_22e0_19b4_09be), (15, 0x87ed_af96_d89a_08ef), (16, 0x305f_dea0_ed4a_2619),
            (17, 0xd29f_fdd2_01a4_6f9a), (23, 0x735a_0e86_5271_47f0), (31, 0xebc1_3906_e501_8315),
            (32, 0x5b00_c06e_f754_0f8f), (33, 0x5e1a_2536_ff90_cc32),
        ] as [(Int, UInt64)]
    )
    func `bytes have the published hash`(length: Int, expected: UInt64) {
        let bytes = (0..<length).map { UInt8($0) }
        #expect(bytes.withUnsafeBytes { SketchHash.hash($0) } == expected)
    }

    @Test(
        arguments: [
            (0, "", 0x9322_8a4d_e0ee_c5a2), (1, "a", 0xc5ba_c3db_1787_13c4), (2, "abc", 0xa97f_2f7b_1d9b_3314),
            (3, "message digest", 0x786d_1f1d_f380_1df4), (4, "abcdefghijklmnopqrstuvwxyz", 0xdca5_a813_8ad3_7c87),
            (5, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789", 0xb9e7_34f1_17cf_af70),
            (6, String(repeating: "1234567890", count: 8), 0x6cc5_eab4_9a92_d617),
        ] as [(UInt64, String, UInt64)]
    )
    func `texts have the published hash with a seed`(seed: UInt64, text: String, expected: UInt64) {
        #expect(Array(text.utf8).withUnsafeBytes { SketchHash.hash($0, seed: seed) } == expected)
    }

    /// The first numbers of SplitMix64 for the seeds 0 and 1234567.
    @Test func `words have the published hash`() {
        #expect(SketchHash.hash(bits: 0) == 0xE220_A839_7B1D_CDAF)
        var random = SketchRandom(seed: 1_234_567)
        #expect(
            (0..<3).map { _ in random.next() } == [
                6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423,
            ]
        )
    }

    @Test func `equal numbers have equal hashes`() {
        #expect(SketchHash.hash(0.0) == SketchHash.hash(-0.0))
        #expect(SketchHash.hash(Double.nan) == SketchHash.hash(-Double.signalingNaN))
        for value: Int64 in [0, 1, -1, 17, -4_000_000_000, 1 << 53, -(1 << 53), 1 << 60, .min] {
            #expect(SketchHash.hash(value) == SketchHash.hash(Double(value)), "\(value)")
        }
        // The next one is no double.
        #expect(SketchHash.hash(Int64(1 << 53) + 1) != SketchHash.hash(Double(1 << 53)))
        #expect(SketchHash.hash(Int64.max) != SketchHash.hash(Int64.max - 1))
    }
}
