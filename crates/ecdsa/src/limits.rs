//! Every limit of this crate, with the origin of its value.

use crate::recode::Windows;

/// Bits of a window of the generator's tables. A process has one table per curve.
///
/// With 8 bits, the tables take 256 KiB on P-256 and 576 KiB on P-384.
pub const GENERATOR_WINDOW_BITS: u32 = 8;

/// Bits of a window of a key's tables, for a usual number of keys.
///
/// With 7 bits, the tables take 145 KiB on P-256 and 330 KiB on P-384.
pub const KEY_WINDOW_BITS: u32 = 7;

/// Fewest bits of a window. Below, tables save little.
pub const MIN_WINDOW_BITS: u32 = 5;

/// Most bits of a window. Above, tables outgrow the caches that they are read from.
pub const MAX_WINDOW_BITS: u32 = 10;

/// Most windows of a scalar: those of P-384 at [`MIN_WINDOW_BITS`].
pub(crate) const MAX_WINDOWS: usize = Windows { scalar_bits: 384, window_bits: MIN_WINDOW_BITS }.count();
