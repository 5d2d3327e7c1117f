//! The whole of this layer against tokens that were made to get past it. The names begin with the row of the threat
//! catalogue that they answer.

mod claims;
mod credential;
mod header;
mod keys;
mod memo;
mod outage;
mod principal;
mod set;
mod support;
