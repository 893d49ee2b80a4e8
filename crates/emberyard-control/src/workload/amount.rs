//! Numbers that may be percentages.
//!
//! Rule source: `intstr.GetScaledValueFromIntOrPercent`.

use serde_json::Value;

/// Which way a part of a pod counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Round {
    Up,
    Down,
}

/// Whether the value is a percentage.
pub(crate) fn is_percent(value: &Value) -> bool {
    value.is_string()
}

/// The number, or the percentage of `total`; `None` where it is neither.
pub(crate) fn of(value: &Value, total: i64, round: Round) -> Option<i64> {
    match value {
        Value::Number(number) => number.as_i64(),
        Value::String(text) => {
            let percent: i64 = text.strip_suffix('%')?.parse().ok()?;
            let product = percent.checked_mul(total)?;
            Some(if round == Round::Up { product.checked_add(99)?.div_euclid(100) } else { product.div_euclid(100) })
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn parts_are_rounded() {
        let table = [
            (json!(3), 10, Round::Up, Some(3)),
            (json!("25%"), 10, Round::Up, Some(3)),
            (json!("25%"), 10, Round::Down, Some(2)),
            (json!("100%"), 3, Round::Down, Some(3)),
            (json!("0%"), 3, Round::Up, Some(0)),
            (json!("x%"), 3, Round::Up, None),
            (json!("5"), 3, Round::Up, None),
            (json!(null), 3, Round::Up, None),
        ];
        for (value, total, round, wanted) in table {
            assert_eq!(of(&value, total, round), wanted, "{value} of {total}");
        }
    }
}
