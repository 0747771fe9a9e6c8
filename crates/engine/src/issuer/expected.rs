use std::fmt;

use tollgate_jwt::json::{Number, Value};

/// The expected values of a claim: strings, numbers and booleans. A claim that is an array has to contain one of them.
///
/// Nothing is converted: `true` is not `"true"`, and `1` is not `"1"`. Numbers are compared by value: `1` equals `1.0`.
///
/// ```
/// use tollgate::Expected;
///
/// let tiers = Expected::from(["silver", "gold"]);
/// assert_eq!(tiers.to_string(), r#""gold" or "silver""#);
/// assert_eq!(Expected::from(true).to_string(), "true");
/// ```
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Expected {
    /// Sorted.
    strings: Vec<Box<str>>,
    numbers: Vec<ExpectedNumber>,
    /// Whether `false`, and whether `true`, is expected.
    booleans: [bool; 2],
}

/// One value that a claim may have.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum ExpectedValue {
    /// A string.
    String(Box<str>),
    /// An integer.
    Integer(i64),
    /// A number with a fraction. From 2^53 on, several numbers are read as one double, so such a value equals nothing.
    Float(f64),
    /// `true` or `false`.
    Bool(bool),
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum ExpectedNumber {
    Integer(i64),
    /// The bits of a double.
    Float(u64),
}

/// Above this, a double represents more than one integer.
const MAX_SAFE_INTEGER: f64 = 9_007_199_254_740_991.0;

/// Up to so many strings are compared one by one, which mostly ends at their lengths.
const FEW: usize = 8;

impl Expected {
    /// Whether a claim may have this value, or is an array with such a value.
    pub(crate) fn admits(&self, value: Value<'_, '_>) -> bool {
        match value {
            Value::Array(array) => array.iter().any(|entry| self.admits_one(entry)),
            _ => self.admits_one(value),
        }
    }

    fn admits_one(&self, value: Value<'_, '_>) -> bool {
        match value {
            Value::String(text) if self.strings.len() <= FEW => self.strings.iter().any(|one| **one == *text),
            Value::String(text) => self.strings.binary_search_by(|one| (**one).cmp(text)).is_ok(),
            Value::Number(number) => self.numbers.iter().any(|one| one.is(number)),
            Value::Bool(value) => self.booleans[usize::from(value)],
            _ => false,
        }
    }

    /// Whether nothing is expected, so that every value would be refused.
    pub(crate) fn is_empty(&self) -> bool {
        self.strings.is_empty() && self.numbers.is_empty() && self.booleans == [false; 2]
    }

    /// Whether each number is represented exactly.
    pub(crate) fn is_exact(&self) -> bool {
        self.numbers.iter().all(|number| match number {
            ExpectedNumber::Integer(_) => true,
            ExpectedNumber::Float(bits) => is_safe(f64::from_bits(*bits)),
        })
    }
}

impl ExpectedNumber {
    fn is(self, number: Number) -> bool {
        match (self, number) {
            (ExpectedNumber::Integer(expected), Number::Signed(value)) => expected == value,
            (ExpectedNumber::Integer(expected), Number::Unsigned(value)) => i64::try_from(value) == Ok(expected),
            (ExpectedNumber::Integer(expected), Number::Float(value)) => is_integer(value, expected),
            (ExpectedNumber::Float(bits), Number::Signed(value)) => is_integer(f64::from_bits(bits), value),
            (ExpectedNumber::Float(bits), Number::Unsigned(value)) => {
                i64::try_from(value).is_ok_and(|value| is_integer(f64::from_bits(bits), value))
            }
            (ExpectedNumber::Float(bits), Number::Float(value)) => {
                let expected = f64::from_bits(bits);
                is_safe(expected) && expected == value
            }
        }
    }
}

fn is_safe(value: f64) -> bool {
    value.abs() <= MAX_SAFE_INTEGER
}

/// Exact: a double that represents several integers equals none of them.
fn is_integer(value: f64, integer: i64) -> bool {
    is_safe(value) && value.fract() == 0.0 && value as i64 == integer
}

impl FromIterator<ExpectedValue> for Expected {
    fn from_iter<I: IntoIterator<Item = ExpectedValue>>(values: I) -> Self {
        let mut expected = Expected::default();
        for value in values {
            match value {
                ExpectedValue::String(text) => expected.strings.push(text),
                ExpectedValue::Integer(value) => expected.numbers.push(ExpectedNumber::Integer(value)),
                ExpectedValue::Float(value) => expected.numbers.push(ExpectedNumber::Float(value.to_bits())),
                ExpectedValue::Bool(value) => expected.booleans[usize::from(value)] = true,
            }
        }
        expected.strings.sort_unstable();
        expected
    }
}

impl<V: Into<ExpectedValue>> From<V> for Expected {
    fn from(value: V) -> Self {
        Expected::from_iter([value.into()])
    }
}

impl<V: Into<ExpectedValue>, const N: usize> From<[V; N]> for Expected {
    fn from(values: [V; N]) -> Self {
        values.into_iter().map(Into::into).collect()
    }
}

impl<V: Into<ExpectedValue>> From<Vec<V>> for Expected {
    fn from(values: Vec<V>) -> Self {
        values.into_iter().map(Into::into).collect()
    }
}

impl From<&str> for ExpectedValue {
    fn from(text: &str) -> Self {
        ExpectedValue::String(text.into())
    }
}

impl From<String> for ExpectedValue {
    fn from(text: String) -> Self {
        ExpectedValue::String(text.into())
    }
}

impl From<i64> for ExpectedValue {
    fn from(value: i64) -> Self {
        ExpectedValue::Integer(value)
    }
}

impl From<i32> for ExpectedValue {
    fn from(value: i32) -> Self {
        ExpectedValue::Integer(value.into())
    }
}

impl From<f64> for ExpectedValue {
    fn from(value: f64) -> Self {
        ExpectedValue::Float(value)
    }
}

impl From<bool> for ExpectedValue {
    fn from(value: bool) -> Self {
        ExpectedValue::Bool(value)
    }
}

impl fmt::Display for Expected {
    /// The values as JSON, apart from some escapes of `Debug`, joined by `or`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut separator = "";
        let mut next = || std::mem::replace(&mut separator, " or ");
        for text in &self.strings {
            write!(f, "{}{text:?}", next())?;
        }
        for number in &self.numbers {
            match number {
                ExpectedNumber::Integer(value) => write!(f, "{}{value}", next())?,
                ExpectedNumber::Float(bits) => write!(f, "{}{:?}", next(), f64::from_bits(*bits))?,
            }
        }
        for value in [false, true] {
            if self.booleans[usize::from(value)] {
                write!(f, "{}{value}", next())?;
            }
        }
        Ok(())
    }
}
