//! What a text is for, told by labels with examples: a small model that is trained when the configuration is loaded.
//!
//! # Invariants
//! * The same examples give the same model (`training_is_deterministic`).
//! * A text that has little in common with any example has no label (`strangers_have_no_label`).
//! * Time and memory of training are bounded by [`EXAMPLES_MAX`] and [`EXAMPLE_BYTES_MAX`] (`too_much_is_an_error`).

use super::features::{self, LEXICAL_BITS, Sink};
use super::normalise::{Folded, Signals};
use super::words::Words;
use raptorgate_config::model;

/// Most labels.
pub const LABELS_MAX: usize = model::Purpose::LABELS_MAX;
/// Most examples of all labels together.
pub const EXAMPLES_MAX: usize = model::Purpose::EXAMPLES_MAX;
/// Longest example.
pub const EXAMPLE_BYTES_MAX: usize = model::Purpose::EXAMPLE_BYTES_MAX;
/// Longest part of a text that is looked at: what a text is for is told in its beginning.
const TEXT_BYTES_MAX: usize = 8_192;
/// Buckets of the model, as a power of two.
const BITS: u32 = 13;
const EPOCHS: usize = 40;
const RATE: f32 = 0.5;
const DECAY: f32 = 1e-4;

/// One label and texts that it is right for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// Its name.
    pub name: String,
    /// At least three for each label.
    pub examples: Vec<String>,
}

/// The examples cannot be learned from.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum PurposeError {
    /// One label cannot be told from none.
    #[error("at least two labels are needed, at most {LABELS_MAX} are possible")]
    Labels,
    /// Nothing can be learned from less.
    #[error("label {0} needs at least three examples")]
    Examples(String),
    /// Loading would take too long.
    #[error("there are more than {EXAMPLES_MAX} examples")]
    TooMany,
    /// See [`EXAMPLE_BYTES_MAX`].
    #[error("an example of label {0} is longer than {EXAMPLE_BYTES_MAX} bytes")]
    TooLong(String),
}

/// What a text is for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Guess {
    /// Index of the label, in the order of the configuration.
    pub label: usize,
    /// Its share of all labels, 0 to 1.
    pub share: f32,
    /// How much larger than the next label's.
    pub margin: f32,
    /// How much of the text was seen in any example, 0 to 1.
    pub known: f32,
}

/// Trained labels.
#[derive(Debug, Clone)]
pub struct Purposes {
    names: Vec<String>,
    /// For each bucket the weights of all labels.
    weights: Vec<f32>,
    biases: Vec<f32>,
    seen: Vec<bool>,
}

#[derive(Default)]
struct Buckets(Vec<u32>);

impl Sink for Buckets {
    fn block(&mut self, _: usize) {}
    fn lexical(&mut self, bucket: u32) {
        self.0.push(bucket >> (LEXICAL_BITS - BITS));
    }
    fn concept(&mut self, _: u32) {}
}

/// The different features of a text.
fn buckets(text: &str) -> Vec<u32> {
    let mut end = text.len().min(TEXT_BYTES_MAX);
    while !text.is_char_boundary(end) {
        end = end.saturating_sub(1);
    }
    let folded = Folded::of(text.get(..end).unwrap_or_default());
    let mut found = Buckets::default();
    features::extract(&Words::of(folded.text()), &[], Signals::default(), &mut found);
    found.0.sort_unstable();
    found.0.dedup();
    found.0
}

fn norm(buckets: &[u32]) -> f32 {
    1.0 / f32::from(u16::try_from(buckets.len()).unwrap_or(u16::MAX)).max(1.0).sqrt()
}

