//! Which route a request belongs to: the most specific match of host, path and method.
//!
//! A host is more specific than `*.` of it, and that than none; within a host, path segments decide from the left: a
//! literal before a parameter before the end of a prefix; last, a route that names methods before one that does not.
//!
//! # Invariants
//! * The order of routes in the file plays no part (`the_most_specific_route_wins_in_any_order`).
//! * A path is compared byte for byte as it is sent upstream: nothing is decoded on one side only.

use raptorgate_config::model::{HostPattern, PathPattern, Route, RouteMatch, Segment};
use std::cmp::Reverse;
use std::sync::Arc;

/// Routes, the most specific first.
#[derive(Debug)]
pub struct Router {
    entries: Vec<Entry>,
}

#[derive(Debug)]
struct Entry {
    matches: RouteMatch,
    index: usize,
}

/// What was found.
#[derive(Debug, PartialEq, Eq)]
pub enum Found {
    /// The route at this index of the configuration.
    Route(usize),
    /// Routes match but for the method; these methods are allowed.
    WrongMethod(Vec<String>),
    /// No route.
    Nothing,
}

impl Router {
    /// Sorts routes by how specific they are.
    pub fn new(routes: &[Arc<Route>]) -> Self {
        let entry = |(index, route): (usize, &Arc<Route>)| Entry { matches: route.matches.clone(), index };
        let mut entries: Vec<_> = routes.iter().enumerate().map(entry).collect();
        entries.sort_by_key(|e| rank(&e.matches));
        Self { entries }
    }

    /// Finds the route for a host (without port), path and method.
    pub fn find(&self, host: &str, path: &str, method: &str) -> Found {
        let mut allowed: Vec<String> = Vec::new();
        for entry in &self.entries {
            if !host_matches(entry.matches.host.as_ref(), host) || !path_matches(&entry.matches.path, path) {
                continue;
            }
            if method_matches(&entry.matches.methods, method) {
                return Found::Route(entry.index);
            }
            allowed.extend(entry.matches.methods.iter().cloned());
        }
        if allowed.is_empty() {
            return Found::Nothing;
        }
        allowed.sort();
        allowed.dedup();
        Found::WrongMethod(allowed)
    }
}

/// Smaller is more specific.
type Rank = ((u8, Reverse<usize>), Vec<u8>, bool);

fn rank(matches: &RouteMatch) -> Rank {
    let host = match &matches.host {
        Some(HostPattern::Exact(_)) => (0, Reverse(0)),
        Some(HostPattern::Suffix(suffix)) => (1, Reverse(suffix.len())),
        None => (2, Reverse(0)),
    };
    let mut path: Vec<u8> = matches.path.segments.iter().map(segment_rank).collect();
    path.push(if matches.path.prefix { 3 } else { 0 });
    (host, path, matches.methods.is_empty())
}

const fn segment_rank(segment: &Segment) -> u8 {
    match segment {
        Segment::Literal(_) => 1,
        Segment::Parameter(_) => 2,
    }
}

fn host_matches(pattern: Option<&HostPattern>, host: &str) -> bool {
    match pattern {
        None => true,
        Some(HostPattern::Exact(name)) => host.eq_ignore_ascii_case(name),
        Some(HostPattern::Suffix(suffix)) => {
            host.len().checked_sub(suffix.len()).and_then(|at| host.split_at_checked(at)).is_some_and(
                |(label, rest)| label.len() > 1 && label.ends_with('.') && rest.eq_ignore_ascii_case(suffix),
            )
        }
    }
}

fn path_matches(pattern: &PathPattern, path: &str) -> bool {
    let Some(path) = path.strip_prefix('/') else { return false };
    let mut rest = (!path.is_empty()).then_some(path);
    for segment in &pattern.segments {
        let Some(here) = rest else { return false };
        let (part, after) = here.split_once('/').map_or((here, None), |(part, after)| (part, Some(after)));
        let fits = match segment {
            Segment::Literal(text) => part == text,
            Segment::Parameter(_) => !part.is_empty(),
        };
        if !fits {
            return false;
        }
        rest = after;
    }
    pattern.prefix || rest.is_none()
}

fn method_matches(methods: &[String], method: &str) -> bool {
    methods.is_empty() || methods.iter().any(|m| m == method || (method == "HEAD" && m == "GET"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const YAML: &str = "version: 1
listeners: [{ address: 127.0.0.1:0 }]
upstreams: { u: { endpoints: [{ address: 127.0.0.1:1 }] } }
routes:
  - { name: all, match: { path: /* }, upstream: u }
  - { name: exact, match: { path: /v1/chat }, upstream: u }
  - { name: exact-post, match: { path: /v1/chat, methods: [POST] }, upstream: u }
  - { name: prefix, match: { path: /v1/* }, upstream: u }
  - { name: template, match: { path: '/v1/{id}' }, upstream: u }
  - { name: host, match: { host: api.x.in, path: /* }, upstream: u }
  - { name: wildcard, match: { host: '*.x.in', path: /* }, upstream: u }
";

    fn routes(reversed: bool) -> Vec<Arc<Route>> {
        let origin = raptorgate_config::Origin { file: "r.yaml".into(), folder: ".".into() };
        let mut routes = raptorgate_config::parse(YAML, &origin, &|_| None).expect("valid").config.routes;
        if reversed {
            routes.reverse();
        }
        routes
    }

    #[test]
    fn the_most_specific_route_wins_in_any_order() {
        let cases = [
            ("a.b", "/v1/chat", "POST", "exact-post"),
            ("a.b", "/v1/chat", "GET", "exact"),
            ("a.b", "/v1/other", "GET", "template"),
            ("a.b", "/v1/other/deep", "GET", "prefix"),
            ("a.b", "/v1", "GET", "prefix"),
            ("a.b", "/v1/", "GET", "prefix"),
            ("a.b", "/", "GET", "all"),
            ("API.X.IN", "/v1/chat", "POST", "host"),
            ("www.x.in", "/v1/chat", "POST", "wildcard"),
            ("x.in", "/nothing", "POST", "all"),
        ];
        for reversed in [false, true] {
            let routes = routes(reversed);
            let router = Router::new(&routes);
            for (host, path, method, name) in cases {
                let Found::Route(index) = router.find(host, path, method) else { panic!("{path}: no route") };
                assert_eq!(&*routes[index].name, name, "{host} {path} {method}");
            }
        }
    }

    #[test]
    fn a_wrong_method_names_the_right_ones() {
        let routes: Vec<_> = routes(false).into_iter().filter(|r| &*r.name == "exact-post").collect();
        let router = Router::new(&routes);
        assert_eq!(router.find("h", "/v1/chat", "GET"), Found::WrongMethod(vec!["POST".into()]));
        assert_eq!(router.find("h", "/v1/chats", "GET"), Found::Nothing);
    }
}
