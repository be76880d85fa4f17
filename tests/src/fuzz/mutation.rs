//! A small mutation loop for stable toolchains: no coverage, but always there and always the same for one seed.

use super::Target;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

/// Longest input that is made.
const INPUT_BYTES_MAX: usize = 4 << 10;
/// Most changes to one input.
const CHANGES_MAX: u64 = 5;

/// Bytes at which readers of many formats turn.
const TURNS: &[u8] = b"\r\n\t \0\"'\\/:;,=.%#{}[]()<>@+-_~0159afzAFXZ\x7f\x80\xc0\xe2\xff";

/// When a loop ends.
#[derive(Clone, Copy, Debug)]
pub enum Bound {
    /// After so many inputs: the same ones on every machine.
    Inputs(u64),
    /// After so long.
    Time(Duration),
}

impl Bound {
    fn is_reached(self, inputs: u64, began: Instant) -> bool {
        match self {
            Self::Inputs(most) => inputs >= most,
            Self::Time(most) => began.elapsed() >= most,
        }
    }
}

/// SplitMix64 (Steele, Lea, Flood, 2014).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.next() % (bound.max(1) as u64)) as usize
    }
}

/// Gives the target changed inputs of its corpus; says how many. Panics with seed and input when its law breaks.
pub fn run(target: &Target, corpus: &[Vec<u8>], seed: u64, bound: Bound) -> u64 {
    let mut random = Random(seed);
    let began = Instant::now();
    let mut inputs = 0;
    while !bound.is_reached(inputs, began) {
        let input = changed(corpus, &mut random);
        inputs += 1;
        if catch_unwind(AssertUnwindSafe(|| (target.run)(&input))).is_err() {
            panic!(
                "{} breaks its law, seed {seed}, input {inputs}: {:?}",
                target.name,
                input.escape_ascii().to_string()
            );
        }
    }
    inputs
}

fn changed(corpus: &[Vec<u8>], random: &mut Random) -> Vec<u8> {
    let mut input = corpus[random.below(corpus.len())].clone();
    for _ in 0..=random.next() % CHANGES_MAX {
        change(&mut input, corpus, random);
    }
    input.truncate(INPUT_BYTES_MAX);
    input
}

fn change(input: &mut Vec<u8>, corpus: &[Vec<u8>], random: &mut Random) {
    let at = random.below(input.len() + 1);
    let end = (at + 1 + random.below(8)).min(input.len());
    match random.below(8) {
        0 if at < input.len() => input[at] ^= 1 << random.below(8),
        1 if at < input.len() => input[at] = TURNS[random.below(TURNS.len())],
        2 => input.insert(at, TURNS[random.below(TURNS.len())]),
        3 => drop(input.drain(at..end.max(at))),
        4 if at < end => {
            let copy = input[at..end].to_vec();
            let to = random.below(input.len());
            input.splice(to..to, copy);
        }
        5 if at < end => input[at..end].rotate_left(1),
        6 => {
            let other = &corpus[random.below(corpus.len())];
            let from = random.below(other.len() + 1);
            let to = (from + random.below(64)).min(other.len());
            input.splice(at..at, other[from..to].iter().copied());
        }
        _ => input.insert(at, random.next() as u8),
    }
}
