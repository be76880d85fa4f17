//! A short run of `make chaos-ledger`: money under fire adds up.

use raptorgate_tests::machine::program;
use std::process::Command;

#[test]
fn money_adds_up_although_gateways_and_redis_are_killed() {
    let output = Command::new(program("chaos-ledger")).args(["6", "7"]).output().expect("run chaos-ledger");
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{told}{}", String::from_utf8_lossy(&output.stderr));
    let last = told.lines().last().expect("a last line");
    assert!(last.starts_with("ledger-chaos: settles="), "{last}");
    let number = |name: &str| -> u64 {
        let field =
            last.split(' ').find_map(|field| field.strip_prefix(name)).unwrap_or_else(|| panic!("{name} in {last}"));
        field.parse().expect("a number")
    };
    assert!(number("exact=") > 100, "{last}");
    for zero in ["lost=", "doubled=", "open_holds=", "overspent=", "unresolved="] {
        assert_eq!(number(zero), 0, "{last}");
    }
}
