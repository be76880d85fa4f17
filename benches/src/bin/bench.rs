//! `bench [ROUNDS [SECONDS]]`: CPU per request of bare Pingora and of raptorgate, in interleaved rounds.
//!
//! Looks for `bare-pingora` and `raptorgate` beside itself. `scripts/bench` builds all three and starts this one.

use raptorgate_benches::contender::{Contender, FILTERS, Place};
use raptorgate_benches::load::{self, Job};
use raptorgate_benches::report::{Row, table};
use raptorgate_benches::workload::Workload;
use raptorgate_benches::{Failure, tls, upstream};
use std::time::Duration;

const WORKLOAD: Workload = Workload::PostSmall;
const ROUNDS: u32 = 3;
const ROUND_SECONDS: f64 = 1.5;
/// Load before each measurement: connections to the upstream are opened, caches are warm.
const WARM_UP: Duration = Duration::from_millis(300);

fn main() -> Result<(), Failure> {
    let mut arguments = std::env::args().skip(1);
    let rounds = arguments.next().map_or(Ok(ROUNDS), |a| a.parse())?;
    let seconds = arguments.next().map_or(Ok(ROUND_SECONDS), |a| a.parse())?;
    let folder = tempfile::tempdir()?;
    let programs = std::env::current_exe()?.parent().ok_or("no folder of programs")?.to_owned();
    let place = Place { programs, folder: folder.path().to_owned(), upstream: upstream::start()?, workload: WORKLOAD };
    let contenders = contenders(&place)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let rows = runtime.block_on(measure(&contenders, &place, rounds, Duration::from_secs_f64(seconds)))?;
    println!("{rounds} rounds of {seconds} s, 32 connections, {}, reply 1 KiB\n", WORKLOAD.name());
    print!("{}", table(&rows));
    Ok(())
}

fn contenders(place: &Place) -> Result<Vec<Contender>, Failure> {
    let mut all =
        vec![Contender::bare_pingora(place)?, Contender::raptorgate("raptorgate, filters off", place, &[], "off")?];
    for (name, block) in FILTERS {
        all.push(Contender::raptorgate(&format!("{name} alone"), place, &[block], "off")?);
    }
    let blocks = FILTERS.map(|(_, block)| block);
    all.push(Contender::raptorgate("all filters", place, &blocks, "off")?);
    all.push(Contender::raptorgate("all filters and access log", place, &blocks, "stdout")?);
    Ok(all)
}

async fn measure(contenders: &[Contender], place: &Place, rounds: u32, time: Duration) -> Result<Vec<Row>, Failure> {
    let tls = tls::certificate_and_client(&place.folder)?;
    let mut rows: Vec<Row> = contenders.iter().map(|c| Row::new(&c.name)).collect();
    for round in 1..=rounds {
        for (contender, row) in contenders.iter().zip(&mut rows) {
            eprintln!("round {round}: {}", contender.name);
            // masked or not, what the first reply was all others must be
            let mut job = Job::new(contender.address, WORKLOAD, tls.clone());
            job.reply = Some(load::first_reply(&job).await?);
            load::run(&job, WARM_UP).await?;
            let before = contender.tree.cpu_micros()?;
            let seen = load::run(&job, time).await?;
            row.add(contender.tree.cpu_micros()? - before, &seen);
        }
    }
    Ok(rows)
}
