//! The canonical form of amounts: the one text Kubernetes writes for a number in its notation.
//!
//! Rule source: `k8s.io/apimachinery/pkg/api/resource` (`Quantity.CanonicalizeBytes`): no fraction, the largest
//! suffix that loses nothing, the family of suffixes (decimal, binary, exponent) as given.

use emberyard_model::Quantity;

const DECIMAL: [(&str, i32); 10] =
    [("n", -9), ("u", -6), ("m", -3), ("", 0), ("k", 3), ("M", 6), ("G", 9), ("T", 12), ("P", 15), ("E", 18)];
const BINARY: [&str; 6] = ["Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];

/// The canonical form of `text`; `None` when it is no quantity.
pub fn canonical(text: &str) -> Option<String> {
    Quantity::parse(text).ok()?;
    let digits_end = text.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(text.len());
    let (number, suffix) = text.split_at(digits_end);
    let negative = number.starts_with('-');
    let number = number.trim_start_matches(['+', '-']);
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let mantissa: i128 = format!("0{whole}{fraction}").parse().ok()?;
    let places = i32::try_from(fraction.len()).ok()?;
    let body = if let Some(index) = BINARY.iter().position(|known| *known == suffix) {
        let scaled = mantissa.checked_mul(1 << (10 * (index + 1)))?;
        binary(scaled, places)?
    } else if let Some((_, exponent)) = DECIMAL.iter().find(|(known, _)| *known == suffix) {
        decimal(mantissa, exponent - places)?
    } else {
        exponent_form(mantissa, suffix.get(1..)?.parse::<i32>().ok()? - places)?
    };
    Some(if negative && body != "0" { format!("-{body}") } else { body })
}

/// `value` · 10^-`places` with a binary suffix; below 1024 with a decimal one.
fn binary(value: i128, places: i32) -> Option<String> {
    let scale = 10_i128.checked_pow(places.try_into().ok()?)?;
    if value < 1024 * scale {
        return decimal(value, -places);
    }
    let mut units = value.div_euclid(scale) + i128::from(value.rem_euclid(scale) != 0);
    let mut suffix = "";
    for next in BINARY {
        if units % 1024 != 0 {
            break;
        }
        units /= 1024;
        suffix = next;
    }
    Some(format!("{units}{suffix}"))
}

/// `mantissa` · 10^`exponent` with a decimal suffix.
fn decimal(mantissa: i128, exponent: i32) -> Option<String> {
    let (mantissa, exponent) = in_thousands(mantissa, exponent)?;
    let (suffix, base) = DECIMAL.iter().rev().find(|(_, base)| *base <= exponent)?;
    let number = mantissa.checked_mul(10_i128.checked_pow((exponent - base).try_into().ok()?)?)?;
    Some(format!("{number}{suffix}"))
}

fn exponent_form(mantissa: i128, exponent: i32) -> Option<String> {
    let (mantissa, exponent) = in_thousands(mantissa, exponent)?;
    Some(if exponent == 0 { mantissa.to_string() } else { format!("{mantissa}e{exponent}") })
}

/// The same number with the largest exponent that is a multiple of three, at least -9 (finer digits round up).
fn in_thousands(mut mantissa: i128, mut exponent: i32) -> Option<(i128, i32)> {
    if mantissa == 0 {
        return Some((0, 0));
    }
    while exponent < -9 {
        mantissa = mantissa.div_euclid(10) + i128::from(mantissa.rem_euclid(10) != 0);
        exponent += 1;
    }
    while mantissa % 10 == 0 {
        mantissa /= 10;
        exponent += 1;
    }
    let down = exponent.rem_euclid(3);
    Some((mantissa.checked_mul(10_i128.pow(down.unsigned_abs()))?, exponent - down))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_as_kubernetes_does() {
        let table = [
            ("1", "1"),
            ("0", "0"),
            ("-0", "0"),
            ("1000m", "1"),
            ("0.5", "500m"),
            ("1500m", "1500m"),
            ("1000", "1k"),
            ("1000000", "1M"),
            ("1024", "1024"),
            ("1024Mi", "1Gi"),
            ("0.5Gi", "512Mi"),
            ("1.5Gi", "1536Mi"),
            ("1408Mi", "1408Mi"),
            ("0.1Ki", "102400m"),
            ("1.3Ki", "1332"),
            ("1e3", "1e3"),
            ("1E3", "1e3"),
            ("12e2", "1200"),
            ("-1.5", "-1500m"),
            ("0.0000000001", "1n"),
            ("100000k", "100M"),
            ("1023Ki", "1023Ki"),
        ];
        for (given, wanted) in table {
            assert_eq!(canonical(given).as_deref(), Some(wanted), "{given}");
        }
        assert_eq!(canonical("1x"), None);
        assert_eq!(canonical(""), None);
    }

    proptest::proptest! {
        #[test]
        fn is_the_same_amount_and_stable(number in 0_u64..1 << 40, places in 0_usize..4, suffix in 0_usize..9) {
            let suffix = ["", "m", "k", "M", "G", "Ki", "Mi", "Gi", "e3"][suffix];
            let text = format!("{}.{:0width$}{suffix}", number / 1000, number % 10_u64.pow(places as u32), width = places.max(1));
            let once = canonical(&text).unwrap();
            let again = canonical(&once).unwrap();
            proptest::prop_assert_eq!(Quantity::parse(&again).unwrap(), Quantity::parse(&once).unwrap());
            // A fraction of a binary unit may be written without suffix: read again it is a decimal number.
            if !suffix.ends_with('i') {
                proptest::prop_assert_eq!(again, once.clone());
                proptest::prop_assert_eq!(Quantity::parse(&once).unwrap(), Quantity::parse(&text).unwrap());
            }
        }
    }
}
