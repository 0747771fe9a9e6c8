#![doc = include_str!("../README.md")]
//! A server verifies millions of signatures under a handful of keys. A verification spends nearly all of its time on
//! `u1 G + u2 Q`, and most of that on doublings. With the multiples of `G` and of the key `Q` in a table, no doubling
//! is left: a verification on P-256 adds some seventy points.
//!
//! **Variable time, public data only.** The time of every function depends on its arguments. Signatures, digests and
//! public keys are public; nothing else may be passed in. The crate does not sign, accept a private key or draw a
//! random number.
//!
//! ```
//! # fn hex(text: &str) -> Vec<u8> {
//! #     (0..text.len()).step_by(2).map(|i| u8::from_str_radix(&text[i..i + 2], 16).unwrap()).collect()
//! # }
//! use tollgate_ecdsa::limits::KEY_WINDOW_BITS;
//! use tollgate_ecdsa::{Curve, PreparedKey, Verdict};
//!
//! // RFC 6979, section A.2.5.
//! let point = hex("0460fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6\
//!                  7903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299");
//! let digest_of_sample = hex("af2bdbe1aa9b6ec1e2ade1d694f41fc71a831d0268e9891562113d8a62add1bf");
//! let signature = hex("efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716\
//!                      f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8");
//!
//! let key = PreparedKey::new(Curve::P256, &point, KEY_WINDOW_BITS)?;
//! match key.verify(&digest_of_sample, &signature) {
//!     Verdict::Valid => {}
//!     Verdict::Invalid => panic!("another signature"),
//!     Verdict::Undecided(reason) => panic!("to be decided by another implementation: {reason:?}"),
//! }
//! # Ok::<(), tollgate_ecdsa::KeyRefused>(())
//! ```
//!
//! # How correctness is assured
//! The fast arithmetic is this crate's own and is not trusted. A signature of the wrong length, or with numbers out of
//! range, is invalid at once; every other verdict, valid or invalid, is returned only after the following checks. The
//! checks compute with [fiat-crypto], whose arithmetic is generated with a machine-checked proof, and use the numbers
//! that the computation really used.
//!
//! 1. The digits that selected the points are recomposed: they must be the digits of `u1` and `u2` with `s u1 = z` and
//!    `s u2 = r` modulo the order. This detects a wrong inversion, product or recoding.
//! 2. The number of added points must be the number of non-zero digits. A checksum of their coordinates must equal that
//!    of the points that the digits select in the tables, read a second time. This detects a point that was lost,
//!    doubled, confused or negated.
//! 3. The sum must not be at infinity and must satisfy the equation of the curve. This detects wrong arithmetic in the
//!    sum: a wrong product leads off the curve.
//! 4. The comparison with `r`, and with `r + n` if that is below the prime, is computed with fiat-crypto too.
//!
//! The tables are proved when they are computed: the first point is the key, every point is on the curve, and every
//! point is the sum of two earlier ones. A later fault in a table leads off the curve.
//!
//! A failed check makes the verdict [`Undecided`](Verdict::Undecided), and so does an addition of equal or opposite
//! points, which only a specially crafted signature causes. Another implementation must then decide. The caller should
//! count these verdicts, because they can indicate faulty memory or a faulty processor.
//!
//! [`Invalid`](Verdict::Invalid) needs no confirmation. It is the safe verdict and has passed the same checks as
//! [`Valid`](Verdict::Valid). Confirming every rejection would make a flood of bad signatures five times as expensive.
//!
//! # Reading order
//! `prepared_key` is the interface, and `verify` the algorithm of FIPS 186-5. `sum`, `recode` and `table` compute the
//! sum of points. `checks` and `vetting` are the checks above. `point` is the group. `residue`, `limbs`, `words` and
//! `inverse` are the arithmetic, `curve` has each curve's constants and reduction, and `fiat` is the arithmetic of the
//! checks.
//!
//! [fiat-crypto]: https://github.com/mit-plv/fiat-crypto

#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod checks;
mod curve;
mod fault;
mod fiat;
mod inverse;
mod key_refused;
mod limbs;
pub mod limits;
mod point;
mod prepared_key;
mod recode;
mod residue;
mod sum;
mod table;
#[cfg(feature = "test-hooks")]
pub mod test_hooks;
mod verdict;
mod verify;
mod vetting;
mod words;

pub use key_refused::KeyRefused;
pub use prepared_key::{Curve, PreparedKey};
pub use verdict::{Undecided, Verdict};
