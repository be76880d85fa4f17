//! The comparison: all proxies under all workloads, in interleaved rounds, and the tables that come of it.

use crate::Failure;
use crate::contender::{Contender, FILTERS, Place};
use crate::load::{self, Job};
use crate::peers::Peers;
use crate::process::processor_seconds;
use crate::statistics::Summary;
use crate::workload::Workload;
use rustls::ClientConfig;
use std::sync::Arc;
use std::time::Duration;

/// Share of its processor below which a proxy did not limit its requests per second.
const BUSY_MIN: f64 = 0.95;

/// How often and how long.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// Stretches of each proxy and workload.
    pub rounds: usize,
    /// Load before each, which is not measured: connections to the upstream are opened, caches are warm.
    pub warm_up: Duration,
    /// Length of each.
    pub time: Duration,
}

/// What one stretch measured.
#[derive(Clone, Copy, Debug)]
struct Round {
    cpu_micros: f64,
    per_second: f64,
    p50_ms: f64,
    p99_ms: f64,
    /// Share of its processor that the proxy used.
    busy: f64,
}

/// One proxy under one workload.
#[derive(Debug)]
struct Line {
    name: String,
    rounds: Vec<Round>,
    peak_mib: f64,
}

/// One workload.
#[derive(Debug)]
struct Section {
    workload: Workload,
    lines: Vec<Line>,
}

/// All that was measured.
#[derive(Debug, Default)]
pub struct Comparison {
    sections: Vec<Section>,
    /// Seconds that were measured, that others used the proxies' processor in, and that the host did not give.
    seconds: f64,
    foreign: f64,
    stolen: f64,
}

/// Measures everything, and tells each cell as it comes.
///
/// # Errors
/// A proxy did not start, or a reply was wrong: nothing of such a run counts.
pub async fn run(
    peers: &Peers,
    mut place: Place,
    workloads: &[Workload],
    tls: Arc<ClientConfig>,
    plan: Plan,
) -> Result<Comparison, Failure> {
    let mut comparison = Comparison::default();
    for &workload in workloads {
        place.workload = workload;
        let contenders = start(peers, &place)?;
        let jobs = jobs(&contenders, workload, &tls).await?;
        let lines = contenders.iter().map(|c| Line { name: c.name.clone(), rounds: Vec::new(), peak_mib: 0.0 });
        let mut lines: Vec<Line> = lines.collect();
        for round in 0..plan.rounds {
            let order = (0..contenders.len()).map(|i| (i + round) % contenders.len());
            for index in order {
                let (Some(contender), Some(job), Some(line)) =
                    (contenders.get(index), jobs.get(index), lines.get_mut(index))
                else {
                    continue;
                };
                let what = format!("{}, {}", contender.name, workload.name());
                let measured = comparison.measure(contender, job, plan).await.map_err(|e| format!("{what}: {e}"))?;
                println!("{}/{} {:28} {}", round + 1, plan.rounds, workload.name(), told(&contender.name, measured));
                line.rounds.push(measured);
            }
        }
        for (contender, line) in contenders.iter().zip(&mut lines) {
            line.peak_mib = contender.tree.peak_mib()?;
        }
        comparison.sections.push(Section { workload, lines });
    }
    Ok(comparison)
}

fn told(name: &str, round: Round) -> String {
    format!(
        "{name:24} {:8.1} us/request {:8.0} /s  p50 {:7.2} ms  p99 {:7.2} ms  busy {:3.0} %",
        round.cpu_micros,
        round.per_second,
        round.p50_ms,
        round.p99_ms,
        round.busy * 100.0
    )
}

/// All proxies, new ones for each workload, so that their memory is that of this workload.
fn start(peers: &Peers, place: &Place) -> Result<Vec<Contender>, Failure> {
    let blocks = FILTERS.map(|(_, block)| block);
    Ok(vec![
        peers.nginx(place)?,
        peers.haproxy(place)?,
        peers.envoy(place)?,
        Contender::bare_pingora(place)?,
        Contender::raptorgate("raptorgate, filters off", place, &[], "off")?,
        Contender::raptorgate("raptorgate, all filters", place, &blocks, "off")?,
    ])
}

/// What each is asked, and what it must answer: the last one masks, the others change nothing.
async fn jobs(contenders: &[Contender], workload: Workload, tls: &Arc<ClientConfig>) -> Result<Vec<Job>, Failure> {
    let mut jobs = Vec::new();
    for (index, contender) in contenders.iter().enumerate() {
        let mut job = Job::new(contender.address, workload, tls.clone());
        let first = load::first_reply(&job).await.map_err(|e| format!("{}: {e}", contender.name))?;
        let masks = index + 1 == contenders.len();
        job.reply = Some(if masks { workload.masked_reply(&first)? } else { workload.reply().into() });
        jobs.push(job);
    }
    Ok(jobs)
}

