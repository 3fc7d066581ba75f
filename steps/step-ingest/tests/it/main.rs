//! The built step on real and on broken files.

mod broken;
mod real;
mod support;
