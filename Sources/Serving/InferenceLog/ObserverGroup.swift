/// Tells several observers of each prediction.
package struct ObserverGroup: InferenceObserver {
    private let observers: [any InferenceObserver]

    package init(_ observers: [any InferenceObserver]) {
        self.observers = observers
    }

    package func observe(_ observation: InferenceObservation) {
        for observer in observers { observer.observe(observation) }
    }
}
