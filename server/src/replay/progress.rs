//! How far a replay is: a bar on a terminal, a line now and then elsewhere.

use std::{
    io::{self, IsTerminal, Write},
    sync::Mutex,
    time::{Duration, Instant},
};

use indicatif::{ProgressBar, ProgressStyle};

/// How often a line is written where there is no terminal.
const EVERY: Duration = Duration::from_secs(10);

/// Shows progress on standard error.
pub enum Progress {
    /// A bar.
    Bar(ProgressBar),
    /// Lines.
    Lines {
        /// How many photos there are.
        total: u64,
        /// How many are done, and when a line was last written.
        state: Mutex<(u64, Instant)>,
    },
    /// Nothing.
    Silent,
}

impl Progress {
    /// What suits standard error.
    pub fn new(total: u64) -> Self {
        if !io::stderr().is_terminal() {
            return Self::Lines { total, state: Mutex::new((0, Instant::now())) };
        }
        let bar = ProgressBar::new(total);
        let style = "{bar:32} {pos}/{len} photos, {per_sec}, {eta} left {msg}";
        if let Ok(style) = ProgressStyle::with_template(style) {
            bar.set_style(style);
        }
        bar.enable_steady_tick(Duration::from_millis(250));
        Self::Bar(bar)
    }

    /// One photo is done.
    pub fn step(&self) {
        match self {
            Self::Bar(bar) => bar.inc(1),
            Self::Lines { total, state } => {
                let Ok(mut state) = state.lock() else { return };
                state.0 += 1;
                if state.1.elapsed() >= EVERY {
                    state.1 = Instant::now();
                    say(&format!("{} of {total} photos", state.0));
                }
            }
            Self::Silent => {}
        }
    }

    /// Says what is being waited for; nothing where it goes on.
    pub fn note(&self, note: &str) {
        if let Self::Bar(bar) = self {
            bar.set_message(note.to_owned());
        }
    }

    /// Takes the bar away.
    pub fn finish(&self) {
        if let Self::Bar(bar) = self {
            bar.finish_and_clear();
        }
    }
}

/// One line on standard error.
pub fn say(line: &str) {
    // Standard error may be closed; there is nobody left to tell then.
    let _ = writeln!(io::stderr(), "{line}");
}
