//! All routes together: unique names, known upstreams, and no request that two of them could equally take.
//!
//! # Invariants
//! * Of two routes that match one request, one is more specific, or the file is refused (`equal_routes_are_ambiguous`).

use super::{Scope, blocks, once, route};
use crate::decode::{At, Context};
use crate::model::{HostPattern, PathPattern, Route, Segment};
use crate::patterns::Method;
use crate::problem::{Code, Finding, suggest};
use crate::routes::{MatchBlock, RouteBlock};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

pub(super) fn resolve(scope: &Scope<'_>, cx: &mut Context) -> Vec<Arc<Route>> {
    let routes: Vec<&RouteBlock> = scope.file.routes.iter().flat_map(|routes| &routes.0).collect();
    let (mut names, mut known) = (BTreeMap::new(), blocks::Known::default());
    blocks::check(&scope.file.defaults, scope, &mut known, cx);
    for block in &routes {
        if let Some(name) = &block.name {
            once(&mut names, name.shown(), name.at, "route", cx);
        }
        known_upstream(block, scope, cx);
        blocks::check(&block.blocks, scope, &mut known, cx);
    }
    tell_ambiguous(&routes, cx);
    routes.into_iter().filter_map(|block| route::resolve(block, scope, cx)).map(Arc::new).collect()
}

fn known_upstream(block: &RouteBlock, scope: &Scope<'_>, cx: &mut Context) {
    // Without any upstream that could be read, the one problem is told there.
    let (Some(upstream), Some(upstreams)) = (&block.upstream, &scope.file.upstreams) else { return };
    let known = upstreams.0.iter().map(|(name, _)| name.value.as_str());
    let name = upstream.value.as_str();
    if !known.clone().any(|known| known == name) {
        let message = format!("no upstream is called `{}`", upstream.shown());
        let nothing = || Some("add it under `upstreams`".to_owned());
        cx.tell(
            Finding::new(upstream.at, Code::UnknownName, message).maybe_help(suggest(name, known).or_else(nothing)),
        );
    }
}

/// Host and path without the names of parameters: what decides how specific a match is, besides methods.
type Shape = (Option<HostPattern>, Vec<Option<String>>, bool);

fn shape(block: &MatchBlock) -> Shape {
    let PathPattern { segments, prefix } = &block.path.value;
    let segments = segments.iter().map(|segment| match segment {
        Segment::Literal(text) => Some(text.clone()),
        Segment::Parameter(_) => None,
    });
    (block.host.clone(), segments.collect(), *prefix)
}

fn tell_ambiguous(routes: &[&RouteBlock], cx: &mut Context) {
    let mut by_shape: HashMap<Shape, Vec<&RouteBlock>> = HashMap::new();
    for route in routes {
        let Some(block) = &route.r#match else { continue };
        let alike = by_shape.entry(shape(block)).or_default();
        let rival = alike.iter().find(|rival| rival.r#match.as_ref().is_some_and(|rival| equal_methods(rival, block)));
        match rival {
            Some(rival) => cx.tell(ambiguous(route, block, rival)),
            None => alike.push(route),
        }
    }
}

/// A route with methods is more specific than one without; two with methods rival where they share one.
fn equal_methods(a: &MatchBlock, b: &MatchBlock) -> bool {
    let methods = |block: &MatchBlock| -> Vec<&'static str> {
        block.methods.iter().flat_map(|list| &list.0).map(|At { value: Method(name), .. }| *name).collect()
    };
    let (a, b) = (methods(a), methods(b));
    (a.is_empty() && b.is_empty()) || a.iter().any(|method| b.contains(method))
}

fn ambiguous(route: &RouteBlock, block: &MatchBlock, rival: &RouteBlock) -> Finding {
    let name = |route: &RouteBlock| route.name.as_ref().map(|name| name.shown()).unwrap_or_default();
    let line = rival.r#match.as_ref().map_or(rival.at.line, |rival| rival.path.at.line);
    let (own, other) = (name(route), name(rival));
    let message =
        format!("routes `{own}` and `{other}` (line {line}) match the same requests, and neither is more specific");
    Finding::new(block.path.at, Code::AmbiguousRoute, message)
        .help("tell them apart by host, path or methods; the order of routes means nothing")
}
