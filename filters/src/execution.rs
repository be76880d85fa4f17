//! `execution`: which agent run a request belongs to.

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
pub struct ExecutionFilter {
    id: NameSource,
}

impl ExecutionFilter {
    /// Compiles a route's block.
    pub fn new(config: &model::Execution) -> Self {
        Self { id: NameSource::new(&config.id, "execution id") }
    }
}

fn decide(named: Result<Option<Arc<str>>, Denial>, exchange: &mut Exchange) -> Decision {
    match named {
        Ok(name) => {
            exchange.execution = name;
            Decision::Continue
        }
        Err(denial) => Decision::Deny(denial),
    }
}

#[async_trait]
impl Filter for ExecutionFilter {
    fn name(&self) -> FilterName {
        FilterName::Execution
    }

    fn phases(&self) -> Phases {
        self.id.phases()
    }

    async fn on_request(&self, head: &RequestHead<'_>, exchange: &mut Exchange) -> Decision {
        decide(self.id.from_head(head), exchange)
    }

    async fn on_request_body(&self, head: &RequestHead<'_>, body: &mut Payload, exchange: &mut Exchange) -> Decision {
        decide(self.id.from_body(head, body), exchange)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{exchange, headers, run};
    use raptorgate_config::model::{Execution, JsonStep, Source};

    #[tokio::test]
    async fn an_execution_is_named_in_a_header_or_in_the_body() {
        let header = ExecutionFilter::new(&Execution { id: Source::Header("x-execution-id".into()), lock: None });
        let steps = vec![JsonStep::Member("metadata".into()), JsonStep::Member("run".into())];
        let body = ExecutionFilter::new(&Execution { id: Source::Json(steps), lock: None });
        let sent = headers(&[("content-type", b"application/json"), ("x-execution-id", b"run-1")]);
        for (filter, id) in [(&header, "run-1"), (&body, "run-2")] {
            let mut exchange = exchange();
            run(filter, &sent, r#"{"metadata":{"run":"run-2"}}"#, &mut exchange).await.unwrap();
            assert_eq!(exchange.execution.as_deref(), Some(id));
        }
    }

    #[tokio::test]
    async fn no_execution_is_fine_and_a_bad_one_is_not() {
        let filter = ExecutionFilter::new(&Execution { id: Source::Header("x-execution-id".into()), lock: None });
        assert_eq!(run(&filter, &headers(&[]), "", &mut exchange()).await, Ok(()));
        let bad = run(&filter, &headers(&[("x-execution-id", b"\xfe")]), "", &mut exchange()).await;
        assert_eq!(bad, Err(Denial::InvalidIdentifier("execution id")));
    }
}
