//! Names of accounts.

use std::{fmt, str::FromStr};

/// The longest name, in characters.
const MAX_CHARACTERS: usize = 64;

/// The name of an account: letters, digits and a few signs, so that it reads the same wherever it is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountName(String);

/// Text that is no name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a name has 1 to {MAX_CHARACTERS} letters, digits or signs of . _ - @ +, and no spaces")]
pub struct BadName;

impl AccountName {
    /// The name as it was given.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What it is looked up by: two names that differ in case only are one.
    pub fn key(&self) -> String {
        self.0.to_lowercase()
    }
}

impl FromStr for AccountName {
    type Err = BadName;

    fn from_str(text: &str) -> Result<Self, BadName> {
        let allowed = |letter: char| letter.is_alphanumeric() || ".-_@+".contains(letter);
        let fits = (1..=MAX_CHARACTERS).contains(&text.chars().count());
        if fits && text.chars().all(allowed) { Ok(Self(text.to_owned())) } else { Err(BadName) }
    }
}

impl fmt::Display for AccountName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_short_and_plain() {
        for good in ["ann", "Ann.Smith", "ann@example.org", "Zoë", "安"] {
            assert_eq!(good.parse::<AccountName>().unwrap().as_str(), good);
        }
        for bad in ["", " ann", "ann smith", "<b>ann</b>", "ann\n", "a/b", "a\0", &"a".repeat(65)] {
            assert_eq!(bad.parse::<AccountName>(), Err(BadName), "{bad:?}");
        }
    }

    #[test]
    fn names_that_differ_in_case_are_one() {
        let key = |name: &str| name.parse::<AccountName>().unwrap().key();
        assert_eq!(key("Ann"), key("aNN"));
        assert_eq!(key("ÄNNE"), key("änne"));
    }
}
