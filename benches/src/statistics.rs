//! Middle and spread of a few rounds.

/// What several rounds say of one measure.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Summary {
    /// Least value.
    pub min: f64,
    /// Middle value; of an even number of values the mean of the middle two.
    pub median: f64,
    /// Greatest value.
    pub max: f64,
}

impl Summary {
    /// Of these values; not a number if there are none.
    pub fn of(values: impl IntoIterator<Item = f64>) -> Self {
        let mut sorted: Vec<f64> = values.into_iter().collect();
        sorted.sort_by(f64::total_cmp);
        let at = |index: usize| sorted.get(index).copied().unwrap_or(f64::NAN);
        let (last, half) = (sorted.len().saturating_sub(1), sorted.len() / 2);
        Self { min: at(0), median: f64::midpoint(at(last - last.min(half)), at(half.min(last))), max: at(last) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_in_the_middle() {
        assert_eq!(Summary::of([3.0, 1.0, 2.0]), Summary { min: 1.0, median: 2.0, max: 3.0 });
        assert_eq!(Summary::of([4.0, 1.0, 2.0, 10.0]), Summary { min: 1.0, median: 3.0, max: 10.0 });
        assert_eq!(Summary::of([7.0]), Summary { min: 7.0, median: 7.0, max: 7.0 });
        assert!(Summary::of([]).median.is_nan());
    }
}
