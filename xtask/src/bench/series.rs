//! Samples of one thing and what they amount to.

use serde::{Deserialize, Serialize};

/// Samples in the order in which they were taken, with their spread.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Series {
    pub min: f64,
    pub median: f64,
    pub max: f64,
    pub samples: Vec<f64>,
}

impl Series {
    /// Of at least one sample.
    pub fn of(samples: Vec<f64>) -> Result<Self, String> {
        let mut sorted = samples.clone();
        sorted.sort_by(f64::total_cmp);
        let (Some(&min), Some(&max)) = (sorted.first(), sorted.last()) else {
            return Err("nothing was measured".to_owned());
        };
        if !sorted.iter().all(|sample| sample.is_finite()) {
            return Err(format!("not all samples are numbers: {samples:?}"));
        }
        let (low, high) = (sorted[(sorted.len() - 1) / 2], sorted[sorted.len() / 2]);
        Ok(Self { min, median: f64::midpoint(low, high), max, samples })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle_or_between_the_two() {
        let odd = Series::of(vec![9.0, 1.0, 2.0]).unwrap();
        assert_eq!((odd.min, odd.median, odd.max), (1.0, 2.0, 9.0));
        assert_eq!(odd.samples, [9.0, 1.0, 2.0], "the order of the rounds is kept");
        let median = |samples: &[f64]| Series::of(samples.to_vec()).map(|series| series.median);
        assert_eq!(median(&[4.0, 1.0, 2.0, 3.0]), Ok(2.5));
        assert_eq!(median(&[7.0]), Ok(7.0));
    }

    #[test]
    fn nothing_and_nonsense_are_refused() {
        assert!(Series::of(Vec::new()).is_err());
        assert!(Series::of(vec![1.0, f64::NAN]).is_err());
    }
}
