//! The items of `tollgate-apikeys` that the engine uses, as types without values.

use std::convert::Infallible;
use std::marker::PhantomData;

#[derive(Debug)]
pub(crate) struct ApiKeyTable<R>(Infallible, PhantomData<R>);

pub(crate) struct KeyFormat(Infallible);

#[derive(Debug)]
pub(crate) struct LastUse(Infallible);

pub(crate) struct MatchedKey<R>(Infallible, PhantomData<R>);

pub(crate) struct Digest(Infallible);

#[derive(Debug)]
pub(crate) struct KeyError(Infallible);

pub(crate) struct NativeKey;

impl<R> ApiKeyTable<R> {
    pub(crate) fn find(&self, _presented: &[u8]) -> Result<MatchedKey<R>, KeyError> {
        match self.0 {}
    }

    pub(crate) fn format(&self) -> &KeyFormat {
        match self.0 {}
    }
}

impl KeyFormat {
    pub(crate) fn claims(&self, _presented: &[u8]) -> bool {
        match self.0 {}
    }

    pub(crate) fn head(&self) -> &str {
        match self.0 {}
    }
}

impl LastUse {
    pub(crate) fn note(&self, _digest: &Digest, _now: i64) {
        match self.0 {}
    }
}

impl<R> MatchedKey<R> {
    pub(crate) fn record(&self) -> &R {
        match self.0 {}
    }

    pub(crate) fn digest(&self) -> &Digest {
        match self.0 {}
    }
}

impl<R> Clone for MatchedKey<R> {
    fn clone(&self) -> Self {
        match self.0 {}
    }
}

impl NativeKey {
    /// This build makes no keys, so no token is one.
    pub(crate) fn parse(_presented: &[u8]) -> Result<Self, ()> {
        Err(())
    }
}

pub(super) fn is_unknown(error: &KeyError) -> bool {
    match error.0 {}
}
