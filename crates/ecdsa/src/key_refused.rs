use std::error::Error;
use std::fmt;

/// Why a key was refused.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum KeyRefused {
    /// The windows are narrower than [`MIN_WINDOW_BITS`](crate::limits::MIN_WINDOW_BITS) or wider than
    /// [`MAX_WINDOW_BITS`](crate::limits::MAX_WINDOW_BITS).
    WindowBits,
    /// The key is not an uncompressed point of the curve.
    Point,
    /// The tables were computed wrongly: a fault of this machine.
    Tables,
}

impl fmt::Display for KeyRefused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            KeyRefused::WindowBits => "the width of the windows is out of bounds",
            KeyRefused::Point => "the key is no uncompressed point of the curve",
            KeyRefused::Tables => "the tables were computed wrongly",
        })
    }
}

impl Error for KeyRefused {}
