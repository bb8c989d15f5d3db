//! Against the real Label Studio, which `make test` starts: `scripts/label-studio.sh`. Without it these tests say so and
//! pass.

mod annotating;
mod importing;
mod photos;
mod projects;
mod studio;
mod tokens;
mod webhooks;
