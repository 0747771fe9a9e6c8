//! One signature check of every algorithm in every cryptography library, with the key prepared as far as possible.

#[cfg(feature = "aws-lc-rs")]
mod aws_lc;
#[cfg(feature = "graviola")]
mod graviola;
mod ring;
mod sample;
mod tables;

pub use sample::Sample;

/// Whether the second argument is a signature of the first, the message.
pub type Check = Box<dyn Fn(&[u8], &[u8]) -> bool>;

/// A library and its check under the key of `sample`, for each library that has the algorithm. `tables` is
/// tollgate-keys with curve25519-dalek and tollgate-ecdsa.
#[must_use]
pub fn backends(sample: &Sample) -> Vec<(&'static str, Check)> {
    let checks = [
        ("ring", ring::check(sample)),
        #[cfg(feature = "aws-lc-rs")]
        ("aws-lc-rs", aws_lc::check(sample)),
        #[cfg(feature = "graviola")]
        ("graviola", graviola::check(sample)),
        ("tables", tables::check(sample)),
    ];
    checks.into_iter().filter_map(|(name, check)| Some((name, check?))).collect()
}
