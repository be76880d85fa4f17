//! A configuration file that changes is seen, however it is changed.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests end by panics")]

use raptorgate_config::Watcher;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Far above what any change needs, so that a slow machine fails nothing.
const SEEN_WITHIN: Duration = Duration::from_secs(20);

fn watch(path: &Path) -> (Watcher, Receiver<()>) {
    let (told, changes) = channel();
    let watcher = Watcher::start(path, Vec::new, move || told.send(()).unwrap_or_default()).unwrap();
    (watcher, changes)
}

/// Waits until the change is told, and for the late tellings of the same change to be over.
fn told(changes: &Receiver<()>, what: &str) {
    changes.recv_timeout(SEEN_WITHIN).unwrap_or_else(|_| unreachable!("not told: {what}"));
    while changes.recv_timeout(Duration::from_millis(200)).is_ok() {}
}

#[test]
fn a_write_in_place_is_seen() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("raptorgate.yaml");
    fs::write(&file, "a: 1").unwrap();
    let (_watcher, changes) = watch(&file);
    for round in 0..3 {
        fs::write(&file, format!("a: {round} # changed")).unwrap();
        told(&changes, "a write in place");
    }
}

#[test]
fn a_rename_over_the_file_is_seen() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("raptorgate.yaml");
    fs::write(&file, "a: 1").unwrap();
    let (_watcher, changes) = watch(&file);
    for round in 0..3 {
        let next = folder.path().join(".raptorgate.yaml.swp");
        fs::write(&next, format!("a: {round} # changed")).unwrap();
        fs::rename(&next, &file).unwrap();
        told(&changes, "a rename over the file");
    }
}

/// As the kubelet does it: a new folder, a new symlink to it, renamed over `..data`; then the old folder goes.
fn swap_configmap(mount: &Path, version: &str, content: &str) {
    let old = fs::read_link(mount.join("..data")).ok();
    let name = format!("..2026_01_01_{version}");
    fs::create_dir(mount.join(&name)).unwrap();
    fs::write(mount.join(&name).join("raptorgate.yaml"), content).unwrap();
    symlink(&name, mount.join("..data_tmp")).unwrap();
    fs::rename(mount.join("..data_tmp"), mount.join("..data")).unwrap();
    if let Some(old) = old {
        fs::remove_dir_all(mount.join(old)).unwrap();
    }
}

#[test]
fn a_configmap_swap_is_seen() {
    let folder = tempfile::tempdir().unwrap();
    let mount = folder.path();
    swap_configmap(mount, "0", "a: 0");
    symlink("..data/raptorgate.yaml", mount.join("raptorgate.yaml")).unwrap();
    let (_watcher, changes) = watch(&mount.join("raptorgate.yaml"));
    for round in 1..4 {
        swap_configmap(mount, &round.to_string(), &format!("a: {round}"));
        told(&changes, "a swap of the ConfigMap's symlink");
    }
}

#[test]
fn a_change_behind_a_symlink_to_another_folder_is_seen() {
    let (here, there) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let real = there.path().join("real.yaml");
    fs::write(&real, "a: 1").unwrap();
    let link = here.path().join("raptorgate.yaml");
    symlink(&real, &link).unwrap();
    let (_watcher, changes) = watch(&link);
    fs::write(&real, "a: 2").unwrap();
    told(&changes, "a write to the symlink's target");
    let other = tempfile::tempdir().unwrap();
    let elsewhere = other.path().join("elsewhere.yaml");
    fs::write(&elsewhere, "a: 3").unwrap();
    symlink(&elsewhere, here.path().join("next")).unwrap();
    fs::rename(here.path().join("next"), &link).unwrap();
    told(&changes, "a symlink to another folder");
    fs::write(&elsewhere, "a: 4").unwrap();
    told(&changes, "a write to the new target");
}

#[test]
fn a_file_that_the_configuration_names_is_seen() {
    let (folder, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let file = folder.path().join("raptorgate.yaml");
    fs::write(&file, "a: 1").unwrap();
    let named = Arc::new(Mutex::new(Vec::new()));
    let (told_of, changes) = channel();
    let names = Arc::clone(&named);
    let files = move || names.lock().unwrap().clone();
    let _watcher = Watcher::start(&file, files, move || told_of.send(()).unwrap_or_default()).unwrap();
    let certificate = elsewhere.path().join("server.pem");
    fs::write(&certificate, "one").unwrap();
    named.lock().unwrap().push(certificate.clone());
    told(&changes, "a file that is named from now on");
    for round in 0..3 {
        fs::write(&certificate, format!("round {round}")).unwrap();
        told(&changes, "a write to a named file");
        fs::write(elsewhere.path().join("next"), format!("renamed {round}")).unwrap();
        fs::rename(elsewhere.path().join("next"), &certificate).unwrap();
        told(&changes, "a rename over a named file");
    }
    swap_configmap(elsewhere.path(), "0", "in a mounted folder");
    named.lock().unwrap().push(elsewhere.path().join("..data/raptorgate.yaml"));
    told(&changes, "a file of a mounted folder");
    swap_configmap(elsewhere.path(), "1", "in the next mounted folder");
    told(&changes, "a swap of the mounted folder");
}

#[test]
fn an_untouched_file_is_not_told() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("raptorgate.yaml");
    fs::write(&file, "a: 1").unwrap();
    let (_watcher, changes) = watch(&file);
    fs::write(folder.path().join("access.log"), "a neighbour").unwrap();
    fs::write(&file, "a: 1").unwrap();
    // Longer than the slow look takes, so that it is covered too.
    assert_eq!(changes.recv_timeout(Duration::from_secs(3)), Err(RecvTimeoutError::Timeout));
}

#[test]
fn a_file_that_comes_back_is_seen() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("raptorgate.yaml");
    fs::write(&file, "a: 1").unwrap();
    let (_watcher, changes) = watch(&file);
    fs::remove_file(&file).unwrap();
    fs::write(&file, "a: 2").unwrap();
    told(&changes, "a file that was removed and written again");
}

#[test]
fn a_dropped_watcher_ends_its_thread() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("raptorgate.yaml");
    fs::write(&file, "a: 1").unwrap();
    let (watcher, changes) = watch(&file);
    drop(watcher);
    // The thread held the only sender.
    assert_eq!(changes.recv_timeout(SEEN_WITHIN), Err(RecvTimeoutError::Disconnected));
}
