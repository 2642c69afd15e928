//! kilo-sdk
