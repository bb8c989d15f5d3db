//! Has the binary rebuilt when the front end that is built into it changes.

fn main() {
    println!("cargo::rerun-if-changed=../target/site");
}
