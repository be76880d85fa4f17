//! Places where a test can kill the process, as `kill -9` would but at a known moment, or make the disk fail.
//!
//! `RAPTORGATE_CRASH=journal.after_write:3` kills at the third time that place is passed. Builds without debug assertions
//! have none of this.

#[cfg(debug_assertions)]
mod armed {
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

    struct Armed {
        place: String,
        passes_left: AtomicU64,
    }

    fn armed() -> Option<&'static Armed> {
        static ARMED: OnceLock<Option<Armed>> = OnceLock::new();
        let read = || {
            let setting = std::env::var("RAPTORGATE_CRASH").ok()?;
            let (place, count) = setting.split_once(':')?;
            Some(Armed { place: place.to_owned(), passes_left: AtomicU64::new(count.parse().ok()?) })
        };
        ARMED.get_or_init(read).as_ref()
    }

    pub(crate) fn point(place: &str) {
        #[cfg(test)]
        super::die_if_due();
        let due = armed().is_some_and(|armed| armed.place == place && armed.passes_left.fetch_sub(1, Relaxed) == 1);
        if due {
            let _ = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
            loop {
                std::thread::park();
            }
        }
    }

    #[cfg(test)]
    thread_local! {
        /// Place and error of the next call of [`super::io`] in this thread.
        pub(crate) static DISK_ERROR: std::cell::Cell<Option<(&'static str, std::io::ErrorKind)>> =
            const { std::cell::Cell::new(None) };
    }

    pub(crate) fn torn(place: &str) -> bool {
        #[cfg(test)]
        if super::POINTS_LEFT.get() == Some(1) {
            return true;
        }
        armed().is_some_and(|armed| armed.place == place && armed.passes_left.load(Relaxed) == 1)
    }
}

/// Dies here if a test says so.
#[inline]
pub(crate) fn point(_place: &str) {
    #[cfg(debug_assertions)]
    armed::point(_place);
}

/// True if the process dies at the next passing of this place: what it writes before may be half done.
#[inline]
pub(crate) fn torn(_place: &str) -> bool {
    #[cfg(debug_assertions)]
    return armed::torn(_place);
    #[cfg(not(debug_assertions))]
    false
}

#[cfg(test)]
pub(crate) use armed::DISK_ERROR;

#[cfg(test)]
thread_local! {
    /// Places that this thread still passes before it dies in the next, by a [`Killed`] that unwinds: whoever simulates a process
    /// catches it and drops what that process had in memory.
    pub(crate) static POINTS_LEFT: std::cell::Cell<Option<u32>> = const { std::cell::Cell::new(None) };
}

/// What a simulated process dies of.
#[cfg(test)]
pub(crate) struct Killed;

#[cfg(test)]
fn die_if_due() {
    match POINTS_LEFT.get() {
        None => {}
        Some(1) => {
            POINTS_LEFT.set(None);
            std::panic::resume_unwind(Box::new(Killed));
        }
        Some(left) => POINTS_LEFT.set(Some(left - 1)),
    }
}

/// The error that a test wants here.
#[inline]
pub(crate) fn io(_place: &str) -> std::io::Result<()> {
    #[cfg(test)]
    if let Some((place, kind)) = DISK_ERROR.get()
        && place == _place
    {
        return Err(kind.into());
    }
    Ok(())
}
