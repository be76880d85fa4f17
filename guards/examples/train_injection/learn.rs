//! Logistic regression by stochastic gradient descent with a step for each weight (AdaGrad), the same every time.

use crate::data::{Sample, Window};
use raptorgate_guards::injection::features::{CONCEPT_BITS, LEXICAL_BITS};
use std::collections::BTreeMap;

/// Numbers that can be tried from outside.
fn setting(name: &str, default: f32) -> f32 {
    std::env::var(name).ok().and_then(|v| v.parse().ok()).unwrap_or(default)
}

/// Learned weights.
pub struct Weights {
    pub lexical: Vec<f32>,
    pub concept: Vec<f32>,
    pub bias: f32,
}

impl Weights {
    /// A window's logit.
    pub fn logit(&self, window: &Window) -> f32 {
        let sum = |weights: &[f32], buckets: &[u32]| buckets.iter().map(|b| weights[*b as usize]).sum::<f32>();
        let [lexical, concept] = window.norms;
        self.bias + sum(&self.lexical, &window.lexical) * lexical + sum(&self.concept, &window.concept) * concept
    }
}

/// A generator of numbers that is the same everywhere (SplitMix64).
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub fn below(&mut self, n: usize) -> usize {
        (self.next() % n.max(1) as u64) as usize
    }
}

/// Sources weigh by the root of their size, so that none dominates; attacks and harmless lines weigh the same in sum.
fn sample_weights(samples: &[&Sample]) -> Vec<f32> {
    let mut sizes: BTreeMap<((&str, &str), bool), f32> = BTreeMap::new();
    for sample in samples {
        *sizes.entry((group(sample), sample.label)).or_default() += 1.0;
    }
    let power = setting("SOURCE_POWER", 0.6);
    let lines = setting("LINES", 0.8);
    let short = setting("SHORT", 4.0);
    let share = |s: &Sample| match s.source.as_str() {
        "lines short" => short,
        source if source.starts_with("lines") => lines,
        _ => 1.0,
    };
    let raw: Vec<f32> = samples.iter().map(|s| share(s) * sizes[&(group(s), s.label)].powf(-power)).collect();
    let sum = |label: bool| samples.iter().zip(&raw).filter(|(s, _)| s.label == label).map(|(_, w)| *w).sum::<f32>();
    let (attacks, harmless) = (sum(true), sum(false));
    let half = samples.len() as f32 / 2.0;
    let tilt = setting("TILT", 1.0);
    samples.iter().zip(raw).map(|(s, w)| w * half / if s.label { attacks } else { harmless / tilt }).collect()
}

/// Lines of our own weigh by kind, since each source has many kinds.
fn group(sample: &Sample) -> (&str, &str) {
    if sample.is_own { (&sample.fold, &sample.kind) } else { (&sample.fold, "") }
}

/// The window with some of its features left out, so that no weight leans on a few others.
fn thinned(window: &Window, kept: &[bool], drop: f32, random: &mut Random) -> Window {
    let limit = (drop * 65_536.0) as u64;
    let mut keep = || random.next() & 0xFFFF >= limit;
    let lexical = window.lexical.iter().copied().filter(|b| kept[*b as usize] && keep()).collect();
    let concept = window.concept.iter().copied().filter(|_| keep()).collect();
    let scale = 1.0 / (1.0 - drop);
    Window { lexical, concept, norms: window.norms.map(|norm| norm * scale) }
}

/// Trains. Of an attack, the window that looks worst so far is the attack; of harmless lines all windows are harmless.
pub fn train(samples: &[&Sample]) -> Weights {
    let rounds = setting("ROUNDS", 2.0) as u64;
    let mut sum = train_once(samples, 20_261_125);
    for round in 1..rounds {
        let more = train_once(samples, 20_261_125 + round);
        let add = |to: &mut [f32], from: &[f32]| to.iter_mut().zip(from).for_each(|(to, from)| *to += from);
        add(&mut sum.lexical, &more.lexical);
        add(&mut sum.concept, &more.concept);
        sum.bias += more.bias;
    }
    let part = 1.0 / rounds as f32;
    let scale = |weights: &mut [f32]| weights.iter_mut().for_each(|weight| *weight *= part);
    scale(&mut sum.lexical);
    scale(&mut sum.concept);
    sum.bias *= part;
    sum
}

/// One of the runs that are averaged.
pub fn train_once(samples: &[&Sample], seed: u64) -> Weights {
    let weights_of = sample_weights(samples);
    let mut weights =
        Weights { lexical: vec![0.0; 1 << LEXICAL_BITS], concept: vec![0.0; 1 << CONCEPT_BITS], bias: 0.0 };
    let mut squares = (vec![1e-3_f32; 1 << LEXICAL_BITS], vec![1e-3_f32; 1 << CONCEPT_BITS], 1e-3_f32);
    let mut random = Random(seed);
    let epochs = setting("EPOCHS", 12.0) as usize;
    let rate = setting("RATE", 0.3);
    let decay = setting("L2", 3e-4);
    let drop = setting("DROP", 0.3);
    let mut counts = vec![0_u32; 1 << LEXICAL_BITS];
    for sample in samples {
        let mut seen: Vec<u32> = sample.windows.iter().flat_map(|w| w.lexical.iter().copied()).collect();
        seen.sort_unstable();
        seen.dedup();
        seen.into_iter().for_each(|b| counts[b as usize] += 1);
    }
    // what one line alone has says nothing
    let least = setting("MINDF", 2.0) as u32;
    let kept: Vec<bool> = counts.into_iter().map(|count| count >= least).collect();
    for epoch in 0..epochs {
        let mut steps: Vec<(usize, usize, f32)> = Vec::new();
        for (i, sample) in samples.iter().enumerate().filter(|(_, s)| !s.windows.is_empty()) {
            let n = sample.windows.len();
            if sample.label && epoch > 0 {
                let scored = sample.windows.iter().map(|w| weights.logit(w)).enumerate();
                let worst = scored.max_by(|a, b| a.1.total_cmp(&b.1)).map_or(0, |(k, _)| k);
                steps.push((i, worst, weights_of[i]));
            } else {
                let share = if sample.label { 1.0 / n as f32 } else { (n as f32).powf(-0.5) };
                steps.extend((0..n).map(|k| (i, k, weights_of[i] * share)));
            }
        }
        for k in (1..steps.len()).rev() {
            steps.swap(k, random.below(k + 1));
        }
        for (i, k, weight) in steps {
            let window = &thinned(&samples[i].windows[k], &kept, drop, &mut random);
            let p = 1.0 / (1.0 + (-weights.logit(window)).exp());
            let gradient = (p - f32::from(u8::from(samples[i].label))) * weight;
            let step = |w: &mut f32, square: &mut f32, x: f32| {
                let g = gradient * x + decay * *w;
                *square += g * g;
                *w -= rate * g / square.sqrt();
            };
            let [lexical, concept] = window.norms;
            for b in &window.lexical {
                step(&mut weights.lexical[*b as usize], &mut squares.0[*b as usize], lexical);
            }
            for b in &window.concept {
                step(&mut weights.concept[*b as usize], &mut squares.1[*b as usize], concept);
            }
            step(&mut weights.bias, &mut squares.2, 1.0);
        }
    }
    weights
}
