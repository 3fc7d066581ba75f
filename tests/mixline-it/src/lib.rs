//! Tests over the built programs, from outside: see `tests/it/`.
