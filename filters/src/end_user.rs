//! `end_user`: on whose behalf a service key acts.
//!
//! # Invariants
//! * Who names an end user without the scope for it is refused; who names none needs no scope
//!   (`only_a_key_with_the_scope_names_an_end_user`).

use crate::exchange::Exchange;
use crate::filter::{Decision, Filter, FilterName, Phases, RequestHead};
use crate::payload::Payload;
use crate::source::NameSource;
use async_trait::async_trait;
use raptorgate_config::model;
use raptorgate_policies::Denial;
use std::sync::Arc;

/// The filter of one route.
#[derive(Debug)]
pub struct EndUserFilter {
    id: NameSource,
    scope: Option<Arc<str>>,
}

impl EndUserFilter {
    /// Compiles a route's block.
    pub fn new(config: &model::EndUser) -> Self {
        Self { id: NameSource::new(&config.id, "end user"), scope: config.scope.clone() }
    }

    fn decide(&self, named: Result<Option<Arc<str>>, Denial>, exchange: &mut Exchange) -> Decision {
        match named {
            Err(denial) => Decision::Deny(denial),
            Ok(None) => Decision::Continue,
            Ok(Some(_)) if !self.may_name(exchange) => Decision::Deny(Denial::EndUserNotAllowed),
            Ok(Some(name)) => {
                exchange.end_user = Some(name);
                Decision::Continue
            }
        }
    }

    fn may_name(&self, exchange: &Exchange) -> bool {
        let Some(scope) = &self.scope else { return true };
        exchange.identity.as_ref().is_some_and(|identity| identity.scopes().contains(scope))
    }
}

#[async_trait]
impl Filter for EndUserFilter {
    fn name(&self) -> FilterName {
        FilterName::EndUser
    }

    fn phases(&self) -> Phases {
        self.id.phases()
    }

    async fn on_request(&self, head: &RequestHead<'_>, exchange: &mut Exchange) -> Decision {
        self.decide(self.id.from_head(head), exchange)
    }

    async fn on_request_body(&self, head: &RequestHead<'_>, body: &mut Payload, exchange: &mut Exchange) -> Decision {
        self.decide(self.id.from_body(head, body), exchange)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::authenticate::tests::filter as authenticate;
    use crate::testing::{exchange, headers, run};
    use raptorgate_config::model::{EndUser, JsonStep, Source};

    fn in_header(scope: Option<&str>) -> EndUserFilter {
        EndUserFilter::new(&EndUser { id: Source::Header("x-user".into()), scope: scope.map(Into::into) })
    }

    #[tokio::test]
    async fn only_a_key_with_the_scope_names_an_end_user() {
        for (has, needs, user, expected) in [
            (&["act_as"] as &[&str], Some("act_as"), Some(b"u1" as &'static [u8]), Ok(Some("u1"))),
            (&["act"], Some("act_as"), Some(b"u1"), Err(Denial::EndUserNotAllowed)),
            (&[], Some("act_as"), None, Ok(None)),
            (&[], None, Some(b"u1"), Ok(Some("u1"))),
            (&[], None, Some(b""), Err(Denial::InvalidIdentifier("end user"))),
        ] {
            let mut exchange = exchange();
            let user: Vec<_> = user.map(|user| ("x-user", user)).into_iter().collect();
            run(&authenticate("asha", has), &headers(&[("x-api-key", b"sk-one")]), "", &mut exchange).await.unwrap();
            let decided = run(&in_header(needs), &headers(&user), "", &mut exchange).await;
            assert_eq!(decided.map(|()| exchange.end_user.as_deref()), expected, "{has:?} {needs:?} {user:?}");
        }
    }

    #[tokio::test]
    async fn who_is_not_known_has_no_scope() {
        let decided = run(&in_header(Some("act_as")), &headers(&[("x-user", b"u1")]), "", &mut exchange()).await;
        assert_eq!(decided, Err(Denial::EndUserNotAllowed));
    }

    #[tokio::test]
    async fn an_end_user_may_stand_in_the_body() {
        let id = Source::Json(vec![JsonStep::Member("user".into())]);
        let filter = EndUserFilter::new(&EndUser { id, scope: None });
        let mut exchange = exchange();
        let sent = headers(&[("content-type", b"application/json"), ("x-user", b"other")]);
        run(&filter, &sent, r#"{"user":"u1"}"#, &mut exchange).await.unwrap();
        assert_eq!(exchange.end_user.as_deref(), Some("u1"));
    }
}
