"""Our protocol modules under an echo, for the public protocol suites and our own tests."""
