//! Records for the tests of the table.
use std::sync::Arc;
use tollgate_apikeys::{Found, MatchedKey, Packed, Record};

/// A record of which the even ones are packed and the odd ones held whole.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Number(pub(crate) u64);

impl Record for Number {
    type Names = ();

    fn pack(&self, (): &()) -> Option<Packed> {
        self.0.is_multiple_of(2).then_some(Packed([1, self.0, 0, 0]))
    }

    fn unpack(packed: Packed, (): &()) -> Self {
        assert_eq!(packed.0[0], 1, "what was packed");
        Number(packed.0[1])
    }
}

pub(crate) fn record(number: u64) -> Arc<Number> {
    Arc::new(Number(number))
}

pub(crate) fn number_of(matched: MatchedKey<Number>) -> u64 {
    let number = match matched.found() {
        Found::Packed(packed, names) => Number::unpack(*packed, names),
        Found::Whole(record) => **record,
    };
    assert_eq!(*matched.into_record(), number);
    number.0
}
