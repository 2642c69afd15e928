//! Kilo through `kilo serve`.
