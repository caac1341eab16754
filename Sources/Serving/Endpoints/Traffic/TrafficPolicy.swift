/// Decides which of several arms answers a request.
///
/// Arms are numbered from 0, the stable version. A policy that learns from rewards, and a graph of models behind one
/// name, take this place later.
package protocol TrafficPolicy: Sendable {
    /// The probability of each arm, which add up to 1; for the statistics.
    var shares: [Double] { get }

    /// The arm for a request.
    ///
    /// `key`: Requests with the same key get the same arm for as long as the shares allow.
    func choose(key: String?) -> Int

    /// Takes note of what became of a prediction of one arm.
    func observe(reward: Double, arm: Int)
}

extension TrafficPolicy {
    package func observe(reward: Double, arm: Int) {}
}

/// One arm that gets everything.
package struct SingleArm: TrafficPolicy {
    package init() {}
    package let shares = [1.0]
    package func choose(key: String?) -> Int { 0 }
}

/// Deals requests by fixed shares: at random, or by a hash of the request's key.
///
/// The arms lie side by side on the line from 0 to 1, the stable one last, and a key is a place on that line: whoever was
/// dealt to a canary stays there when its share grows.
package struct WeightedArms: TrafficPolicy {
    package let shares: [Double]
    private let salt: UInt64
    /// The upper bounds of the arms from 1 on, laid out from 0; what is above belongs to arm 0.
    private let bounds: [Double]

    /// - Parameters:
    ///   - others: The shares of the arms from 1 on; arm 0 gets the rest.
    ///   - salt: Makes one experiment's deal independent of another's.
    package init(shares others: [Double], salt: String) {
        let others = others.map { max(0, min(1, $0)) }
        shares = [max(0, 1 - others.reduce(0, +))] + others
        var bound = 0.0
        bounds = others.map { share in
            bound += share
            return bound
        }
        self.salt = Self.hash(salt, seed: 0)
    }

    package func choose(key: String?) -> Int {
        let bits = key.map { Self.hash($0, seed: salt) } ?? UInt64.random(in: .min ... .max)
        let place = Double(bits >> 11) / Double(1 << 53)
        for (index, bound) in bounds.enumerated() where place < bound { return index + 1 }
        return 0
    }

    /// FNV-1a, then the finalizer of MurmurHash3: keys that differ in one character land anywhere.
    private static func hash(_ text: String, seed: UInt64) -> UInt64 {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325 ^ seed
        for byte in text.utf8 {
            hash ^= UInt64(byte)
            hash = hash &* 0x0000_0100_0000_01B3
        }
        hash ^= hash >> 33
        hash = hash &* 0xFF51_AFD7_ED55_8CCD
        hash ^= hash >> 33
        hash = hash &* 0xC4CE_B9FE_1A85_EC53
        return hash ^ (hash >> 33)
    }
}
