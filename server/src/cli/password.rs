//! Takes a new password from a terminal, or from another program.

use std::io::{self, BufRead, IsTerminal, Read};

use anyhow::Context;
use secrecy::{ExposeSecret, SecretString};

use crate::accounts::{AccountName, Password};

/// No line that is longer can be a password.
const LONGEST_LINE: u64 = 4096;

/// Asks for a password for `name`, twice and without showing it; or reads it from the first line of standard input.
pub fn take(name: &AccountName, from_stdin: bool) -> anyhow::Result<Password> {
    let text = if from_stdin { first_line()? } else { ask_twice(name)? };
    Ok(Password::new(text, name)?)
}

fn first_line() -> anyhow::Result<SecretString> {
    let mut line = String::new();
    io::stdin()
        .lock()
        .take(LONGEST_LINE)
        .read_line(&mut line)
        .context("cannot read the password from standard input")?;
    anyhow::ensure!(!line.is_empty(), "standard input holds no password: write it there as one line");
    Ok(line.trim_end_matches(['\r', '\n']).into())
}

fn ask_twice(name: &AccountName) -> anyhow::Result<SecretString> {
    anyhow::ensure!(
        io::stdin().is_terminal(),
        "there is no terminal to ask for the password on: give it on standard input with --password-stdin"
    );
    let ask = |question: String| -> anyhow::Result<SecretString> {
        Ok(rpassword::prompt_password(question).context("cannot read the password from the terminal")?.into())
    };
    let first = ask(format!("Password for {name} (12 characters or more, not shown): "))?;
    let second = ask("The same again: ".to_owned())?;
    anyhow::ensure!(first.expose_secret() == second.expose_secret(), "the two passwords differ: nothing was changed");
    Ok(first)
}
