//! Numbers in the one spelling that RFC 8785 section 3.2.2.3 gives them: that of ECMAScript. Never rounds a whole number
//! to one that a double can hold.

/// The canonical spelling of the JSON number `token`, which was scanned.
///
/// RFC 8785 has no spelling for a whole number that no double holds. It stays as it is written: to a parser that
/// rounds, two of them may be one number; to others they are not.
pub(super) fn canonical(token: &str) -> String {
    let is_digits = token.bytes().all(|byte| byte.is_ascii_digit());
    if is_digits && token.len() <= EXACT {
        return token.to_owned();
    }
    let Ok(value) = token.parse::<f64>() else {
        return token.to_owned();
    };
    let is_whole = !token.bytes().any(|byte| matches!(byte, b'.' | b'e' | b'E'));
    if is_whole && format!("{value:.0}") != token {
        return token.to_owned();
    }
    shortest(value)
}

/// ECMA-262, Number::toString: the fewest digits that give the same double.
fn shortest(value: f64) -> String {
    // The minus of minus zero goes.
    if value == 0.0 {
        return "0".to_owned();
    }
    let sign = if value < 0.0 { "-" } else { "" };
    // Of two equally near numbers ECMAScript takes the even one. So does this, and the standard library does not.
    let written = serde_json::json!(value.abs()).to_string();
    let (digits, point) = taken_apart(&written);
    format!("{sign}{}", laid_out(&digits, point))
}

/// The digits of a number from the first to the last that is not 0, and after how many of them its point stands.
fn taken_apart(written: &str) -> (String, i32) {
    let (mantissa, exponent) = written.split_once('e').unwrap_or((written, "0"));
    let (whole, rest) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let all = format!("{whole}{rest}");
    let digits = all.trim_start_matches('0');
    let dropped = all.len() - digits.len();
    let count = |length: usize| i32::try_from(length).unwrap_or(i32::MAX);
    let point = count(whole.len()) - count(dropped) + exponent.parse::<i32>().unwrap_or_default();
    (digits.trim_end_matches('0').to_owned(), point)
}

/// `digits` with the decimal point after the first `point` of them.
fn laid_out(digits: &str, point: i32) -> String {
    let count = i32::try_from(digits.len()).unwrap_or(i32::MAX);
    let zeros = |count: i32| "0".repeat(usize::try_from(count).unwrap_or_default());
    let split = |at: i32| {
        let at = usize::try_from(at).unwrap_or_default();
        digits.split_at_checked(at).unwrap_or((digits, ""))
    };
    if (count..=LARGEST_POINT).contains(&point) {
        return format!("{digits}{}", zeros(point - count));
    }
    if (1..=LARGEST_POINT).contains(&point) {
        let (whole, rest) = split(point);
        return format!("{whole}.{rest}");
    }
    if (SMALLEST_POINT..=0).contains(&point) {
        return format!("0.{}{digits}", zeros(-point));
    }
    let exponent = point - 1;
    let sign = if exponent < 0 { '-' } else { '+' };
    match split(1) {
        (first, "") => format!("{first}e{sign}{}", exponent.abs()),
        (first, rest) => format!("{first}.{rest}e{sign}{}", exponent.abs()),
    }
}

/// Every whole number of so many digits is a double.
const EXACT: usize = 15;
/// From 10 to the power of this on, numbers have an exponent.
const LARGEST_POINT: i32 = 21;
/// So many places before the first digit that is not 0, and one more, give a number an exponent.
const SMALLEST_POINT: i32 = -5;

#[cfg(test)]
mod tests {
    use super::{canonical, shortest};

    #[test]
    fn s11_the_numbers_of_rfc_8785_appendix_b_are_written_as_it_says() {
        for (bits, expected) in [
            (0x0000_0000_0000_0000, "0"),
            (0x8000_0000_0000_0000, "0"),
            (0x0000_0000_0000_0001, "5e-324"),
            (0x8000_0000_0000_0001, "-5e-324"),
            (0x7fef_ffff_ffff_ffff, "1.7976931348623157e+308"),
            (0xffef_ffff_ffff_ffff, "-1.7976931348623157e+308"),
            (0x4340_0000_0000_0000, "9007199254740992"),
            (0xc340_0000_0000_0000, "-9007199254740992"),
            (0x4430_0000_0000_0000, "295147905179352830000"),
            (0x44b5_2d02_c7e1_4af5, "9.999999999999997e+22"),
            (0x44b5_2d02_c7e1_4af6, "1e+23"),
            (0x44b5_2d02_c7e1_4af7, "1.0000000000000001e+23"),
            (0x444b_1ae4_d6e2_ef4e, "999999999999999700000"),
            (0x444b_1ae4_d6e2_ef4f, "999999999999999900000"),
            (0x444b_1ae4_d6e2_ef50, "1e+21"),
            (0x3eb0_c6f7_a0b5_ed8c, "9.999999999999997e-7"),
            (0x3eb0_c6f7_a0b5_ed8d, "0.000001"),
            (0x41b3_de43_5555_5553, "333333333.3333332"),
            (0x41b3_de43_5555_5554, "333333333.33333325"),
            (0x41b3_de43_5555_5555, "333333333.3333333"),
            (0x41b3_de43_5555_5556, "333333333.3333334"),
            (0x41b3_de43_5555_5557, "333333333.33333343"),
            (0xbecb_f647_612f_3696, "-0.0000033333333333333333"),
            (0x4314_3ff3_c1cb_0959, "1424953923781206.2"),
        ] {
            let value = f64::from_bits(bits);
            let shown = shortest(value);
            assert_eq!(shown, expected, "{bits:x}");
            let back = shown.parse::<f64>().unwrap();
            assert!(value == 0.0 || back.to_bits() == bits, "{shown}");
        }
    }

    #[test]
    fn s11_spellings_of_one_number_become_one() {
        for (token, expected) in [
            ("333333333.33333329", "333333333.3333333"),
            ("1E30", "1e+30"),
            ("4.50", "4.5"),
            ("2e-3", "0.002"),
            ("0.000000000000000000000000001", "1e-27"),
            ("-0", "0"),
            ("-0.0e5", "0"),
            ("1e2", "100"),
            ("100.0", "100"),
            ("100", "100"),
            ("1e21", "1e+21"),
            ("1000000000000000000000", "1e+21"),
            ("9007199254740992", "9007199254740992"),
        ] {
            assert_eq!(canonical(token), expected, "{token}");
        }
    }

    #[test]
    fn s11_whole_numbers_that_no_double_holds_stay_apart() {
        assert_eq!(canonical("9007199254740993"), "9007199254740993");
        assert_ne!(canonical("9007199254740993"), canonical("9007199254740992"));
        assert_eq!(canonical("295147905179352830000"), "295147905179352830000");
    }
}