impl Purposes {
    /// Trains on examples: some milliseconds for a hundred of them.
    pub fn train(labels: &[Label]) -> Result<Self, PurposeError> {
        check(labels)?;
        let samples: Vec<(usize, Vec<u32>)> =
            labels.iter().enumerate().flat_map(|(i, l)| l.examples.iter().map(move |e| (i, buckets(e)))).collect();
        let mut model = Self {
            names: labels.iter().map(|l| l.name.clone()).collect(),
            weights: vec![0.0; labels.len() << BITS],
            biases: vec![0.0; labels.len()],
            seen: vec![false; 1 << BITS],
        };
        for bucket in samples.iter().flat_map(|(_, b)| b) {
            model.seen.get_mut(*bucket as usize).into_iter().for_each(|seen| *seen = true);
        }
        let share = |label: usize| {
            let own = labels.get(label).map_or(1, |l| l.examples.len());
            #[allow(clippy::cast_precision_loss, reason = "thousands at most")]
            let weight = samples.len() as f32 / (own.max(1) as f32 * labels.len() as f32);
            weight
        };
        let weights: Vec<f32> = (0..labels.len()).map(share).collect();
        for epoch in 0..EPOCHS {
            // A stride that is no divisor visits all samples in an order that mixes labels.
            let stride = (samples.len() / 2).max(1) | 1;
            for k in 0..samples.len() {
                let at = k.wrapping_mul(stride).wrapping_add(epoch) % samples.len();
                let Some((label, buckets)) = samples.get(at) else { continue };
                model.step(*label, buckets, weights.get(*label).copied().unwrap_or(1.0));
            }
        }
        Ok(model)
    }

    fn step(&mut self, label: usize, buckets: &[u32], weight: f32) {
        let norm = norm(buckets);
        let shares = self.shares(buckets);
        let labels = self.names.len();
        for (i, share) in shares.iter().enumerate() {
            let gradient = (share - f32::from(u8::from(i == label))) * weight;
            if let Some(bias) = self.biases.get_mut(i) {
                *bias -= RATE * 0.1 * gradient;
            }
            for bucket in buckets {
                if let Some(w) = self.weights.get_mut((*bucket as usize).saturating_mul(labels).saturating_add(i)) {
                    *w -= RATE * gradient.mul_add(norm, DECAY * *w);
                }
            }
        }
    }

    /// Shares of all labels, in sum 1.
    fn shares(&self, buckets: &[u32]) -> Vec<f32> {
        let labels = self.names.len();
        let mut sums = vec![0.0_f32; labels];
        for bucket in buckets {
            let from = (*bucket as usize).saturating_mul(labels);
            let weights = self.weights.get(from..from.saturating_add(labels)).unwrap_or_default();
            sums.iter_mut().zip(weights).for_each(|(sum, w)| *sum += w);
        }
        let norm = norm(buckets);
        let logits: Vec<f32> = sums.iter().zip(&self.biases).map(|(sum, bias)| sum.mul_add(norm, *bias)).collect();
        let top = logits.iter().copied().fold(f32::MIN, f32::max);
        let powers: Vec<f32> = logits.iter().map(|l| (l - top).exp()).collect();
        let total: f32 = powers.iter().sum();
        powers.into_iter().map(|p| p / total).collect()
    }

    /// What a text is most likely for; nothing for a text without words.
    pub fn guess(&self, text: &str) -> Option<Guess> {
        let buckets = buckets(text);
        if buckets.is_empty() {
            return None;
        }
        let seen = buckets.iter().filter(|b| self.seen.get(**b as usize).is_some_and(|s| *s)).count();
        let count = |n: usize| f32::from(u16::try_from(n).unwrap_or(u16::MAX));
        let known = count(seen) / count(buckets.len());
        let shares = self.shares(&buckets);
        let (label, share) = shares.iter().copied().enumerate().max_by(|a, b| a.1.total_cmp(&b.1))?;
        let next = shares.iter().enumerate().filter(|(i, _)| *i != label).map(|(_, s)| *s).fold(0.0, f32::max);
        Some(Guess { label, share, margin: share - next, known })
    }

