//! The demo: accounts in a temporary store, curl lines that exercise every flow with them, a page that leads a person through, and two sites
//! that have their visitors log in here.

mod files;
mod pages;
mod seed;
mod sites;

pub(crate) use files::write;
pub(crate) use pages::welcome;
pub(crate) use seed::{Demo, seed};
pub(crate) use sites::{back, site};
