//! Strategies for property tests of ops.
