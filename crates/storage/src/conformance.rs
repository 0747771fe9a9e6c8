//! The tests for every implementation of [`KeyStore`] and of [`AccountStore`](crate::AccountStore).
//!
//! An implementation supplies a [`World`], which opens, damages and restores a store, and runs all tests with
//! [`key_store_conformance!`](crate::key_store_conformance), each on its own empty store:
//!
//! ```ignore
//! tollgate_storage::key_store_conformance!(MyWorld::new().await);
//! ```
//!
//! They do not cover failures of a whole process or machine: `kill -9`, a full disk, a failover.

#![expect(
    missing_docs,
    clippy::missing_panics_doc,
    reason = "a test's name is what it says, and one that fails panics"
)]

mod accounts;
mod audit;
mod clients;
mod commands;
mod consents;
mod contention;
mod derived;
mod device_authorizations;
mod devices;
mod feed;
mod following;
mod gate;
mod logout;
mod look_ups;
mod pushed_requests;
mod refresh;
mod sample;
mod sites;
mod snapshots;
mod spent_jtis;

pub use accounts::*;
pub use audit::*;
pub use clients::*;
pub use commands::*;
pub use consents::*;
pub use contention::*;
pub use derived::*;
pub use device_authorizations::*;
pub use devices::*;
pub use feed::*;
pub use following::*;
pub use gate::*;
pub use logout::*;
pub use look_ups::*;
pub use pushed_requests::*;
pub use refresh::*;
pub use sites::*;
pub use snapshots::*;
pub use spent_jtis::*;

use crate::key_store::KeyStore;
use async_trait::async_trait;
use std::sync::Arc;

/// An empty store, and operations on it from outside.
#[async_trait]
pub trait World: Send + Sync {
    /// The store, opened as by another process.
    async fn open(&self) -> Arc<dyn KeyStore>;

    /// Copies the whole store.
    async fn save(&self);

    /// Restores the copy while the store stays open.
    async fn restore(&self);

    /// Corrupts the row of that key, except for its digest, without a change in the log.
    async fn corrupt(&self, key_id: &str);

    /// Corrupts the row of that client, except for its id, without a change in the log.
    async fn corrupt_client(&self, id: &str);
}

/// Runs all tests of [`conformance`](crate::conformance), each as its own test, on the [`World`](crate::conformance::World)
/// that the expression creates. The calling crate depends on tokio with `macros` and `rt-multi-thread`.
#[macro_export]
macro_rules! key_store_conformance {
    ($world:expr) => {
        $crate::key_store_conformance!(@each $world =>
            what_is_added_comes_back_as_it_was
            each_command_is_done_or_refused_by_itself
            a_key_changes_state_until_it_is_revoked
            a_key_is_changed_only_if_it_is_as_it_was_read
            a66_what_was_made_with_a_key_ends_with_it
            a66_what_was_made_with_a_key_ends_when_the_overlap_of_its_rotation_does
            a67_a_key_that_was_made_with_another_can_do_no_more
            a67_a_session_needs_a_key_that_is_good_as_long
            a68_a_key_that_is_not_current_is_not_rotated
            a68_a_successor_may_do_no_more
            an_import_is_made_whole_or_not_at_all
            the_stricter_revocation_counts
            opaque_tokens_are_revoked_by_whom_they_are_of
            a71_what_a_subject_was_issued_ends_with_its_keys
            a82_what_has_ended_is_forgotten_and_a_revocation_after_the_leeway
            a_client_and_its_secret_are_registered_both_or_not_at_all
            a_client_of_each_kind_comes_back_as_it_was
            a_clients_scopes_are_sorted_wherever_they_come_from
            a_client_is_disabled_enabled_and_removed_with_what_it_was_issued
            a68_a_clients_secret_is_rotated_if_it_is_current
            a68_of_eight_rotations_at_once_one_succeeds
            of_many_that_add_one_id_one_succeeds
            a83_a_maximum_holds_whoever_adds_at_once
            no_change_of_64_writers_is_skipped_and_their_order_is_that_of_commits
            everything_that_changes_is_in_the_feed
            a_reader_resumes_where_it_was
            a_reader_that_is_too_far_behind_is_told
            a81_a_position_of_another_history_is_not_good
            a81_a_restored_copy_is_noticed_when_as_many_changes_were_made_again
            a_waiting_reader_is_woken_by_another_process
            a_heartbeat_moves_the_end_and_changes_nothing
            a_command_writes_down_who_asked_for_it_and_what_came_of_it
            an_import_that_fails_leaves_no_record_of_it
            audit_records_are_listed_by_page_and_filter_and_forgotten
            a78_of_records_that_are_written_at_once_those_that_were_given_up_are_not
            what_is_too_long_for_an_audit_record_is_cut_off
            a_snapshot_is_everything_with_revocations_first
            a_snapshot_is_one_state_while_others_write
            keys_are_listed_by_page_and_filter
            live_keys_are_those_that_are_not_at_their_end
            clients_and_revocations_are_listed_by_page
            an_engine_goes_by_what_another_process_changes
            a_follower_has_the_registered_clients
            a79_a_client_that_cannot_be_decoded_is_no_unregistered_one
            a51_a_bound_token_stays_bound_on_every_way_to_an_engine
            a78_what_was_given_up_is_not_written
            a79_a_row_that_cannot_be_decoded_stops_nothing_but_itself
        );
    };
    (@each $world:expr => $($name:ident)*) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                $crate::conformance::$name(&$world).await;
            }
        )*
    };
}
