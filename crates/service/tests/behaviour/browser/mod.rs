//! The pages in Chromium, through its driver: each flow clicked through at the width of a desk and of a phone, in light and in dark, and each
//! page looked at by axe-core (npm).
//!
//! Without Chromium or axe-core the tests are skipped; under `TOLLGATE_SKIP_NOTHING` axe-core is fetched, and what is missing fails them.
//! `TOLLGATE_SCREENSHOTS=FOLDER` keeps a picture of each page.

mod chromium;
mod demo;
mod device;
mod login;
mod logout;
mod profile;
mod sites;
mod visited_site;

pub(crate) use chromium::{Browser, in_chromium};
pub(crate) use visited_site::VisitedSite;
