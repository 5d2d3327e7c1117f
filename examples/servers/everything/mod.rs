//! The parts of the fixture server. `http` is its door, `server` its protocol surface, the rest is
//! what it offers. Nothing here is meant to be a good example of authorization: there is none.

mod catalogue;
mod changes;
mod content;
mod http;
mod input;
mod narrate;
mod polling;
mod prompts;
mod resources;
mod rounds;
mod server;
mod session;
mod tasks;
mod tools;

pub(crate) use http::serve;
