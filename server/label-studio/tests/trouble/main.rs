//! Against a server of our own that behaves badly: a real Label Studio cannot be made to fail on demand. What the real one
//! answers when all is well is shown in `tests/real`.

mod answers;
mod badly_behaved;
mod lost_answers;
mod tokens;
