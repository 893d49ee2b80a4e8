//! Completion indexes, and the short text for many of them (`1,3-5`).

use emberyard_object::view::Meta;
use serde_json::Value;
use std::collections::BTreeSet;

/// Annotation and label of a pod's index.
pub(super) const INDEX: &str = "batch.kubernetes.io/job-completion-index";

/// The index of a pod.
pub(super) fn of(pod: &Value) -> Option<i64> {
    Meta(pod).annotation(INDEX)?.parse().ok()
}

/// Reads the text; what can't be read is left out.
pub(super) fn parse(text: &str) -> BTreeSet<i64> {
    let mut all = BTreeSet::new();
    for part in text.split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        if let (Ok(first), Ok(last)) = (first.parse::<i32>(), last.parse::<i32>()) {
            all.extend((first..=last).map(i64::from));
        }
    }
    all
}

/// Writes the text: three and more in a row become a range, two stay a list as upstream has them.
pub(super) fn format(all: &BTreeSet<i64>) -> String {
    let mut runs: Vec<(i64, i64)> = Vec::new();
    for index in all {
        match runs.last_mut() {
            Some((_, last)) if *last + 1 == *index => *last = *index,
            _ => runs.push((*index, *index)),
        }
    }
    let text = |(first, last): &(i64, i64)| match last - first {
        0 => first.to_string(),
        1 => format!("{first},{last}"),
        _ => format!("{first}-{last}"),
    };
    runs.iter().map(text).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_and_back() {
        for text in ["", "0", "1,3-5", "0,1,7", "2-9,11"] {
            assert_eq!(format(&parse(text)), text);
        }
        assert_eq!(format(&parse("x,3-1,4")), "4");
    }

    proptest::proptest! {
        #[test]
        fn any_set_is_kept(all in proptest::collection::btree_set(0_i64..40, 0..20)) {
            proptest::prop_assert_eq!(parse(&format(&all)), all);
        }
    }
}
