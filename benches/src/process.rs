//! A child process on a processor of its own, with all its children: what they use, from `/proc`.

use crate::Failure;
use std::collections::HashMap;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// The processor of the proxies; client and upstream are on others (`scripts/bench`).
const PROCESSOR: &str = "0";
/// How long a proxy may take to start.
const START_MAX: Duration = Duration::from_secs(10);
/// Unit of the CPU times in `/proc/stat`; fixed at 100 for programs on Linux.
const TICKS_PER_SECOND: f64 = 100.0;

/// A running program and what it starts.
pub struct Tree(Child);

impl Tree {
    /// Starts a program with these arguments, pinned. One processor, so one worker thread where it counts processors.
    pub fn start(program: &Path, arguments: &[&str]) -> Result<Self, Failure> {
        let mut command = Command::new("taskset");
        // a proxy whose starter is killed ends too, and takes its workers with it
        command.args(["-c", PROCESSOR, "setpriv", "--pdeathsig", "INT"]).arg(program).args(arguments);
        command.env("RAPTORGATE_LOG", "error").stdin(Stdio::null()).stdout(Stdio::null());
        Ok(Self(command.spawn().map_err(|e| format!("taskset: {e}"))?))
    }

    /// Asks for something until it is there.
    ///
    /// # Errors
    /// It does not come, or the process has ended.
    pub fn wait_for<T>(&mut self, mut look: impl FnMut() -> Option<T>) -> Result<T, Failure> {
        let began = Instant::now();
        while began.elapsed() < START_MAX {
            if let Some(status) = self.0.try_wait()? {
                return Err(format!("it ended with {status}").into());
            }
            if let Some(found) = look() {
                return Ok(found);
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Err("it does not start".into())
    }

    /// CPU time of all threads that run now, in user and in kernel mode, in microseconds.
    pub fn cpu_micros(&self) -> Result<f64, Failure> {
        let mut nanos = 0_u64;
        for process in self.processes()? {
            for task in std::fs::read_dir(format!("/proc/{process}/task"))? {
                // a thread may end in between
                let Ok(text) = std::fs::read_to_string(task?.path().join("schedstat")) else { continue };
                nanos += text.split(' ').next().and_then(|n| n.parse::<u64>().ok()).ok_or("no time in schedstat")?;
            }
        }
        Ok(nanos as f64 / 1e3)
    }

    /// The most memory that was resident at once, each process counted for itself, in MiB.
    pub fn peak_mib(&self) -> Result<f64, Failure> {
        let mut kib = 0.0;
        for process in self.processes()? {
            let status = std::fs::read_to_string(format!("/proc/{process}/status"))?;
            let line = status.lines().find_map(|l| l.strip_prefix("VmHWM:")).ok_or("no VmHWM in /proc")?;
            kib += line.trim_end_matches("kB").trim().parse::<f64>()?;
        }
        Ok(kib / 1024.0)
    }

    fn processes(&self) -> Result<Vec<u32>, Failure> {
        let mut parents = HashMap::new();
        for entry in std::fs::read_dir("/proc")? {
            let name = entry?.file_name();
            let Some(process) = name.to_str().and_then(|n| n.parse::<u32>().ok()) else { continue };
            let Ok(stat) = std::fs::read_to_string(format!("/proc/{process}/stat")) else { continue };
            parents.insert(process, parent(&stat).ok_or("no parent in /proc")?);
        }
        Ok(descendants(self.0.id(), &parents))
    }
}

impl Drop for Tree {
    fn drop(&mut self) {
        // children first known are ended too: a master that is killed leaves its workers behind
        let all: Vec<String> = self.processes().unwrap_or_default().iter().map(ToString::to_string).collect();
        drop(Command::new("sh").args(["-c", "kill -KILL \"$@\" 2>&-", "kill"]).args(all).status());
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// The parent in a line of `/proc/PID/stat`. The program's name, which may hold anything, ends at the last bracket.
fn parent(stat: &str) -> Option<u32> {
    stat.rsplit(')').next()?.split_whitespace().nth(1)?.parse().ok()
}

/// A process and all below it.
fn descendants(root: u32, parents: &HashMap<u32, u32>) -> Vec<u32> {
    let mut found = vec![root];
    let mut from = 0;
    while let Some(&process) = found.get(from) {
        found.extend(parents.iter().filter(|(_, p)| **p == process).map(|(child, _)| *child));
        from += 1;
    }
    found
}

/// Seconds that the proxies' processor was busy, and those that its host gave to others, since it started.
pub fn processor_seconds() -> Result<(f64, f64), Failure> {
    let stat = std::fs::read_to_string("/proc/stat")?;
    busy_and_stolen(&stat).ok_or_else(|| "no times of processor 0 in /proc/stat".into())
}

fn busy_and_stolen(stat: &str) -> Option<(f64, f64)> {
    let line = stat.lines().find_map(|l| l.strip_prefix("cpu0 "))?;
    let ticks: Vec<f64> = line.split_whitespace().map_while(|t| t.parse().ok()).collect();
    // user nice system idle iowait irq softirq steal
    let sum = |columns: &[usize]| columns.iter().map(|c| ticks.get(*c).copied()).sum::<Option<f64>>();
    Some((sum(&[0, 1, 2, 5, 6])? / TICKS_PER_SECOND, sum(&[7])? / TICKS_PER_SECOND))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_tree_is_a_process_and_all_below_it() {
        assert_eq!(parent("12 (a) b) (c) S 7 12 12 0"), Some(7));
        let parents = HashMap::from([(2, 1), (3, 2), (4, 3), (5, 1), (6, 9)]);
        let mut tree = descendants(2, &parents);
        tree.sort_unstable();
        assert_eq!(tree, [2, 3, 4]);
    }

    #[test]
    fn times_of_a_processor_leave_out_idleness() {
        let stat = "cpu  9 9 9 9 9 9 9 9 0 0\ncpu0 100 10 40 9999 500 20 30 700 0 0\ncpu1 1 1 1 1 1 1 1 1 0 0\n";
        assert_eq!(busy_and_stolen(stat), Some((2.0, 7.0)));
    }

    #[test]
    fn what_a_busy_child_uses_is_counted_and_it_ends_when_dropped() {
        let mut tree = Tree::start(Path::new("sh"), &["-c", "sh -c 'while :; do :; done' & wait"]).unwrap();
        let both = |t: &Tree| t.processes().unwrap();
        let began = Instant::now();
        while both(&tree).len() < 2 || tree.cpu_micros().unwrap() < 50_000.0 {
            assert!(began.elapsed() < START_MAX, "the child's time is not counted");
        }
        assert!(tree.peak_mib().unwrap() > 0.1);
        tree.wait_for(|| Some(())).unwrap();
        let processes = both(&tree);
        drop(tree);
        let is_there = |process: &u32| {
            let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
            !stat.is_empty() && !stat.contains(") Z ")
        };
        // a killed process is there until it is scheduled once more
        while processes.iter().any(is_there) {
            assert!(began.elapsed() < START_MAX, "the child is left behind");
        }
    }
}
