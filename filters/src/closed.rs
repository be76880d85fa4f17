//! Stands in the place of a guard that could not be made: nothing passes.
//!
//! A configuration that was checked always makes its guards; should one not, a route without it would be worse than none.

use crate::exchange::Exchange;
use crate::filter::{Decision, Filter, FilterName, Phases, RequestHead};
use async_trait::async_trait;
use raptorgate_policies::Denial;

/// The filter.
pub struct Closed(pub FilterName);

#[async_trait]
impl Filter for Closed {
    fn name(&self) -> FilterName {
        self.0
    }

    fn phases(&self) -> Phases {
        Phases { request: true, ..Phases::default() }
    }

    async fn on_request(&self, _head: &RequestHead<'_>, _exchange: &mut Exchange) -> Decision {
        Decision::Deny(Denial::Internal)
    }
}
