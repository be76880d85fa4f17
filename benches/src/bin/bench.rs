//! `bench [ROUNDS [SECONDS]]`: CPU per request of bare Pingora and of raptorgate, in interleaved rounds.
//!
//! Looks for `bare-pingora` and `raptorgate` beside itself. `scripts/bench` builds all three and starts this one.

use raptorgate_benches::contender::{API_KEY, Contender, FILTERS, Place};
use raptorgate_benches::report::{Row, table};
use raptorgate_benches::{Failure, load, upstream};
use std::sync::Arc;
use std::time::Duration;

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
    let place = Place { programs, folder: folder.path().to_owned(), upstream: upstream::start()? };
    let contenders = contenders(&place)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let rows = runtime.block_on(measure(&contenders, rounds, Duration::from_secs_f64(seconds)))?;
    println!("{rounds} rounds of {seconds} s, {} connections, POST 1 KiB, reply 1 KiB\n", load::CONNECTIONS);
    print!("{}", table(&rows));
    Ok(())
}

fn contenders(place: &Place) -> Result<Vec<Contender>, Failure> {
    let mut all = vec![
        Contender::bare_pingora(&place.programs, place.upstream)?,
        Contender::raptorgate("raptorgate, filters off", place, &[], "off")?,
    ];
    for (name, block) in FILTERS {
        all.push(Contender::raptorgate(&format!("{name} alone"), place, &[block], "off")?);
    }
    let blocks = FILTERS.map(|(_, block)| block);
    all.push(Contender::raptorgate("all filters", place, &blocks, "off")?);
    all.push(Contender::raptorgate("all filters and access log", place, &blocks, "stdout")?);
    Ok(all)
}

async fn measure(contenders: &[Contender], rounds: u32, time: Duration) -> Result<Vec<Row>, Failure> {
    let request: Arc<[u8]> = load::request(API_KEY);
    let mut rows: Vec<Row> = contenders.iter().map(|c| Row::new(&c.name)).collect();
    for round in 1..=rounds {
        for (contender, row) in contenders.iter().zip(&mut rows) {
            eprintln!("round {round}: {}", contender.name);
            load::run(contender.address, &request, WARM_UP).await?;
            let before = contender.cpu_micros()?;
            let seen = load::run(contender.address, &request, time).await?;
            row.add(contender.cpu_micros()? - before, &seen);
        }
    }
    Ok(rows)
}
