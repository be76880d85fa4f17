//! Runs cases on a few lanes and tells about all wrong ones at once.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// Judges each case on one of the lanes, which it has for itself meanwhile. Prints every case, and panics with the names
/// and reasons of those that are wrong.
pub fn judge_all<C: Sync, L: Sync>(
    lanes: &[L],
    cases: &[C],
    name: impl Fn(&C) -> String + Sync,
    judge: impl Fn(&L, &C) -> Result<(), String> + Sync,
) {
    let next = AtomicUsize::new(0);
    let wrong = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for lane in lanes {
            scope.spawn(|| {
                while let Some(case) = cases.get(next.fetch_add(1, Relaxed)) {
                    let judged = catch_unwind(AssertUnwindSafe(|| judge(lane, case)));
                    match judged.unwrap_or_else(|panic| Err(panic_text(&*panic))) {
                        Ok(()) => println!("ok     {}", name(case)),
                        Err(why) => wrong.lock().expect("the list").push(format!("{}\n         {why}", name(case))),
                    }
                }
            });
        }
    });
    let mut wrong = wrong.into_inner().expect("the list");
    wrong.sort();
    println!("{} cases, {} wrong", cases.len(), wrong.len());
    assert!(wrong.is_empty(), "{} of {} cases are wrong:\n  {}", wrong.len(), cases.len(), wrong.join("\n  "));
}

fn panic_text(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str).or(panic.downcast_ref::<&str>().copied());
    format!("panicked: {}", text.unwrap_or("without a text"))
}
