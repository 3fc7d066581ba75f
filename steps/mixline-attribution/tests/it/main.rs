//! Attribution against reference results on real journeys, and its laws.

mod laws;
mod path_data;
mod real_journeys;
mod recovery;
mod shared;
