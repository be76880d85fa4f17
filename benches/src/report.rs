//! The table: CPU per request of each proxy and its ratio to the first one.

use crate::load::Seen;
use crate::statistics::Summary;

/// All rounds of one proxy.
#[derive(Debug)]
pub struct Row {
    /// Its name.
    pub name: String,
    /// CPU microseconds per request, request rate, p50 and p99 in microseconds; one entry a round.
    rounds: Vec<[f64; 4]>,
}

impl Row {
    /// A proxy without rounds.
    pub fn new(name: &str) -> Self {
        Self { name: name.into(), rounds: Vec::new() }
    }

    /// Adds a round.
    pub fn add(&mut self, cpu_micros: f64, seen: &Seen) {
        let micros = |share| seen.quantile(share).as_secs_f64() * 1e6;
        let requests = seen.latencies.len().max(1) as f64;
        self.rounds.push([cpu_micros / requests, seen.rate(), micros(0.5), micros(0.99)]);
    }

    fn summary<const COLUMN: usize>(&self) -> Summary {
        Summary::of(self.rounds.iter().filter_map(|r| r.get(COLUMN).copied()))
    }
}

/// A Markdown table. Ratios are of the minima: other load on the machine only ever adds.
pub fn table(rows: &[Row]) -> String {
    let mut text =
        "| proxy | CPU us/request min | median | x bare (min) | req/s median | p50 us | p99 us |\n".to_owned();
    text.push_str("|---|---:|---:|---:|---:|---:|---:|\n");
    let bare = rows.first().map_or(f64::NAN, |row| row.summary::<0>().min);
    for row in rows {
        text.push_str(&format!(
            "| {} | {:.1} | {:.1} | {:.2} | {:.0} | {:.0} | {:.0} |\n",
            row.name,
            row.summary::<0>().min,
            row.summary::<0>().median,
            row.summary::<0>().min / bare,
            row.summary::<1>().median,
            row.summary::<2>().median,
            row.summary::<3>().median,
        ));
    }
    text
}
