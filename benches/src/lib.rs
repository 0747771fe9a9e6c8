//! Criterion benchmarks of tollgate.
