//! Recorded streams replayed.