    /// The label of a text, if it is clear: a margin of so much, and so much of the text known from examples.
    pub fn label(&self, text: &str, margin_min: f32, known_min: f32) -> Option<&str> {
        let guess = self.guess(text).filter(|g| g.margin >= margin_min && g.known >= known_min)?;
        self.names.get(guess.label).map(String::as_str)
    }
}

fn check(labels: &[Label]) -> Result<(), PurposeError> {
    if !(2..=LABELS_MAX).contains(&labels.len()) {
        return Err(PurposeError::Labels);
    }
    for label in labels {
        if label.examples.len() < model::Purpose::EXAMPLES_MIN {
            return Err(PurposeError::Examples(label.name.clone()));
        }
        if label.examples.iter().any(|e| e.len() > EXAMPLE_BYTES_MAX) {
            return Err(PurposeError::TooLong(label.name.clone()));
        }
    }
    if labels.iter().map(|l| l.examples.len()).sum::<usize>() > EXAMPLES_MAX {
        return Err(PurposeError::TooMany);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn label(name: &str, examples: &[&str]) -> Label {
        Label { name: name.to_owned(), examples: examples.iter().map(|e| (*e).to_owned()).collect() }
    }

    fn labels() -> Vec<Label> {
        vec![
            label(
                "on_topic",
                &[
                    "where is my order",
                    "when will the parcel arrive",
                    "I want to return the shoes",
                    "my refund has not come",
                    "the delivery was late and the box damaged",
                    "change the address of my order",
                    "which sizes of shirts are in stock",
                ],
            ),
            label(
                "general_coding",
                &[
                    "write a python function that sorts a list",
                    "fix this rust compiler error",
                    "explain this SQL query with a join",
                    "how do I use git rebase",
                    "write unit tests for this class",
                    "debug my javascript code",
                    "regex for email addresses in python",
                ],
            ),
        ]
    }

    #[test]
    fn unseen_texts_get_the_right_label() {
        let purposes = Purposes::train(&labels()).unwrap();
        for (text, name) in [
            ("has my order been sent? the parcel is late", "on_topic"),
            ("please return my refund for the shirt", "on_topic"),
            ("can you write a function in rust that parses a list", "general_coding"),
            ("why does this python code not compile, debug it", "general_coding"),
        ] {
            assert_eq!(purposes.label(text, 0.1, 0.2), Some(name), "{text}: {:?}", purposes.guess(text));
        }
    }

    #[test]
    fn strangers_have_no_label() {
        let purposes = Purposes::train(&labels()).unwrap();
        assert_eq!(purposes.label("मौसम कैसा है", 0.1, 0.2), None);
        assert_eq!(purposes.guess("!!"), None);
    }

    #[test]
    fn training_is_deterministic() {
        let (a, b) = (Purposes::train(&labels()).unwrap(), Purposes::train(&labels()).unwrap());
        assert!(a.weights.iter().zip(&b.weights).all(|(x, y)| x.to_bits() == y.to_bits()));
    }

    #[test]
    fn too_much_is_an_error() {
        assert_eq!(Purposes::train(&labels()[..1]).unwrap_err(), PurposeError::Labels);
        assert_eq!(
            Purposes::train(&[label("a", &["x"]), label("b", &["y"])]).unwrap_err(),
            PurposeError::Examples("a".to_owned())
        );
        let long = "x".repeat(EXAMPLE_BYTES_MAX + 1);
        let too_long = [label("a", &["x", "y", &long]), label("b", &["y", "z", "w"])];
        assert_eq!(Purposes::train(&too_long).unwrap_err(), PurposeError::TooLong("a".to_owned()));
        let many: Vec<String> = (0..=EXAMPLES_MAX).map(|i| format!("e{i}")).collect();
        let too_many = [Label { name: "a".to_owned(), examples: many }, label("b", &["y", "z", "w"])];
        assert_eq!(Purposes::train(&too_many).unwrap_err(), PurposeError::TooMany);
    }
}
