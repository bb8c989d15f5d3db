//! The binary `gourmetgram`.

use std::process::ExitCode;

fn main() -> ExitCode {
    gourmetgram::cli::main()
}
