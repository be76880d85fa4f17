//! The laws on every store. Another store is one more line of `on`.

use crate::laws::{accounts, admissions, endings, entries, keys, limits};
use crate::reference::Reference;
use crate::servers::{Program, Server};
use raptorgate_policies::store::Store;
use raptorgate_policies::store::embedded::{Embedded, EmbeddedOptions};
use tempfile::TempDir;

/// A store, and what it stands on.
pub struct Opened {
    pub store: Box<dyn Store>,
    ground: Ground,
}

enum Ground {
    Memory,
    Folder(TempDir),
    Server { _server: Server },
}

impl Opened {
    pub fn reference() -> Self {
        Self { store: Box::new(Reference::default()), ground: Ground::Memory }
    }

    /// One that makes checkpoints all the time.
    pub fn embedded() -> Self {
        Self::embedded_in(TempDir::new().unwrap())
    }

    fn embedded_in(folder: TempDir) -> Self {
        let options = EmbeddedOptions { checkpoint_bytes: 50_000, ..EmbeddedOptions::default() };
        let store = Embedded::open(folder.path(), options).unwrap();
        Self { store: Box::new(store), ground: Ground::Folder(folder) }
    }

    /// Ends a store in a folder and opens it again.
    pub fn opened_again(self) -> Self {
        drop(self.store);
        match self.ground {
            Ground::Folder(folder) => Self::embedded_in(folder),
            Ground::Memory | Ground::Server { .. } => panic!("only what has a folder is opened again"),
        }
    }

    pub fn on(program: Program) -> Self {
        let server = Server::start(program);
        Self { store: Box::new(server.store()), ground: Ground::Server { _server: server } }
    }
}

macro_rules! laws {
    ($open:expr; $($room:ident: $($law:ident)*;)*) => {
        $($(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $law() {
                let opened = $open;
                $room::$law(opened.store.as_ref()).await;
            }
        )*)*
    };
}

macro_rules! on {
    ($store:ident, $open:expr) => {
        mod $store {
            use super::*;
            laws! { $open;
                admissions: admitting_again_takes_nothing_again a_refusal_leaves_no_trace one_id_is_one_request
                    an_admission_that_comes_after_its_void_takes_nothing a_soft_budget_is_only_watched
                    a_thousand_requests_with_room_for_seven_hundred a_hold_grows_as_far_as_the_budget_goes
                    a_store_that_forgot_a_hold_has_it_again_with_its_renewal an_operation_that_breaks_a_bound_is_refused
                    the_store_has_a_clock_of_its_own amounts_are_exact_to_the_edge_of_64_bits;
                endings: settling_twice_charges_once a_cost_that_comes_late_is_charged_all_the_same
                    a_renewal_keeps_a_hold_alive many_end_in_order_in_one_go a_store_that_is_behind_says_from_where
                    how_thousands_ended_is_known a_void_tells_its_reason_ever_after an_estimate_is_marked
                    all_that_are_due_are_given_up a_failed_attempt_is_told_once_and_charged_to_nobody;
                keys: a_key_runs_one_request_and_replays_its_reply a_reply_of_any_bytes_comes_back
                    a_key_whose_owner_died_is_taken_over_before_it_was_sent_and_unknown_after
                    a_lock_is_taken_in_turn a_renewal_keeps_the_key who_waits_asks_without_taking;
                limits: as_many_run_as_may a_burst_is_one_window_and_the_told_wait_is_exact what_was_charged_too_much_comes_back
                    of_several_rates_the_slowest_is_told;
                accounts: an_operators_limit_holds_until_it_is_taken_back a_credit_counts_once tenants_do_not_meet
                    accounts_are_listed_in_pages_by_name names_of_any_bytes_do_no_harm
                    accounts_of_past_windows_are_dropped a_cost_that_comes_after_its_account_was_dropped_is_charged
                    as_many_are_dropped_at_once_as_one_record_holds;
                entries: lines_are_chained_and_paged what_is_trimmed_is_gone_and_the_chain_goes_on
                    what_is_not_this_ledger_trims_nothing;
            }
        }
    };
}

on!(reference, Opened::reference());
on!(embedded, Opened::embedded());
on!(redis, Opened::on(Program::Redis));
on!(valkey, Opened::on(Program::Valkey));
