//! Rebuilds the backend when a migration is added: the macro that embeds them does not notice new files itself.
#![allow(clippy::print_stdout, reason = "printing is how a build script talks to cargo")]

fn main() {
    println!("cargo::rerun-if-changed=../migrations");
}
