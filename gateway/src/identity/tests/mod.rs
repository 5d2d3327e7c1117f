//! The whole of this layer against tokens that were made to get past it. The names begin with the row of the threat
//! catalogue that they answer.

mod api_key;
mod bound;
mod certificates;
mod claims;
mod corpus;
mod credential;
mod dpop;
mod dpop_keys;
mod dpop_nonces;
mod dpop_use;
mod header;
mod inspection;
mod introspection;
mod keys;
mod memo;
mod mutations;
mod outage;
mod principal;
mod profile;
mod rows;
mod set;
mod support;
