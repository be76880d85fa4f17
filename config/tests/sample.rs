//! The sample with every key loads and means what it says.

use raptorgate_config::model::{ApiFormat, OnDisconnect, PiiAction, PiiType, Source};
use raptorgate_config::{Loaded, Origin, parse};
use std::path::Path;

const SAMPLE: &str = include_str!("data/sample.yaml");

fn env(name: &str) -> Option<String> {
    match name {
        "SAMPLE_RAVI_KEY" => Some("sk-ravi".to_owned()),
        _ => None,
    }
}

fn sample() -> Loaded {
    let origin = Origin::of(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/sample.yaml"));
    parse(SAMPLE, &origin, &env).unwrap_or_else(|problems| panic!("{problems}"))
}

#[test]
fn the_sample_means_what_it_says() {
    let Loaded { config, hash, .. } = sample();
    assert_eq!(hash.len(), 8);
    assert!(config.admin.token.is_none(), "an empty token is none");
    let route = &config.routes[0];
    assert_eq!(route.format, ApiFormat::OpenAi);
    assert_eq!(route.on_disconnect, OnDisconnect::Finish);
    assert!(matches!(route.end_user.as_ref().map(|user| &user.id), Some(Source::Json(_))));
    let mask = route.mask_pii.as_ref().unwrap();
    assert!(mask.response.contains(&(PiiType::Aadhaar, PiiAction::Mask { keep_last: 4 })));
    assert_eq!(route.authenticate.as_ref().unwrap().api_keys.len(), 2);
}