impl Comparison {
    async fn measure(&mut self, contender: &Contender, job: &Job, plan: Plan) -> Result<Round, Failure> {
        load::run(job, plan.warm_up).await?;
        let ((busy, stolen), cpu) = (processor_seconds()?, contender.tree.cpu_micros()?);
        let seen = load::run(job, plan.time).await?;
        let ((busy_after, stolen_after), cpu_after) = (processor_seconds()?, contender.tree.cpu_micros()?);
        let (cpu, took) = (cpu_after - cpu, seen.took.as_secs_f64());
        self.seconds += took;
        self.foreign += (busy_after - busy) - cpu / 1e6;
        self.stolen += stolen_after - stolen;
        let millis = |share| seen.quantile(share).as_secs_f64() * 1e3;
        Ok(Round {
            cpu_micros: cpu / seen.latencies.len().max(1) as f64,
            per_second: seen.rate(),
            p50_ms: millis(0.5),
            p99_ms: millis(0.99),
            busy: cpu / 1e6 / took.max(f64::MIN_POSITIVE),
        })
    }

    /// Markdown: CPU of all, then a table for each workload.
    pub fn tables(&self) -> String {
        let mut text = self.overview();
        for section in &self.sections {
            text.push_str(&section.table());
        }
        text
    }

    /// How quiet the machine was, in one sentence.
    pub fn quietness(&self) -> String {
        let share = |seconds: f64| 100.0 * seconds.max(0.0) / self.seconds.max(f64::MIN_POSITIVE);
        format!(
            "While it was measured, everything but the proxy took {:.1} % of the proxies' processor, and the host kept {:.1} % of it for others",
            share(self.foreign),
            share(self.stolen)
        )
    }

    fn overview(&self) -> String {
        let mut text = "CPU microseconds per request, median of the rounds:\n\n| |".to_owned();
        for section in &self.sections {
            text.push_str(&format!(" {} |", section.workload.name()));
        }
        text.push_str(&format!("\n|---|{}\n", "---:|".repeat(self.sections.len())));
        for (index, first) in self.sections.first().map(|s| &s.lines).into_iter().flatten().enumerate() {
            let lines = self.sections.iter().filter_map(|s| s.lines.get(index));
            let cells: String = lines.map(|l| format!(" {} |", figure(l.summary(|r| r.cpu_micros).median))).collect();
            text.push_str(&format!("| {} |{cells}\n", first.name));
        }
        text
    }
}

impl Section {
    fn table(&self) -> String {
        let mut text = format!(
            "\n#### {}\n\n| proxy | CPU us/request | lowest - highest | requests/s | p50 ms | p99 ms | busy | peak RSS MiB |\n",
            self.workload.name()
        );
        text.push_str("|---|---:|---:|---:|---:|---:|---:|---:|\n");
        for line in &self.lines {
            let (cpu, busy) = (line.summary(|r| r.cpu_micros), line.summary(|r| r.busy).median);
            let bound = if busy < BUSY_MIN { "≥ " } else { "" };
            text.push_str(&format!(
                "| {} | {} | {} - {} | {bound}{:.0} | {} | {} | {:.0} % | {:.0} |\n",
                line.name,
                figure(cpu.median),
                figure(cpu.min),
                figure(cpu.max),
                line.summary(|r| r.per_second).median,
                figure(line.summary(|r| r.p50_ms).median),
                figure(line.summary(|r| r.p99_ms).median),
                busy * 100.0,
                line.peak_mib
            ));
        }
        text
    }
}

impl Line {
    fn summary(&self, measure: impl Fn(&Round) -> f64) -> Summary {
        Summary::of(self.rounds.iter().map(measure))
    }
}

/// Three digits that mean something.
fn figure(value: f64) -> String {
    let decimals = if value < 1.0 {
        3
    } else if value < 10.0 {
        2
    } else if value < 100.0 {
        1
    } else {
        0
    };
    format!("{value:.decimals$}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(name: &str, cpu: [f64; 3], busy: f64) -> Line {
        let round = |cpu_micros| Round { cpu_micros, per_second: 1000.0, p50_ms: 0.5, p99_ms: 123.4, busy };
        Line { name: name.into(), rounds: cpu.map(round).to_vec(), peak_mib: 8.4 }
    }

    #[test]
    fn tables_hold_medians_spreads_and_whether_the_proxy_was_the_limit() {
        let lines = vec![line("full", [30.0, 10.0, 20.04], 1.0), line("idle", [1.0, 2.0, 3.0], 0.5)];
        let comparison =
            Comparison { sections: vec![Section { workload: Workload::Get, lines }], ..Comparison::default() };
        let text = comparison.tables();
        assert!(text.contains("| | GET |\n|---|---:|\n| full | 20.0 |\n| idle | 2.00 |\n"), "{text}");
        assert!(text.contains("| full | 20.0 | 10.0 - 30.0 | 1000 | 0.500 | 123 | 100 % | 8 |\n"), "{text}");
        assert!(text.contains("| idle | 2.00 | 1.00 - 3.00 | ≥ 1000 | 0.500 | 123 | 50 % | 8 |\n"), "{text}");
    }
}
